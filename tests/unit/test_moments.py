"""Moments of clients: those of a city's years are read, impossible ones are refused."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.input import moments
from tests.support.hostile_values import DATES


@given(st.datetimes(datetime(1801, 1, 1), datetime(2998, 1, 1), timezones=st.timezones()))
def test_a_moment_of_any_zone_is_read_as_utc(moment: datetime) -> None:
    minutes = round((moment.utcoffset() or timedelta()).total_seconds() / 60)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    text = f"{moment:%Y-%m-%dT%H:%M:%S}{sign}{hours:02}:{rest:02}"
    local = moment.replace(tzinfo=None, microsecond=0)
    wanted = (local - timedelta(minutes=minutes)).replace(tzinfo=UTC)
    assert moments.read(text) == moments.full(text) == wanted


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1799-12-31T23:59:59Z",
     "3000-01-01T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z\n",
     "٢٠٢٦-٠١-٠١T00:00:00Z"],
)  # fmt: skip
def test_an_impossible_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        moments.read(text)


def test_a_moment_without_seconds_is_not_rfc_3339() -> None:
    assert moments.read("2026-01-01T00:00Z") == datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError):
        moments.full("2026-01-01T00:00Z")


@given(st.sampled_from(DATES) | st.text(max_size=40))
def test_no_text_ends_in_another_error(text: str) -> None:
    for read in (moments.read, moments.full, moments.day):
        try:
            assert isinstance(read(text), date)
        except ValueError:
            pass
