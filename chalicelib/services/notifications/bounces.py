"""E-mail that came back: the address is marked, and the next message goes by another way.

SES tells of a bounce or a complaint by SNS; the notice names the mail, by which we know whose it
was. Where no other way is left, the report says that nobody can be asked (``contactable``).
"""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.notifications.reachability import way
from chalicelib.domain.principal import system
from chalicelib.services.people import preferences
from chalicelib.services.platform.idempotency import operation
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import control, people, reach

UNREACHABLE = "unreachable"


def notice(message: dict[str, Any]) -> dict[str, Any] | None:
    """SES's notice in a queued message, in SNS's envelope or bare; ``None``: it is none.

    Raises ``ValueError`` for an envelope that cannot be read.
    """
    if message.get("Type") == "Notification" and isinstance(message.get("Message"), str):
        found = json.loads(message["Message"])
        if not isinstance(found, dict):
            raise ValueError("a notice that is no object")
        return found
    return message if "notificationType" in message or "eventType" in message else None


def heard(told: dict[str, Any], now: datetime) -> bool:
    """Mark the address of a mail that will never arrive, or is not wanted; whether it was one."""
    kind = told.get("notificationType") or told.get("eventType")
    bounced = kind == "Bounce" and told.get("bounce", {}).get("bounceType") == "Permanent"
    if not bounced and kind != "Complaint":
        return False
    sent = control.mail(str(told.get("mail", {}).get("messageId")))
    contact = people.contact(sent["jurisdiction"], sent["contact"]) if sent else None
    if sent is None or contact is None:
        return False
    place = sent["jurisdiction"]
    preferences.bounced(place, contact, "email", now)
    if sent["own"]:
        unreachable(place, sent["own"], sent["contact"], contact, now)
    return True


def unreachable(
    jurisdiction: str, report: str, ref: str, contact: dict[str, Any], now: datetime
) -> None:
    """Say on a report that its reporter cannot be asked, if every way that they left is dead."""
    _, dead = reach.person(jurisdiction, preferences.key(contact))
    if way(contact, None, dead) is not None:
        return

    def change(seen: Seen, city: City) -> Addition | None:
        if seen.report.contact != ref or not seen.report.contactable:
            return None
        return Addition(replace(seen.report, contactable=False), {})

    actor = system(jurisdiction)
    add(actor, operation(actor, UNREACHABLE, f"{report}:{ref}", ""), report, UNREACHABLE, change,
        now)  # fmt: skip
