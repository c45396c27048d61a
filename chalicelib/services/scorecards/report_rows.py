"""The reports' rows as a month is judged by: by the codes of one version of the city."""

from collections.abc import Iterator
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.code_history import CodeHistory
from chalicelib.domain.timestamps import iso
from chalicelib.services.city import cities
from chalicelib.storage import city as store
from chalicelib.storage import score_rows


def city_judging(present: City, month: str) -> City:
    """The version of a city by which a month is judged: that of its first moment."""
    first, _ = present.bounds(month)
    version = store.version_at(present.jurisdiction, iso(first))
    return cities.at(present.jurisdiction, version) if version else present


def code_history(city: City) -> CodeHistory:
    """What the codes of the city's other versions are in this one."""
    place = city.jurisdiction

    def others() -> tuple[list[City], list[City]]:
        versions = store.history(place)
        at = versions.index(city.version) if city.version in versions else 0
        before = dict.fromkeys(versions[:at])
        after = dict.fromkeys(one for one in versions[at:] if one != city.version)
        return [cities.at(place, one) for one in before], [cities.at(place, one) for one in after]

    def ward_at(lat: float, long: float) -> str | None:
        return cities.boundaries(place, city.version).locate(lat, long).ward

    return CodeHistory(city, others, ward_at)


def read(city: City, month: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every row that matters in ``month`` or later, each report once: (as it is kept, by the codes
    of ``city``)."""
    codes, seen = code_history(city), set[str]()
    alone = not set(store.history(city.jurisdiction)) - {city.version}
    # A row lies under the district that its newest event named, be it of this version or not.
    for district in cities.districts(city):
        for row in score_rows.scores(city.jurisdiction, district, month):
            if row["report"] not in seen:
                seen.add(row["report"])
                yield row, row if alone else codes.row(row)
