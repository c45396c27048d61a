"""The recipients of an alert, by audience and staff records, with a fallback to higher roles.

SNS compares two lists, an alert's ``marks`` and a filter policy's ``interests``; one common value
is enough. Each mark has everything that decides: ``unit:<code>``, ``person:<reference>``,
``<role>``, ``<role>@<district>``, ``<role>@<district>/<service>``, with ``*`` for all districts. So
a role counts only within its own grant, and an alert to a unit or a person reaches them regardless
of grants.

Tests: tests/integration/test_audience.py
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib import clock, observability
from chalicelib.domain.message_types import Alert
from chalicelib.domain.notifications import alerts
from chalicelib.domain.notifications.alerts import LOCAL
from chalicelib.domain.principal import ANY
from chalicelib.domain.row_types import StaffRecord
from chalicelib.services.city import staff

PROTOCOLS = frozenset({"email", "email-json", "sms", "https", "sqs"})
# SNS allows 150 combinations of values in one policy.
MARKS_AT_MOST = 150
# Officials with their interests, and those of each city, with the roster of which they were made.
Reachable = list[tuple[StaffRecord, list[str]]]
_rosters: dict[str, tuple[tuple[StaffRecord, ...], Reachable]] = {}


def marks(message: Mapping[str, Any]) -> dict[str, str]:
    """{mark: the member of the audience that it stands for} of an alert."""
    by_mark: dict[str, str] = {}
    for recipient in message["audience"]:
        for mark in _marks(recipient, message):
            by_mark.setdefault(mark, recipient)
    return by_mark


def _marks(recipient: str, message: Mapping[str, Any]) -> list[str]:
    role = recipient.removeprefix(LOCAL)
    if ":" in role:
        return [role]
    district, service = message.get("district"), message.get("service")
    districts = [district] if isinstance(district, str) else list(district or ())
    # A notice is about several services, so it is for grants that name no service.
    endings = ["", *([f"/{service}"] if isinstance(service, str) else [])]
    districts_or_any = [*districts, *([] if recipient.startswith(LOCAL) else [ANY])]
    return [
        role,
        *(
            f"{role}@{district_or_any}{ending}"
            for district_or_any in districts_or_any
            for ending in endings
        ),
    ]


def interests(record: StaffRecord) -> list[str]:
    """The marks of the alerts for an official; fewer and wider marks if there are too many.

    An official for protected reports gets only what is for the unit or the person.
    """
    own = {f"person:{record['ref']}", f"unit:{record['unit']}"}
    if record.get("protected_unit"):
        return sorted(own)
    values = set(own)
    for grant in record["grants"]:
        districts = [ANY] if ANY in grant["districts"] else grant["districts"]
        services = (
            [""] if ANY in grant["services"] else [f"/{service}" for service in grant["services"]]
        )
        values |= {
            f"{grant['role']}@{district}{service}" for district in districts for service in services
        }
    return limit_values(values)


def limit_values(values: set[str], most: int = MARKS_AT_MOST) -> list[str]:
    """At most ``most`` values, made wider if necessary: without services, then without districts.

    An extra alert does less harm than a missing one.
    """
    for separator in ("/", "@"):
        if len(values) <= most:
            break
        values = {value if ":" in value else value.split(separator)[0] for value in values}
    return sorted(values)


def recipients(message: Mapping[str, Any], now: datetime | None = None) -> list[tuple[str, str]]:
    """(reference, member of the audience that they match) of each active official with an endpoint
    who receives an alert. Staff records may be 30 seconds old."""
    by_mark = marks(message)
    pairs = []
    for record, wanted in _reachable(message["jurisdiction"], now or clock.now()):
        if message.get("protected") is True and not _serves_protected(record, message):
            continue
        recipient = next((by_mark[interest] for interest in wanted if interest in by_mark), None)
        if recipient is not None:
            pairs.append((record["ref"], recipient))
    return pairs


def _reachable(jurisdiction: str, now: datetime) -> Reachable:
    """The active officials with an endpoint, with their interests; made once for each roster."""
    records = staff.roster(jurisdiction, now)
    made_for, rows = _rosters.get(jurisdiction, ((), []))
    if made_for is not records:
        rows = [(record, interests(record)) for record in records if reachable(record)]
        _rosters[jurisdiction] = (records, rows)
    return rows


def reachable(record: StaffRecord) -> bool:
    """Whether an official has an endpoint for alerts."""
    return any(endpoint["protocol"] in PROTOCOLS for endpoint in record.get("endpoints", ()))


def _serves_protected(record: StaffRecord, message: Mapping[str, Any]) -> bool:
    unit: bool = record["unit"] == message["unit"]
    return unit and bool(record.get("protected_unit"))


def with_fallback_audience(message: Alert, now: datetime | None = None) -> Alert:
    """The alert, with a wider audience if nobody of its first member can be reached.

    Then it is also for the first step of ``climb`` (rules/alerts.json) that can be reached, and
    says so in ``climbed``. A protected alert stays in its unit. If nobody can be reached, a log
    line and a metric say so.
    """
    primary = {**message, "audience": message["audience"][:1]}
    if message.get("climbed") or recipients(primary, now):
        return message
    if not message["protected"]:
        for step in alerts.rules()["climb"]:
            fallback = [
                f"unit:{message['unit']}" if member == "unit" else member for member in step
            ]
            if recipients({**message, "audience": fallback}, now):
                audience = list(dict.fromkeys([*message["audience"], *fallback]))
                return {**message, "audience": audience, "climbed": fallback}
    if not recipients(message, now):
        ids = {name: message.get(name) for name in ("report", "version", "event", "dedupe")}
        observability.note("nobody can be reached", **ids)
        observability.count("AlertsWithoutRecipient")
    return message
