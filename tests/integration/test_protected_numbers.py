"""Whom to call: a protected service shows the city's hotlines first."""

from chalicelib.domain.city.city import City
from chalicelib.services.reports import city_reference
from tests.support.world import BUNDLE, World, both

HOTLINE = {"name": both("Hotline"), "number": "129", "hours": both("day and night")}
SHELTER = {"name": both("Shelter"), "number": "+62 21 555-0100"}


def _city() -> City:
    services = [
        {**service, "numbers": [HOTLINE]} if service["code"] == "violence" else service
        for service in BUNDLE["services"]
    ]
    return City.from_json({**BUNDLE, "services": services, "numbers": [SHELTER]})


def test_a_protected_service_shows_its_hotline_first_and_the_emergency_number_last() -> None:
    shown = {
        service["code"]: service["numbers"]
        for service in city_reference.services(_city())["services"]
    }
    assert [one["number"] for one in shown["violence"]] == ["129", "+62 21 555-0100", "112"]
    assert shown["violence"][0] == HOTLINE
    assert [one["number"] for one in shown["misconduct"]] == ["+62 21 555-0100", "112"]
    assert shown["pothole"] == []


def test_the_receipt_of_a_protected_report_says_whom_to_call(world: World) -> None:
    assert [number["number"] for number in world.file(service="violence")["numbers"]] == ["112"]
    assert world.file()["numbers"] == []
