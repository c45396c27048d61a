"""Geohashes, in pure Python: the place index's partition (gh5) and sort key (gh10).

The usual base-32 geohash (Niemeyer 2008): longitude takes the even bits. A prefix is a cell, so
the cells under a rectangle of one gh5 lie between two gh10 texts (a Z-order range).
"""

import math

_BASE32 = "0123456789bcdefghjkmnpqrstuvwxyz"
_METRES_PER_DEGREE = 111_320.0


def encode(lat: float, long: float, precision: int) -> str:
    """The geohash of a point; ``lat`` in -90..90, ``long`` in -180..180, WGS84 degrees."""
    if not (-90 <= lat <= 90 and -180 <= long <= 180):
        raise ValueError("a point lies within latitude ±90 and longitude ±180")
    bits = precision * 5
    across, up = (bits + 1) // 2, bits // 2
    x = min(int((long + 180) / 360 * (1 << across)), (1 << across) - 1)
    y = min(int((lat + 90) / 180 * (1 << up)), (1 << up) - 1)
    code = 0
    for place in range(bits):
        source, size = (x, across) if place % 2 == 0 else (y, up)
        code = code << 1 | source >> (size - 1 - place // 2) & 1
    return "".join(_BASE32[code >> shift & 31] for shift in range(bits - 5, -1, -5))


def box_around(lat: float, long: float, radius_m: float) -> tuple[float, float, float, float]:
    """South, west, north, east of the box that holds the circle."""
    up = radius_m / _METRES_PER_DEGREE
    across = up / max(math.cos(math.radians(lat)), 0.01)
    return (
        max(lat - up, -90.0),
        max(long - across, -180.0),
        min(lat + up, 90.0),
        min(long + across, 180.0),
    )


def ranges_around(lat: float, long: float, radius_m: float) -> list[tuple[str, str, str]]:
    """(gh5, first gh10, last gh10) ranges that hold every point within ``radius_m`` (≤ 1 km).

    At most four, since a circle that small touches at most four gh5 cells (4.9 km wide).
    """
    south, west, north, east = box_around(lat, long, radius_m)
    ranges = {}
    for corner_lat, corner_long in (
        (south, west),
        (south, east),
        (north, west),
        (north, east),
    ):
        cell = encode(corner_lat, corner_long, 5)
        inside = _bounds(cell)
        low = encode(max(south, inside[0]), max(west, inside[1]), 10)
        high = encode(_below(north, inside[2]), _below(east, inside[3]), 10)
        ranges[cell] = (cell, low, high + "~")
    return sorted(ranges.values())


def distance_m(lat: float, long: float, other_lat: float, other_long: float) -> float:
    """Great-circle distance in metres (haversine, mean Earth radius)."""
    a, b = math.radians(lat), math.radians(other_lat)
    half = (
        math.sin((b - a) / 2) ** 2
        + math.cos(a) * math.cos(b) * math.sin(math.radians(other_long - long) / 2) ** 2
    )
    return 2 * 6_371_008.8 * math.asin(min(1.0, math.sqrt(half)))


def _bounds(cell: str) -> tuple[float, float, float, float]:
    code = 0
    for letter in cell:
        code = code << 5 | _BASE32.index(letter)
    bits = len(cell) * 5
    x = y = across = up = 0
    for place in range(bits):
        bit = code >> (bits - 1 - place) & 1
        if place % 2 == 0:
            x, across = x << 1 | bit, across + 1
        else:
            y, up = y << 1 | bit, up + 1
    width, height = 360 / (1 << across), 180 / (1 << up)
    return (
        y * height - 90,
        x * width - 180,
        (y + 1) * height - 90,
        (x + 1) * width - 180,
    )


def _below(edge: float, cell_edge: float) -> float:
    # A cell ends just below its upper edge, which already belongs to its neighbour.
    return edge if edge < cell_edge else math.nextafter(cell_edge, -math.inf)
