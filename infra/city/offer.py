"""Reads and checks a city's services and the districts' own targets."""

from typing import Any

from chalicelib.domain.city.city import QUESTION_TYPES
from infra.city.fields import Fields, unique
from infra.city.validate import numbers

CLOCKS = ("calendar", "working")
RECEPTIONS = ("realtime", "batch", "blackbox")
_LONGEST_HOURS = 24 * 366


def services(one: Fields, units: list[dict[str, Any]], districts: set[str]) -> dict[str, Any]:
    """The groups and services; a service's unit is "district" or covers every district."""
    group_rows, rows = one.each("groups"), one.each("services")
    groups: list[dict[str, Any]] = []
    for row in group_rows:
        groups.append({"code": row.code(), "name": row.both("name")})
        row.close()
    unique(group_rows, [group["code"] for group in groups], "code")
    known = {unit["code"]: unit for unit in units}
    found = [_service(row, [group["code"] for group in groups], known, districts) for row in rows]
    unique(rows, [service["code"] for service in found], "code")
    one.close()
    return {"groups": groups, "services": found}


def _service(
    row: Fields, groups: list[str], units: dict[str, dict[str, Any]], districts: set[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "code": row.code(),
        "name": row.both("name"),
        "description": row.both("description", required=False),
        "group": row.choice("group", groups, "group"),
        "acknowledge": _target(row.inner("acknowledge")),
        "resolve": _target(row.inner("resolve")),
        "unit": row.choice("unit", ["district", *units], "unit"),
        "protected": row.flag("protected", False),
        "public_decimals": row.number("public_decimals", 2, 5, whole=True)
        if row.has("public_decimals")
        else None,
        "staff_only": row.flag("staff_only", False),
        "active": row.flag("active", True),
        "keywords": row.texts("keywords", required=False),
    }
    if row.has("public"):
        found["public"] = row.flag("public", True)
        if found["public"] and found["protected"]:
            row.fault("public", "a protected service is never public")
    if row.has("reception"):
        found["reception"] = row.choice("reception", RECEPTIONS)
    if row.has("numbers"):
        found["numbers"] = numbers(row)
    asked = row.each("questions", required=False)
    found["questions"] = [_question(one) for one in asked]
    unique(asked, [one["code"] for one in found["questions"]], "code")
    first, last = found["acknowledge"], found["resolve"]
    if first["clock"] == last["clock"] and first["hours"] > last["hours"]:
        row.fault("acknowledge", "must not be longer than resolve")
    unit = units.get(found["unit"])
    if unit and unit.get("open311") and found["protected"]:
        row.fault("unit", f"a protected service is passed on to nobody, {unit['code']!r} included")
    if unit and (missing := districts - set(unit["districts"])):
        row.fault("unit", f"{unit['code']!r} does not cover district {min(missing)!r}")
    if found["protected"] and (
        found["unit"] == "district" or (unit and unit["kind"] == "district")
    ):
        row.fault("unit", "a protected service needs a unit outside the districts")
    row.close()
    return found


def _question(row: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {
        "code": row.code(),
        "type": row.choice("type", QUESTION_TYPES),
        "required": row.flag("required", False),
        "label": row.both("label"),
        "options": [],
    }
    options = row.each("options", required=False)
    for option in options:
        found["options"].append({"key": option.code("key"), "name": option.both("name")})
        option.close()
    unique(options, [option["key"] for option in found["options"]], "key")
    if found["type"] and bool(options) != found["type"].endswith("list"):
        row.fault("options", "a list needs options, and only a list may have them")
    row.close()
    return found


def _target(row: Fields) -> dict[str, Any]:
    hours = row.number("hours", 0, _LONGEST_HOURS)
    if row.has("hours") and hours <= 0:
        row.fault("hours", "must be more than 0")
    found = {"hours": hours, "clock": row.choice("clock", CLOCKS)}
    row.close()
    return found


def overrides(rows: list[Fields], districts: set[str], services: set[str]) -> list[dict[str, Any]]:
    """A district's own targets, from rows of text; an empty cell means the city's target."""
    found = []
    for row in rows:
        one: dict[str, Any] = {
            "district": row.choice("district", sorted(districts), "district"),
            "service": row.choice("service", sorted(services), "service"),
        }
        for part in ("acknowledge", "resolve"):
            hours, clock = row.raw(f"{part}_hours"), row.raw(f"{part}_clock")
            if not hours and not clock:
                continue
            try:
                value = float(hours)
            except ValueError:
                value = 0.0
            if not 0 < value <= _LONGEST_HOURS:
                row.fault(f"{part}_hours", f"must be a number of hours, not {hours!r}")
            row.choice(f"{part}_clock", CLOCKS)
            one[part] = {"hours": value, "clock": clock}
        if len(one) == 2:
            row.fault("", "gives neither an acknowledge nor a resolve target")
        found.append(one)
    unique(rows, [f"{one['district']} {one['service']}" for one in found], "district, service")
    return found
