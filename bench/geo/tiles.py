"""An alternative that is not in the product: one document of packed pins for each gh6 cell.

24 bytes a pin, stored in the figures table during the bench, one BatchGetItem a view
(docs/decisions/no-tile-documents.md).
"""

import struct
from math import ceil
from typing import Any

from bench.geo.load import load
from bench.geo.points import Box, Point
from bench.geo.units import read_units
from chalicelib.domain.map.geohash import bounds, encode

_PIN = struct.Struct(">iiIHH8s")
_KEYS_AT_ONCE = 100


class Tiles:
    """The stored documents of a set of points, with the cost of views and updates."""

    def __init__(self, points: list[Point]) -> None:
        from chalicelib.storage import tables

        packed: dict[str, bytearray] = {}
        for point in points:
            cell = encode(point.lat7 / 1e7, point.long7 / 1e7, 6)
            filed = int(point.filed.timestamp())
            pin = _PIN.pack(point.lat7, point.long7, filed, 0, 0, point.number.to_bytes(8))
            packed.setdefault(cell, bytearray()).extend(pin)
        self._sizes = {cell: len(held) for cell, held in packed.items()}
        documents = (_document(cell, bytes(held)) for cell, held in packed.items())
        load(tables.Figure.Meta.table_name, documents)

    def box(self, box: Box) -> tuple[list[int], int, float]:
        """(numbers of the points in a box, calls, read units)."""
        cells = _cells(box)
        # In a batch each item is rounded up.
        units = sum(read_units(self._sizes.get(cell, 0)) for cell in cells)
        return read(box), ceil(len(cells) / _KEYS_AT_ONCE), units

    def write_units(self) -> float:
        """The write units of one change of a report in a transaction, on average."""
        weights = [(held // _PIN.size, ceil((held + 60) / 1024)) for held in self._sizes.values()]
        return 2 * sum(many * units for many, units in weights) / sum(many for many, _ in weights)


def read(box: Box) -> list[int]:
    """The numbers of the points in a box, by the documents of its cells."""
    from chalicelib.storage import tables

    south, west, north, east = (round(edge * 1e7) for edge in box)
    cells, table = _cells(box), tables.Figure.Meta.table_name
    numbers: list[int] = []
    for start in range(0, len(cells), _KEYS_AT_ONCE):
        part = cells[start : start + _KEYS_AT_ONCE]
        keys = [{"pk": {"S": _key(cell)}, "sk": {"S": "-"}} for cell in part]
        answer = tables.client().batch_get_item(RequestItems={table: {"Keys": keys}})
        for item in answer["Responses"][table]:
            for lat7, long7, _, _, _, number in _PIN.iter_unpack(item["pins"]["B"]):
                if south <= lat7 <= north and west <= long7 <= east:
                    numbers.append(int.from_bytes(number))
    return numbers


def _document(cell: str, held: bytes) -> dict[str, Any]:
    import base64

    pins = {"B": base64.b64encode(held).decode()}
    return {"pk": {"S": _key(cell)}, "sk": {"S": "-"}, "pins": pins}


def _key(cell: str) -> str:
    return f"bench#PINS#{cell}"


def _cells(box: Box) -> list[str]:
    south, west, north, east = box
    first = bounds(encode(south, west, 6))
    tall, wide = first[2] - first[0], first[3] - first[1]
    cells = []
    lat = (first[0] + first[2]) / 2
    while lat - tall / 2 <= north:
        long = (first[1] + first[3]) / 2
        while long - wide / 2 <= east:
            cells.append(encode(lat, long, 6))
            long += wide
        lat += tall
    return cells
