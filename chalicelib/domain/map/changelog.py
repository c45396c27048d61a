"""The map's change log: what each event changes of the open public reports, and its cursors.

A row is stamped when its event is counted, so rows may become readable slightly out of order.
Therefore a cursor stays ``LAG`` behind the present and remembers the rows after that point that
were sent: no row is missed or sent twice.

Tests: tests/integration/test_map.py
"""

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from chalicelib.domain.map.pin import pack, pin_in
from chalicelib.domain.timeline_types import Event, Facts

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
    """All rows stamped before ``until`` were sent, and of the later ones those in ``sent``."""

    until: datetime
    sent: frozenset[bytes]


def change(event: Event) -> str | None:
    """The packed pin after an event, ``GONE``, or ``None`` if the map does not change."""
    before, after = (_shown(event["report"], event[when]) for when in ("before", "after"))
    return None if before == after else after


def name(row: Row) -> bytes:
    """A short hash by which a cursor remembers a row; two rows collide once in 10^12."""
    return hashlib.blake2b(row.key.encode(), digest_size=NAME_BYTES).digest()


def advance(cursor: Cursor, rows: list[Row], now: datetime, whole: bool) -> Cursor:
    """The cursor after ``rows`` were sent; they were read from ``cursor.until`` on.

    ``whole``: they were read to the end of the log.
    """
    if not rows and now - cursor.until < KEEP / 24:
        return cursor  # Unchanged, so that caches see the same answer.
    until = max(cursor.until, now - LAG)
    if not whole:
        until = min(until, rows[-1].stamp)
    fresh = frozenset(name(row) for row in rows if row.stamp >= until)
    # More rows than we remember are sent again; an upsert is idempotent.
    return Cursor(until, fresh if len(fresh) <= REMEMBERED else frozenset())


def last(rows: list[Row]) -> tuple[list[str], list[Row]]:
    """(reports that left the map, the newest row of each report that is on it)."""
    newest = {row.report: row for row in rows}
    gone = [report for report, row in newest.items() if row.pin == GONE]
    return gone, [row for row in newest.values() if row.pin != GONE]


def _shown(report: str, facts: Facts | None) -> str:
    pin = pin_in(report, facts)
    return GONE if pin is None or pin.state == "closed" else pack(pin)
