"""Counters of places: how many reports were received and are open in each z16 cell.

The counters of a window are documents, one a z12 tile and district, sorted by the tile's quadkey.
They hold the tile's z16 cells as attributes of two letters, since names are paid for at each read:
``hf`` received, ``Hf`` still open, in the cell 7 columns (h) east and 15 rows (f) south. An event
moves them by the difference of its two facts, as it does the tallies, so that deltas commute and
telescope. Windows are by the day of filing (in the city's time zone):

    CELLS#all         <quadkey>#<district>          ever
    CELLS#<yyyymm>    <quadkey>#<district>          a month
    DAYS#<yyyymm>     <dd>#<quadkey>#<district>     its days

each also for every service (``CELLS#all/<service>`` …). So any stretch of days is a few Query
calls, and a view of the city reads as much after ten years as after one.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple

from chalicelib.domain.map.tiles import at, base4, quadkey, tile

ZOOM, PARENT = 16, 12
EVER = "all"
_SHIFT = ZOOM - PARENT
_MASK = (1 << _SHIFT) - 1
_COLUMNS = "abcdefghijklmnop"

# As few parallel Queries as a circle has.
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
    """One Query: the documents of a partition whose sort keys lie between two texts."""

    partition: str
    first: str
    last: str


def contributions(facts: dict[str, Any] | None) -> Counter[Key]:
    """{(partition, sort key, attribute): n} of one report; a protected report counts nowhere."""
    found: Counter[Key] = Counter()
    if facts is None or facts["protected"] or not facts.get("filed_day"):
        return found
    x, y = tile(facts["place"][0] / 1e7, facts["place"][1] / 1e7, ZOOM)
    place = f"{quadkey(x >> _SHIFT, y >> _SHIFT, PARENT)}#{facts['district']}"
    column, row = _COLUMNS[x & _MASK], f"{y & _MASK:x}"
    month, day = facts["filed_day"][:6], facts["filed_day"][6:]
    for service in ("", f"/{facts['service']}"):
        for key in (
            (f"CELLS#{EVER}{service}", place),
            (f"CELLS#{month}{service}", place),
            (f"DAYS#{month}{service}", f"{day}#{place}"),
        ):
            found[*key, column + row] += 1
            if facts["state"] != "closed":
                found[*key, column.upper() + row] += 1
    return found


def deltas(event: dict[str, Any]) -> dict[tuple[str, str], dict[str, int]]:
    """{(partition, sort key): {attribute: change}} of one event, without zeros."""
    moved = contributions(event["after"])
    moved.subtract(contributions(event["before"]))
    found: dict[tuple[str, str], dict[str, int]] = {}
    for (partition, place, attribute), n in moved.items():
        if n:
            found.setdefault((partition, place), {})[attribute] = n
    return found


def spans(
    first: date | None,
    last: date | None,
    service: str | None,
    reach: Tiles | None,
    most: int = RANGES,
) -> list[Span]:
    """What must be read for the days ``first`` to ``last`` (``None``: ever), both included.

    At most one Query a month touched; ``most`` where only some z16 tiles are wanted.
    """
    of = f"/{service}" if service else ""
    ranges = _ranges(reach, most) if reach else [("", "~")]
    if first is None or last is None:
        return [Span(f"CELLS#{EVER}{of}", *one) for one in ranges]
    found: list[Span] = []
    while first <= last:
        after = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        end = min(last, after - timedelta(days=1))
        month = f"{first:%Y%m}{of}"
        if first.day == 1 and end == after - timedelta(days=1):
            found += [Span(f"CELLS#{month}", *one) for one in ranges]
        else:
            found.append(Span(f"DAYS#{month}", f"{first:%d}#", f"{end:%d}#~"))
        first = after
    return found


def cells(place: str, counts: dict[str, int]) -> Iterable[Cell]:
    """The cells of a document; ``place`` is its sort key."""
    *_, parent, district = place.split("#")
    left, top = (part << _SHIFT for part in at(parent))
    for attribute, received in counts.items():
        # A cell that only ever lost what it had counts nothing.
        if received and attribute[0].islower():
            x, y = left + _COLUMNS.index(attribute[0]), top + int(attribute[1], 16)
            still = counts.get(attribute[0].upper() + attribute[1], 0)
            yield Cell(x, y, district, received, still)


def _ranges(reach: Tiles, most: int) -> list[tuple[str, str]]:
    """First and last sort keys that hold the tiles: the runs of their quadkeys, joined over the
    smallest gaps; of a large area, one."""
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
