"""Working time of a city: weekly hours and holidays in its own time zone.

Working time is elapsed time, so a change of daylight saving time within working hours counts as it
passes. Days are walked one by one: a span of years costs some thousand steps at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Self
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FARTHEST = timedelta(days=366 * 10)


@dataclass(frozen=True)
class Calendar:
    """``hours``: (start, end) spans of each weekday; ``holidays``: days without work."""

    hours: tuple[tuple[tuple[time, time], ...], ...]
    holidays: frozenset[date]
    time_zone: str

    @classmethod
    def from_json(cls, data: dict[str, Any], time_zone: str) -> Self:
        """The calendar of {"working": {"mon": [["07:30", "16:00"]]}, "holidays": [{"date"}]}."""
        working = data["working"]
        return cls(
            hours=tuple(
                tuple(
                    (time.fromisoformat(start), time.fromisoformat(end))
                    for start, end in working.get(day, ())
                )
                for day in DAYS
            ),
            holidays=frozenset(date.fromisoformat(day["date"]) for day in data["holidays"]),
            time_zone=time_zone,
        )

    def is_holiday(self, day: date) -> bool:
        """Whether the day is in the list of holidays."""
        return day in self.holidays

    def add_working(self, start: datetime, span: timedelta) -> datetime:
        """The moment (UTC) by which ``span`` of working time has passed since ``start``.

        A span of zero ends at the first working moment. Raises ``ValueError`` if the calendar has
        less than ``span`` of working time in ten years.
        """
        left = span
        for begin, end in self._spans(start, start + _FARTHEST):
            if end - begin >= left:
                return begin + left
            left -= end - begin
        raise ValueError("the calendar has no working time for this span")

    def working_between(self, start: datetime, end: datetime) -> timedelta:
        """The working time between two moments; zero if ``end`` is before ``start``."""
        if end.astimezone(UTC) <= start.astimezone(UTC):
            return timedelta()
        return sum((b - a for a, b in self._spans(start, end)), timedelta())

    def _spans(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        zone = ZoneInfo(self.time_zone)
        day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        # In UTC: Python adds to a zoned time without regard to daylight saving time.
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        while day <= last:
            for begin, finish in self._day(day):
                if finish > start and begin < end:
                    yield max(begin, start), min(finish, end)
            day += timedelta(days=1)

    def _day(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        if self.is_holiday(day):
            return ()
        return _instants(self.hours[day.weekday()], day, self.time_zone)


@lru_cache(maxsize=4096)
def _instants(
    spans: tuple[tuple[time, time], ...], day: date, time_zone: str
) -> tuple[tuple[datetime, datetime], ...]:
    zone = ZoneInfo(time_zone)
    return tuple((_instant(day, start, zone), _instant(day, end, zone)) for start, end in spans)


def _instant(day: date, hour: time, zone: ZoneInfo) -> datetime:
    """The moment (UTC) of a local time.

    The first moment if the clock shows the time twice, the moment of the change if it skips it.
    """
    local = datetime.combine(day, hour, zone)
    after = local.astimezone(UTC)
    if after.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return after
    # With the offsets before and after the change, the time lies on either side of it.
    before = local.replace(fold=1).astimezone(UTC)
    while (seconds := int((after - before).total_seconds())) > 1:
        middle = before + timedelta(seconds=seconds // 2)
        if middle.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset():
            before = middle
        else:
            after = middle
    return after
