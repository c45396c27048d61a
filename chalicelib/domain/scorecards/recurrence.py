"""Repairs that did not last: the same service reported again, close by and soon after.

Tests: tests/integration/test_recompute.py
"""

from collections.abc import Iterator
from datetime import timedelta
from math import ceil, cos, radians
from typing import Any

from chalicelib.domain.map.geohash import distance_m
from chalicelib.domain.scorecards.contributions import Contribution, Window
from chalicelib.domain.sla.custody import WHOLE
from chalicelib.domain.timeline_types import ScoreRow
from chalicelib.domain.timestamps import iso, parse

_METRES_A_DEGREE = 111_195.0
_Spot = tuple[str, int, int]
_Filing = tuple[str, int, int, str]
_Repair = tuple[int, int, str, list[Any], str, str]


class Recurrences:
    """The repairs verified in ``window`` (two months before the judged month), and all filings.

    A repair has recurred if the service was reported again within ``metres`` and ``days`` of its
    verification, and before ``until``.
    """

    def __init__(self, window: Window, until: str, metres: float, days: int) -> None:
        self._window = window
        self._until = until
        self._metres = metres
        self._days = timedelta(days=days)
        self._repairs: list[_Repair] = []
        self._filings: dict[str, list[_Filing]] = {}

    def add(self, row: ScoreRow) -> None:
        """Take in a report's row; private reports are left out, their place is not exact."""
        if row.get("private"):
            return
        position = (row["lat7"], row["long7"])
        service, report = row["service"], row["report"]
        if self._window.start <= row["filed_at"] < self._until:
            filing = (report, *position, row["filed_at"])
            self._filings.setdefault(service, []).append(filing)
        for period in row["rounds"]:
            closed = period["closed_at"]
            if period["resolution"] == "verified" and self._window.holds(closed):
                self._repairs.append((*position, closed, period["held"], service, report))

    def contributions(self) -> Iterator[tuple[str, Contribution]]:
        """(report, contribution) of every repair: lasted or recurred."""
        if not self._repairs:
            return
        widest = max(abs(repair[0]) for repair in self._repairs) / 1e7
        tall = ceil(self._metres / _METRES_A_DEGREE * 1e7) + 1
        wide = ceil(tall / max(cos(radians(min(widest + 1, 89))), 0.01))
        cells: dict[_Spot, list[_Filing]] = {}
        for service, filings in self._filings.items():
            for filing in filings:
                cell = (service, filing[1] // tall, filing[2] // wide)
                cells.setdefault(cell, []).append(filing)
        for repair in sorted(self._repairs, key=lambda repair: (repair[5], repair[2])):
            lat7, long7, closed, held, service, report = repair
            ward, unit, officer = held
            near = [
                filing
                for north in (-1, 0, 1)
                for east in (-1, 0, 1)
                for filing in cells.get((service, lat7 // tall + north, long7 // wide + east), ())
            ]
            result = "recurred" if self._recurred(repair, near) else "lasted"
            yield (
                report,
                Contribution(
                    "recurrence", result, service, ward, unit, officer, WHOLE, None, closed
                ),
            )

    def _recurred(self, repair: _Repair, near: list[_Filing]) -> bool:
        lat7, long7, closed, _, _, report = repair
        last = iso(parse(closed) + self._days)
        return any(
            closed < filed <= last
            and other != report
            and distance_m(lat7 / 1e7, long7 / 1e7, lat / 1e7, long / 1e7) <= self._metres
            for other, lat, long, filed in near
        )
