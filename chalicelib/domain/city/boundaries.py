"""Which ward a point lies in: a compact index, exact on a grid of 1e-7 degrees, in plain Python.

A cell of a uniform grid that no edge touches lies wholly in one ward or in none, and answers at
once. Any other cell names the few wards to try. A ward keeps, for each row of cells, the edges that
reach into it; one ray cast over those edges, in integers, decides. A point on a shared border
belongs to the ward whose code sorts first.

    blob = build([("31.71.01.1001", polygons), ...])        when a city is loaded
    Boundaries.from_bytes(blob).locate(-6.17, 106.82)       once a container, then microseconds
"""

from __future__ import annotations  # array[int] is subscriptable only from 3.12 on

import json
import math
import sys
import zlib
from array import array
from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Self

from chalicelib.domain.city.geometry import (
    SCALE,
    Edge,
    Polygons,
    Ward,
    box_distance,
    edge_distance,
    holds,
    metric_scale,
    quantised,
)

_SIDE = 512
_SETS = 0x8000
_TRIES = 32
_LENGTH = 4


@dataclass(frozen=True)
class Located:
    """The ward of a point, or the nearest ward with its distance in metres (0 is inside)."""

    ward: str | None
    distance_m: float


class Boundaries:
    """The wards of one version of a city."""

    def __init__(
        self,
        wards: list[Ward],
        origin: tuple[int, int],
        size: tuple[int, int],
        cells: array[int],
        sets: list[list[int]],
    ) -> None:
        self._wards = wards
        self._west, self._south = origin
        self._width, self._height = size
        self._cells = cells
        self._sets = sets

    @classmethod
    def from_bytes(cls, blob: bytes) -> Self:
        """The index that ``build`` wrote."""
        length = int.from_bytes(blob[:_LENGTH], "big")
        head = json.loads(blob[_LENGTH : _LENGTH + length])
        packed = memoryview(zlib.decompress(blob[_LENGTH + length :]))
        points, cells = head["points"], head["cells"]
        xs, ys = (_steps(packed[part * points * 4 : (part + 1) * points * 4]) for part in (0, 1))
        grid = array("H")
        grid.frombytes(packed[points * 8 : points * 8 + cells * 2])
        if sys.byteorder == "big":
            grid.byteswap()
        wards, start = [], 0
        for code, lengths in head["wards"]:
            rings = []
            for size in lengths:
                rings.append((xs[start : start + size], ys[start : start + size]))
                start += size
            wards.append(Ward(code, rings))
        return cls(wards, tuple(head["origin"]), tuple(head["size"]), grid, head["sets"])

    def locate(self, lat: float, long: float) -> Located:
        """The ward that holds a point (WGS84 degrees), or the nearest ward and its distance."""
        ward = self.ward_at(lat, long)
        if ward is not None:
            return Located(ward, 0.0)
        return self._nearest(round(long * SCALE), round(lat * SCALE))

    def ward_at(self, lat: float, long: float) -> str | None:
        """The ward that holds a point; ``None`` outside of all wards."""
        x, y = round(long * SCALE), round(lat * SCALE)
        column = (x - self._west) // self._width
        row = (y - self._south) // self._height
        if 0 <= column < _SIDE and 0 <= row < _SIDE:
            entry = self._cells[row * _SIDE + column]
            if entry >= _SETS:
                for number in self._sets[entry - _SETS]:
                    ward = self._wards[number]
                    if holds(ward.row(row, self._south, self._height), x, y):
                        return ward.code
            elif entry:
                return self._wards[entry - 1].code
        return None

    def point_in(self, ward: str) -> tuple[float, float] | None:
        """(lat, long) of a point inside a ward; ``None`` for an unknown ward.

        The middle one of the cells that lie wholly in the ward, or else the first point of a
        lattice that lies in it.
        """
        number = next((n for n, shape in enumerate(self._wards) if shape.code == ward), None)
        if number is None:
            return None
        own = [at for at, entry in enumerate(self._cells) if entry == number + 1]
        if own:
            row, column = divmod(own[len(own) // 2], _SIDE)
            x = self._west + column * self._width + self._width // 2
            y = self._south + row * self._height + self._height // 2
            return y / SCALE, x / SCALE
        shape = self._wards[number]
        for part in range(1, _TRIES):
            y = shape.south + (shape.north - shape.south) * part // _TRIES
            for share in range(1, _TRIES):
                x = shape.west + (shape.east - shape.west) * share // _TRIES
                if self.ward_at(y / SCALE, x / SCALE) == ward:
                    return y / SCALE, x / SCALE
        return None

    def _nearest(self, x: int, y: int) -> Located:
        squeeze, metres = metric_scale(y / SCALE)
        bounds = [box_distance(ward, x, y, squeeze) for ward in self._wards]
        best, nearest = math.inf, None
        for number in sorted(range(len(bounds)), key=bounds.__getitem__):
            if bounds[number] >= best:
                break
            ward = self._wards[number]
            for edge in ward.edges:
                if edge[1] - y >= best or y - edge[3] >= best:
                    continue
                away = edge_distance(edge, x, y, squeeze)
                if away < best:
                    best, nearest = away, ward.code
        return Located(nearest, best * metres)


def build(wards: list[tuple[str, Polygons]]) -> bytes:
    """The index of wards, given as (code, polygons → rings → (longitude, latitude) points).

    Rings are closed and in degrees, as in GeoJSON; holes are the rings after the first.
    """
    shapes = [Ward(code, quantised(polygons)) for code, polygons in sorted(wards)]
    west, south = min(w.west for w in shapes), min(w.south for w in shapes)
    width = (max(w.east for w in shapes) - west) // _SIDE + 1
    height = (max(w.north for w in shapes) - south) // _SIDE + 1
    cells, sets = _grid(shapes, west, south, width, height)
    xs, ys = array("i"), array("i")
    for shape in shapes:
        for ring_x, ring_y in shape.rings:
            xs.extend(ring_x)
            ys.extend(ring_y)
    head = {
        "wards": [(w.code, [len(ring_x) for ring_x, _ in w.rings]) for w in shapes],
        "points": len(xs),
        "cells": len(cells),
        "origin": (west, south),
        "size": (width, height),
        "sets": sets,
    }
    text = json.dumps(head, separators=(",", ":")).encode()
    body = zlib.compress(_differences(xs) + _differences(ys) + _little(cells), 9)
    return len(text).to_bytes(_LENGTH, "big") + text + body


def _grid(
    wards: list[Ward], west: int, south: int, width: int, height: int
) -> tuple[array[int], list[list[int]]]:
    touched: defaultdict[int, set[int]] = defaultdict(set)
    for number, ward in enumerate(wards):
        for edge in ward.edges:
            for cell in _cells_of(edge, west, south, width, height):
                touched[cell].add(number)

    def holders(row: int, column: int) -> list[int]:
        x = west + column * width + width // 2
        y = south + row * height + height // 2
        return [
            number
            for number, ward in enumerate(wards)
            if ward.west <= x <= ward.east
            and ward.south <= y <= ward.north
            and holds(ward.row(row, south, height), x, y)
        ]

    cells = array("H", bytes(_SIDE * _SIDE * 2))
    set_numbers: dict[tuple[int, ...], int] = {}
    for row in range(_SIDE):
        run: int | None = None
        for column in range(_SIDE):
            cell = row * _SIDE + column
            if cell in touched:
                wards_here = tuple(sorted(touched[cell] | set(holders(row, column))))
                cells[cell] = _SETS + set_numbers.setdefault(wards_here, len(set_numbers))
                run = None
                continue
            if run is None:
                # No edge lies between untouched neighbours: a run of them has one answer.
                inside = holders(row, column)
                run = inside[0] + 1 if inside else 0
            cells[cell] = run
    return cells, [list(wards_here) for wards_here in set_numbers]


def _cells_of(edge: Edge, west: int, south: int, width: int, height: int) -> list[int]:
    x1, y1, x2, y2 = edge
    cells = []
    for row in range((y1 - south) // height, (y2 - south) // height + 1):
        low = max(y1, south + row * height)
        high = min(y2, south + (row + 1) * height)
        if y1 == y2:
            ends = [x1, x2]
        else:
            # One unit wider on each side, because the crossings are rounded.
            ends = [x1 + (x2 - x1) * (y - y1) // (y2 - y1) for y in (low, high)]
        first = (max(min(ends) - 1, min(x1, x2)) - west) // width
        last = (min(max(ends) + 1, max(x1, x2)) - west) // width
        cells += [row * _SIDE + column for column in range(first, last + 1)]
    return cells


def _differences(values: array[int]) -> bytes:
    steps = array("i", (b - a for a, b in pairwise([0, *values])))
    return _little(steps)


def _steps(data: memoryview) -> array[int]:
    steps = array("i")
    steps.frombytes(data)
    if sys.byteorder == "big":
        steps.byteswap()
    return array("i", accumulate(steps))


def _little(values: array[int]) -> bytes:
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()
