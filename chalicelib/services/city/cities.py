"""The cities of this deployment: publishing a version of a city's rules, and reading them.

A process reads the rules and the boundary index of a version once. It reads the pointer to the
current version again after ``FRESH``, so every process uses a new version by then.

Tests: tests/integration/test_city_versions.py
"""

import json
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from chalicelib.domain.city.boundaries import Boundaries
from chalicelib.domain.city.city import City
from chalicelib.domain.report import Report
from chalicelib.domain.row_types import StaffRecord
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.city import staff as people
from chalicelib.storage import city as store

FRESH = timedelta(seconds=30)
_pointers: dict[str, tuple[datetime, str]] = {}


def current(jurisdiction: str, now: datetime) -> City:
    """The present rules of a city. Raises ``Problem``: unknown_jurisdiction."""
    read_at, version = _pointers.get(jurisdiction, (now, ""))
    if not version or abs(now - read_at) > FRESH:
        stored = store.current(jurisdiction)
        if stored is None:
            raise Problem("unknown_jurisdiction", field="jurisdiction_id")
        _pointers[jurisdiction] = (now, version := stored)
    return at(jurisdiction, version)


def languages(jurisdiction: str, now: datetime | None) -> tuple[str, ...]:
    """A city's languages, for error messages; ``()`` if the city cannot be read.

    Without ``now``, only a city that this process has read already.
    """
    try:
        if now is not None:
            return current(jurisdiction, now).languages
        _, version = _pointers[jurisdiction]
        return at(jurisdiction, version).languages
    except Exception:  # noqa: BLE001 (the error message is then in English)
        return ()


@lru_cache(maxsize=16)
def at(jurisdiction: str, version: str) -> City:
    """The rules of a version, present or old."""
    rules = store.rules(jurisdiction, version)
    if rules is None:
        raise LookupError(f"city {jurisdiction} has no version {version}")
    return City.from_json(rules)


def promised(report: Report) -> City:
    """The city version that the deadlines of a report were promised under."""
    return at(report.jurisdiction, report.promised_under)


@lru_cache(maxsize=4)
def boundaries(jurisdiction: str, version: str) -> Boundaries:
    """The boundary index of a version."""
    blob = store.boundaries(jurisdiction, version)
    if blob is None:
        raise LookupError(f"city {jurisdiction} has no boundaries of version {version}")
    return Boundaries.from_bytes(blob)


def publish(bundle: dict[str, Any], blob: bytes, staff: list[StaffRecord], now: datetime) -> bool:
    """Make a validated bundle the city's current rules. Returns whether the version is new.

    Writes files first, then staff, the pointer last. If it is interrupted, the old rules stay in
    force; it can be repeated.
    """
    jurisdiction, version = bundle["jurisdiction"], bundle["version"]
    previous = store.current(jurisdiction)
    if previous != version:
        rules = json.dumps(bundle, ensure_ascii=False, sort_keys=True).encode()
        store.put_version(jurisdiction, version, rules, blob)
    stored = {record["ref"]: record for record in store.all_staff(jurisdiction)}
    store.put_staff(
        jurisdiction, [record for record in staff if stored.get(record["ref"]) != record]
    )
    left = [ref for ref in stored if ref not in {record["ref"] for record in staff}]
    store.put_staff(jurisdiction, [{**stored[ref], "active": False} for ref in left])
    names = store.jurisdictions()
    if jurisdiction not in names:
        store.put_jurisdictions(sorted([*names, jurisdiction]))
    if previous != version:
        store.put_districts(jurisdiction, districts(City.from_json(bundle)))
        store.make_current(jurisdiction, version, iso(now))
    forget()
    people.forget()
    return bool(previous != version)


def districts(city: City) -> list[str]:
    """The codes of all districts that the city has or had, since old reports keep old codes."""
    present = {area.code for area in city.areas_of_level(-2)}
    return sorted(present | set(store.districts(city.jurisdiction)))


def forget() -> None:
    """Clear the caches: read everything again at the next use."""
    _pointers.clear()
    at.cache_clear()
    boundaries.cache_clear()


def jurisdictions() -> list[str]:
    """The cities of this deployment."""
    return store.jurisdictions()
