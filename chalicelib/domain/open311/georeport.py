"""GeoReport v2's times and windows: liberal in, strict out.

http://wiki.open311.org/GeoReport_v2
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo

SPAN = timedelta(days=90)
_DATE = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?\s*(Z|[+ -]\d\d:?\d\d)?)?", re.IGNORECASE
)


class InvalidArgument(ValueError):
    """A value that cannot be understood; ``field`` names the argument."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


def last(given: Mapping[str, list[str]], name: str) -> str | None:
    """The last value of an argument; an empty one is absent."""
    values = [value for value in given.get(name, ()) if value.strip()]
    return values[-1].strip() if values else None


def format_time(moment: datetime) -> str:
    """A moment as every client reads it: W3C-DTF with a zone and without fractions."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str, zone: tzinfo, field: str = "datetime") -> datetime:
    """The moment that a client means: with a space for the T, with fractions, without a zone (then
    the city's), a bare date, or with a ``+`` that a query string has made a space.

    Raises ``InvalidArgument``.
    """
    found = _DATE.fullmatch(text.strip())
    if not found:
        raise InvalidArgument(field, "is no date and time")
    day, minute, second, offset = found.groups()
    offset = (offset or "").replace(" ", "+").upper()
    try:
        read = datetime.fromisoformat(f"{day}T{minute or '00:00'}{second or ':00'}{offset}")
        return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument(field, "is no date and time") from None


def window(
    start: datetime | None, end: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """The span of filing that is asked for, both ends included: by default the last 90 days.

    Raises ``InvalidArgument`` for a span of more, or one that ends before it begins.
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
