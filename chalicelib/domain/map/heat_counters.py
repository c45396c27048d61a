"""Counters of the heat map: how many reports each z16 cell received and still has open.

There is a document for each window of time, z12 tile and district; documents sort by the tile's
quadkey. A document holds the tile's z16 cells as attributes of two letters, because every read pays
for names: ``hf`` received, ``Hf`` still open, in the cell 7 columns (h) east and 15 rows (f) south.
An event changes them by the difference of its two facts, as for the tallies, so the order of events
does not matter. Windows are by the day of filing (in the city's time zone):

    CELLS#all         <quadkey>#<district>          ever
    CELLS#<yyyymm>    <quadkey>#<district>          a month
    DAYS#<yyyymm>     <dd>#<quadkey>#<district>     its days

each also for every service (``CELLS#all/<service>`` …). So any range of days needs a few Query
calls only, and the cost of a view does not grow with the years.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from chalicelib.domain.map.tiles import base4, quadkey, tile, tile_of
from chalicelib.domain.timeline_types import Event, Facts
from chalicelib.domain.timestamps import first_day, shifted

ZOOM, PARENT = 16, 12
EVER = "all"
_SHIFT = ZOOM - PARENT
_MASK = (1 << _SHIFT) - 1
_COLUMNS = "abcdefghijklmnop"

# The same number of parallel Queries as for a circle.
RANGES, _LISTED = 4, 64

# First x, first y, last x, last y.
Tiles = tuple[int, int, int, int]
# Partition, sort key, attribute.
Key = tuple[str, str, str]


class Cell(NamedTuple):
    """A z16 cell in a district, and its counts."""

    x: int
    y: int
    district: str
    received: int
    open: int


class Span(NamedTuple):
    """One Query: the documents of a partition with sort keys between two texts."""

    partition: str
    first: str
    last: str


def contributions(facts: Facts | None) -> Counter[Key]:
    """{(partition, sort key, attribute): n} of one report; protected ones count nowhere."""
    counts: Counter[Key] = Counter()
    if facts is None or facts["protected"] or not facts.get("filed_day"):
        return counts
    if facts.get("undone"):
        return counts
    x, y = tile(facts["place"][0] / 1e7, facts["place"][1] / 1e7, ZOOM)
    sort_key = f"{quadkey(x >> _SHIFT, y >> _SHIFT, PARENT)}#{facts['district']}"
    column, row = _COLUMNS[x & _MASK], f"{y & _MASK:x}"
    month, day = facts["filed_day"][:6], facts["filed_day"][6:]
    for service in ("", f"/{facts['service']}"):
        for key in (
            (f"CELLS#{EVER}{service}", sort_key),
            (f"CELLS#{month}{service}", sort_key),
            (f"DAYS#{month}{service}", f"{day}#{sort_key}"),
        ):
            counts[*key, column + row] += 1
            if facts["state"] != "closed":
                counts[*key, column.upper() + row] += 1
    return counts


def deltas(event: Event) -> dict[tuple[str, str], dict[str, int]]:
    """{(partition, sort key): {attribute: change}} of one event, without zeros."""
    moved = contributions(event["after"])
    moved.subtract(contributions(event["before"]))
    changes: dict[tuple[str, str], dict[str, int]] = {}
    for (partition, sort_key, attribute), n in moved.items():
        if n:
            changes.setdefault((partition, sort_key), {})[attribute] = n
    return changes


def spans(
    first: date | None,
    last: date | None,
    service: str | None,
    reach: Tiles | None,
    most: int = RANGES,
) -> list[Span]:
    """What to read for the days ``first`` to ``last`` (``None``: all time), both included.

    One Query for each month that is only partly included; up to ``most`` for each other range if
    only some z16 tiles are wanted.
    """
    suffix = f"/{service}" if service else ""
    ranges = _ranges(reach, most) if reach else [("", "~")]
    if first is None or last is None:
        return [Span(f"CELLS#{EVER}{suffix}", *keys) for keys in ranges]
    queries: list[Span] = []
    while first <= last:
        after = first_day(shifted(f"{first:%Y%m}", 1))
        end = min(last, after - timedelta(days=1))
        month = f"{first:%Y%m}{suffix}"
        if first.day == 1 and end == after - timedelta(days=1):
            queries += [Span(f"CELLS#{month}", *keys) for keys in ranges]
        else:
            queries.append(Span(f"DAYS#{month}", f"{first:%d}#", f"{end:%d}#~"))
        first = after
    return queries


def cells(sort_key: str, counts: dict[str, int]) -> Iterable[Cell]:
    """The cells of a document with the given sort key."""
    *_, parent, district = sort_key.split("#")
    left, top = (part << _SHIFT for part in tile_of(parent))
    for attribute, received in counts.items():
        # Skip cells whose counter has gone back to zero.
        if received and attribute[0].islower():
            x, y = left + _COLUMNS.index(attribute[0]), top + int(attribute[1], 16)
            still_open = counts.get(attribute[0].upper() + attribute[1], 0)
            yield Cell(x, y, district, received, still_open)


def _ranges(reach: Tiles, most: int) -> list[tuple[str, str]]:
    """First and last sort keys that hold the tiles.

    The runs of their quadkeys, joined over the smallest gaps; one range for a large area.
    """
    left, top, right, bottom = (edge >> _SHIFT for edge in reach)
    if (right - left + 1) * (bottom - top + 1) > _LISTED:
        return [(quadkey(left, top, PARENT), quadkey(right, bottom, PARENT) + "~")]
    codes = sorted(
        int(quadkey(x, y, PARENT), 4)
        for x in range(left, right + 1)
        for y in range(top, bottom + 1)
    )  # fmt: skip
    gaps = sorted(range(1, len(codes)), key=lambda n: codes[n] - codes[n - 1], reverse=True)
    cuts = sorted(n for n in gaps[: most - 1] if codes[n] - codes[n - 1] > 1)
    starts, ends = [0, *cuts], [*cuts, len(codes)]
    return [
        (base4(codes[start], PARENT), base4(codes[end - 1], PARENT) + "~")
        for start, end in zip(starts, ends, strict=True)
    ]
