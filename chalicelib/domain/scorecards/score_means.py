"""Scores of the second engine: each measure is a mean that is shrunk towards the city's.

All numbers are exact: whole numbers of ``UNIT`` and fractions of them (docs/scorecards.md, "The
score"). So a promise that is kept in place of a missed one never lowers a score, nor does one more
that is kept.

Tests: tests/unit/test_score_ranges.py
"""

from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from math import lcm

from chalicelib.domain.scorecards.measures import table
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.domain.scorecards.totals import UNIT, MonthTotals, Totals
from chalicelib.domain.sla.custody import WHOLE

# A rating of five stars is four points, one star is none.
POINTS = 4
# Late reports are compared with those expected of the same services; both count alike.
COMPARED = frozenset({"on_time", "case_mix"})


def ppm(value: Fraction | int) -> int:
    """Whole millionths, rounded down."""
    return int(value * WHOLE // 1)


def hits(totals: Totals, measure: str) -> tuple[int, int]:
    """(numerator, denominator) of a measure that is a plain mean, in ``UNIT``; of ratings in
    points."""
    counts, row = totals.counts, table()[measure]
    if "hit" in row:
        hit = counts[measure, row["hit"]]
        return hit, hit + counts[measure, row["other"]]
    if measure == "overdue_carried":
        carried = counts[measure, "carried"]
        return carried, carried + sum(totals.due.values())
    if measure == "reopened_or_refused":
        again = counts[measure, "reopened"] + counts[measure, "refused"]
        return again, max(counts[measure, "finished"], again)
    return points(totals), POINTS * counts[measure, "rated"]


def points(totals: Totals) -> int:
    """The points of all ratings, in ``UNIT``."""
    return sum((star - 1) * n for star, n in totals.ratings.items())


def pass_rates(
    totals: MonthTotals, districts: list[str], settings: Settings
) -> dict[str, Fraction]:
    """The pass rate that counts in each district, and under "" the city's."""
    audits = totals.audits
    passed = sum(results["pass"] for results in audits.values())
    audited = sum(results.total() for results in audits.values())
    whole = Fraction(passed, audited) if audited else Fraction(str(settings.unaudited_pass_rate))
    rates = {"": whole}
    for code in districts:
        own = audits.get(code)
        n = own.total() if own else 0
        prior = prior_audits(n, settings)
        rates[code] = (
            ((own["pass"] if own else 0) + prior * whole) / (n + prior) if n + prior else whole
        )
    return rates


def prior_audits(audited: int, settings: Settings) -> int:
    """As how many audits the city's pass rate counts in a district with so many."""
    return 0 if audited >= settings.audit_from else settings.audit_prior


class Means:
    """The scores of a month. ``rates``: the pass rate by district, "" is the city's."""

    def __init__(self, whole: Totals, settings: Settings, rates: Mapping[str, Fraction]) -> None:
        self.settings = settings
        self.rates = rates
        self._whole = whole
        self._shrink = settings.shrink_n * UNIT
        # Deadlines are counted in parts of a report, so that every pass rate is a whole number.
        self._parts = lcm(*(rate.denominator for rate in rates.values()))
        self._one = UNIT * self._parts
        self._failed = {code: int((1 - rate) * self._parts) for code, rate in rates.items()}
        self._late_in_city = self._late(whole)
        self._cities = {name: self._mean(name) for name, n in settings.weights.items() if n}

    @cached_property
    def weights(self) -> dict[str, int]:
        """The weights of the measures for which the city has data; the others count for nobody."""
        known = {name for name, mean in self._cities.items() if mean is not None}
        return {name: n for name, n in self.settings.weights.items() if name in known}

    def city(self, measure: str) -> Fraction:
        """The city's mean of a measure that is weighed; of late reports, where those count."""
        mean = self._cities[measure]
        assert mean is not None
        return mean

    def bounds(self, measure: str) -> list[Fraction]:
        """The parts of the city's reports that count; of ratings, those with at least 2, 3, 4 and 5
        stars."""
        if table()[measure]["scored"] != "stars":
            return [self.city(measure)]
        rated = self._whole.counts[measure, "rated"]
        stars = self._whole.ratings
        return [
            Fraction(sum(n for star, n in stars.items() if star >= least), rated)
            for least in range(2, POINTS + 2)
        ]

    def _mean(self, measure: str) -> Fraction | None:
        if measure in COMPARED:
            return self._late_mean
        hit, n = hits(self._whole, measure)
        return Fraction(hit, n) if n else None

    @cached_property
    def _late_mean(self) -> Fraction | None:
        late, due = (sum(pair[n] for pair in self._late_in_city.values()) for n in (0, 1))
        return Fraction(late, due) if due else None

    def score(self, totals: Totals) -> Fraction | None:
        """From 0 to 1; ``None`` if no measure has a weight and data."""
        if not self.weights:
            return None
        values = (n * self._value(name, totals) for name, n in self.weights.items())
        return sum(values, Fraction(0)) / sum(self.weights.values())

    def expected(self, totals: Totals) -> dict[str, Fraction]:
        """How often each service of a card is late in the rest of the city, and in one more report
        with the city's rate of all services: a service may be nobody else's."""
        mean = self._late_mean or Fraction(0)
        rates = {}
        for service, (late, due) in self._late(totals).items():
            all_late, all_due = self._late_in_city[service]
            rates[service] = (all_late - late + self._one * mean) / (all_due - due + self._one)
        return rates

    def city_part(self, totals: Totals) -> Fraction:
        """By what ``shrink_n`` is multiplied where a card is compared with the rest of the city:
        the city's deadlines ÷ those of the rest; 0 without a rest. The less there is to compare
        with, the nearer is a card to the city's mean."""
        own, whole = (
            sum(due for _, due in by_service.values())
            for by_service in (self._late(totals), self._late_in_city)
        )
        return Fraction(whole, whole - own) if whole > own else Fraction(0)

    def _value(self, measure: str, totals: Totals) -> Fraction:
        mean = self.city(measure)
        if measure in COMPARED:
            return 1 - min(Fraction(1), mean * self._ratio(totals, mean))
        hit, n = hits(totals, measure)
        prior = self._shrink * (POINTS if table()[measure]["scored"] == "stars" else 1)
        value = (hit + prior * mean) / (n + prior) if n + prior else mean
        return 1 - value if table()[measure]["scored"] == "complement" else value

    def _ratio(self, totals: Totals, mean: Fraction) -> Fraction:
        """Late reports ÷ those expected, both with the city's part."""
        by_service, expected = self._late(totals), self.expected(totals)
        prior = self.settings.shrink_n * self.city_part(totals) * self._one * mean
        late = prior + sum(late for late, _ in by_service.values())
        norm = prior + sum(due * expected[code] for code, (_, due) in by_service.items())
        return Fraction(late) / norm if norm else Fraction(1)

    def _late(self, totals: Totals) -> dict[str, tuple[int, int]]:
        """{service: (late, due)} in parts of ``_one``; what is audited counts by the pass rate of
        its district."""
        by_service: dict[str, tuple[int, int]] = {}
        for (district, service, outcome), amount in totals.due.items():
            every = amount * self._parts
            failed = amount * self._failed.get(district, self._failed[""])
            late, due = {
                "late": (every, every),
                "verified": (0, every),
                "unanswered": (failed, every),
                "dismissed": (failed, failed),
            }[outcome]
            before = by_service.get(service, (0, 0))
            by_service[service] = (before[0] + late, before[1] + due)
        return by_service
