"""Bounced e-mail: the address is marked, and the next message goes by another channel.

SES reports a bounce or a complaint through SNS. The notice names the mail, and the mail's row names
the contact. If no channel is left, the report says that its reporter cannot be reached
(``contactable``).
"""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.notifications.reachability import way
from chalicelib.domain.principal import system
from chalicelib.domain.row_types import Contact
from chalicelib.services.people import preferences
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import control, people, reach

UNREACHABLE = "unreachable"


def parse_notice(message: dict[str, Any]) -> dict[str, Any] | None:
    """The SES notice in a queued message, with or without SNS's envelope; ``None`` if it is none.

    Raises ``ValueError`` for an envelope that cannot be read.
    """
    if message.get("Type") == "Notification" and isinstance(message.get("Message"), str):
        notice = json.loads(message["Message"])
        if not isinstance(notice, dict):
            raise ValueError("a notice that is no object")
        return notice
    return message if "notificationType" in message or "eventType" in message else None


def handle_notice(notice: dict[str, Any], now: datetime) -> bool:
    """Mark the address after a permanent bounce or a complaint. Returns whether it was marked."""
    kind = notice.get("notificationType") or notice.get("eventType")
    bounced = kind == "Bounce" and notice.get("bounce", {}).get("bounceType") == "Permanent"
    if not bounced and kind != "Complaint":
        return False
    mail = control.mail(str(notice.get("mail", {}).get("messageId")))
    contact = people.contact(mail["jurisdiction"], mail["contact"]) if mail else None
    if mail is None or contact is None:
        return False
    jurisdiction = mail["jurisdiction"]
    preferences.mark_bounced(jurisdiction, contact, "email", now)
    if mail["own"]:
        mark_unreachable(jurisdiction, mail["own"], mail["contact"], contact, now)
    return True


def mark_unreachable(
    jurisdiction: str, report: str, ref: str, contact: Contact, now: datetime
) -> None:
    """Mark a report as not contactable, if every channel that its reporter left is dead."""
    _, dead = reach.person(jurisdiction, preferences.key(contact))
    if way(contact, None, dead) is not None:
        return

    def change(seen: Seen, city: City) -> Addition | None:
        if seen.report.contact != ref or not seen.report.contactable:
            return None
        return Addition(replace(seen.report, contactable=False), {})

    actor = system(jurisdiction)
    op = keyed_operation(actor, UNREACHABLE, f"{report}:{ref}", "")
    add(actor, op, report, UNREACHABLE, change, now)
