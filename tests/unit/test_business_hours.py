"""Working time: hand-computed cases over weekends, holidays and both changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.city.business_hours import DAYS, Calendar

JAKARTA = Calendar.from_json(
    {
        "working": {
            **{day: [["07:30", "16:00"]] for day in ("mon", "tue", "wed", "thu")},
            "fri": [["07:30", "11:30"], ["13:00", "16:30"]],
        },
        "holidays": [{"date": "2017-02-15"}, {"date": "2017-03-28"}, {"date": "2026-12-25"}],
    },
    "Asia/Jakarta",
)
ALWAYS = Calendar.from_json(
    {"working": {day: [["00:00", "12:00"]] for day in DAYS}, "holidays": []}, "Europe/Berlin"
)
GAP = Calendar.from_json(
    {"working": {"sun": [["02:15", "03:00"]]}, "holidays": []}, "Europe/Berlin"
)
LINES = st.datetimes(datetime(2016, 12, 1), datetime(2027, 3, 1), timezones=st.just(UTC))
# GAP has 45 minutes a week: 400 hours of it are more than the ten years that are searched.
SPANS = st.timedeltas(timedelta(), timedelta(hours=300))
CALENDARS = st.sampled_from([JAKARTA, ALWAYS, GAP])


def at(text: str, zone: str = "Asia/Jakarta") -> datetime:
    """A local time, aware."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


# February 2017: the 13th is a Monday, the 15th (election day) a holiday, the 17th a Friday.
ADDED = [
    ("2017-02-13 09:00", 2, "2017-02-13 11:00"),  # within a day
    ("2017-02-13 07:30", 8.5, "2017-02-13 16:00"),  # a whole day ends that day
    ("2017-02-13 09:00", 8, "2017-02-14 08:30"),  # 7 h today, 1 h tomorrow
    ("2017-02-13 05:00", 1, "2017-02-13 08:30"),  # before opening
    ("2017-02-13 16:00", 1, "2017-02-14 08:30"),  # at closing
    ("2017-02-13 23:59", 1, "2017-02-14 08:30"),  # at night
    ("2017-02-14 15:00", 2, "2017-02-16 08:30"),  # over the holiday
    ("2017-02-15 10:00", 2, "2017-02-16 09:30"),  # on the holiday
    ("2017-02-16 15:30", 1, "2017-02-17 08:00"),  # Thursday into Friday
    ("2017-02-17 11:00", 1, "2017-02-17 13:30"),  # over Friday's break
    ("2017-02-17 12:00", 1, "2017-02-17 14:00"),  # within the break
    ("2017-02-17 16:00", 1, "2017-02-20 08:00"),  # over the weekend
    ("2017-02-18 12:00", 1, "2017-02-20 08:30"),  # on Saturday
    ("2017-02-19 23:00", 0.5, "2017-02-20 08:00"),  # on Sunday night
    ("2017-02-13 07:30", 31.5, "2017-02-17 15:00"),  # 3 days of 8.5, then 4 + 2 around the break
    ("2017-02-17 07:30", 7.5, "2017-02-17 16:30"),  # Friday is 7.5 h
    ("2017-03-27 15:00", 1.5, "2017-03-29 08:00"),  # Nyepi, a Tuesday
    ("2026-12-24 15:00", 2, "2026-12-28 08:30"),  # Thursday, Christmas on Friday, weekend
    ("2017-02-13 09:00", 0, "2017-02-13 09:00"),  # nothing
    ("2017-02-18 09:00", 0, "2017-02-20 07:30"),  # nothing, from the next working moment
]


@pytest.mark.parametrize(("start", "hours", "end"), ADDED)
def test_working_hours_are_added_over_nights_weekends_and_holidays(
    start: str, hours: float, end: str
) -> None:
    assert JAKARTA.add_working(at(start), timedelta(hours=hours)) == at(end)


BETWEEN = [
    ("2017-02-13 09:00", "2017-02-13 11:00", 2),
    ("2017-02-13 00:00", "2017-02-14 00:00", 8.5),
    ("2017-02-14 15:00", "2017-02-16 08:30", 2),  # the holiday between
    ("2017-02-15 00:00", "2017-02-15 23:59", 0),  # the holiday itself
    ("2017-02-17 10:00", "2017-02-17 14:00", 2.5),  # less the break
    ("2017-02-18 00:00", "2017-02-20 00:00", 0),  # the weekend
    ("2017-02-13 00:00", "2017-02-20 00:00", 33),  # a week with a holiday
    ("2017-02-20 00:00", "2017-02-27 00:00", 41.5),  # a whole week
    ("2017-02-13 11:00", "2017-02-13 09:00", 0),  # reversed
]


@pytest.mark.parametrize(("start", "end", "hours"), BETWEEN)
def test_the_working_time_between_two_moments_is_counted(
    start: str, end: str, hours: float
) -> None:
    assert JAKARTA.working_between(at(start), at(end)) == timedelta(hours=hours)


