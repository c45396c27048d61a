"""Reads and checks a city's general data and its units."""

import zoneinfo
from functools import cache
from typing import Any

from chalicelib.outside import addresses
from infra.city import keeping
from infra.city.fields import LANGUAGE, Fields, unique
from infra.city.findings import CityErrors as CityErrors
from infra.city.schemas.city import LIMITS, OPTIONAL_LIMITS, OPTIONAL_RULES, RULES

# It opens each file of the database.
_time_zones = cache(zoneinfo.available_timezones)


def city(fields: Fields) -> dict[str, Any]:
    """Name, time zone, levels, languages, emergency number, limits and rules."""
    languages = _languages(fields)
    document: dict[str, Any] = {
        "jurisdiction": fields.text("jurisdiction"),
        "name": fields.both("name"),
        "time_zone": fields.text("time_zone"),
        "emergency": fields.text("emergency"),
        "languages": languages,
        "levels": fields.texts("levels"),
        "limits": _limits(fields.inner("limits")),
        "rules": _rules(fields.inner("rules")),
    }
    if fields.has("numbers"):
        document["numbers"] = numbers(fields)
    if fields.has("retention"):
        document["retention"] = keeping.retention(fields.inner("retention"), document["rules"])
    if document["time_zone"] and document["time_zone"] not in _time_zones():
        fields.fault(
            "time_zone", f"{document['time_zone']!r} is not a time zone of the IANA database"
        )
    return document


def _languages(fields: Fields) -> list[str]:
    """The languages of the city's names and messages; the first one is the default."""
    languages = fields.texts("languages")
    fields.findings.languages = tuple(tag for tag in languages if LANGUAGE.match(tag))
    return languages


def _limits(fields: Fields) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for kind in (*LIMITS, *(kind for kind in OPTIONAL_LIMITS if fields.has(kind))):
        for row in fields.each(kind):
            limit = {"n": row.whole("n"), "seconds": row.whole("seconds")}
            limits.setdefault(kind, []).append(limit)
    return limits


def _rules(fields: Fields) -> dict[str, int]:
    names = (*RULES, *(name for name in OPTIONAL_RULES if fields.has(name)))
    return {name: fields.whole(name) for name in names}


def numbers(fields: Fields) -> list[dict[str, Any]]:
    """Helpful telephone numbers in the order of display."""
    rows = fields.each("numbers")
    listed = []
    for row in rows:
        number: dict[str, Any] = {
            "name": row.both("name"),
            "number": row.text("number"),
        }
        if row.has("hours"):
            number["hours"] = row.both("hours")
        listed.append(number)
    unique(rows, [number["number"] for number in listed], "number")
    return listed


def units(fields: Fields, districts: set[str]) -> list[dict[str, Any]]:
    """The units; "*" stands for every district, and every district has one unit of its own."""
    rows = fields.each("units")
    listed = []
    holders: dict[str, str] = {}
    for row in rows:
        unit: dict[str, Any] = {
            "code": row.text("code"),
            "name": row.both("name"),
            "kind": row.text("kind"),
        }
        covered = _scope(row, "districts", districts, "district")
        unit["districts"] = sorted(districts if covered is None else covered)
        if unit["kind"] == "district":
            for district in unit["districts"]:
                if district in holders:
                    row.fault("districts", f"{district!r} is {holders[district]!r}'s already")
                holders[district] = unit["code"]
        if row.has("open311"):
            unit["open311"] = _outside(row.inner("open311"))
        listed.append(unit)
    unique(rows, [unit["code"] for unit in listed], "code")
    for district in sorted(districts - holders.keys()):
        fields.fault("units", f"no unit of kind district covers district {district!r}")
    return listed


def _outside(fields: Fields) -> dict[str, Any]:
    """The Open311 server of a unit; its key is not in the folder (``infra.ops forwarding``)."""
    server: dict[str, Any] = {
        "endpoint": fields.text("endpoint"),
        "format": fields.text("format") or "json",
        "services": {},
        "updates": fields.flag("updates", False),
    }
    if fields.has("private"):
        server["private"] = fields.flag("private", True)
    if fields.has("jurisdiction_id"):
        server["jurisdiction_id"] = fields.text("jurisdiction_id")
    try:
        addresses.check(server["endpoint"] or "https://example.org")
    except addresses.UnsafeAddress as unsafe:
        fields.fault("endpoint", str(unsafe))
    services = fields.inner("services") if fields.has("services") else None
    for name in services.names() if services else ():
        assert services is not None
        there = services.inner(name)
        attributes = there.inner("attributes") if there.has("attributes") else None
        server["services"][name] = {
            "code": there.text("code"),
            "attributes": {key: attributes.text(key) for key in attributes.names()}
            if attributes
            else {},
        }
    return server


def _scope(row: Fields, name: str, known: set[str], kind: str) -> list[str] | None:
    """The codes of a scope, or ``None`` for everything ("*")."""
    codes = row.choices(name, {"*", *known}, kind)
    return None if "*" in codes else codes


def scope(row: Fields, name: str, known: set[str], kind: str) -> list[str]:
    """The codes of a scope, or ["*"]."""
    codes = _scope(row, name, known, kind)
    return ["*"] if codes is None else codes
