"""A month's scorecards from its sums: every figure with numerator, denominator, n and interval."""

from functools import cache
from typing import Any

from chalicelib import rules
from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.statistics import (
    Rate,
    Settings,
    percentile,
    ranks,
    rounded,
    shrunken,
)
from chalicelib.domain.scorecards.totals import Scope, Sum, Sums

_LEAST, _MOST = 1.0, 5.0


@cache
def measures() -> dict[str, dict[str, Any]]:
    """The measures by code: kind, name and formula in both languages."""
    found = rules.load("scorecard")["measures"]
    return {one["code"]: one for one in found}


class Scorecards:
    """The cards of one month. ``extra``: figures of the city that no report's row tells."""

    def __init__(
        self, sums: Sums, city: City, settings: Settings, extra: dict[str, int] | None = None
    ) -> None:
        self._sums = sums
        self._city = city
        self._settings = settings
        self._extra = extra or {}
        self._whole = sums.of(Scope("city", city.root))
        self.pass_rates = self._audited()
        self._late_rates = self._late_by_service(self._whole)
        stars = self._whole.count("satisfaction", "rated")
        self._mean = self._whole.stars / stars if stars else None

    def cards(self) -> list[dict[str, Any]]:
        """Every card, ranked among its kind; districts and wards without any report too."""
        wanted = set(self._sums.by_scope)
        wanted |= {Scope("city", self._city.root)}
        wanted |= {Scope("district", area.code) for area in self._city.of_level(-2)}
        wanted |= {Scope("ward", area.code) for area in self._city.of_level(-1)}
        found = [self._card(scope) for scope in sorted(wanted)]
        for kind in ("district", "ward", "unit"):
            self._rank([card for card in found if card["kind"] == kind])
        return found

    def _card(self, scope: Scope) -> dict[str, Any]:
        sums = self._sums.of(scope)
        due = self._due(sums)
        carried = self._carried(sums)
        rates = {
            "on_time": due,
            "acknowledged_on_time": _rate(sums, "acknowledged_on_time", "in_time", "late"),
            "overdue_carried": carried,
            "verified": _rate(sums, "verified", "verified", "unverified"),
            "reopened_or_refused": _rework(sums),
            "repaired_yes": _rate(sums, "repaired_yes", "yes", "no"),
            "recurrence": _rate(sums, "recurrence", "recurred", "lasted"),
        }
        mix = self._case_mix(sums)
        figures = [_rate_figure(name, rate) for name, rate in rates.items()]
        figures += [_hours(sums, name) for name in ("to_acknowledge", "to_resolve")]
        figures += [_backlog(sums), self._satisfaction(sums), _ratio(*mix)]
        figures += self._volume(scope, sums)
        order = list(measures())
        figures.sort(key=lambda one: order.index(one["measure"]))
        return {
            "kind": scope.kind,
            "code": scope.code,
            "n": rounded(due.denominator),
            "score": self._score(rates, sums, mix),
            "ranked": False,
            "rank": None,
            "of": None,
            "measures": figures,
        }

    def _due(self, sums: Sum, service: str | None = None) -> Rate:
        """On time ÷ due, audited outcomes weighed by their district's pass rate."""
        hits = due = 0.0
        for (district, code, outcome), amount in sorted(sums.due.items()):
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

    def _audited(self) -> dict[str, dict[str, Any]]:
        """By district ("" is the city): passed, audited, and the pass rate that is used.

        While a district has few audits, the city's rate counts as some more of them: what was
        found there tells from the first audit on, and three of three prove little.
        """
        audits = self._sums.audits
        passed = sum(one["pass"] for one in audits.values())
        audited = sum(one.total() for one in audits.values())
        whole = passed / audited if audited else self._settings.unaudited_pass_rate
        found = {"": {"passed": passed, "audited": audited, "used": whole}}
        for area in self._city.of_level(-2):
            own = audits.get(area.code)
            n = own.total() if own else 0
            hits = own["pass"] if own else 0
            prior = 0 if n >= self._settings.audit_from else self._settings.audit_prior
            used = (hits + prior * whole) / (n + prior) if n + prior else whole
            found[area.code] = {"passed": hits, "audited": n, "used": used}
        return found

    def _carried(self, sums: Sum) -> Rate:
        carried = sums.count("overdue_carried", "carried")
        return Rate(carried, carried + sums.due_count())

    def _late_by_service(self, sums: Sum) -> dict[str, float]:
        services = sorted({service for _, service, _ in sums.due})
        found = {}
        for service in services:
            late = self._due(sums, service).complement
            found[service] = late.value or 0.0
        return found

    def _case_mix(self, sums: Sum) -> tuple[float, float, float]:
        """(observed late, expected late, due)."""
        due = self._due(sums)
        expected = 0.0
        for service in sorted({service for _, service, _ in sums.due}):
            expected += self._due(sums, service).denominator * self._late_rates.get(service, 0.0)
        return due.complement.numerator, expected, due.denominator

    def _satisfaction(self, sums: Sum) -> dict[str, Any]:
        n = sums.count("satisfaction", "rated")
        return _figure("satisfaction", sums.stars / n if n else None, sums.stars, n, n)

    def _volume(self, scope: Scope, sums: Sum) -> list[dict[str, Any]]:
        n = sums.count("received", "received")
        found = [_figure("received", n, None, None, n)]
        if scope.kind not in ("city", "district", "ward"):
            return found
        people = self._people(scope)
        per = n * 10_000 / people if people else None
        found.append(_figure("per_10000", per, n, people, n))
        if scope.kind != "ward":
            wards = [one.code for one in self._city.of_level(-1) if self._within(one.code, scope)]
            count = float(sum(one not in self._sums.reported for one in wards))
            found.append(_figure("silent_wards", count, count, float(len(wards)), len(wards)))
        if scope.kind == "city":
            found += [_figure(name, n, None, None, n) for name, n in sorted(self._extra.items())]
        return found

    def _within(self, ward: str, scope: Scope) -> bool:
        return scope.kind == "city" or self._city.place(ward)[0] == scope.code

    def _people(self, scope: Scope) -> float | None:
        own = self._city.areas.get(scope.code)
        if own is not None and own.population is not None:
            return float(own.population)
        wards = [one for one in self._city.of_level(-1) if self._within(one.code, scope)]
        known = [one.population for one in wards if one.population is not None]
        return float(sum(known)) if wards and len(known) == len(wards) else None

    def _score(
        self, rates: dict[str, Rate], sums: Sum, mix: tuple[float, float, float]
    ) -> float | None:
        """0–100: published weights over what each measure assures (docs/scorecards.md)."""
        weights = {name: n for name, n in self._settings.weights.items() if n}
        if not weights:
            return None
        total = sum(n * self._assured(name, rates, sums, mix) for name, n in weights.items())
        return rounded(100 * total / sum(weights.values()), 1)

    def _assured(
        self, name: str, rates: dict[str, Rate], sums: Sum, mix: tuple[float, float, float]
    ) -> float:
        if name in ("overdue_carried", "reopened_or_refused", "recurrence"):
            return rates[name].complement.assured
        if name == "satisfaction":
            n = sums.count("satisfaction", "rated")
            mean = shrunken(sums.stars, n, self._mean, self._settings.shrink_n)
            return 0.0 if mean is None else (mean - _LEAST) / (_MOST - _LEAST)
        if name == "case_mix":
            observed, expected, due = mix
            if not due:
                return 0.0
            whole = self._due(self._whole)
            prior = self._settings.shrink_n * (whole.complement.value or 0.0)
            ratio = (observed + prior) / (expected + prior) if expected + prior else 1.0
            return max(0.0, 1 - ratio / 2)
        return rates[name].assured

    def _rank(self, cards: list[dict[str, Any]]) -> None:
        enough = [card for card in cards if card["n"] >= self._settings.rank_from]
        known = [card for card in enough if card["score"] is not None]
        for card, rank in zip(known, ranks([card["score"] for card in known]), strict=True):
            card |= {"ranked": True, "rank": rank, "of": len(known)}


