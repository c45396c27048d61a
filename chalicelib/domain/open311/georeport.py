"""GeoReport v2's times and windows: reads many forms, writes one.

http://wiki.open311.org/GeoReport_v2
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from chalicelib.domain.input import moments

SPAN = timedelta(days=90)
_DATE = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?"
    r"\s*((?:GMT|UTC)?[+ -]\d\d:?\d\d|GMT|UTC|Z)?)?",
    re.IGNORECASE | re.ASCII,
)
# What programs write for an argument that they do not have: Java, Objective-C, JavaScript, Python.
_NOTHING = ("null", "(null)", "<null>", "nil", "undefined", "None")


class InvalidArgument(ValueError):
    """An argument that cannot be used; ``field`` names it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def last(arguments: Mapping[str, list[str]], name: str) -> str | None:
    """The last value of an argument; ``None`` if it is empty or absent."""
    values = [value for value in arguments.get(name, ()) if value.strip()]
    return values[-1].strip() if values else None


def given(arguments: Mapping[str, list[str]], name: str) -> str | None:
    """The last value of an optional text, as ``last``; a text such as ``null`` counts as none.

    So a request is not refused because a program sent the e-mail address ``null``.
    """
    text = last(arguments, name)
    return None if text is None or is_nothing(text) else text


def is_nothing(text: str) -> bool:
    """Whether a text is empty, or one that programs send for an empty field (``null``)."""
    return text.strip() in ("", *_NOTHING)


def format_time(moment: datetime) -> str:
    """A moment in the form that every client reads: W3C-DTF with zone, no fractions."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str, zone: tzinfo, field: str = "datetime") -> datetime:
    """The moment in a client's text.

    Accepts a space for the T, fractions, a missing zone (then the city's), a bare date, a space
    for the ``+`` of the zone (from a query string), and ``GMT+07:00``, which Java writes. Raises
    ``InvalidArgument``, also for a year that is too far away to calculate with.
    """
    match = _DATE.fullmatch(text.strip())
    if not match:
        raise InvalidArgument(field, "is no date and time")
    day, minute, second, offset = match.groups()
    offset = re.sub("^(GMT|UTC)", "", (offset or "").upper()).replace(" ", "+") or (
        "Z" if offset else ""
    )
    try:
        read = datetime.fromisoformat(f"{day}T{minute or '00:00'}{second or ':00'}{offset}")
        return moments.plausible(read if read.tzinfo else read.replace(tzinfo=zone))
    except ValueError:
        years = f"of a year from {moments.FIRST_YEAR} to {moments.LAST_YEAR}"
        raise InvalidArgument(field, f"is no date and time {years}") from None


def window(
    start: datetime | None, end: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """The requested span of filing, both ends included; by default the last 90 days.

    Raises ``InvalidArgument`` for a longer span, or one that ends before it begins.
    """
    if start and end:
        if end < start:
            raise InvalidArgument("end_date", "is before start_date")
        if end - start > SPAN:
            raise InvalidArgument("start_date", "and end_date span more than 90 days")
        return start, end
    if start:
        return start, max(start, min(now, start + SPAN))
    end = end or now
    return end - SPAN, end
