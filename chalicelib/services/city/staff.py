"""Officials: their roles and scope come from the staff record, so that revoking it takes effect."""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.principal import ANY, Grant, Principal
from chalicelib.storage import city as store

FRESH = timedelta(seconds=30)
_known: dict[tuple[str, str, str], tuple[datetime, Principal | None]] = {}
_KNOWN_LIMIT = 2000
_rosters: dict[str, tuple[datetime, tuple[dict[str, Any], ...]]] = {}


def by_subject(jurisdiction: str, issuer: str, subject: str, now: datetime) -> Principal | None:
    """The official who signed in, or ``None``; what is known is at most 30 seconds old."""
    key = (jurisdiction, issuer, subject)
    if key in _known and abs(now - _known[key][0]) <= FRESH:
        return _known[key][1]
    record = store.staff_by_subject(jurisdiction, issuer, subject)
    found = principal(jurisdiction, record) if record and record.get("active", True) else None
    if len(_known) >= _KNOWN_LIMIT:
        _known.clear()
    _known[key] = (now, found)
    return found


def by_ref(jurisdiction: str, ref: str) -> Principal | None:
    """The active official whom the timeline calls ``ref``."""
    record = store.staff_by_ref(jurisdiction, ref)
    return principal(jurisdiction, record) if record and record.get("active", True) else None


def roster(jurisdiction: str, now: datetime) -> tuple[dict[str, Any], ...]:
    """The active records of a city, at most 30 seconds old: one Query, not for a request path."""
    if jurisdiction not in _rosters or abs(now - _rosters[jurisdiction][0]) > FRESH:
        active = [one for one in store.all_staff(jurisdiction) if one.get("active", True)]
        _rosters[jurisdiction] = (now, tuple(active))
    return _rosters[jurisdiction][1]


def find(jurisdiction: str, role: str, district: str | None = None) -> dict[str, Any] | None:
    """A record with this role in this district: for the development token and the demo."""
    for record in store.all_staff(jurisdiction):
        for grant in record["grants"] if record.get("active", True) else []:
            if grant["role"] == role and (
                district is None or {ANY, district} & set(grant["districts"])
            ):
                return record
    return None


def principal(jurisdiction: str, record: dict[str, Any]) -> Principal:
    """The principal that a record describes."""
    return Principal(
        kind="staff",
        jurisdiction=jurisdiction,
        uid=record["ref"],
        unit=record["unit"],
        home_district=record.get("home_district"),
        grants=tuple(
            Grant(
                grant["role"],
                frozenset(grant["districts"]),
                frozenset(grant["services"]),
                # A record of before has its permissions beside its grants: with every one.
                frozenset(grant.get("permissions", ())) | frozenset(record.get("permissions", ())),
            )
            for grant in record["grants"]
        ),
    )


def forget() -> None:
    """Read every record anew at the next use."""
    _known.clear()
    _rosters.clear()
