"""Moments and days that clients write. Every one from outside passes here before it is used.

Years near 1 and 9999 are no dates of a city, and arithmetic with them overflows (zones, windows,
months), so moments may have years from ``FIRST_YEAR`` to ``LAST_YEAR`` only.
"""

import re
from datetime import UTC, date, datetime

FIRST_YEAR, LAST_YEAR = 1800, 2999
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-2][0-9]:[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?"
    r"(Z|[+-][0-2][0-9]:[0-5][0-9])"
)
_SECONDS = re.compile(r".{16}:")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read(text: str) -> datetime:
    """The UTC moment of an ISO 8601 text with zone, with or without seconds. Raises
    ``ValueError``."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("no moment")
    # fromisoformat accepts at most six digits; more are not stored anyway.
    return plausible(datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text)))


def full(text: str) -> datetime:
    """As ``read``, for a text with seconds (RFC 3339). Raises ``ValueError``."""
    if not _SECONDS.match(text):
        raise ValueError("no seconds")
    return read(text)


def plausible(moment: datetime) -> datetime:
    """The same moment in UTC. Raises ``ValueError`` for a year that is no date of a city."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError("no plausible year")
    return moment.astimezone(UTC)


def day(text: str) -> date:
    """The day of an ISO 8601 text (``YYYY-MM-DD``). Raises ``ValueError``.

    Of any year: callers refuse a window with their own problem before they calculate with it.
    """
    if not _DAY.fullmatch(text):
        raise ValueError("no day")
    return date.fromisoformat(text)
