"""The promise of a report: calendar and working hours, a district's own targets, pauses."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.city.city import City
from chalicelib.domain.sla.deadlines import extend, promise
from tests.support.world import BUNDLE, service

ZONE = ZoneInfo("Asia/Jakarta")


def _service(code: str, acknowledge: dict[str, Any], resolve: dict[str, Any]) -> dict[str, Any]:
    return {**service(code, "roads", 1, 1), "acknowledge": acknowledge, "resolve": resolve}


def _hours(hours: float, clock: str) -> dict[str, Any]:
    return {"hours": hours, "clock": clock}


CITY = City.from_json(
    {
        **BUNDLE,
        "services": [
            _service("flood", _hours(1, "calendar"), _hours(24, "calendar")),
            _service("road", _hours(4, "working"), _hours(16, "working")),
            _service("mixed", _hours(2, "calendar"), _hours(8, "working")),
        ],
        "calendar": {
            "working": {day: [["08:00", "16:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
            "holidays": [{"date": "2017-02-15", "name": {"en": "Election", "id": "Pilkada"}}],
        },
        "overrides": [
            {"district": "D2", "service": "road", "resolve": _hours(8, "working")},
            {"district": "D2", "service": "flood", "acknowledge": _hours(0.5, "calendar")},
        ],
    }
)


def at(text: str) -> datetime:
    """A local time of the city, aware."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


# (code of the service, district, filed, acknowledge, due, the city's own due)
PROMISES = [
    ("flood", "D1", "2017-02-18 22:00", "2017-02-18 23:00", "2017-02-19 22:00", None),
    ("flood", "D1", "2017-02-15 10:00", "2017-02-15 11:00", "2017-02-16 10:00", None),
    ("road", "D1", "2017-02-13 08:00", "2017-02-13 12:00", "2017-02-14 16:00", None),
    ("road", "D1", "2017-02-13 15:00", "2017-02-14 11:00", "2017-02-16 15:00", None),
    ("road", "D1", "2017-02-15 10:00", "2017-02-16 12:00", "2017-02-17 16:00", None),
    ("road", "D1", "2017-02-17 15:00", "2017-02-20 11:00", "2017-02-21 15:00", None),
    ("road", "D1", "2017-02-18 03:00", "2017-02-20 12:00", "2017-02-21 16:00", None),
    ("mixed", "D1", "2017-02-17 15:00", "2017-02-17 17:00", "2017-02-20 15:00", None),
    ("road", "D2", "2017-02-13 08:00", "2017-02-13 12:00", "2017-02-13 16:00", "2017-02-14 16:00"),
    ("road", "D2", "2017-02-17 15:00", "2017-02-20 11:00", "2017-02-20 15:00", "2017-02-21 15:00"),
    ("flood", "D2", "2017-02-18 22:00", "2017-02-18 22:30", "2017-02-19 22:00", None),
]


@pytest.mark.parametrize(("code", "district", "filed", "first", "due", "city_due"), PROMISES)
def test_a_promise_follows_the_services_clock_and_the_districts_override(
    code: str, district: str, filed: str, first: str, due: str, city_due: str | None
) -> None:
    given = promise(CITY.services[code], district, at(filed), CITY)
    assert given.acknowledge_due == at(first)
    assert given.due_at == at(due)
    assert given.city_due_at == at(city_due or due)


# (due, paused from, to, clock, new due)
PAUSES = [
    ("2017-02-14 16:00", "2017-02-13 10:00", "2017-02-13 12:00", "calendar", "2017-02-14 18:00"),
    ("2017-02-14 16:00", "2017-02-13 10:00", "2017-02-13 12:00", "working", "2017-02-16 10:00"),
    ("2017-02-14 12:00", "2017-02-13 20:00", "2017-02-14 06:00", "working", "2017-02-14 12:00"),
    ("2017-02-14 12:00", "2017-02-13 20:00", "2017-02-14 06:00", "calendar", "2017-02-14 22:00"),
    ("2017-02-17 12:00", "2017-02-14 15:00", "2017-02-16 09:00", "working", "2017-02-17 14:00"),
    ("2017-02-17 15:00", "2017-02-16 08:00", "2017-02-16 16:00", "working", "2017-02-20 15:00"),
    ("2017-02-14 12:00", "2017-02-13 12:00", "2017-02-13 12:00", "working", "2017-02-14 12:00"),
    ("2017-02-14 12:00", "2017-02-13 12:00", "2017-02-13 10:00", "calendar", "2017-02-14 12:00"),
]


@pytest.mark.parametrize(("due", "start", "end", "clock", "moved"), PAUSES)
def test_a_pause_moves_a_deadline_by_the_time_that_would_have_counted(
    due: str, start: str, end: str, clock: str, moved: str
) -> None:
    assert extend(at(due), at(start), at(end), clock, CITY.calendar) == at(moved)


def test_promises_are_in_utc() -> None:
    given = promise(CITY.services["road"], "D2", at("2017-02-13 08:00"), CITY)
    moments = (given.acknowledge_due, given.due_at, given.city_due_at)
    assert all(moment.utcoffset() == timedelta() for moment in moments)


FILED = st.datetimes(datetime(2017, 1, 1), datetime(2017, 12, 1), timezones=st.just(UTC))


@given(st.sampled_from(["flood", "road", "mixed"]), FILED, st.timedeltas(timedelta(), timedelta(9)))
def test_filing_later_never_makes_a_promise_earlier(
    code: str, filed: datetime, later: timedelta
) -> None:
    one = promise(CITY.services[code], "D1", filed, CITY)
    two = promise(CITY.services[code], "D1", filed + later, CITY)
    assert one.due_at <= two.due_at
    assert one.acknowledge_due <= two.acknowledge_due
    assert one.due_at > filed


@given(
    st.sampled_from(["calendar", "working"]), FILED, *[st.timedeltas(timedelta(), timedelta(9))] * 2
)
def test_two_pauses_that_meet_count_as_one(
    clock: str, start: datetime, one: timedelta, two: timedelta
) -> None:
    due = promise(CITY.services["road"], "D1", start, CITY).due_at
    middle, end = start + one, start + one + two
    twice = extend(
        extend(due, start, middle, clock, CITY.calendar), middle, end, clock, CITY.calendar
    )
    assert twice == extend(due, start, end, clock, CITY.calendar)
