"""Polygons of wards on a grid of 1e-7 degrees: edges, whether a point lies inside, and distances.

Coordinates are integers (degrees times ``SCALE``), so that every answer is exact.

Tests: tests/unit/test_boundaries.py
"""

from __future__ import annotations  # array[int] is subscriptable only from 3.12 on

import math
from array import array
from collections import defaultdict
from functools import cached_property
from itertools import pairwise

SCALE = 10_000_000
Polygons = list[list[list[tuple[float, float]]]]
Edge = tuple[int, int, int, int]


class Ward:
    """A ward's edges, each with its lower end first; sorted into rows at first use."""

    def __init__(self, code: str, rings: list[tuple[array[int], array[int]]]) -> None:
        self.code = code
        self.rings = rings
        self.west = min(min(xs) for xs, _ in rings)
        self.east = max(max(xs) for xs, _ in rings)
        self.south = min(min(ys) for _, ys in rings)
        self.north = max(max(ys) for _, ys in rings)
        self._rows: dict[int, list[Edge]] = {}

    @cached_property
    def edges(self) -> list[Edge]:
        """Every edge (x1, y1, x2, y2) with y1 <= y2."""
        edges = []
        for xs, ys in self.rings:
            for (x1, y1), (x2, y2) in pairwise(zip(xs, ys, strict=True)):
                edges.append((x1, y1, x2, y2) if y1 <= y2 else (x2, y2, x1, y1))
        return edges

    def row(self, number: int, south: int, height: int) -> list[Edge]:
        """The edges that reach into a row of the grid."""
        if not self._rows:
            rows: defaultdict[int, list[Edge]] = defaultdict(list)
            for edge in self.edges:
                for row in range((edge[1] - south) // height, (edge[3] - south) // height + 1):
                    rows[row].append(edge)
            self._rows = dict(rows)
        return self._rows.get(number, [])


def quantised(polygons: Polygons) -> list[tuple[array[int], array[int]]]:
    return [
        (
            array("i", (round(point[0] * SCALE) for point in ring)),
            array("i", (round(point[1] * SCALE) for point in ring)),
        )
        for polygon in polygons
        for ring in polygon
    ]


def holds(edges: list[Edge], x: int, y: int) -> bool:
    """Whether a point lies inside or on the border, by a ray to the east (half-open rule)."""
    inside = False
    for x1, y1, x2, y2 in edges:
        if y < y1 or y > y2:
            continue
        side = (x2 - x1) * (y - y1) - (x - x1) * (y2 - y1)
        if side == 0 and (x1 <= x <= x2 or x2 <= x <= x1):
            return True
        if y < y2 and side > 0:
            inside = not inside
    return inside


def metric_scale(lat: float) -> tuple[float, float]:
    """(ratio of a step east to a step north, metres of a step north) on the WGS84 ellipsoid."""
    turn = math.radians(lat)
    north = 111_132.954 - 559.822 * math.cos(2 * turn) + 1.175 * math.cos(4 * turn)
    east = 111_412.84 * math.cos(turn) - 93.5 * math.cos(3 * turn) + 0.118 * math.cos(5 * turn)
    return east / north, north / SCALE


def box_distance(ward: Ward, x: int, y: int, squeeze: float) -> float:
    across = max(ward.west - x, 0, x - ward.east) * squeeze
    return math.hypot(across, max(ward.south - y, 0, y - ward.north))


def edge_distance(edge: Edge, x: int, y: int, squeeze: float) -> float:
    x1, y1 = (edge[0] - x) * squeeze, edge[1] - y
    x2, y2 = (edge[2] - x) * squeeze, edge[3] - y
    along_x, along_y = x2 - x1, y2 - y1
    length = along_x * along_x + along_y * along_y
    share = -(x1 * along_x + y1 * along_y) / length if length else 0.0
    share = min(max(share, 0.0), 1.0)
    return math.hypot(x1 + share * along_x, y1 + share * along_y)
