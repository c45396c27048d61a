"""Scores of the second engine with their intervals, and the ranks that those allow.

There is no score of too few reports, and no single rank: two cards whose intervals overlap are not
surely different.

Tests: tests/unit/test_score_ranges.py
"""

from collections.abc import Callable, Iterable
from fractions import Fraction

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.bootstrap import Bootstrap, Row
from chalicelib.domain.scorecards.card_types import NO_DATA, NO_WEIGHTS, TOO_FEW, Card
from chalicelib.domain.scorecards.engines import Draws
from chalicelib.domain.scorecards.lanes import Lanes
from chalicelib.domain.scorecards.score_means import Means, pass_rates
from chalicelib.domain.scorecards.statistics import Settings, rank_ranges, rounded
from chalicelib.domain.scorecards.totals import UNIT, MonthTotals, Scope
from chalicelib.domain.sla.custody import WHOLE

# So many cards are drawn in one reading of the rows: a bound of memory, about 0.1 MB each.
AT_ONCE = 1000


class RangeScores:
    """The scores of a city's month."""

    def __init__(self, totals: MonthTotals, city: City, settings: Settings, rule: Draws) -> None:
        self._totals, self._settings, self._rule = totals, settings, rule
        self._place = city.jurisdiction
        districts = [area.code for area in city.areas_of_level(-2)]
        rates = pass_rates(totals, districts, settings)
        self._means = Means(totals.of(Scope("city", city.root)), settings, rates)

    def put(
        self, cards: Iterable[Card], month: str, rows: Callable[[], Iterable[Row]] | None
    ) -> None:
        """Put into each card its score with the interval, or why it has none. ``rows`` gives all
        contributions of the month, those of a report one after another; without them there are
        no intervals."""
        exact: dict[Scope, Fraction] = {}
        without = NO_DATA if any(self._settings.weights.values()) else NO_WEIGHTS
        by_scope = {Scope(card["kind"], card["code"]): card for card in cards}
        for scope, card in by_scope.items():
            totals = self._totals.of(scope)
            due = sum(totals.due.values()) + self._totals.earlier[scope]
            enough = due >= self._settings.score_from * UNIT
            score = self._means.score(totals) if enough else None
            if score is not None:
                exact[scope] = score
            card["score"] = None if score is None else _points(score)
            card["score_low"] = card["score_high"] = None
            card["due_in_three_months"] = rounded(due / UNIT)
            reason = without if enough else TOO_FEW
            card["unscored"] = reason if score is None else None
        lanes = Lanes(f"{self._place}|{month}", self._rule)
        scopes = sorted(exact) if rows is not None else []
        for first in range(0, len(scopes), AT_ONCE):
            some = scopes[first : first + AT_ONCE]
            drawn = Bootstrap(lanes, self._rule, self._totals, self._means, some)
            drawn.add(rows() if rows is not None else ())
            for scope in some:
                ends = (Fraction(end, WHOLE) for end in drawn.interval(scope))
                low, high = sorted((*ends, exact[scope]))[::2]
                by_scope[scope] |= {"score_low": _points(low), "score_high": _points(high)}


def rank(cards: list[Card], settings: Settings) -> None:
    """Give the cards of one kind the best and the worst rank that their intervals allow, or the
    bands, if the city publishes bands."""
    for card in cards:
        card["rank_best"] = card["rank_worst"] = card["band_low"] = card["band_high"] = None
    scored = [
        (card, card["score_low"], card["score_high"])
        for card in cards
        if (card["n"] or 0) >= settings.rank_from
    ]
    sure = [(card, low, high) for card, low, high in scored if low is not None and high is not None]
    if settings.bands:
        for card, low, high in sure:
            card["band_low"], card["band_high"] = (band(end, settings) for end in (low, high))
        return
    ranges = rank_ranges([(low, high) for _, low, high in sure])
    for (card, _, _), (best, worst) in zip(sure, ranges, strict=True):
        card |= {"ranked": True, "of": len(sure), "rank_best": best, "rank_worst": worst}


def band(score: float, settings: Settings) -> str:
    """The code of the band of a score: the last one that begins at it or below."""
    codes = [str(one["code"]) for one in settings.bands if one["from"] <= score]
    return codes[-1]


def _points(score: Fraction) -> float:
    """0–100 with one digit, halves up."""
    return int(score * 1000 + Fraction(1, 2)) / 10
