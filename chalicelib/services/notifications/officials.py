"""Who gets an alert: by audience and staff record, and by climbing where nobody can be reached.

SNS compares two lists, an alert's ``marks`` and a filter policy's ``interests``; one value that is
in both is enough. A mark holds everything that decides: ``unit:<code>``, ``person:<reference>``,
``<role>``, ``<role>@<district>``, ``<role>@<district>/<service>``, with ``*`` for all districts. So
a role counts only where its own grant reaches, and an alert to a unit or a person reaches them
whatever their grants name.
"""

from datetime import datetime
from typing import Any

from chalicelib import clock, observability
from chalicelib.domain.notifications import alerts
from chalicelib.domain.notifications.alerts import LOCAL
from chalicelib.domain.principal import ANY
from chalicelib.services.city import staff

PROTOCOLS = frozenset({"email", "email-json", "sms", "https", "sqs"})
# SNS takes 150 combinations of values in one policy.
MARKS_AT_MOST = 150


def marks(message: dict[str, Any]) -> dict[str, str]:
    """{mark: whom of the audience it stands for} of an alert."""
    found: dict[str, str] = {}
    for who in message["audience"]:
        for mark in _marks(who, message):
            found.setdefault(mark, who)
    return found


def _marks(who: str, message: dict[str, Any]) -> list[str]:
    role = who.removeprefix(LOCAL)
    if ":" in role:
        return [role]
    district, service = message.get("district"), message.get("service")
    districts = [district] if isinstance(district, str) else list(district or ())
    # A notice, which is about several services, is for those whose grant names none.
    endings = ["", *([f"/{service}"] if isinstance(service, str) else [])]
    places = [*districts, *([] if who.startswith(LOCAL) else [ANY])]
    return [role, *(f"{role}@{place}{ending}" for place in places for ending in endings)]


def interests(record: dict[str, Any]) -> list[str]:
    """The marks that an official's alerts may have; fewer and wider ones where there are many.

    Of a unit for protected reports: what is for the unit or the person, and no more.
    """
    own = {f"person:{record['ref']}", f"unit:{record['unit']}"}
    if record.get("protected_unit"):
        return sorted(own)
    found = set(own)
    for grant in record["grants"]:
        places = [ANY] if ANY in grant["districts"] else grant["districts"]
        services = [""] if ANY in grant["services"] else [f"/{one}" for one in grant["services"]]
        found |= {f"{grant['role']}@{place}{one}" for place in places for one in services}
    return narrowed(found)


def narrowed(found: set[str], most: int = MARKS_AT_MOST) -> list[str]:
    """At most ``most`` of these, or of wider ones: without services, then without
    districts. An alert too many does less harm than one too few."""
    for sign in ("/", "@"):
        if len(found) <= most:
            break
        found = {one if ":" in one else one.split(sign)[0] for one in found}
    return sorted(found)


def of(message: dict[str, Any], now: datetime | None = None) -> list[tuple[str, str]]:
    """(reference, whom of the audience they are) of each active official with an endpoint whom an
    alert reaches, as the staff records say at most 30 seconds later."""
    known = marks(message)
    found = []
    for record in staff.roster(message["jurisdiction"], now or clock.now()):
        if not reachable(record) or (
            message.get("protected") is True and not _guards(record, message)
        ):
            continue
        why = next((known[one] for one in interests(record) if one in known), None)
        if why is not None:
            found.append((record["ref"], why))
    return found


def reachable(record: dict[str, Any]) -> bool:
    """Whether an official has an endpoint that alerts can go to."""
    return any(one["protocol"] in PROTOCOLS for one in record.get("endpoints", ()))


def _guards(record: dict[str, Any], message: dict[str, Any]) -> bool:
    unit: bool = record["unit"] == message["unit"]
    return unit and bool(record.get("protected_unit"))


def climbed(message: dict[str, Any], now: datetime | None = None) -> dict[str, Any]:
    """The alert, for somebody who can be reached: where nobody can of those it is for in the first
    place, it is also for the next of ``climb`` (rules/alerts.json) who can, and says so.

    A protected one stays in its unit. Where nobody is left it is noted and counted.
    """
    first = {**message, "audience": message["audience"][:1]}
    if message.get("climbed") or of(first, now):
        return message
    if not message["protected"]:
        for step in alerts.rules()["climb"]:
            above = [f"unit:{message['unit']}" if one == "unit" else one for one in step]
            if of({**message, "audience": above}, now):
                audience = list(dict.fromkeys([*message["audience"], *above]))
                return {**message, "audience": audience, "climbed": above}
    if not of(message, now):
        ids = {name: message.get(name) for name in ("report", "version", "event", "dedupe")}
        observability.note("nobody can be reached", **ids)
        observability.count("AlertsWithoutRecipient")
    return message
