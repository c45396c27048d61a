"""The map's log of changes: what an event changes of the open public reports, and cursors of it.

A row of the log is stamped when the event is counted, so rows may become readable a little out of
order. A cursor therefore stays ``LAG`` behind the present and remembers what of that stretch it
has given already: nothing is missed, and nothing comes twice.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from chalicelib.domain.map.pin import pack, pin_in

LAG = timedelta(seconds=10)
KEEP = timedelta(hours=24)
REMEMBERED = 400
NAME_BYTES = 5
GONE = ""


class Row(NamedTuple):
    """A row of the log: its key, its stamp, the report, and its packed pin or ``GONE``."""

    key: str
    stamp: datetime
    report: str
    pin: str


class Cursor(NamedTuple):
    """Everything stamped before ``until`` was given, and after it what ``given`` names."""

    until: datetime
    given: frozenset[bytes]


def change(event: dict[str, Any]) -> str | None:
    """The packed pin that an event leaves on the map, ``GONE``, or ``None`` if nothing changed."""
    before, after = (_shown(event["report"], event[when]) for when in ("before", "after"))
    return None if before == after else after


def name(row: Row) -> bytes:
    """What a cursor remembers of a row: once in 10^12 another's too."""
    return hashlib.blake2b(row.key.encode(), digest_size=NAME_BYTES).digest()


def follow(cursor: Cursor, rows: list[Row], now: datetime, whole: bool) -> Cursor:
    """The cursor once ``rows``, read from ``cursor.until`` on (to the end, if ``whole``), are
    given."""
    if not rows and now - cursor.until < KEEP / 24:
        return cursor  # The same answer again, which a cache may compare.
    until = max(cursor.until, now - LAG)
    if not whole:
        until = min(until, rows[-1].stamp)
    fresh = frozenset(name(row) for row in rows if row.stamp >= until)
    # Too many to remember come again, which an upsert does not mind.
    return Cursor(until, fresh if len(fresh) <= REMEMBERED else frozenset())


def last(rows: list[Row]) -> tuple[list[str], list[Row]]:
    """(reports that left the map, newest row of each that is on it)."""
    newest = {row.report: row for row in rows}
    gone = [report for report, row in newest.items() if row.pin == GONE]
    return gone, [row for row in newest.values() if row.pin != GONE]


def _shown(report: str, facts: dict[str, Any] | None) -> str:
    pin = pin_in(report, facts)
    return GONE if pin is None or pin.state == "closed" else pack(pin)
