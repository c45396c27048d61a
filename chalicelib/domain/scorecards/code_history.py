"""The codes of one version of a city for the codes of every other: a month is judged by one.

Rows of older versions are mapped forward by the successors that this version and those before it
name, rows of newer ones back by those that later versions name
(``domain.actions.city_succession``). A code means one thing for good, so that a code that this
version has is left as it is. What has no answer stays too, and counts as of a version that is not
this one.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

from chalicelib.domain.actions.city_succession import AREAS, SERVICES, UNITS, WardAt, codes_of
from chalicelib.domain.city.city import City

_Links = dict[str, list[str]]
Others = Callable[[], tuple[Sequence[City], Sequence[City]]]


class CodeHistory:
    """What the codes of other versions are in ``city``.

    ``others`` gives the versions (before, after) it, and is asked once a code is not known;
    ``ward_at`` tells in which ward of ``city`` a pin lies.
    """

    def __init__(self, city: City, others: Others, ward_at: WardAt) -> None:
        self.city = city
        self._others = others
        self._ward_at = ward_at
        self._found: dict[tuple[str, str], tuple[str, ...]] = {}

    def codes(self, kind: str, code: str) -> tuple[str, ...]:
        """The codes of the city that stand for a code of any version: itself, its successors, or
        what it succeeds; several where areas were divided or merged, none if nobody says."""
        if code in codes_of(kind, self.city):
            return (code,)
        if (kind, code) not in self._found:
            forward, back = self._links[kind]
            here = codes_of(kind, self.city)
            self._found[kind, code] = _walk(code, forward, here) or _walk(code, back, here)
        return self._found[kind, code]

    def row(self, row: dict[str, Any]) -> dict[str, Any]:
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
            "service": self._one(SERVICES, row["service"]),
            "rounds": [
                {
                    **one,
                    "service": self._one(SERVICES, one["service"]),
                    "held": held(one["held"]),
                    "shares": _merged(held(share) for share in one["shares"]),
                    "acknowledge_shares": _merged(
                        held(share) for share in one["acknowledge_shares"]
                    ),
                }
                for one in row["rounds"]
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
        units = (one for city in (*self._versions[0], *self._versions[1]) for one in
                 city.units.values())  # fmt: skip
        return frozenset(one.code for one in units if one.kind == "district")

    def _one(self, kind: str, code: str) -> str:
        found = self.codes(kind, code)
        return found[0] if len(found) == 1 else code

    def _ward(self, code: str, lat: float, long: float) -> str:
        areas, last = self.city.areas, self.city.levels[-1]
        found = [one for one in self.codes(AREAS, code) if areas[one].level == last]
        if len(found) > 1:
            here = self._ward_at(lat, long)
            return here if here in found else found[0]
        return found[0] if found else code

    def _district(self, ward: str, code: str) -> str:
        return (
            self.city.district_and_path(ward)[0]
            if ward in self.city.areas
            else self._one(AREAS, code)
        )

    def _unit(self, code: str, ward: str) -> str:
        units = self.city.units
        if code in units:
            return code
        district = self._district(ward, "")
        found = self.codes(UNITS, code)
        if len(found) > 1:
            found = tuple(one for one in found if district in units[one].districts)
        if len(found) == 1:
            return found[0]
        # The unit of a district goes with its district.
        if district and code in self._district_units:
            own = [one for one in units.values() if one.kind == "district"]
            return next((one.code for one in own if district in one.districts), code)
        return code


def _links(kind: str, versions: Iterable[City]) -> _Links:
    found: _Links = {}
    for city in versions:
        for code, codes in city.successors.get(kind, {}).items():
            kept = found.setdefault(code, [])
            kept += [one for one in codes if one not in kept]
    return found


def _inverse(links: _Links) -> _Links:
    found: _Links = {}
    for code, codes in links.items():
        for heir in codes:
            found.setdefault(heir, []).append(code)
    return found


def _walk(code: str, links: _Links, here: dict[str, Any]) -> tuple[str, ...]:
    """The first codes of ``here`` on every way along the links."""
    found: dict[str, None] = {}
    waiting, met = [code], set[str]()
    while waiting:
        one = waiting.pop(0)
        if one in met:
            continue
        met.add(one)
        if one in here:
            found[one] = None
        else:
            waiting += links.get(one, ())
    return tuple(found)


def _merged(shares: Iterable[list[Any]]) -> list[list[Any]]:
    """Shares of one holder under two codes are one share."""
    found: dict[tuple[Any, ...], int] = {}
    for *party, contribution in shares:
        found[tuple(party)] = found.get(tuple(party), 0) + contribution
    return [[*party, contribution] for party, contribution in found.items()]
