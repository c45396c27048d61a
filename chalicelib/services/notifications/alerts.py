"""Alerts to officials through SNS: plain text for people, JSON for machines, attributes to filter.

``audience`` names the recipients of an alert: roles, a unit, a person. The SNS attribute of that
name has the marks that filter policies compare (``services.notifications.officials``).
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chalicelib.domain.message_types import Alert, Notice
from chalicelib.services.city import cities
from chalicelib.services.notifications import alert_texts
from chalicelib.services.notifications import officials as directory
from chalicelib.services.platform.catalogue import official_text
from chalicelib.storage import topics

_PLACE = ("district", "ward", "service")
_PRIORITIES = ("normal", "high", "urgent")
# The audience of older rows, which name none; the unit is added.
_UNNAMED = ("district:officer", "district:district_head")


def recipients(message: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(reference of an official, member of the audience that they match) for each recipient.

    ``message``: an outbox row, or the document that machines receive.
    """
    return directory.recipients(message)


def with_fallback_audience(message: Alert, now: datetime) -> Alert:
    """The outbox row, with a wider audience if needed (``officials.with_fallback_audience``)."""
    if "audience" not in message:
        message = {**message, "audience": [f"unit:{message['unit']}", *_UNNAMED]}
    return directory.with_fallback_audience(message, now)


def publish(message: Alert) -> None:
    """Publish one outbox row of a report's event."""
    city = cities.at(message["jurisdiction"], message["rules"])
    text = alert_texts.compose(message, city)
    document = {
        name: value for name, value in message.items() if name not in ("kind", "rules", "to")
    }
    if message.get("history"):
        document["due_at"] = None  # Older rows have a deadline.
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
    attributes |= {name: str(message.get(name)) for name in _PLACE if message.get(name)}
    link = alert_texts.link(message)
    send(
        official_text(city, "alert.subject"),
        text,
        {**document, "text": text, "link": link},
        attributes,
    )


def publish_digest(messages: list[Alert], dedupe: str) -> None:
    """Publish alerts for one official, or one unit, as one message.

    It has the key of each alert, how many are late and how many are not; of protected reports only
    the key.
    """
    first = messages[0]
    city = cities.at(first["jurisdiction"], first["rules"])
    text, late, not_late = alert_texts.digest(messages, city)
    public: list[Mapping[str, Any]] = [
        message for message in messages if not alert_texts.is_confidential(message)
    ]
    any_protected = any(message["protected"] for message in messages)
    audience = _unique(who for message in messages for who in message["audience"])
    document = {
        "jurisdiction": first["jurisdiction"],
        "event": "digest",
        "level": "digest",
        "unit": first["unit"],
        "dedupe": dedupe,
        "alerts": [_digest_entry(message) for message in messages],
        "late": late,
        "not_late": not_late,
        "audience": audience,
        "protected": any_protected,
        "text": text,
    }
    attributes: dict[str, str | list[str]] = {
        "jurisdiction": first["jurisdiction"],
        "event": "digest",
        "level": "digest",
        "unit": first["unit"],
        "dedupe": dedupe,
        "protected": "true" if any_protected else "false",
        "priority": max(
            (message.get("priority", "normal") for message in messages), key=_PRIORITIES.index
        ),
        "audience": _unique(mark for message in messages for mark in _marks(message)),
    }
    if public:
        attributes |= {name: _unique(message[name] for message in public) for name in _PLACE}
    subject = official_text(city, "digest.subject", n=late + not_late, late=late)
    send(subject, text, document, attributes)


def _digest_entry(message: Alert) -> dict[str, Any]:
    names: tuple[str, ...] = ("report", "dedupe")
    if not alert_texts.is_confidential(message):
        names = ("report", "dedupe", "event", "level", "due_at", "held_by", "overdue")
    return {name: value for name, value in message.items() if name in names}


def publish_notice(message: Notice) -> None:
    """Publish a notice to a unit."""
    attributes: dict[str, str | list[str]] = {
        "jurisdiction": message["jurisdiction"],
        "event": message["event"],
        "level": message["level"],
        "unit": message["unit"],
        "dedupe": message["dedupe"],
    }
    attributes["audience"] = _marks(message)
    # A notice goes to one unit and describes no protected report, so both kinds of listeners of
    # the unit may get it.
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


def _marks(message: Alert | Notice) -> list[str]:
    return sorted(directory.marks(message))


def _unique(values: Iterable[str]) -> list[str]:
    return sorted(set(values))
