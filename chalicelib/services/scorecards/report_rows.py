"""The score rows of reports, translated to the codes of one city version.

Tests: tests/integration/test_city_months.py
"""

from collections.abc import Callable, Iterator

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.code_history import CodeHistory
from chalicelib.domain.timeline_types import ScoreRow
from chalicelib.domain.timestamps import iso
from chalicelib.services.city import cities
from chalicelib.storage import city as store
from chalicelib.storage import score_rows


def city_judging(present: City, month: str) -> City:
    """The city version by which a month is judged: the one in force at its first moment."""
    first, _ = present.bounds(month)
    version = store.version_at(present.jurisdiction, iso(first))
    return cities.at(present.jurisdiction, version) if version else present


def code_history(city: City, most: int | None = None) -> CodeHistory:
    """Translates codes of other versions of the city to those of this version.

    ``most``: for a request, read at most so many versions before, and after, this one.
    """
    jurisdiction = city.jurisdiction

    def others() -> tuple[list[City], list[City]]:
        versions = store.history(jurisdiction)
        at = versions.index(city.version) if city.version in versions else 0
        before = list(dict.fromkeys(versions[:at]))[-most if most else 0 :]
        later = dict.fromkeys(name for name in versions[at:] if name != city.version)
        after = list(later)[:most]
        return (
            [cities.at(jurisdiction, name) for name in before],
            [cities.at(jurisdiction, name) for name in after],
        )

    def ward_at(lat: float, long: float) -> str | None:
        return cities.boundaries(jurisdiction, city.version).locate(lat, long).ward

    return CodeHistory(city, others, ward_at)


def each(city: City, month: str) -> Iterator[tuple[ScoreRow, Callable[[ScoreRow], ScoreRow]]]:
    """Every row that matters in ``month`` or later, once per report, as stored, with the function
    that gives it the codes of ``city``."""
    codes, seen = code_history(city), set[str]()
    only_version = not set(store.history(city.jurisdiction)) - {city.version}
    # A row is stored under the district in its newest event, which may be of another version.
    for district in cities.districts(city):
        for row in score_rows.scores(city.jurisdiction, district, month):
            if row["report"] not in seen:
                seen.add(row["report"])
                yield row, _unchanged if only_version else codes.row


def _unchanged(row: ScoreRow) -> ScoreRow:
    return row
