"""When a schedule is due, and a clock that can run faster or be set by hand.

EventBridge's own expressions, in UTC: ``rate(5 minutes)`` and ``cron(0 8 ? * MON-FRI *)``.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_croniter import AwsCroniter
from aws_croniter.exceptions import AwsCroniterExpressionError

_RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")
_CRON = re.compile(r"cron\((.+)\)")
_UNITS = {"minute": 60, "hour": 3600, "day": 86_400}


class Clock:
    """Business time: ``factor`` seconds pass in one second of the machine's.

    Without ``start`` it begins at the machine's time. With factor 0 it stands still until ``set``.
    """

    def __init__(
        self,
        start: datetime | None = None,
        factor: float = 1.0,
        wall: Callable[[], float] = time.time,
    ) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("a clock starts at an aware moment")
        if factor < 0:
            raise ValueError("time does not run backwards")
        self.factor = factor
        self._wall = wall
        self._origin = wall()
        self._start = start or datetime.fromtimestamp(self._origin, UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The current time, aware UTC."""
        with self._lock:
            passed = (self._wall() - self._origin) * self.factor
            return (self._start + timedelta(seconds=passed)).astimezone(UTC)

    def set(self, moment: datetime) -> None:
        """Set the clock to ``moment``; it continues from there."""
        if moment.tzinfo is None:
            raise ValueError("a clock is set to an aware moment")
        with self._lock:
            self._origin = self._wall()
            self._start = moment

    def seconds_until(self, moment: datetime) -> float:
        """The machine's seconds until ``moment``; almost endless for a clock that stands still."""
        ahead = (moment - self.now()).total_seconds()
        if ahead <= 0:
            return 0.0
        return ahead / self.factor if self.factor else threading.TIMEOUT_MAX


class Schedule:
    """One schedule expression; rates count from ``origin``, the time when the rule was made.

    Raises ValueError for an expression that EventBridge refuses or that is never due.
    """

    def __init__(self, expression: str, origin: datetime) -> None:
        self.expression = expression
        self._origin = origin
        self.period: timedelta | None = None
        self._cron: Any = None
        if rate := _RATE.fullmatch(expression):
            count, unit = int(rate[1]), rate[2]
            if count < 1 or (count == 1) == unit.endswith("s"):
                raise ValueError(f"not a rate that EventBridge takes: {expression}")
            self.period = timedelta(seconds=count * _UNITS[unit.removesuffix("s")])
        elif cron := _CRON.fullmatch(expression):
            try:
                self._cron = AwsCroniter(cron[1])
            except (AwsCroniterExpressionError, ValueError) as wrong:
                raise ValueError(
                    f"not a cron that can be run here: {expression}: {wrong}"
                ) from wrong
            if self.next_after(datetime(1970, 1, 1, tzinfo=UTC)) is None:
                raise ValueError(f"never due: {expression}")
        else:
            raise ValueError(f"neither rate(...) nor cron(...): {expression}")

    def next_after(self, moment: datetime) -> datetime | None:
        """The first due time after ``moment``; None if there is none."""
        if self.period is not None:
            passed = max(0, (moment - self._origin) // self.period)
            return self._origin + (passed + 1) * self.period
        due: datetime | None = self._cron.get_next(moment.astimezone(UTC))[0]
        return due

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Every due time after ``after``, up to and including ``until``."""
        due = self.next_after(after)
        while due is not None and due <= until:
            yield due
            due = self.next_after(due)
