"""Live tallies: counters of a district's or ward's month, changed by additions in any order."""

from collections.abc import Iterator
from typing import Any

from chalicelib.domain.tallies import MEASURES
from chalicelib.storage import tables
from chalicelib.storage.transactions import Put, Update, read

LIMIT = 1000


def add(jurisdiction: str, month: str, area: str, changes: dict[str, int]) -> Update:
    """Add to an area's measures of a month."""
    row = tables.Figure(f"{jurisdiction}#TALLY#{month}", area)
    actions = [getattr(tables.Figure, measure).add(n) for measure, n in sorted(changes.items())]
    return Update(f"tally:{month}:{area}", row, actions)


def replace(jurisdiction: str, month: str, area: str, measures: dict[str, int]) -> Put:
    """Set an area's measures of a month: only for ``make rebuild``."""
    values: dict[str, Any] = dict(measures)
    row = tables.Figure(f"{jurisdiction}#TALLY#{month}", area, **values)
    return Put(f"tally:{month}:{area}", row)


def month(jurisdiction: str, month: str) -> dict[str, dict[str, int]]:
    """{area: {measure: n}} of a month; areas are ``<district>`` and ``<district>/<ward>``."""
    key = f"{jurisdiction}#TALLY#{month}"
    rows = read(lambda: list(tables.Figure.query(key, limit=LIMIT)))
    return {row.sk: _measures(row) for row in rows}


def has_month(jurisdiction: str, month: str) -> bool:
    """Whether anything was counted in a month."""
    key = f"{jurisdiction}#TALLY#{month}"
    return bool(read(lambda: list(tables.Figure.query(key, limit=1))))


def scan_all() -> Iterator[tuple[str, str, str, dict[str, int]]]:
    """(jurisdiction, month, area, measures) of all tallies, by a Scan: for ``make rebuild``."""
    for row in tables.Figure.scan(tables.Figure.pk.contains("#TALLY#")):
        jurisdiction, _, month = row.pk.split("#")
        yield jurisdiction, month, row.sk, _measures(row)


def _measures(row: tables.Figure) -> dict[str, int]:
    return {name: int(n) for name in MEASURES if (n := getattr(row, name))}