# Berlin, 00:00-12:00 every day. On 29 March 2026 the clock skips 02-03, on 25 October it runs
# 02-03 twice: those mornings have 11 and 13 hours.
@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-03-29 00:00", 11, "2026-03-29 12:00"),
        ("2026-03-29 01:00", 1, "2026-03-29 03:00"),
        ("2026-03-28 11:00", 12, "2026-03-29 12:00"),
        ("2026-10-25 00:00", 13, "2026-10-25 12:00"),
        ("2026-10-25 01:00", 3, "2026-10-25 03:00"),
        ("2026-10-24 11:00", 14, "2026-10-25 12:00"),
    ],
)
def test_working_time_is_elapsed_time_when_the_clock_changes(
    start: str, hours: float, end: str
) -> None:
    first, last = at(start, "Europe/Berlin"), at(end, "Europe/Berlin")
    assert ALWAYS.add_working(first, timedelta(hours=hours)) == last
    assert ALWAYS.working_between(first, last) == timedelta(hours=hours)


def test_hours_that_the_clock_skips_hold_no_time() -> None:
    day = at("2026-03-29 00:00", "Europe/Berlin"), at("2026-03-30 00:00", "Europe/Berlin")
    assert GAP.working_between(*day) == timedelta()


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    utc = datetime(2017, 2, 13, 2, 0, tzinfo=UTC)
    assert JAKARTA.add_working(utc, timedelta(hours=2)) == at("2017-02-13 11:00")


def test_the_day_of_a_holiday_is_the_citys_own() -> None:
    """17:30 UTC on the 14th is half past midnight on the holiday, in Jakarta."""
    utc = datetime(2017, 2, 14, 17, 30, tzinfo=UTC)
    assert JAKARTA.add_working(utc, timedelta(hours=1)) == at("2017-02-16 08:30")
    assert JAKARTA.is_holiday(date(2017, 2, 15))
    assert not JAKARTA.is_holiday(date(2017, 2, 14))


def test_a_calendar_without_work_refuses_instead_of_searching_for_ever() -> None:
    idle = Calendar.from_json({"working": {}, "holidays": []}, "Asia/Jakarta")
    with pytest.raises(ValueError, match="no working time"):
        idle.add_working(at("2017-02-13 09:00"), timedelta(hours=1))


@given(CALENDARS, LINES, SPANS)
def test_adding_working_time_and_counting_it_agree(
    calendar: Calendar, start: datetime, span: timedelta
) -> None:
    assert calendar.working_between(start, calendar.add_working(start, span)) == span


@given(CALENDARS, LINES, SPANS, SPANS)
def test_a_longer_span_or_a_later_start_never_ends_earlier(
    calendar: Calendar, start: datetime, one: timedelta, two: timedelta
) -> None:
    short, long = sorted((one, two))
    assert calendar.add_working(start, short) <= calendar.add_working(start, long)
    assert calendar.add_working(start, one) <= calendar.add_working(start + two, one)


@given(CALENDARS, LINES, SPANS, SPANS)
def test_the_time_between_is_the_sum_of_its_parts(
    calendar: Calendar, start: datetime, one: timedelta, two: timedelta
) -> None:
    middle, end = start + one, start + one + two
    whole = calendar.working_between(start, end)
    parts = calendar.working_between(start, middle) + calendar.working_between(middle, end)
    assert whole == parts


# Berlin skips 02-03 on 29 March 2026; Lord Howe skips half an hour, 02:00-02:30 on 4 October.
@pytest.mark.parametrize(
    ("span", "zone", "day", "hours"),
    [
        (("00:00", "02:30"), "Europe/Berlin", "2026-03-29", 2.0),
        (("02:30", "06:00"), "Europe/Berlin", "2026-03-29", 3.0),
        (("02:00", "03:00"), "Europe/Berlin", "2026-03-29", 0.0),
        (("01:59", "03:01"), "Europe/Berlin", "2026-03-29", 2 / 60),
        (("00:00", "06:00"), "Europe/Berlin", "2026-03-29", 5.0),
        (("00:00", "02:15"), "Australia/Lord_Howe", "2026-10-04", 2.0),
        (("02:15", "06:00"), "Australia/Lord_Howe", "2026-10-04", 3.5),
        (("02:30", "06:00"), "Europe/Berlin", "2026-10-25", 4.5),
    ],
)
def test_a_span_that_meets_the_skip_begins_or_ends_with_it(
    span: tuple[str, str], zone: str, day: str, hours: float
) -> None:
    calendar = Calendar.from_json({"working": {"sun": [list(span)]}, "holidays": []}, zone)
    first = at(f"{day} 00:00", zone)
    assert calendar.working_between(first, at(f"{day} 23:00", zone)) == timedelta(hours=hours)
