"""Finds districts, services and escalation levels whose alerts would reach no active official."""

from typing import Any

from chalicelib.domain.city.city import City
from infra.city.folder import Prepared

ANY = "*"


def nobody(made: Prepared) -> list[str]:
    """The alerts that would reach nobody, as texts; empty if every alert reaches somebody."""
    city = City.from_json(made.bundle)
    heard = [
        official
        for official in made.staff
        if official.get("active", True) and official.get("endpoints")
    ]
    texts = []
    for area in sorted(city.areas_of_level(-2), key=lambda district: district.code):
        unit = city.district_unit(area.code)
        if not any(
            official["unit"] == unit and _covers(official, None, area.code, None)
            for official in heard
        ):
            texts.append(f"district {area.code} ({area.name}): nobody of {unit} has an endpoint")
    for service in city.services.values():
        if service.unit == "district" or not service.active:
            continue
        people = [official for official in heard if official["unit"] == service.unit]
        if not any(_covers(person, None, None, service.code) for person in people):
            texts.append(f"service {service.code}: nobody of {service.unit} has an endpoint")
    roles = {
        role for rungs in city.ladders.values() for rung in rungs for role in rung.tell
    } - {"holder"}  # fmt: skip
    for role in sorted(roles):
        districts = sorted(area.code for area in city.areas_of_level(-2))
        silent = [
            code
            for code in districts
            if not any(_covers(official, role, code, None) for official in heard)
        ]
        if silent == districts:
            texts.append(f"rung {role}: nobody has an endpoint")
        else:
            texts += [
                f"rung {role}: nobody over district {district} has an endpoint"
                for district in silent
            ]
    return texts


def _covers(
    record: dict[str, Any], role: str | None, district: str | None, service: str | None
) -> bool:
    return any(
        role in (None, grant["role"])
        and (district is None or {ANY, district} & set(grant["districts"]))
        and (service is None or {ANY, service} & set(grant["services"]))
        for grant in record["grants"]
    )
