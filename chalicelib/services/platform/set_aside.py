"""A schedule over many items: one that fails is set aside, and the others go on.

An item is a city, a month, a unit, a report or a row. If it fails, its name is noted for
administrators (``infra.ops dead``), counted (``ItemsSetAside``, which has an alarm), and the run
goes on. The next run tries it again, and deletes the note if it succeeds. A note of an item that
no run tries again, because somebody else has done its work, expires.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from chalicelib import observability
from chalicelib.domain.timestamps import iso
from chalicelib.storage import control
from chalicelib.storage.transactions import Unavailable, Unknown

# The name of a city's own item.
CITY = "city"
METRIC = "ItemsSetAside"
# After so many items in a row for which AWS did not answer, the run ends.
STRIKES = 3
# Notes that one run writes; later items are only counted.
NOTES_AT_MOST = 100
# Every schedule tries its items at least once a day, which writes the note again.
KEEP = timedelta(days=7)


class Run:
    """One run of a schedule. ``source`` is one of ``control.DEAD_SOURCES``.

    ``failed``: how many items were set aside. ``away``: the last error if AWS did not answer for
    some item; ``finish`` raises it when all other items are done.
    """

    def __init__(self, source: str, now: datetime) -> None:
        self.source = source
        self.failed = 0
        self.away: Exception | None = None
        self.now = now
        self._strikes = 0
        self._noted: dict[str, set[str]] = {}

    @contextmanager
    def item(
        self, jurisdiction: str, name: str = CITY, keep: timedelta | None = KEEP
    ) -> Iterator[None]:
        """Do one item's work in the ``with`` block. ``keep``: as for ``control.put_dead``.

        An exception in it sets the item aside. If AWS did not answer, the item is left to the next
        run; the third such item in a row raises ``Unavailable`` or ``Unknown``.
        """
        try:
            yield
        except (Unavailable, Unknown) as away:
            self._strike(away)
        except Exception as error:  # noqa: BLE001  (a fault of one item, of whatever kind)
            self.set_aside(jurisdiction, name, error, keep)
        else:
            self._strikes = 0
            self.forget(jurisdiction, name)

    def set_aside(
        self, jurisdiction: str, name: str, error: Exception, keep: timedelta | None = None
    ) -> None:
        """Note and count an item that failed. ``keep``: as for ``control.put_dead``."""
        observability.unhandled(error, self.source, METRIC)
        self.failed += 1
        if self.failed > NOTES_AT_MOST:
            return
        try:
            control.put_dead(jurisdiction, self.source, name, note_of(error, self.now), keep)
        except (Unavailable, Unknown) as away:
            self._strike(away)

    def finish(self) -> None:
        """Raise the error of AWS, if an item waits for the next run because of one."""
        if self.away is not None:
            raise self.away

    def forget(self, jurisdiction: str, name: str) -> None:
        """Delete the note of an item that succeeded, if there is one. The notes are read once."""
        try:
            if jurisdiction not in self._noted:
                rows = control.dead(jurisdiction, self.source, NOTES_AT_MOST)
                self._noted[jurisdiction] = {row["name"] for row in rows}
            if name in self._noted[jurisdiction]:
                control.forget_dead(jurisdiction, self.source, name)
        except (Unavailable, Unknown) as away:
            self._strike(away)

    def _strike(self, away: Exception) -> None:
        self.away = away
        self._strikes += 1
        if self._strikes >= STRIKES:
            raise away


def note_of(error: Exception, now: datetime) -> dict[str, Any]:
    """What an administrator sees of a fault: its type, when, and the line that raised it."""
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    where = [f"{observability.short(line.filename)}:{line.lineno}" for line in frame]
    return {"error": type(error).__name__, "at": iso(now), "where": "".join(where)}
