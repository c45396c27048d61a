"""A pin given with an action: where it lies, and what to look at once a report has moved."""

from typing import Any

from chalicelib.domain.actions.context import PinLocation
from chalicelib.domain.city.city import City
from chalicelib.domain.report import Report
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.map import nearby
from chalicelib.services.reports import intake


def read_pin(city: City, name: str, given: dict[str, Any]) -> PinLocation | None:
    """The pin among an action's fields; ``outside_area`` where it lies in no ward."""
    if "lat" not in given and "long" not in given:
        return None
    for field in ("lat", "long"):
        if given.get(field) is None:
            raise Problem("action_field_missing", field=field, action=name)
    lat, long = float(given["lat"]), float(given["long"])
    ward, away = intake.locate(city, lat, long)
    return PinLocation(round(lat * 1e7), round(long * 1e7), ward, away)


def extra_answer(report: Report, name: str) -> dict[str, Any]:
    """What the answer says beside the state: ``pin_elsewhere`` asks for a pin in the new ward,
    ``possible_duplicates`` are the open reports around a new pin."""
    if name not in ("move_pin", "transfer"):
        return {}
    place, version = report.jurisdiction, report.city_version
    if name == "transfer":
        found = cities.boundaries(place, version).locate(report.lat, report.long)
        return {"pin_elsewhere": True} if found.ward != report.ward else {}
    if report.hidden:
        return {}
    return {"possible_duplicates": nearby.same_problem(cities.at(place, version), report)}
