"""What replaced codes that a newer version of a city no longer has, and moving reports to them.

A city names the successors of areas, units and services (docs/city-folder.md). A divided ward
has several; the report's pin decides which one.

Tests: tests/integration/test_city_versions.py
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.domain.actions.context import unoffered
from chalicelib.domain.city.city import City
from chalicelib.domain.report import Report
from chalicelib.domain.sla import custody

AREAS, UNITS, SERVICES = "areas", "units", "services"
# The unit to which the report is proposed for protection. It must not be in an event's data, which
# may become public.
PROPOSAL = "protection"
WardAt = Callable[[float, float], str | None]


@dataclass(frozen=True)
class Succession:
    """A report with the codes of another version, and what changed: {field: (old, new)}.

    ``doubts`` are codes for which the city names no successor; a person should look at them.
    """

    report: Report
    changed: dict[str, tuple[str, str | None]]
    doubts: tuple[str, ...] = ()


def codes_of(kind: str, city: City) -> dict[str, Any]:
    """The codes of a kind (areas, units, services) that a version has."""
    codes: dict[str, dict[str, Any]] = {
        AREAS: city.areas, UNITS: city.units, SERVICES: city.services,
    }  # fmt: skip
    return codes[kind]


def successors(kind: str, code: str, city: City) -> tuple[str, ...]:
    """The codes of ``city`` that stand for ``code``: itself, or its successors' successors.

    Empty if the code is gone for good.
    """
    links, existing = city.successors.get(kind, {}), codes_of(kind, city)
    codes: dict[str, None] = {}
    waiting, seen = [code], set[str]()
    while waiting:
        current = waiting.pop(0)
        if current in seen:
            continue
        seen.add(current)
        # A code may be among its own successors: after a division one part kept the code.
        if current in existing and (current not in links or current in links[current]):
            codes[current] = None
        waiting += links.get(current, ())
    return tuple(codes)


def without_successor(old: City, present: City) -> set[tuple[str, str]]:
    """(kind, code) of each code of the older version that has no successor in the present one.

    The unit of a district goes with its district, so it needs no successor.
    """
    wards = {area.code for area in old.areas_of_level(-1)}
    units = {unit.code for unit in old.units.values() if unit.kind != "district"}
    held = {AREAS: wards, UNITS: units, SERVICES: set(old.services)}
    return {
        (kind, code)
        for kind, codes in held.items()
        for code in codes
        if not successors(kind, code, present)
    }


def under_present_version(report: Report, present: City) -> Report:
    """The report under the present version; its promise stays as it was made."""
    if report.city_version == present.version:
        return report
    promise = report.promise or {
        "city": report.city_version,
        "service": report.service,
        "district": report.district,
    }
    return replace(report, city_version=present.version, promise=promise)


def follow(
    report: Report, old: City, present: City, ward_at: WardAt, now: datetime
) -> Succession | None:
    """The report with the present codes; nothing is decided again.

    ``None`` if its service is gone and no successor is known. The promise stays as it was made;
    the caller must check the holder.
    """
    services = successors(SERVICES, report.service, present)
    service = present.services[services[0]] if services else None
    if service is None or (
        service.code != report.service and service.protected != report.protected
    ):
        return None
    ward, doubts = _ward(report, old, present, ward_at)
    district, _ = present.district_and_path(ward)
    unit, unit_doubts = _unit(report, service.code, district, old, present)
    doubts += unit_doubts
    after = replace(
        under_present_version(report, present),
        service=service.code,
        group=service.group,
        ward=ward,
        district=district,
        unit=unit,
        entrusted=report.entrusted and unit in successors(UNITS, report.unit, present),
    )
    if service.code != report.service:
        after = replace(after, public_decimals=service.public_decimals)
    if report.agency is not None:
        agencies = successors(UNITS, report.agency, present)
        after = replace(after, agency=agencies[0] if agencies else unit)
        doubts += [] if agencies else [f"unit {report.agency}"]
    if report.offered_to is not None:
        offered = successors(UNITS, report.offered_to, present)
        same = not offered or offered[0] == unit
        after = unoffered(after) if same else replace(after, offered_to=offered[0])
    if proposal := dict(report.protection):
        proposed = successors(SERVICES, proposal["service"], present)
        desk = successors(UNITS, proposal["unit"], present)
        proposal["service"] = proposed[0] if proposed else proposal["service"]
        proposal["unit"] = desk[0] if desk else proposal["unit"]
        doubts += [] if proposed and desk else [f"service {proposal['service']}"]
        after = replace(after, protection=proposal)
    names = ("ward", "district", "unit", "service", "agency", "offered_to")
    changed = {
        name: (getattr(report, name), getattr(after, name))
        for name in names
        if getattr(report, name) != getattr(after, name)
    }
    if report.protection != after.protection:
        changed[PROPOSAL] = (report.protection["unit"], after.protection["unit"])
    return Succession(custody.with_holder(after, now), changed, tuple(doubts))


def _ward(report: Report, old: City, present: City, ward_at: WardAt) -> tuple[str, list[str]]:
    codes = successors(AREAS, report.ward, present)
    wards = [ward for ward in codes if present.areas[ward].level == present.levels[-1]]
    # If the report's own version already had all the parts, its ward is the right one.
    if report.ward in wards and all(ward in old.areas for ward in wards):
        return report.ward, []
    if len(wards) == 1:
        return wards[0], []
    here = ward_at(report.lat, report.long)
    if here in wards:
        return here, []
    doubt = [f"ward {report.ward}"]
    if wards:
        return wards[0], doubt
    if here is None:
        raise LookupError(f"{present.jurisdiction} has no ward")
    return here, doubt


def _unit(
    report: Report, service: str, district: str, old: City, present: City
) -> tuple[str, list[str]]:
    was = old.units.get(report.unit)
    codes = successors(UNITS, report.unit, present)
    of_district = was is not None and was.kind == "district"
    for code in codes:
        unit = present.units[code]
        if unit.kind != "district" or district in unit.districts:
            return code, []
    if of_district and (not report.protected):
        return present.district_unit(district), []
    return present.unit_for(service, district), [f"unit {report.unit}"]
