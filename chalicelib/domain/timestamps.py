"""Moments as text: ISO 8601, UTC, milliseconds, ``Z``. The texts sort by time.

Tests: tests/unit/test_one_place.py
"""

from datetime import UTC, date, datetime

# No report is older: its id (a ULID) begins with the milliseconds since 1970.
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_MONTH = "197001"


def iso(moment: datetime) -> str:
    """An aware moment as text, for example ``2017-02-20T00:58:22.262Z``."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def parse(text: str) -> datetime:
    """The aware UTC moment of a text that ``iso`` wrote."""
    return datetime.fromisoformat(text).astimezone(UTC)


def shifted(month: str, by: int) -> str:
    """The month (``YYYYMM``) ``by`` months later."""
    year, number = divmod(_number(month) + by, 12)
    return f"{year:04d}{number + 1:02d}"


def months(first: str, last: str) -> list[str]:
    """The months (``YYYYMM``) from the first to the last, both included."""
    return [shifted(first, by) for by in range(months_between(first, last) + 1)]


def months_between(first: str, last: str) -> int:
    """How many months ``last`` is after ``first``."""
    return _number(last) - _number(first)


def first_day(month: str) -> date:
    """The first day of a month (``YYYYMM``)."""
    return date(int(month[:4]), int(month[4:]), 1)


def _number(month: str) -> int:
    return int(month[:4]) * 12 + int(month[4:]) - 1
