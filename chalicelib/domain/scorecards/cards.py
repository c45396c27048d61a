"""A month's scorecards from its totals: each figure with numerator, denominator, n, interval.

Tests: tests/integration/test_recompute.py
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import cast

from chalicelib.domain.city.city import Area, City
from chalicelib.domain.scorecards import engines, score_bounds, score_ranges
from chalicelib.domain.scorecards.bootstrap import Row
from chalicelib.domain.scorecards.card_types import Card, Figure, PassRate
from chalicelib.domain.scorecards.measures import table
from chalicelib.domain.scorecards.score_bounds import BoundScores, Measured
from chalicelib.domain.scorecards.score_means import prior_audits
from chalicelib.domain.scorecards.statistics import Rate, Settings, percentile, rounded
from chalicelib.domain.scorecards.totals import MonthTotals, Scope, Totals


class Scorecards:
    """The scorecards of one month. ``extra``: city figures that are not in any report's row."""

    def __init__(
        self,
        totals: MonthTotals,
        city: City,
        settings: Settings,
        extra: dict[str, int] | None = None,
    ) -> None:
        self._totals = totals
        self._city = city
        self._settings = settings
        self._extra = extra or {}
        self._whole = totals.of(Scope("city", city.root))
        self.pass_rates = self._audited()
        self._late_rates = self._late_by_service(self._whole)
        stars = self._whole.count("satisfaction", "rated")
        mean = self._whole.stars / stars if stars else None
        late = self._due(self._whole).complement.value or 0.0
        self._bounds = BoundScores(settings, mean, late)

    def cards(self, month: str = "", rows: Callable[[], Iterable[Row]] | None = None) -> list[Card]:
        """Every scorecard, ranked within its kind; also districts and wards without reports.

        ``rows`` gives all contributions of ``month``, those of a report one after another. Without
        them the second engine gives scores, but no intervals and no ranks; the first does not
        read them.
        """
        scopes = set(self._totals.by_scope)
        scopes |= {Scope("city", self._city.root)}
        scopes |= {Scope("district", area.code) for area in self._city.areas_of_level(-2)}
        scopes |= {Scope("ward", area.code) for area in self._city.areas_of_level(-1)}
        cards = [self._card(scope) for scope in sorted(scopes)]
        drawn = engines.draws(self._settings.engine)
        if drawn:
            scores = score_ranges.RangeScores(self._totals, self._city, self._settings, drawn)
            scores.put(cards, month, rows)
        for kind in ("district", "ward", "unit"):
            alike = [card for card in cards if card["kind"] == kind]
            if drawn:
                score_ranges.rank(alike, self._settings)
            else:
                score_bounds.rank(alike, self._settings.rank_from)
        return cards

    def _card(self, scope: Scope) -> Card:
        totals = self._totals.of(scope)
        due = self._due(totals)
        carried = self._carried(totals)
        rates = {
            "on_time": due,
            "overdue_carried": carried,
            "reopened_or_refused": _rework(totals),
        }
        for code, row in table().items():
            if "hit" in row:
                rates[code] = _rate(totals, code, row["hit"], row["other"])
        mix = self._case_mix(totals)
        figures = [_rate_figure(name, rate) for name, rate in rates.items()]
        figures += [_hours(totals, code) for code, row in table().items() if row["kind"] == "hours"]
        figures += [_backlog(totals), self._satisfaction(totals), _ratio(*mix)]
        figures += self._volume(scope, totals)
        order = list(table())
        figures.sort(key=lambda figure: order.index(figure["measure"]))
        measured = Measured(rates, totals.stars, totals.count("satisfaction", "rated"), mix)
        return {
            "kind": scope.kind,
            "code": scope.code,
            "n": rounded(due.denominator),
            "score": self._bounds.score(measured),
            "ranked": False,
            "rank": None,
            "of": None,
            "measures": figures,
        }

    def _due(self, totals: Totals, service: str | None = None) -> Rate:
        """On time ÷ due; outcomes that are audited are weighed by their district's pass rate."""
        hits = due = 0.0
        for (district, code, outcome), amount in sorted(totals.due.items()):
            if service not in (None, code):
                continue
            passed = self.pass_rates.get(district, self.pass_rates[""])["used"]
            n = amount / 1e12
            if outcome == "dismissed":
                due += (1 - passed) * n
            else:
                due += n
                hits += {"verified": n, "unanswered": passed * n}.get(outcome, 0.0)
        return Rate(hits, due)

    def _audited(self) -> dict[str, PassRate]:
        """By district ("" is the city): passed, audited, and the pass rate that is used.

        While a district has few audits, the city's rate counts as some more of them. So the first
        audits matter, but three passes of three prove little.
        """
        audits = self._totals.audits
        passed = sum(results["pass"] for results in audits.values())
        audited = sum(results.total() for results in audits.values())
        whole = passed / audited if audited else self._settings.unaudited_pass_rate
        rates: dict[str, PassRate] = {"": {"passed": passed, "audited": audited, "used": whole}}
        for area in self._city.areas_of_level(-2):
            own = audits.get(area.code)
            n = own.total() if own else 0
            hits = own["pass"] if own else 0
            prior = prior_audits(n, self._settings)
            used = (hits + prior * whole) / (n + prior) if n + prior else whole
            rates[area.code] = {"passed": hits, "audited": n, "used": used}
        return rates

    def _carried(self, totals: Totals) -> Rate:
        carried = totals.count("overdue_carried", "carried")
        return Rate(carried, carried + totals.due_count())

    def _late_by_service(self, totals: Totals) -> dict[str, float]:
        services = sorted({service for _, service, _ in totals.due})
        rates = {}
        for service in services:
            late = self._due(totals, service).complement
            rates[service] = late.value or 0.0
        return rates

    def _case_mix(self, totals: Totals) -> tuple[float, float, float]:
        """(observed late, expected late, due)."""
        due = self._due(totals)
        expected = 0.0
        for service in sorted({service for _, service, _ in totals.due}):
            expected += self._due(totals, service).denominator * self._late_rates.get(service, 0.0)
        return due.complement.numerator, expected, due.denominator

    def _satisfaction(self, totals: Totals) -> Figure:
        n = totals.count("satisfaction", "rated")
        return _figure("satisfaction", totals.stars / n if n else None, totals.stars, n, n)

    def _volume(self, scope: Scope, totals: Totals) -> list[Figure]:
        n = totals.count("received", "received")
        figures = [_figure("received", n, None, None, n)]
        if scope.kind not in ("city", "district", "ward"):
            return figures
        people = self._people(scope)
        per = n * 10_000 / people if people else None
        figures.append(_figure("per_10000", per, n, people, n))
        if scope.kind != "ward":
            wards = [ward.code for ward in self._wards(scope)]
            count = float(sum(code not in self._totals.reported for code in wards))
            figures.append(_figure("silent_wards", count, count, float(len(wards)), len(wards)))
        if scope.kind == "city":
            figures += [_figure(name, n, None, None, n) for name, n in sorted(self._extra.items())]
        return figures

    def _wards(self, scope: Scope) -> list[Area]:
        """The wards of a city or a district."""
        if scope.kind == "city":
            return self._city.areas_of_level(-1)
        return self._wards_by_district.get(scope.code, [])

    @cached_property
    def _wards_by_district(self) -> dict[str, list[Area]]:
        wards: dict[str, list[Area]] = {}
        for ward in self._city.areas_of_level(-1):
            wards.setdefault(self._city.district_and_path(ward.code)[0], []).append(ward)
        return wards

    def _people(self, scope: Scope) -> float | None:
        own = self._city.areas.get(scope.code)
        if own is not None and own.population is not None:
            return float(own.population)
        counts = [ward.population for ward in self._wards(scope)]
        known = [count for count in counts if count is not None]
        return float(sum(known)) if counts and len(known) == len(counts) else None


