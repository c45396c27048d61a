"""The example city of another country: it loads, its holidays are right, and nothing is real."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chalicelib.domain.city.boundaries import Boundaries
from chalicelib.domain.city.city import City
from chalicelib.domain.sla.deadlines import promise
from infra.city.__main__ import main
from infra.city.folder import Prepared, prepare

FOLDER = Path(__file__).parents[2] / "infra" / "cities" / "duinhaven"


@cache
def made() -> Prepared:
    """The folder, checked."""
    return prepare(FOLDER)


@cache
def town() -> City:
    """The city of the folder."""
    return City.from_json(made().bundle)


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher)."""
    century, place = divmod(year, 100)
    golden = year % 19
    leaps, rest = divmod(century, 4)
    shift = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * golden + century - leaps - shift + 15) % 30
    week = (32 + 2 * rest + 2 * (place // 4) - moon - place % 4) % 7
    late = (golden + 11 * moon + 22 * week) // 451
    month, day = divmod(moon + week - 7 * late + 114, 31)
    return date(year, month, day + 1)


def test_the_folder_passes_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    """As the command checks it."""
    assert main(["check", str(FOLDER)]) == 0
    assert "nothing is wrong" in capsys.readouterr().out


@pytest.mark.parametrize("year", [2026, 2027])
def test_the_holidays_are_those_of_the_netherlands(year: int) -> None:
    """Five depend on Easter, five have a date; 27 April is a Sunday in none of these years."""
    moving = {easter(year) + timedelta(days=days) for days in (0, 1, 39, 49, 50)}
    fixed = {date(year, *day) for day in ((1, 1), (4, 27), (5, 5), (12, 25), (12, 26))}
    assert date(year, 4, 27).weekday() != 6
    assert {day for day in town().calendar.holidays if day.year == year} == moving | fixed


def test_the_city_has_its_own_working_week() -> None:
    """39 hours with a break a day; nobody works at the weekend."""
    week = town().calendar
    zone = ZoneInfo("Europe/Amsterdam")
    monday = datetime(2026, 11, 2, tzinfo=zone)
    assert week.working_between(monday, monday + timedelta(days=7)) == timedelta(hours=39)
    saturday = monday + timedelta(days=5)
    assert week.working_between(saturday, saturday + timedelta(days=2)) == timedelta()


def test_wards_units_and_people_fit_together() -> None:
    """Every service of every district has a unit that somebody works in, and a ladder."""
    city, staff = town(), made().staff
    districts = {area.code for area in city.areas.values() if area.level == "district"}
    assert len(districts) == 3
    for district in districts:
        for service in city.services.values():
            unit = city.unit_for(service.code, district)
            roles = {g["role"] for one in staff if one["unit"] == unit for g in one["grants"]}
            assert {"officer", "field_worker"} <= roles, (district, service.code)
            assert city.ladder(service.group)
    held = {grant["role"] for one in staff for grant in one["grants"]}
    told = {role for rungs in city.ladders.values() for rung in rungs for role in rung.tell}
    assert told - {"holder"} <= held


def test_every_ward_has_people_and_no_gap_lies_between_two() -> None:
    """About 27,500 in all; the grid is found where it is drawn, and nothing beside it."""
    city = town()
    wards = [area for area in city.areas.values() if area.level == "ward"]
    assert sum(ward.population or 0 for ward in wards) == 27_500
    index = Boundaries.from_bytes(made().blob)
    found = {
        index.locate(52.5851 + north * 0.0009, 5.2601 + east * 0.0019).ward
        for north in range(23)
        for east in range(42)
    }
    assert found == {ward.code for ward in wards}
    assert index.locate(52.5999, 5.2999).distance_m == 0
    assert index.locate(52.62, 5.30).distance_m > 1000


def test_no_address_is_real_and_the_city_says_that_it_is_made_up() -> None:
    """Addresses of a domain that is reserved for examples."""
    ends = [end["endpoint"] for one in made().staff for end in one["endpoints"]]
    assert ends
    assert all(end.endswith("@example.org") for end in ends)
    for name in ("city.json", "wards.geojson"):
        text = (FOLDER / name).read_text(encoding="utf-8").lower()
        assert "made-up" in text or "nothing in it is real" in text


def test_a_promise_crosses_the_change_of_the_clock_and_easter() -> None:
    """A container, Saturday noon before the clock springs on: 24 hours end on Sunday at 13:00.

    A cycle path on Friday 26 March 2027, 15:00: an hour that day; Easter Monday is free, Tuesday
    has eight, and the last seven of 16 end on Wednesday at 16:00.
    """
    city, zone = town(), ZoneInfo("Europe/Amsterdam")
    filed = datetime(2026, 3, 28, 12, 0, tzinfo=zone)
    due = promise(city.services["container"], "DH-K", filed, city).due_at
    assert due == datetime(2026, 3, 29, 13, 0, tzinfo=zone).astimezone(UTC)
    filed = datetime(2027, 3, 26, 15, 0, tzinfo=zone)
    due = promise(city.services["cycle_path"], "DH-K", filed, city).due_at
    assert due == datetime(2027, 3, 31, 16, 0, tzinfo=zone).astimezone(UTC)
