"""A pin sent with an action: checking it, and what the answer says about the new place.

Tests: tests/integration/test_move_pin.py
"""

from typing import Any

from chalicelib.domain.actions.context import PinLocation
from chalicelib.domain.body_types import ActionFields
from chalicelib.domain.city.city import City
from chalicelib.domain.report import Report
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.map import nearby
from chalicelib.services.reports import intake


def read_pin(city: City, name: str, fields: ActionFields) -> PinLocation | None:
    """The pin in the fields of action ``name``, or ``None`` without one.

    Raises ``Problem``: action_field_missing, outside_area.
    """
    if "lat" not in fields and "long" not in fields:
        return None
    for field in ("lat", "long"):
        if fields.get(field) is None:
            raise Problem("action_field_missing", field=field, action=name)
    lat, long = float(fields["lat"]), float(fields["long"])
    ward, away = intake.locate(city, lat, long)
    return PinLocation(round(lat * 1e7), round(long * 1e7), ward, away)


def extra_answer(report: Report, name: str) -> dict[str, Any]:
    """Additional fields of the answer to action ``name``.

    After a transfer, ``pin_elsewhere`` says that the pin is not in the new ward and should be
    moved. After ``move_pin``, ``possible_duplicates`` lists open reports around the new pin.
    """
    if name not in ("move_pin", "transfer"):
        return {}
    jurisdiction, version = report.jurisdiction, report.city_version
    if name == "transfer":
        location = cities.boundaries(jurisdiction, version).locate(report.lat, report.long)
        return {"pin_elsewhere": True} if location.ward != report.ward else {}
    if report.hidden:
        return {}
    return {"possible_duplicates": nearby.same_problem(cities.at(jurisdiction, version), report)}
