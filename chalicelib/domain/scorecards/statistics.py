"""The arithmetic of scorecards: settings, intervals, percentiles, shrinkage.

Wilson's interval: E. B. Wilson (1927), JASA 22, 209–212; n may be a fraction, because holders
share reports. Percentiles: linear between order statistics (Hyndman & Fan 1996, type 7).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import sqrt
from typing import Any, Self

from chalicelib.domain.scorecards import engines, weighing

Z = 1.959963984540054
DIGITS = 6
# A day of the next month: by then every finished report of the month is answered or has lapsed.
DRAFT_DAY = 16
# So many closed months are checked again each day; older ones only after an event in them.
RECHECKED = 3


@dataclass(frozen=True)
class Settings:
    """A city's scoring.json; ``weights`` are percents of the score.

    ``weighing``: the version of the rule by which reports of one filer count (rules/weighing.json);
    ``engine``: of the way to scores and ranks (rules/engines.json). ``score_from``: so many reports
    due in three months make a score. ``bands``: if any, they are published in place of ranks.
    """

    weights: Mapping[str, int] = field(default_factory=dict)
    rank_from: int = 10
    audit_from: int = 30
    audit_prior: int = 5
    audit_sample: int = 12
    unaudited_pass_rate: float = 0.5
    reporter_cap: int = 25
    shrink_n: int = 20
    old_factor: float = 3.0
    recurrence_m: float = 30.0
    recurrence_days: int = 60
    score_from: int = 30
    bands: Sequence[Mapping[str, Any]] = field(default_factory=list)
    weighing: int = field(default_factory=weighing.present)
    engine: int = field(default_factory=engines.present)

    @classmethod
    def from_json(cls, scoring: dict[str, Any]) -> Self:
        """The settings of a city's bundle; missing ones have their defaults."""
        names = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in scoring.items() if name in names})

    @classmethod
    def of_month(cls, stored: dict[str, Any]) -> Self:
        """The settings by which a month was judged, as ``published`` wrote them."""
        return cls.from_json({"weighing": weighing.FIRST, "engine": engines.FIRST, **stored})

    def published(self) -> dict[str, Any]:
        """The settings as a month shows them. The first rule of weights and the first engine have
        no version, so that the digests of old months stay the same."""
        shown = {**vars(self), "weights": dict(self.weights), "bands": list(self.bands)}
        if self.engine == engines.FIRST:
            for name in ("engine", "score_from", "bands"):
                del shown[name]
        if self.weighing == weighing.FIRST:
            del shown["weighing"]
        return shown


@dataclass(frozen=True)
class Rate:
    """A numerator over a denominator, with its interval; ``None`` without a denominator."""

    numerator: float
    denominator: float

    @property
    def value(self) -> float | None:
        """The rate."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval."""
        return wilson(self.numerator, self.denominator)

    @property
    def assured(self) -> float:
        """The lower bound of the interval; 0 without data."""
        bounds = self.interval
        return bounds[0] if bounds else 0.0

    @property
    def complement(self) -> "Rate":
        """The rate of all others: 1 minus this rate."""
        return Rate(self.denominator - self.numerator, self.denominator)


def wilson(hits: float, n: float) -> tuple[float, float] | None:
    """The 95 % interval of ``hits`` in ``n``; both may be fractions."""
    if n <= 0:
        return None
    p = min(max(hits / n, 0.0), 1.0)
    middle = p + Z * Z / (2 * n)
    spread = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def percentile(values: Sequence[float], share: float) -> float | None:
    """The exact percentile of sorted values."""
    if not values:
        return None
    position = (len(values) - 1) * share
    low = int(position)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (position - low)


def shrunken(total: float, n: float, mean: float | None, weight: float) -> float | None:
    """A mean shrunk towards ``mean``, as if ``weight`` more values had been equal to it."""
    if mean is None:
        return total / n if n else None
    return (total + weight * mean) / (n + weight) if n + weight else mean


def rounded(value: float | None, digits: int = DIGITS) -> float | None:
    """The value as published; ``-0.0`` becomes 0."""
    return None if value is None else round(value, digits) + 0.0


def rank_ranges(intervals: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """(best, worst) rank of each interval: 1 + how many are surely higher, and how many there are
    less those that are surely lower. One is surely higher if the intervals do not overlap."""
    lows, highs = sorted(low for low, _ in intervals), sorted(high for _, high in intervals)
    many = len(intervals)
    return [
        (1 + many - bisect_right(lows, high), many - bisect_left(highs, low))
        for low, high in intervals
    ]


def ranks(scores: Sequence[float]) -> list[int]:
    """The rank of each score, the highest first; equal scores share one (1, 2, 2, 4)."""
    order = sorted(scores, reverse=True)
    return [order.index(score) + 1 for score in scores]
