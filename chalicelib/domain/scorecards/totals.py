"""A month's contributions added up, for each area, unit and official.

Counts are whole numbers of ``UNIT``: a share of a report (millionths) times the weight of its
reporter (millionths). So the totals are exact and do not depend on the order of reports.

Tests: tests/integration/test_recompute.py
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.contributions import Contribution
from chalicelib.domain.scorecards.measures import EARLIER
from chalicelib.domain.sla.custody import WHOLE

UNIT = WHOLE * WHOLE
# The time of a contribution whose report must stay unknown.
ANONYMOUS = ""


class Scope(NamedTuple):
    """Whose scorecard: kind city, district, ward, unit, officer, or others (in a district)."""

    kind: str
    code: str


@dataclass
class Totals:
    """The totals of one scope: ``due`` by (district, service, outcome), ``ratings`` by stars, the
    rest by outcome."""

    due: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    values: dict[str, list[float]] = field(default_factory=dict)
    stars: float = 0.0
    ratings: Counter[int] = field(default_factory=Counter)

    def add(self, contribution: Contribution, district: str, amount: int) -> None:
        """Count one contribution."""
        if contribution.measure == "on_time":
            self.due[district, contribution.service, contribution.outcome] += amount
        else:
            self.counts[contribution.measure, contribution.outcome] += amount
        if contribution.measure == "satisfaction" and contribution.value is not None:
            self.stars += contribution.value * amount / UNIT
            self.ratings[int(contribution.value)] += amount
        elif contribution.value is not None:
            self.values.setdefault(contribution.measure, []).append(contribution.value)

    def count(self, measure: str, *outcomes: str) -> float:
        """The number of reports with these outcomes."""
        return sum(self.counts[measure, outcome] for outcome in outcomes) / UNIT

    def due_count(self) -> float:
        """The number of deadlines, dismissed reports included."""
        return sum(self.due.values()) / UNIT


class MonthTotals:
    """All scopes of a city's month."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._scopes: dict[tuple[str, str], tuple[str, tuple[Scope, ...]]] = {}
        self.by_scope: dict[Scope, Totals] = {}
        self.audits: dict[str, Counter[str]] = {}
        # Deadlines of the months before: alone they make no card.
        self.earlier: Counter[Scope] = Counter()
        self.reported: set[str] = set()

    def add(self, contribution: Contribution, weight: int) -> None:
        """Add a contribution, with the weight of the report's reporter (millionths)."""
        district, scopes = self.scopes(contribution)
        if contribution.measure == "audit":
            self.audits.setdefault(district, Counter())[contribution.outcome] += 1
            return
        if contribution.measure == EARLIER:
            self.earlier.update(dict.fromkeys(scopes, contribution.share * weight))
            return
        for scope in scopes:
            self.of(scope).add(contribution, district, contribution.share * weight)

    def of(self, scope: Scope) -> Totals:
        """The totals of a scope."""
        if (own := self.by_scope.get(scope)) is None:
            own = self.by_scope[scope] = Totals()
        return own

    def scopes(self, contribution: Contribution) -> tuple[str, tuple[Scope, ...]]:
        """(district, scopes) for which a contribution counts.

        A district and a ward answer for what the district's own unit held; what other units held
        there counts for ``others``. A received report counts where it was filed, also if
        another unit answers for it.
        """
        if contribution.at == ANONYMOUS:
            whole = Scope("city", self._city.root)
            beside = (Scope(contribution.unit, contribution.ward),) if contribution.unit else ()
            return contribution.ward, (whole, *beside)
        key = (contribution.ward, contribution.unit)
        if key not in self._scopes:
            self._scopes[key] = self._scopes_of(*key)
        district, scopes = self._scopes[key]
        if contribution.measure == "received" and Scope("others", district) in scopes:
            scopes = (*scopes[:2], Scope("district", district), Scope("ward", contribution.ward))
        if contribution.officer:
            scopes = (*scopes, Scope("officer", contribution.officer))
        return district, scopes

    def anonymous(self, contribution: Contribution) -> Contribution:
        """The contribution without ward, holder and time.

        "ward" names the district, "unit" the kind of scope beside the city for which it counts
        (district, others, or "" for none).
        """
        district, scopes = self.scopes(contribution)
        kinds = {scope.kind for scope in scopes}
        kind = next((name for name in ("district", "others") if name in kinds), "")
        return contribution._replace(ward=district, unit=kind, officer=None, at=ANONYMOUS)

    def _scopes_of(self, ward: str, unit: str) -> tuple[str, tuple[Scope, ...]]:
        city = self._city
        always = (Scope("city", city.root), Scope("unit", unit))
        if ward not in city.areas:  # of an older version of the city
            return "", always
        district, _ = city.district_and_path(ward)
        held = city.units.get(unit)
        if held is not None and held.kind == "district" and district in held.districts:
            return district, (*always, Scope("district", district), Scope("ward", ward))
        return district, (*always, Scope("others", district))