def _rate(totals: Totals, measure: str, hit: str, other: str) -> Rate:
    return Rate(totals.count(measure, hit), totals.count(measure, hit, other))


def _rework(totals: Totals) -> Rate:
    again = totals.count("reopened_or_refused", "reopened", "refused")
    finished = totals.count("reopened_or_refused", "finished")
    # A repair finished in an earlier month may be refused in this one.
    return Rate(again, max(finished, again))


def _figure(
    measure: str,
    value: float | None,
    numerator: float | None,
    denominator: float | None,
    n: float,
    **more: float | None,
) -> Figure:
    figures = {"value": value, "numerator": numerator, "denominator": denominator, "n": n, **more}
    numbers = {name: rounded(number) for name, number in figures.items()}
    return cast(Figure, {"measure": measure, **numbers})


def _rate_figure(measure: str, rate: Rate) -> Figure:
    low, high = rate.interval or (None, None)
    return _figure(
        measure, rate.value, rate.numerator, rate.denominator, rate.denominator, low=low, high=high
    )


def _hours(totals: Totals, measure: str) -> Figure:
    values = sorted(totals.values.get(measure, []))
    median, p90 = percentile(values, 0.5), percentile(values, 0.9)
    return _figure(measure, median, None, None, len(values), median=median, p90=p90)


def _backlog(totals: Totals) -> Figure:
    ages = totals.values.get("backlog", [])
    count, old = totals.count("backlog", "open", "old"), totals.count("backlog", "old")
    oldest = max(ages, default=None)
    return _figure("backlog", count, None, None, count, oldest_days=oldest, old=old)


def _ratio(observed: float, expected: float, due: float) -> Figure:
    value = observed / expected if expected else None
    return _figure("case_mix", value, observed, expected, due)
