"""The cities of this deployment: publishing a version of a city's rules, and reading them.

A container reads each version's rules and boundary index once. The pointer to the current
version is looked up again after ``FRESH``, so a new version reaches every container by then.
"""

import json
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from chalicelib.domain.city.boundaries import Boundaries
from chalicelib.domain.city.city import City
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.city import staff as people
from chalicelib.storage import city as store

FRESH = timedelta(seconds=30)
_pointers: dict[str, tuple[datetime, str]] = {}


def current(jurisdiction: str, now: datetime) -> City:
    """The rules that hold now; ``not_found`` where there is no such city."""
    seen, version = _pointers.get(jurisdiction, (now, ""))
    if not version or abs(now - seen) > FRESH:
        found = store.current(jurisdiction)
        if found is None:
            raise Problem("unknown_jurisdiction", field="jurisdiction_id")
        _pointers[jurisdiction] = (now, version := found)
    return at(jurisdiction, version)


def languages(jurisdiction: str, now: datetime | None) -> tuple[str, ...]:
    """A city's languages, for what is said where it may not be known: none if it cannot be read,
    and without ``now`` only what is known here already."""
    try:
        if now is not None:
            return current(jurisdiction, now).languages
        _, version = _pointers[jurisdiction]
        return at(jurisdiction, version).languages
    except Exception:  # noqa: BLE001 (a refusal is told all the same, in English)
        return ()


@lru_cache(maxsize=16)
def at(jurisdiction: str, version: str) -> City:
    """The rules of a version, old ones included."""
    rules = store.rules(jurisdiction, version)
    if rules is None:
        raise LookupError(f"city {jurisdiction} has no version {version}")
    return City.from_json(rules)


def promised(report: Report) -> City:
    """The version under which a report's promise was made."""
    return at(report.jurisdiction, report.promised_under)


@lru_cache(maxsize=4)
def boundaries(jurisdiction: str, version: str) -> Boundaries:
    """The boundary index of a version."""
    blob = store.boundaries(jurisdiction, version)
    if blob is None:
        raise LookupError(f"city {jurisdiction} has no boundaries of version {version}")
    return Boundaries.from_bytes(blob)


def publish(
    bundle: dict[str, Any], blob: bytes, staff: list[dict[str, Any]], now: datetime
) -> bool:
    """Make a validated bundle the city's current rules; whether it was new.

    Files first, staff next, the pointer last: a loading that breaks off leaves the old rules in
    force, and repeating it changes nothing more.
    """
    jurisdiction, version = bundle["jurisdiction"], bundle["version"]
    was = store.current(jurisdiction)
    if was != version:
        rules = json.dumps(bundle, ensure_ascii=False, sort_keys=True).encode()
        store.put_version(jurisdiction, version, rules, blob)
    known = {record["ref"]: record for record in store.all_staff(jurisdiction)}
    store.put_staff(jurisdiction, [one for one in staff if known.get(one["ref"]) != one])
    gone = [ref for ref in known if ref not in {one["ref"] for one in staff}]
    store.put_staff(jurisdiction, [{**known[ref], "active": False} for ref in gone])
    names = store.jurisdictions()
    if jurisdiction not in names:
        store.put_jurisdictions(sorted([*names, jurisdiction]))
    if was != version:
        store.put_districts(jurisdiction, districts(City.from_json(bundle)))
        store.make_current(jurisdiction, version, iso(now))
    forget()
    people.forget()
    return bool(was != version)


def districts(city: City) -> list[str]:
    """The codes of all districts that the city has or ever had: reports may lie in each."""
    now = {area.code for area in city.areas_of_level(-2)}
    return sorted(now | set(store.districts(city.jurisdiction)))


def forget() -> None:
    """Read everything anew at the next use."""
    _pointers.clear()
    at.cache_clear()
    boundaries.cache_clear()


def jurisdictions() -> list[str]:
    """The cities of this deployment."""
    return store.jurisdictions()