def _rate(sums: Sum, measure: str, hit: str, other: str) -> Rate:
    return Rate(sums.count(measure, hit), sums.count(measure, hit, other))


def _rework(sums: Sum) -> Rate:
    again = sums.count("reopened_or_refused", "reopened", "refused")
    finished = sums.count("reopened_or_refused", "finished")
    # A finish of an earlier month may be refused in this one.
    return Rate(again, max(finished, again))


def _figure(
    measure: str,
    value: float | None,
    numerator: float | None,
    denominator: float | None,
    n: float,
    **more: float | None,
) -> dict[str, Any]:
    found = {"value": value, "numerator": numerator, "denominator": denominator, "n": n, **more}
    return {"measure": measure, **{name: rounded(each) for name, each in found.items()}}


def _rate_figure(measure: str, rate: Rate) -> dict[str, Any]:
    low, high = rate.interval or (None, None)
    return _figure(
        measure, rate.value, rate.numerator, rate.denominator, rate.denominator, low=low, high=high
    )


def _hours(sums: Sum, measure: str) -> dict[str, Any]:
    values = sorted(sums.values.get(measure, []))
    median, p90 = percentile(values, 0.5), percentile(values, 0.9)
    return _figure(measure, median, None, None, len(values), median=median, p90=p90)


def _backlog(sums: Sum) -> dict[str, Any]:
    ages = sums.values.get("backlog", [])
    count, old = sums.count("backlog", "open", "old"), sums.count("backlog", "old")
    oldest = max(ages, default=None)
    return _figure("backlog", count, None, None, count, oldest_days=oldest, old=old)


def _ratio(observed: float, expected: float, due: float) -> dict[str, Any]:
    value = observed / expected if expected else None
    return _figure("case_mix", value, observed, expected, due)
