"""The interval of a score: the month's reports are drawn again (docs/scorecards.md).

What the city adds to a shrunken mean is drawn too: as many reports, each by the city's rate. So a
few reports that were all answered well do not look certain. The city's own rates stay as they are.
All numbers are whole: millionths, rounded down.

Tests: tests/unit/test_score_ranges.py
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from chalicelib.domain.scorecards.contributions import Contribution
from chalicelib.domain.scorecards.engines import Draws
from chalicelib.domain.scorecards.lanes import Lanes
from chalicelib.domain.scorecards.measures import AUDIT, table
from chalicelib.domain.scorecards.score_means import COMPARED, POINTS, Means, ppm, prior_audits
from chalicelib.domain.scorecards.totals import MonthTotals, Scope
from chalicelib.domain.sla.custody import WHOLE

Row = tuple[str, Contribution, int]
Numbers = Sequence[int]
# What is summed: (measure, outcome), or (name, district) of deadlines.
_Name = tuple[str, str]
_DUE, _LATE, _NORM, _POINTS = ("due", ""), ("late", ""), ("norm", ""), ("points", "")
_DOUBT, _DOUBT_NORM = "doubt", "doubt_norm"


class Bootstrap:
    """The draws of one month. ``scopes``: whose scores are drawn."""

    def __init__(
        self, lanes: Lanes, rule: Draws, totals: MonthTotals, means: Means, scopes: Iterable[Scope]
    ) -> None:
        self._lanes, self._rule, self._scopes = lanes, rule, frozenset(scopes)
        self._totals, self._means = totals, means
        self._weighed = frozenset(means.weights)
        self._sums: dict[Scope, dict[_Name, int]] = {}
        self._expected: dict[Scope, dict[str, int]] = {}
        self._audits: dict[str, list[int]] = {}
        self._passed: dict[str, Numbers] = {}
        self._priors: dict[str, Numbers] = {}

    def add(self, rows: Iterable[Row]) -> None:
        """Draw reports, each from its rows, which follow each other."""
        for report, own in groupby(rows, key=lambda row: row[0]):
            amounts: dict[Scope, dict[_Name, int]] = {}
            audits: list[tuple[str, bool]] = []
            for _, contribution, weight in own:
                district, scopes = self._totals.scopes(contribution)
                if contribution.measure == AUDIT:
                    audits.append((district, contribution.outcome == "pass"))
                    continue
                amount = contribution.share * weight // WHOLE
                parts = self._parts(contribution, district, amount)
                for scope in self._scopes.intersection(scopes) if parts else ():
                    sums = amounts.setdefault(scope, {})
                    for name, part in parts:
                        if name in (_NORM, (_DOUBT_NORM, district)):
                            part = part * self._late_rate(scope, contribution.service) // WHOLE
                        sums[name] = sums.get(name, 0) + part
            if amounts or audits:
                self._count(self._lanes.of(report), amounts, audits)

    def interval(self, scope: Scope) -> tuple[int, int]:
        """The ends of the interval of a score, in millionths."""
        total = [0] * self._rule.draws
        for measure, weight in self._means.weights.items():
            values = self._values(scope, measure)
            total = [sum_ + weight * value for sum_, value in zip(total, values, strict=True)]
        total.sort()
        whole = sum(self._means.weights.values())
        return total[self._rule.low - 1] // whole, total[self._rule.high - 1] // whole

    def _parts(
        self, contribution: Contribution, district: str, amount: int
    ) -> list[tuple[_Name, int]]:
        measure, outcome = contribution.measure, contribution.outcome
        if measure == "on_time":
            parts = [(_DUE, amount)] if "overdue_carried" in self._weighed else []
            if self._weighed & COMPARED:
                if outcome == "late":
                    parts.append((_LATE, amount))
                elif outcome != "verified":
                    parts.append(((_DOUBT, district), amount))
                dismissed = outcome == "dismissed"
                parts.append(((_DOUBT_NORM, district) if dismissed else _NORM, amount))
            return parts
        if measure not in self._weighed:
            return []
        parts = [((measure, outcome), amount)]
        if measure == "satisfaction":
            parts.append((_POINTS, amount * (int(contribution.value or 1) - 1)))
        return parts

    def _late_rate(self, scope: Scope, service: str) -> int:
        if scope not in self._expected:
            rates = self._means.expected(self._totals.of(scope))
            self._expected[scope] = {code: ppm(rate) for code, rate in rates.items()}
        return self._expected[scope][service]

    def _count(
        self,
        lanes: int,
        amounts: Mapping[Scope, Mapping[_Name, int]],
        audits: Iterable[tuple[str, bool]],
    ) -> None:
        for scope, own in amounts.items():
            sums = self._sums.setdefault(scope, defaultdict(int))
            for name, amount in own.items():
                sums[name] += lanes * amount
        for district, passed in audits:
            counted = self._audits.setdefault(district, [0, 0])
            counted[0] += lanes * passed
            counted[1] += lanes

    def _values(self, scope: Scope, measure: str) -> list[int]:
        """What a measure counts in each draw, in millionths."""
        mean = ppm(self._means.city(measure))
        shrink = self._means.settings.shrink_n * WHOLE
        prior = self._prior(measure)
        if measure in COMPARED:
            part = self._means.city_part(self._totals.of(scope))
            # Millionths of late reports that the city adds: for one that is drawn, and expected.
            one, expected = ppm(part), int(part * self._means.settings.shrink_n * mean)
            return [
                _not_late(mean, late + one * drawn, norm + expected)
                for late, norm, drawn in zip(*self._late(scope), prior, strict=True)
            ]
        hit, n = self._plain(scope, measure)
        way = table()[measure]["scored"]
        shrink *= POINTS if way == "stars" else 1
        values = [
            (hits + WHOLE * drawn) * WHOLE // (many + shrink) if many + shrink else mean
            for hits, many, drawn in zip(hit, n, prior, strict=True)
        ]
        return [WHOLE - value for value in values] if way == "complement" else values

    def _plain(self, scope: Scope, measure: str) -> tuple[Numbers, Numbers]:
        """(numerator, denominator) in each draw, as ``score_means.hits`` of the month."""
        row = table()[measure]
        if "hit" in row:
            hit = self._sum(scope, (measure, row["hit"]))
            return hit, _add(hit, self._sum(scope, (measure, row["other"])))
        if measure == "overdue_carried":
            carried = self._sum(scope, (measure, "carried"))
            return carried, _add(carried, self._sum(scope, _DUE))
        if measure == "reopened_or_refused":
            refused, reopened = (
                self._sum(scope, (measure, one)) for one in ("refused", "reopened")
            )
            again = _add(refused, reopened)
            finished = self._sum(scope, (measure, "finished"))
            return again, [max(pair) for pair in zip(again, finished, strict=True)]
        rated = self._sum(scope, (measure, "rated"))
        return self._sum(scope, _POINTS), [POINTS * n for n in rated]

    def _late(self, scope: Scope) -> tuple[Numbers, Numbers]:
        """(late, expected late) in each draw."""
        late, norm = self._sum(scope, _LATE), self._sum(scope, _NORM)
        for name, district in self._sums.get(scope, {}):
            if name in (_DOUBT, _DOUBT_NORM):
                failed = [
                    (WHOLE - passed) * amount // WHOLE
                    for passed, amount in zip(
                        self._pass_rate(district), self._sum(scope, (name, district)), strict=True
                    )
                ]
                if name == _DOUBT:
                    late = _add(late, failed)
                else:
                    norm = _add(norm, failed)
        return late, norm

    def _pass_rate(self, district: str) -> Numbers:
        """A district's pass rate in each draw of its audits, in millionths."""
        if district not in self._passed:
            whole = ppm(self._means.rates[""])
            own = self._totals.audits.get(district)
            prior = prior_audits(own.total() if own else 0, self._means.settings)
            passed, audited = (
                self._lanes.numbers(lanes) for lanes in self._audits.get(district, (0, 0))
            )
            known = district in self._means.rates and district
            self._passed[district] = [
                (WHOLE * hits + prior * whole) // (n + prior) if known and n + prior else whole
                for hits, n in zip(passed, audited, strict=True)
            ]
        return self._passed[district]

    def _prior(self, measure: str) -> Numbers:
        """What the city adds in each draw: hits, late reports or points of ``shrink_n`` reports."""
        if measure not in self._priors:
            bounds = [ppm(bound) for bound in self._means.bounds(measure)]
            # Both measures that compare late reports draw the same.
            name = "on_time" if measure in COMPARED else measure
            shrink = self._means.settings.shrink_n
            self._priors[measure] = self._lanes.below(name, shrink, bounds)
        return self._priors[measure]

    def _sum(self, scope: Scope, name: _Name) -> Numbers:
        return self._lanes.numbers(self._sums.get(scope, {}).get(name, 0))


def _not_late(mean: int, late: int, expected: int) -> int:
    return WHOLE - (min(WHOLE, mean * late // expected) if expected else mean)


def _add(some: Numbers, others: Numbers) -> list[int]:
    return [a + b for a, b in zip(some, others, strict=True)]
