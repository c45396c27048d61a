"""Everything that ``infra.ops verify`` compares, by Scans: never on a request path or a schedule.

Tests: tests/integration/test_verify.py
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.tallies import MEASURES
from chalicelib.storage import tables

# Row: {"pk", "sk" or "version", and the attributes that are compared}.
Row = dict[str, Any]
_PERSONAL = ("#T#", "#W#")


@dataclass
class Record:
    """The rows of every table that tell what happened.

    ``reports``: heads and tracking codes. ``people``: texts and hidden originals. ``figures``:
    tallies and rows for the scorecards. ``control``: which events were counted (rows expire).
    ``city``: the versions of each city's rules.
    """

    reports: list[Row] = field(default_factory=list)
    timeline: list[Row] = field(default_factory=list)
    people: list[Row] = field(default_factory=list)
    figures: list[Row] = field(default_factory=list)
    control: list[Row] = field(default_factory=list)
    city: list[Row] = field(default_factory=list)


def everything() -> Record:
    """What is stored now."""
    return Record(
        [
            {"pk": row.pk, "doc": row.doc, "version": row.version}
            for row in tables.Report.scan()
            if "#R#" in row.pk or "#K#" in row.pk
        ],
        [
            {
                "pk": row.pk, "version": int(row.version), "event": row.event, "hash": row.hash,
                "inside": row.inside, "salt": row.salt,
            }
            for row in tables.Event.scan()
        ],
        [_plain(row) for kind in _PERSONAL for row in _scan(tables.Person, kind)],
        [
            {**_plain(row), **{name: int(getattr(row, name) or 0) for name in MEASURES}}
            for row in _scan(tables.Figure, "#TALLY#")
        ]
        + [{**_plain(row), "version": row.version} for row in _scan(tables.Figure, "#ROW#")],
        [{"pk": row.pk} for row in _scan(tables.Control, "#SEEN#live#")],
        [_plain(row) for row in tables.CityRow.scan(tables.CityRow.sk.startswith("V#"))],
    )  # fmt: skip


def _scan(model: Any, kind: str) -> Iterator[Any]:
    yield from model.scan(model.pk.contains(kind))


def _plain(row: Any) -> Row:
    return {"pk": row.pk, "sk": row.sk, "doc": row.doc}
