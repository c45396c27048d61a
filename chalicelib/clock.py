"""The only module that reads the time, so that tests can let a month pass at once.

``now()`` is the business time. The local stack and the tests replace its source with ``use``;
deployed code does not. ``wall()`` is the machine's real time, for values that AWS compares with its
own clock: TTL attributes and presigned requests.
"""

from collections.abc import Callable
from datetime import UTC, datetime

Source = Callable[[], datetime]


def wall() -> datetime:
    """The machine's time, aware UTC."""
    return datetime.now(UTC)


_source: Source = wall


def now() -> datetime:
    """The business time, aware UTC, whole milliseconds."""
    moment = _source()
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def use(source: Source | None) -> None:
    """Replace the source of ``now`` (``None`` restores the machine's time)."""
    global _source
    _source = source or wall
