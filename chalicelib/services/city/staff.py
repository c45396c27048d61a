"""Officials. Roles and scope come from the staff record, so a change there takes effect at once.

Tests: tests/integration/test_permissions.py
"""

from datetime import datetime, timedelta

from chalicelib.domain.principal import ANY, Grant, Principal
from chalicelib.domain.row_types import StaffRecord
from chalicelib.storage import city as store

FRESH = timedelta(seconds=30)
_cache: dict[tuple[str, str, str], tuple[datetime, Principal | None]] = {}
_CACHE_LIMIT = 2000
_rosters: dict[str, tuple[datetime, tuple[StaffRecord, ...]]] = {}


def by_subject(jurisdiction: str, issuer: str, subject: str, now: datetime) -> Principal | None:
    """The active official with this issuer and subject (OIDC); cached for at most 30 seconds."""
    key = (jurisdiction, issuer, subject)
    if key in _cache and abs(now - _cache[key][0]) <= FRESH:
        return _cache[key][1]
    record = store.staff_by_subject(jurisdiction, issuer, subject)
    official = principal(jurisdiction, record) if record and record.get("active", True) else None
    if len(_cache) >= _CACHE_LIMIT:
        _cache.clear()
    _cache[key] = (now, official)
    return official


def by_ref(jurisdiction: str, ref: str) -> Principal | None:
    """The active official with the reference ``ref``, which the timeline uses; or ``None``."""
    record = store.staff_by_ref(jurisdiction, ref)
    return principal(jurisdiction, record) if record and record.get("active", True) else None


def roster(jurisdiction: str, now: datetime) -> tuple[StaffRecord, ...]:
    """The active records of a city, at most 30 seconds old. It reads all of them: for background
    functions only."""
    if jurisdiction not in _rosters or abs(now - _rosters[jurisdiction][0]) > FRESH:
        records = store.all_staff(jurisdiction)
        active = [record for record in records if record.get("active", True)]
        _rosters[jurisdiction] = (now, tuple(active))
    return _rosters[jurisdiction][1]


def find(jurisdiction: str, role: str, district: str | None = None) -> StaffRecord | None:
    """A record with this role in this district, for development tokens and the demo."""
    for record in store.all_staff(jurisdiction):
        for grant in record["grants"] if record.get("active", True) else []:
            if grant["role"] == role and (
                district is None or {ANY, district} & set(grant["districts"])
            ):
                return record
    return None


def principal(jurisdiction: str, record: StaffRecord) -> Principal:
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
                # Older records keep permissions beside the grants: they apply to each grant.
                frozenset(grant.get("permissions", ())) | frozenset(record.get("permissions", ())),
            )
            for grant in record["grants"]
        ),
    )


def forget() -> None:
    """Clear the caches: read every record again at the next use."""
    _cache.clear()
    _rosters.clear()
