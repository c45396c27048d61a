"""Maps codes of other versions of a city to one version: a month is judged by one version.

Rows of older versions are mapped forward by the successors that this version and those before
it name. Rows of newer versions are mapped back by the successors that later versions name
(``domain.actions.city_succession``). A code never changes its meaning, so a code that this
version has stays. A code without an answer stays too, and counts as of another version.

Tests: tests/integration/test_city_months.py
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from chalicelib.domain.actions.city_succession import AREAS, SERVICES, UNITS, WardAt, codes_of
from chalicelib.domain.city.city import City
from chalicelib.domain.timeline_types import ScoreRow

_Links = dict[str, list[str]]
Others = Callable[[], tuple[Sequence[City], Sequence[City]]]


class CodeHistory:
    """Which codes of ``city`` stand for codes of its other versions.

    ``others`` gives the versions (before, after) it and is called only for an unknown code.
    ``ward_at`` gives the ward of ``city`` in which a pin lies.
    """

    def __init__(self, city: City, others: Others, ward_at: WardAt) -> None:
        self.city = city
        self._others = others
        self._ward_at = ward_at
        self._cache: dict[tuple[str, str], tuple[str, ...]] = {}

    def codes(self, kind: str, code: str) -> tuple[str, ...]:
        """The codes of the city that stand for a code of any version.

        The code itself, its successors, or its predecessors; several where areas were divided or
        merged, none if no version names any.
        """
        if code in codes_of(kind, self.city):
            return (code,)
        if (kind, code) not in self._cache:
            forward, back = self._links[kind]
            here = codes_of(kind, self.city)
            self._cache[kind, code] = _walk(code, forward, here) or _walk(code, back, here)
        return self._cache[kind, code]

    def row(self, row: ScoreRow) -> ScoreRow:
        """A report's row (``periods.score_row``) with this city's codes; the rest is unchanged."""
        lat, long = row["lat7"] / 1e7, row["long7"] / 1e7

        def held(party: Sequence[Any]) -> list[Any]:
            ward, unit, *rest = party
            ward_here = self._ward(ward, lat, long)
            return [ward_here, self._unit(unit, ward_here), *rest]

        ward, unit = held((row["ward"], row["unit"]))
        return {
            **row,
            "ward": ward,
            "district": self._district(ward, row["district"]),
            "unit": unit,
            "service": self._single_code(SERVICES, row["service"]),
            "rounds": [
                {
                    **period,
                    "service": self._single_code(SERVICES, period["service"]),
                    "held": held(period["held"]),
                    "shares": _merged(held(share) for share in period["shares"]),
                    "acknowledge_shares": _merged(
                        held(share) for share in period["acknowledge_shares"]
                    ),
                }
                for period in row["rounds"]
            ],
            "holds": [[since, *held(party)] for since, *party in row["holds"]],
            "marks": [[kind, at, *held(party)] for kind, at, *party in row["marks"]],
        }

    @cached_property
    def _versions(self) -> tuple[Sequence[City], Sequence[City]]:
        return self._others()

    @cached_property
    def _links(self) -> dict[str, tuple[_Links, _Links]]:
        before, after = self._versions
        return {
            kind: (_links(kind, [*before, self.city]), _inverse(_links(kind, after)))
            for kind in (AREAS, UNITS, SERVICES)
        }

    @cached_property
    def _district_units(self) -> frozenset[str]:
        cities = (*self._versions[0], *self._versions[1])
        units = (unit for city in cities for unit in city.units.values())
        return frozenset(unit.code for unit in units if unit.kind == "district")

    def _single_code(self, kind: str, code: str) -> str:
        codes = self.codes(kind, code)
        return codes[0] if len(codes) == 1 else code

    def _ward(self, code: str, lat: float, long: float) -> str:
        areas, last = self.city.areas, self.city.levels[-1]
        wards = [ward for ward in self.codes(AREAS, code) if areas[ward].level == last]
        if len(wards) > 1:
            here = self._ward_at(lat, long)
            return here if here in wards else wards[0]
        return wards[0] if wards else code

    def _district(self, ward: str, code: str) -> str:
        return (
            self.city.district_and_path(ward)[0]
            if ward in self.city.areas
            else self._single_code(AREAS, code)
        )

    def _unit(self, code: str, ward: str) -> str:
        units = self.city.units
        if code in units:
            return code
        district = self._district(ward, "")
        units_here = self.codes(UNITS, code)
        if len(units_here) > 1:
            units_here = tuple(unit for unit in units_here if district in units[unit].districts)
        if len(units_here) == 1:
            return units_here[0]
        # The unit of a district goes with its district.
        if district and code in self._district_units:
            own = [unit for unit in units.values() if unit.kind == "district"]
            return next((unit.code for unit in own if district in unit.districts), code)
        return code


def _links(kind: str, versions: Iterable[City]) -> _Links:
    links: _Links = {}
    for city in versions:
        for code, codes in city.successors.get(kind, {}).items():
            kept = links.setdefault(code, [])
            kept += [successor for successor in codes if successor not in kept]
    return links


def _inverse(links: _Links) -> _Links:
    inverse: _Links = {}
    for code, codes in links.items():
        for successor in codes:
            inverse.setdefault(successor, []).append(code)
    return inverse


def _walk(code: str, links: _Links, here: dict[str, Any]) -> tuple[str, ...]:
    """The first codes of ``here`` on each path along the links."""
    reached: dict[str, None] = {}
    waiting, seen = [code], set[str]()
    while waiting:
        current = waiting.pop(0)
        if current in seen:
            continue
        seen.add(current)
        if current in here:
            reached[current] = None
        else:
            waiting += links.get(current, ())
    return tuple(reached)


def _merged(shares: Iterable[list[Any]]) -> list[list[Any]]:
    """Shares under two codes of the same holder become one share."""
    sums: dict[tuple[Any, ...], int] = {}
    for *party, contribution in shares:
        sums[tuple(party)] = sums.get(tuple(party), 0) + contribution
    return [[*party, contribution] for party, contribution in sums.items()]
