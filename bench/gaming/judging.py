"""The cards of a month from rows, by the scoring functions of the product.

The same steps as ``services.scorecards.compute.compute``: contributions of each row, weights of
filers, recurrences, totals, cards. A test compares both (tests/unit/test_bench_gaming.py).
"""

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.gaming.place import city
from chalicelib.domain.scorecards import engines
from chalicelib.domain.scorecards.card_types import Card
from chalicelib.domain.scorecards.cards import Scorecards
from chalicelib.domain.scorecards.contributions import Contribution, Window, contributions, held_at
from chalicelib.domain.scorecards.measures import uncapped
from chalicelib.domain.scorecards.recurrence import Recurrences
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.domain.scorecards.totals import MonthTotals, Totals
from chalicelib.domain.scorecards.weighing import weights
from chalicelib.domain.sla.custody import WHOLE
from chalicelib.domain.timeline_types import ScoreRow
from chalicelib.domain.timestamps import shifted

_SCORED = ("city", "district")
_GROWING = (dict, list, set, Totals)


@dataclass(frozen=True)
class Part:
    """What one report adds to a month: its contributions, and the ward where it was filed then."""

    filed_month: str
    contributions: tuple[Contribution, ...]
    ward: str | None


class Month:
    """A judged month: what rows add to it, and its cards."""

    def __init__(self, month: str, settings: Settings, now: datetime) -> None:
        self.month, self.settings = month, settings
        drawn = engines.draws(settings.engine)
        self.window = Window.of(month, city(), now, drawn.months if drawn else 1)
        self._before = Window.of(shifted(month, -2), city(), now)
        self._uncapped = uncapped()

    def part(self, row: ScoreRow) -> Part:
        """What a report's row adds."""
        window = self.window
        made = tuple(contributions(row, window, self.settings.old_factor))
        ward = held_at(row, window.settled)[0] if window.holds(row["filed_at"]) else None
        return Part(row["filed_month"], made, ward)

    def recurrences(self, rows: Iterable[ScoreRow]) -> list[Contribution]:
        """Repairs of a district that lasted or did not; districts do not touch."""
        settings = self.settings
        again = Recurrences(
            self._before, self.window.until, settings.recurrence_m, settings.recurrence_days
        )
        for row in rows:
            again.add(row)
        return [contribution for _, contribution in again.contributions()]

    def totals(
        self,
        parts: Mapping[str, Part],
        again: Iterable[Contribution],
        weighed: Mapping[str, Mapping[str, int]],
        onto: MonthTotals | None = None,
    ) -> MonthTotals:
        """The totals of some reports, added to a copy of ``onto``."""
        totals = _copied(onto)
        for report, part in parts.items():
            weight = weighed.get(part.filed_month, {}).get(report, WHOLE)
            for contribution in part.contributions:
                whole = contribution.measure in self._uncapped
                totals.add(contribution, WHOLE if whole else weight)
            if part.ward is not None:
                totals.reported.add(part.ward)
        for contribution in again:
            totals.add(contribution, WHOLE)
        return totals

    def score(self, totals: MonthTotals, district: str) -> float | None:
        """A district's score. Cards of units and officials are left out, so ``totals`` loses
        theirs: they change no district's card and take half of the time."""
        kept = (scope for scope in totals.by_scope if scope.kind in _SCORED)
        totals.by_scope = {scope: totals.by_scope[scope] for scope in kept}
        return next(
            card["score"]
            for card in self.cards(totals)
            if (card["kind"], card["code"]) == ("district", district)
        )

    def cards(self, totals: MonthTotals) -> list[Card]:
        """All cards of the month."""
        return Scorecards(totals, city(), self.settings).cards()


def weighed(
    filers: Mapping[str, Mapping[str, str]], settings: Settings
) -> dict[str, dict[str, int]]:
    """{month: {report: millionths}} of the reports that count less than whole."""
    return {
        month: {
            report: weight
            for report, weight in weights(
                people, settings.reporter_cap, settings.weighing
            ).items()
            if weight < WHOLE
        }
        for month, people in filers.items()
    }  # fmt: skip


def _copied(onto: MonthTotals | None) -> MonthTotals:
    totals: MonthTotals = MonthTotals(city()) if onto is None else _copy(onto)
    return totals


def _copy(value: Any) -> Any:
    """Totals of their own, whatever they consist of. (``deepcopy`` would also copy the city.)"""
    if isinstance(value, (Totals, MonthTotals)):
        copied = copy(value)
        vars(copied).update({name: _copy(own) for name, own in vars(value).items()})
        return copied
    if isinstance(value, dict):
        changed = {key: _copy(own) for key, own in value.items() if isinstance(own, _GROWING)}
        whole = value.copy()
        # ``Counter.update`` would add.
        dict.update(whole, changed)
        return whole
    return value.copy() if isinstance(value, (list, set)) else value
