"""Scores of the first engine: lower bounds of intervals, and one rank for each card.

Months that were judged by it keep it (rules/engines.json); it must not change.

Tests: tests/integration/test_golden_months.py
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.domain.scorecards.card_types import Card
from chalicelib.domain.scorecards.measures import table
from chalicelib.domain.scorecards.statistics import Rate, Settings, ranks, rounded, shrunken

_LEAST, _MOST = 1.0, 5.0


@dataclass(frozen=True)
class Measured:
    """What the score of a card is made of; ``mix`` is (late, expected late, due)."""

    rates: Mapping[str, Rate]
    stars: float
    rated: float
    mix: tuple[float, float, float]


class BoundScores:
    """Scores within a city. ``mean``: of its ratings; ``late``: its rate of late reports."""

    def __init__(self, settings: Settings, mean: float | None, late: float) -> None:
        self._settings = settings
        self._mean = mean
        self._late = late

    def score(self, measured: Measured) -> float | None:
        """0–100: published weights times the assured value of each measure (docs/scorecards.md)."""
        weights = {name: n for name, n in self._settings.weights.items() if n}
        if not weights:
            return None
        total = sum(n * self._assured(name, measured) for name, n in weights.items())
        return rounded(100 * total / sum(weights.values()), 1)

    def _assured(self, name: str, measured: Measured) -> float:
        way = table()[name]["scored"]
        if way == "complement":
            return measured.rates[name].complement.assured
        if way == "stars":
            weight = self._settings.shrink_n
            mean = shrunken(measured.stars, measured.rated, self._mean, weight)
            return 0.0 if mean is None else (mean - _LEAST) / (_MOST - _LEAST)
        if way == "ratio":
            observed, expected, due = measured.mix
            if not due:
                return 0.0
            prior = self._settings.shrink_n * self._late
            ratio = (observed + prior) / (expected + prior) if expected + prior else 1.0
            return max(0.0, 1 - ratio / 2)
        return measured.rates[name].assured


def rank(cards: list[Card], rank_from: int) -> None:
    """Rank the cards of one kind that have enough deadlines."""
    enough = [card for card in cards if (card["n"] or 0) >= rank_from]
    scored = [(card, card["score"]) for card in enough if card["score"] is not None]
    for (card, _), place in zip(scored, ranks([score for _, score in scored]), strict=True):
        card |= {"ranked": True, "rank": place, "of": len(scored)}
