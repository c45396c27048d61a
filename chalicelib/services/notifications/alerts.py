"""Alerts to officials through SNS: plain text for people, JSON for machines, attributes to filter.

``audience`` says whom an alert is for: roles, a unit, a person; as an attribute it is spelt out in
the marks that filter policies compare (``services.notifications.officials``).
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.services.city import cities
from chalicelib.services.notifications import alert_texts
from chalicelib.services.notifications import officials as directory
from chalicelib.services.platform.catalogue import tell
from chalicelib.storage import topics

_PLACE = ("district", "ward", "service")
_PRIORITIES = ("normal", "high", "urgent")
# Whom a row of before is for that names nobody.
_UNNAMED = ("district:officer", "district:district_head")


def recipients(message: dict[str, Any]) -> list[tuple[str, str]]:
    """(reference of an official, whom of the audience they are) of everybody whom a message
    reaches: an outbox row, or the document that machines get of one."""
    return directory.of(message)


def addressed(message: dict[str, Any], now: datetime) -> dict[str, Any]:
    """An outbox row for people who can be reached, if anybody can (``officials.climbed``)."""
    if "audience" not in message:
        message = {**message, "audience": [f"unit:{message['unit']}", *_UNNAMED]}
    return directory.climbed(message, now)


def publish(message: dict[str, Any]) -> None:
    """Publish one outbox row of a report's event."""
    city = cities.at(message["jurisdiction"], message["rules"])
    text = alert_texts.compose(message, city)
    document = {
        name: value for name, value in message.items() if name not in ("kind", "rules", "to")
    }
    attributes: dict[str, str | list[str]] = {
        "jurisdiction": message["jurisdiction"],
        "event": message["event"],
        "level": message["level"],
        "unit": message["unit"],
        "dedupe": message["dedupe"],
        "protected": "true" if message["protected"] else "false",
        "priority": message.get("priority", "normal"),
        "audience": _marks(message),
    }
    attributes |= {name: message[name] for name in _PLACE if message.get(name)}
    link = alert_texts.link(message)
    send(tell(city, "alert.subject"), text, {**document, "text": text, "link": link}, attributes)


def publish_digest(messages: list[dict[str, Any]], dedupe: str) -> None:
    """Publish alerts of one official, or of one unit, as one message: the key of each, how many
    are late and how many are not; of protected reports no more than the key."""
    first = messages[0]
    city = cities.at(first["jurisdiction"], first["rules"])
    text, late, other = alert_texts.digest(messages, city)
    plain = [one for one in messages if not alert_texts.silent(one)]
    guarded = any(one["protected"] for one in messages)
    audience = _all(who for one in messages for who in one["audience"])
    document = {
        "jurisdiction": first["jurisdiction"],
        "event": "digest",
        "level": "digest",
        "unit": first["unit"],
        "dedupe": dedupe,
        "alerts": [_listed(one) for one in messages],
        "late": late,
        "not_late": other,
        "audience": audience,
        "protected": guarded,
        "text": text,
    }
    attributes: dict[str, str | list[str]] = {
        "jurisdiction": first["jurisdiction"],
        "event": "digest",
        "level": "digest",
        "unit": first["unit"],
        "dedupe": dedupe,
        "protected": "true" if guarded else "false",
        "priority": max((one.get("priority", "normal") for one in messages), key=_PRIORITIES.index),
        "audience": _all(mark for one in messages for mark in _marks(one)),
    }
    if plain:
        attributes |= {name: _all(one[name] for one in plain) for name in _PLACE}
    subject = tell(city, "digest.subject", n=late + other, late=late)
    send(subject, text, document, attributes)


def _listed(message: dict[str, Any]) -> dict[str, Any]:
    kept: tuple[str, ...] = ("report", "dedupe")
    if not alert_texts.silent(message):
        kept = ("report", "dedupe", "event", "level", "due_at", "held_by", "overdue")
    return {name: message[name] for name in kept if name in message}


def publish_notice(message: dict[str, Any]) -> None:
    """Publish a notice to a unit: its day's warnings."""
    attributes: dict[str, str | list[str]] = {
        name: message[name] for name in ("jurisdiction", "event", "level", "unit", "dedupe")
    }
    attributes["audience"] = _marks(message)
    # To one unit alone, so that nothing protected is told; its protected desk listens by "true".
    attributes |= {"protected": ["false", "true"], "priority": "normal"}
    attributes |= {name: message[name] for name in ("district", "service") if message.get(name)}
    hidden = ("kind", "rules", "subject", "service", "to")
    document = {name: value for name, value in message.items() if name not in hidden}
    send(message["subject"], message["text"], document, attributes)


def send(
    subject: str, text: str, document: dict[str, Any], attributes: dict[str, str | list[str]]
) -> None:
    """Publish ``text`` to people and ``document`` to machines."""
    data = json.dumps(document, ensure_ascii=False)
    texts = {"default": text, "sqs": data, "https": data, "http": data}
    topics.publish(subject, texts, attributes)


def _marks(message: dict[str, Any]) -> list[str]:
    return sorted(directory.marks(message))


def _all(values: Iterable[str]) -> list[str]:
    return sorted(set(values))
