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
    services = [
        _service(row, [group["code"] for group in groups], known, districts) for row in rows
    ]
    unique(rows, [service["code"] for service in services], "code")
    one.close()
    return {"groups": groups, "services": services}


def _service(
    row: Fields, groups: list[str], units: dict[str, dict[str, Any]], districts: set[str]
) -> dict[str, Any]:
    service: dict[str, Any] = {
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
        service["public"] = row.flag("public", True)
        if service["public"] and service["protected"]:
            row.fault("public", "a protected service is never public")
    if row.has("reception"):
        service["reception"] = row.choice("reception", RECEPTIONS)
    if row.has("numbers"):
        service["numbers"] = numbers(row)
    asked = row.each("questions", required=False)
    service["questions"] = [_question(one) for one in asked]
    unique(asked, [one["code"] for one in service["questions"]], "code")
    first, last = service["acknowledge"], service["resolve"]
    if first["clock"] == last["clock"] and first["hours"] > last["hours"]:
        row.fault("acknowledge", "must not be longer than resolve")
    unit = units.get(service["unit"])
    if unit and unit.get("open311") and service["protected"]:
        row.fault("unit", f"a protected service is passed on to nobody, {unit['code']!r} included")
    if unit and (missing := districts - set(unit["districts"])):
        row.fault("unit", f"{unit['code']!r} does not cover district {min(missing)!r}")
    if service["protected"] and (
        service["unit"] == "district" or (unit and unit["kind"] == "district")
    ):
        row.fault("unit", "a protected service needs a unit outside the districts")
    row.close()
    return service


def _question(row: Fields) -> dict[str, Any]:
    question: dict[str, Any] = {
        "code": row.code(),
        "type": row.choice("type", QUESTION_TYPES),
        "required": row.flag("required", False),
        "label": row.both("label"),
        "options": [],
    }
    options = row.each("options", required=False)
    for option in options:
        question["options"].append({"key": option.code("key"), "name": option.both("name")})
        option.close()
    unique(options, [option["key"] for option in question["options"]], "key")
    if question["type"] and bool(options) != question["type"].endswith("list"):
        row.fault("options", "a list needs options, and only a list may have them")
    row.close()
    return question


def _target(row: Fields) -> dict[str, Any]:
    hours = row.number("hours", 0, _LONGEST_HOURS)
    if row.has("hours") and hours <= 0:
        row.fault("hours", "must be more than 0")
    target = {"hours": hours, "clock": row.choice("clock", CLOCKS)}
    row.close()
    return target


def overrides(rows: list[Fields], districts: set[str], services: set[str]) -> list[dict[str, Any]]:
    """A district's own targets, from rows of text; an empty cell means the city's target."""
    targets = []
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
        targets.append(one)
    unique(rows, [f"{one['district']} {one['service']}" for one in targets], "district, service")
    return targets
