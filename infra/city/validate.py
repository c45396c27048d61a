"""Reads and checks a city's general data and its units."""

import re
import zoneinfo
from typing import Any

from chalicelib.domain.city.city import CODE_LIMITS, PERSON_LIMITS
from chalicelib.outside import addresses
from infra.city import keeping
from infra.city.fields import LANGUAGE, Fields, unique
from infra.city.findings import CityErrors as CityErrors

UNIT_KINDS = ("district", "agency", "province", "bureau")
LIMITS = ("device", "devices", "address", "cell", "tickets")
# A folder of an earlier version has none; then the product's defaults apply.
OPTIONAL_LIMITS = (*PERSON_LIMITS, *CODE_LIMITS)
RULES = {
    "reopen_days": (1, 365),
    "refuse_days": (1, 90),
    "lapse_days": (1, 90),
    "needs_info_days": (1, 90),
    "near_m": (0, 1000),
    "duplicate_m": (1, 1000),
}
_NUMBER = re.compile(r"^[+0-9*#][-0-9 ()/.*#]{1,29}$")
# A folder of an earlier version has none.
OPTIONAL_RULES = {
    "hidden_text_days": (1, 365),
    "contact_settled_hours": (0, 720),
    "former_contact_days": (1, 90),
}
_JURISDICTION = re.compile(r"^[a-z0-9][a-z0-9._-]{0,62}$")


def city(one: Fields) -> dict[str, Any]:
    """Name, time zone, levels, languages, emergency number, limits and rules."""
    languages = _languages(one)
    document: dict[str, Any] = {
        "jurisdiction": one.text(
            "jurisdiction", pattern=_JURISDICTION, form="lower-case letters, digits and . _ -"
        ),
        "name": one.both("name"),
        "time_zone": one.text("time_zone"),
        "emergency": one.text("emergency"),
        "languages": languages,
        "levels": one.texts("levels"),
        "limits": _limits(one.inner("limits")),
        "rules": _rules(one.inner("rules")),
    }
    if one.has("numbers"):
        document["numbers"] = numbers(one)
    if one.has("retention"):
        document["retention"] = keeping.retention(one.inner("retention"), document["rules"])
    if document["time_zone"] and document["time_zone"] not in zoneinfo.available_timezones():
        one.fault("time_zone", f"{document['time_zone']!r} is not a time zone of the IANA database")
    if one.has("levels") and len(document["levels"]) < 2:
        one.fault("levels", "must name at least two levels, the wards' last")
    return document


def _languages(one: Fields) -> list[str]:
    """The languages of the city's names and messages; the first one is the default."""
    languages = one.texts("languages")
    good = [tag for tag in languages if LANGUAGE.match(tag)]
    if len(good) < len(languages):
        one.fault("languages", "must be tags of two or three small letters, like id, en, nl")
    if one.has("languages") and not languages:
        one.fault("languages", "must name at least one language")
    one.findings.languages = tuple(good)
    return languages


def _limits(one: Fields) -> dict[str, Any]:
    limits: dict[str, Any] = {}
    for kind in (*LIMITS, *(kind for kind in OPTIONAL_LIMITS if one.has(kind))):
        rows = one.each(kind)
        for row in rows:
            limit = {
                "n": int(row.number("n", 1, 1_000_000, whole=True)),
                "seconds": int(row.number("seconds", 1, 30 * 86400, whole=True)),
            }
            row.close()
            limits.setdefault(kind, []).append(limit)
    one.close()
    return limits


def _rules(one: Fields) -> dict[str, int]:
    known = {**RULES, **{name: span for name, span in OPTIONAL_RULES.items() if one.has(name)}}
    rules = {
        name: int(one.number(name, low, high, whole=True)) for name, (low, high) in known.items()
    }
    one.close()
    return rules


def numbers(one: Fields) -> list[dict[str, Any]]:
    """Helpful telephone numbers in the order of display."""
    rows = one.each("numbers")
    numbers = []
    for row in rows:
        number: dict[str, Any] = {
            "name": row.both("name"),
            "number": row.text("number", pattern=_NUMBER, form="a telephone number"),
        }
        if row.has("hours"):
            number["hours"] = row.both("hours")
        row.close()
        numbers.append(number)
    unique(rows, [number["number"] for number in numbers], "number")
    return numbers


def units(one: Fields, districts: set[str]) -> list[dict[str, Any]]:
    """The units; "*" stands for every district, and every district has one unit of its own."""
    rows = one.each("units")
    units = []
    holders: dict[str, str] = {}
    for row in rows:
        unit: dict[str, Any] = {
            "code": row.code(),
            "name": row.both("name"),
            "kind": row.choice("kind", UNIT_KINDS),
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
        row.close()
        units.append(unit)
    unique(rows, [unit["code"] for unit in units], "code")
    for district in sorted(districts - holders.keys()):
        one.fault("units", f"no unit of kind district covers district {district!r}")
    one.close()
    return units


def _outside(one: Fields) -> dict[str, Any]:
    """The Open311 server of a unit; its key is not in the folder (``infra.ops forwarding``)."""
    server: dict[str, Any] = {
        "endpoint": one.text("endpoint"),
        "format": one.choice("format", ("json", "xml")) if one.has("format") else "json",
        "services": {},
        "updates": one.flag("updates", False),
    }
    if one.has("private"):
        server["private"] = one.flag("private", True)
    if one.has("jurisdiction_id"):
        server["jurisdiction_id"] = one.text("jurisdiction_id")
    try:
        addresses.check(server["endpoint"] or "https://example.org")
    except addresses.UnsafeAddress as unsafe:
        one.fault("endpoint", str(unsafe))
    services = one.inner("services") if one.has("services") else None
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
        there.close()
    one.close()
    return server


def _scope(row: Fields, name: str, known: set[str], kind: str) -> list[str] | None:
    """The codes of a scope, or ``None`` for everything ("*")."""
    codes = row.choices(name, {"*", *known}, kind)
    if row.has(name) and not codes:
        row.fault(name, f"must name at least one {kind}, or *")
    if "*" in codes and len(codes) > 1:
        row.fault(name, "must be * or a list of codes, not both")
    return None if "*" in codes else codes


def scope(row: Fields, name: str, known: set[str], kind: str) -> list[str]:
    """The codes of a scope, or ["*"]."""
    codes = _scope(row, name, known, kind)
    return ["*"] if codes is None else codes
