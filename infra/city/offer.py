"""Reads and checks a city's services and the districts' own targets."""

from typing import Any

from infra.city.fields import Fields, unique
from infra.city.schemas.offer import CLOCKS, LONGEST_HOURS
from infra.city.validate import numbers


def services(fields: Fields, units: list[dict[str, Any]], districts: set[str]) -> dict[str, Any]:
    """The groups and services; a service's unit is "district" or covers every district."""
    group_rows, rows = fields.each("groups"), fields.each("services")
    groups: list[dict[str, Any]] = []
    for row in group_rows:
        groups.append({"code": row.text("code"), "name": row.both("name")})
    unique(group_rows, [group["code"] for group in groups], "code")
    known = {unit["code"]: unit for unit in units}
    services = [
        _service(row, [group["code"] for group in groups], known, districts) for row in rows
    ]
    unique(rows, [service["code"] for service in services], "code")
    return {"groups": groups, "services": services}


def _service(
    row: Fields, groups: list[str], units: dict[str, dict[str, Any]], districts: set[str]
) -> dict[str, Any]:
    service: dict[str, Any] = {
        "code": row.text("code"),
        "name": row.both("name"),
        "description": row.both("description"),
        "group": row.choice("group", groups, "group"),
        "acknowledge": _target(row.inner("acknowledge")),
        "resolve": _target(row.inner("resolve")),
        "unit": row.choice("unit", ["district", *units], "unit"),
        "protected": row.flag("protected", False),
        "public_decimals": row.whole("public_decimals") if row.has("public_decimals") else None,
        "staff_only": row.flag("staff_only", False),
        "active": row.flag("active", True),
        "keywords": row.texts("keywords"),
    }
    if row.has("public"):
        service["public"] = row.flag("public", True)
    if row.has("reception"):
        service["reception"] = row.text("reception")
    if row.has("numbers"):
        service["numbers"] = numbers(row)
    questions = row.each("questions")
    service["questions"] = [_question(question) for question in questions]
    unique(questions, [question["code"] for question in service["questions"]], "code")
    first, last = service["acknowledge"], service["resolve"]
    if first["clock"] == last["clock"] and 0 < last["hours"] < first["hours"]:
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
    return service


def _question(row: Fields) -> dict[str, Any]:
    question: dict[str, Any] = {
        "code": row.text("code"),
        "type": row.text("type"),
        "required": row.flag("required", False),
        "label": row.both("label"),
        "options": [],
    }
    options = row.each("options")
    for option in options:
        question["options"].append({"key": option.text("key"), "name": option.both("name")})
    unique(options, [option["key"] for option in question["options"]], "key")
    return question


def _target(row: Fields) -> dict[str, Any]:
    return {"hours": row.number("hours"), "clock": row.text("clock")}


def overrides(rows: list[Fields], districts: set[str], services: set[str]) -> list[dict[str, Any]]:
    """A district's own targets, from rows of text; an empty cell means the city's target."""
    targets = []
    for row in rows:
        for name in ("district", "service"):
            if not row.text(name):
                row.fault(name, "is missing")
        override: dict[str, Any] = {
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
            if not 0 < value <= LONGEST_HOURS:
                row.fault(f"{part}_hours", f"must be a number of hours, not {hours!r}")
            if not clock:
                row.fault(f"{part}_clock", "is missing")
            row.choice(f"{part}_clock", CLOCKS, "clock")
            override[part] = {"hours": value, "clock": clock}
        if len(override) == 2:
            row.fault("", "gives neither an acknowledge nor a resolve target")
        targets.append(override)
    unique(
        rows,
        [f"{target['district']} {target['service']}" for target in targets],
        "district, service",
    )
    return targets
