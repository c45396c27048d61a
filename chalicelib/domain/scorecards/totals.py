"""What a month's contributions add up to, for each area, unit and official.

Counts are whole numbers of ``UNIT``: a share of a report (millionths) times the weight of its
reporter (millionths). So sums are exact and do not depend on the order of the reports.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.contributions import Part
from chalicelib.domain.sla.custody import WHOLE

UNIT = WHOLE * WHOLE
# Instead of the time of a contribution whose report nobody may know of.
ANONYMOUS = ""


class Scope(NamedTuple):
    """Whose card: kind city, district, ward, unit, officer, or others (in a district)."""

    kind: str
    code: str


@dataclass
class Sum:
    """One scope's sums: ``due`` by (audited district, service, outcome), the rest by outcome."""

    due: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    values: dict[str, list[float]] = field(default_factory=dict)
    stars: float = 0.0

    def add(self, part: Part, district: str, amount: int) -> None:
        """Count one contribution."""
        if part.measure == "on_time":
            self.due[district, part.service, part.outcome] += amount
        else:
            self.counts[part.measure, part.outcome] += amount
        if part.measure == "satisfaction" and part.value is not None:
            self.stars += part.value * amount / UNIT
        elif part.value is not None:
            self.values.setdefault(part.measure, []).append(part.value)

    def count(self, measure: str, *outcomes: str) -> float:
        """How many of these outcomes, as a number of reports."""
        return sum(self.counts[measure, one] for one in outcomes) / UNIT

    def due_count(self) -> float:
        """How many deadlines, before anything is said of those dismissed."""
        return sum(self.due.values()) / UNIT


class Sums:
    """All scopes of a city's month."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._scopes: dict[tuple[str, str], tuple[str, tuple[Scope, ...]]] = {}
        self.by_scope: dict[Scope, Sum] = {}
        self.audits: dict[str, Counter[str]] = {}
        self.reported: set[str] = set()

    def add(self, part: Part, weight: int) -> None:
        """Count a contribution of a report whose reporter has a weight."""
        district, scopes = self.scopes(part)
        if part.measure == "audit":
            self.audits.setdefault(district, Counter())[part.outcome] += 1
            return
        for scope in scopes:
            self.of(scope).add(part, district, part.share * weight)

    def of(self, scope: Scope) -> Sum:
        """The sums of a scope."""
        return self.by_scope.setdefault(scope, Sum())

    def scopes(self, part: Part) -> tuple[str, tuple[Scope, ...]]:
        """(district, scopes): a district and a ward answer for what the district's unit held.

        What others held there is summed beside it; what is filed there is heard there, whoever
        answers for it.
        """
        if part.at == ANONYMOUS:
            whole = Scope("city", self._city.root)
            beside = (Scope(part.unit, part.ward),) if part.unit else ()
            return part.ward, (whole, *beside)
        key = (part.ward, part.unit)
        if key not in self._scopes:
            self._scopes[key] = self._found(*key)
        district, scopes = self._scopes[key]
        if part.measure == "received" and Scope("others", district) in scopes:
            scopes = (*scopes[:2], Scope("district", district), Scope("ward", part.ward))
        if part.officer:
            scopes = (*scopes, Scope("officer", part.officer))
        return district, scopes

    def anonymous(self, part: Part) -> Part:
        """The contribution without ward, holder and time: "ward" names the district, "unit" the
        card beside the city's for which it counts (district, others or none)."""
        district, scopes = self.scopes(part)
        kinds = {scope.kind for scope in scopes}
        kind = next((one for one in ("district", "others") if one in kinds), "")
        return part._replace(ward=district, unit=kind, officer=None, at=ANONYMOUS)

    def _found(self, ward: str, unit: str) -> tuple[str, tuple[Scope, ...]]:
        city = self._city
        always = (Scope("city", city.root), Scope("unit", unit))
        if ward not in city.areas:  # of an older version of the city
            return "", always
        district, _ = city.place(ward)
        held = city.units.get(unit)
        if held is not None and held.kind == "district" and district in held.districts:
            return district, (*always, Scope("district", district), Scope("ward", ward))
        return district, (*always, Scope("others", district))
