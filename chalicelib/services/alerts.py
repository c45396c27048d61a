"""Alerts to officials through SNS: plain text for people, JSON for machines, attributes to filter.

``audience`` says whom an alert is for: roles, a unit, a person; as an attribute it is spelt out in
the marks that filter policies compare (``services.recipients``).
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.domain.alerts import OVERDUE
from chalicelib.services import alert_texts, cities
from chalicelib.services import recipients as directory
from chalicelib.services.alert_texts import LANGUAGE
from chalicelib.services.texts import say
from chalicelib.storage import topics

_PLACE = ("district", "ward", "service")
# Whom a row of before is for that names nobody.
_UNNAMED = ("district:officer", "district:district_head")


def recipients(message: dict[str, Any]) -> list[tuple[str, str]]:
    """(reference of an official, whom of the audience they are) of everybody whom a message
    reaches: an outbox row, or the document that machines get of one."""
    return directory.of(message)


def addressed(message: dict[str, Any], now: datetime) -> dict[str, Any]:
    """An outbox row for people who can be reached, if anybody can (``recipients.climbed``)."""
    if "audience" not in message:
        message = {**message, "audience": [f"unit:{message['unit']}", *_UNNAMED]}
    return directory.climbed(message, now)


def publish(message: dict[str, Any]) -> None:
    """Publish one outbox row of a report's event."""
    city = cities.at(message["jurisdiction"], message["rules"])
    text = alert_texts.compose(message, city)
    document = {name: value for name, value in message.items() if name not in ("kind", "rules")}
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
    send(say("alert.subject", LANGUAGE), text, {**document, "text": text, "link": link}, attributes)


def publish_digest(messages: list[dict[str, Any]], dedupe: str) -> None:
    """Publish overdue alerts of one unit as one message, which names the key of each."""
    first = messages[0]
    city = cities.at(first["jurisdiction"], first["rules"])
    text = alert_texts.digest(messages, city)
    document = {
        "jurisdiction": first["jurisdiction"],
        "event": "digest",
        "level": "digest",
        "unit": first["unit"],
        "dedupe": dedupe,
        "alerts": [
            {name: one[name] for name in ("report", "dedupe", "due_at", "held_by", "overdue")}
            for one in messages
        ],
        "audience": _all(who for one in messages for who in one["audience"]),
        "protected": False,
        **{name: _all(one[name] for one in messages) for name in ("district", "service")},
        "text": text,
    }
    attributes: dict[str, str | list[str]] = {
        "jurisdiction": first["jurisdiction"],
        "event": "digest",
        "level": "digest",
        "unit": first["unit"],
        "dedupe": dedupe,
        "protected": "false",
        "priority": "urgent" if any(m["priority"] == "urgent" for m in messages) else "high",
        "audience": _all(mark for one in messages for mark in _marks(one)),
        **{name: _all(one[name] for one in messages) for name in _PLACE},
    }
    send(say("digest.subject", LANGUAGE, n=len(messages)), text, document, attributes)


def publish_notice(message: dict[str, Any]) -> None:
    """Publish a notice to a unit: its day's warnings."""
    attributes: dict[str, str | list[str]] = {
        name: message[name] for name in ("jurisdiction", "event", "level", "unit", "dedupe")
    }
    attributes["audience"] = _marks(message)
    # To one unit alone, so that nothing protected is told; its protected desk listens by "true".
    attributes |= {"protected": ["false", "true"], "priority": "normal"}
    attributes |= {name: message[name] for name in ("district", "service") if message.get(name)}
    hidden = ("kind", "rules", "subject", "service")
    document = {name: value for name, value in message.items() if name not in hidden}
    send(message["subject"], message["text"], document, attributes)


def send(
    subject: str, text: str, document: dict[str, Any], attributes: dict[str, str | list[str]]
) -> None:
    """Publish ``text`` to people and ``document`` to machines."""
    data = json.dumps(document, ensure_ascii=False)
    texts = {"default": text, "sqs": data, "https": data, "http": data}
    topics.publish(subject, texts, attributes)


def floods(message: dict[str, Any]) -> bool:
    """Whether an outbox row is of the kind that comes in floods and may wait for a digest."""
    return message.get("event") in OVERDUE and not message["protected"]


def _marks(message: dict[str, Any]) -> list[str]:
    return sorted(directory.marks(message))


def _all(values: Iterable[str]) -> list[str]:
    return sorted(set(values))
