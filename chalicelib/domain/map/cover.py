"""Covers: the few ranges of the place index that hold a box or a circle, by Z-order.

The index has one partition for each gh5 cell, sorted by gh10. A cover is a list of ``Range``: a
partition with its first and last gh10. A shape is cut into cells of a quarter to an eighth of its
sides. Their Z-order runs are joined over the smallest gaps until few enough are left. This is the
shortest cover by such cells, and for a box at most ``RATIO`` times the shortest cover by single
gh10 cells. A cover never leaves out a point of the shape; it also holds points around it, so the
caller checks each point. A few parallel ranges are used instead of a walk along the curve (BIGMIN,
Tropf and Herzog 1981), because one round trip is faster than several.
"""

import math
from typing import NamedTuple

from chalicelib.domain.map.geohash import Box, box_around, grid, letters, spread

BOX_RANGES, CIRCLE_RANGES, PARTITIONS = 8, 4, 9
RATIO = 1.2
_BITS = 25  # of gh10, each way
_LOW = 25  # bits of gh10 below gh5, both ways together
_WIDE, _TALL = 12, 13  # the same by direction: a gh5 is 4,096 gh10 wide and 8,192 tall
_FINE = 3  # cells of a quarter to an eighth of a side: finer ones gave no shorter cover


class Range(NamedTuple):
    """All sort keys of ``cell``'s partition from ``low`` to ``high``, both included."""

    cell: str
    low: str
    high: str


class TooWide(ValueError):
    """The shape touches more partitions than a request may read."""


class _Shape(NamedTuple):
    """A rectangle of gh10 cells, ends included, and the circle in it, if it is a circle.

    Circle: (lat, long in degrees, radius² in squared degrees of latitude, a degree of longitude in
    degrees of latitude), rounded so that no cell is wrongly taken for outside.
    """

    left: int
    bottom: int
    right: int
    top: int
    circle: tuple[float, float, float, float] | None = None


class _Piece(NamedTuple):
    """A cell of the quadtree: its range on the curve and its rectangle."""

    first: int
    last: int
    left: int
    bottom: int
    right: int
    top: int


def box_ranges(box: Box, most: int = BOX_RANGES, partitions: int = PARTITIONS) -> list[Range]:
    """At most ``most`` ranges that hold every point of a box, edges included.

    More only where more partitions are touched, up to ``partitions``; beyond that ``TooWide``.
    ``ValueError`` for a box with exchanged corners (so also across the 180th meridian) or outside
    the globe.
    """
    south, west, north, east = box
    if not (south <= north and west <= east):
        raise ValueError("a box has its south below its north and its west before its east")
    return _cover([_rectangle(south, west, north, east)], most, partitions)


def circle_ranges(
    lat: float, long: float, radius_m: float, most: int = CIRCLE_RANGES
) -> list[Range]:
    """At most ``most`` ranges that hold every point within ``radius_m`` of a point.

    ``TooWide`` if the circle touches more partitions than that, as around a pole.
    """
    if not radius_m >= 0:
        raise ValueError("a radius is no less than 0")
    grid(lat, long, 1)
    south, west, north, east = box_around(lat, long, radius_m)
    south, north = max(south, -90.0), min(north, 90.0)
    if west < -180 and east > 180:
        sides = [(-180.0, 180.0, 0)]
    elif west < -180:
        sides = [(west + 360, 180.0, 360), (-180.0, east, 0)]
    elif east > 180:
        sides = [(west, 180.0, 0), (-180.0, east - 360, -360)]
    else:
        sides = [(west, east, 0)]
    # Slightly too large, so that rounding leaves out no cell. The narrowest parallel never
    # overestimates a distance to the east or west.
    narrow = math.cos(math.radians(max(abs(south), abs(north)))) * (1 - 1e-6)
    reach = (north - south) / 2 if south > -90 and north < 90 else radius_m / 111_000
    shapes = [
        _rectangle(south, left, north, right)._replace(
            circle=(lat, long + shift, (reach * (1 + 1e-6) + 1e-9) ** 2, narrow)
        )
        for left, right, shift in sides
    ]
    return _cover(shapes, most, most)


def _rectangle(south: float, west: float, north: float, east: float) -> _Shape:
    left, bottom = grid(south, west, _BITS)
    right, top = grid(north, east, _BITS)
    return _Shape(left, bottom, right, top)


def _cover(shapes: list[_Shape], most: int, partitions: int) -> list[Range]:
    touched = sum(
        ((shape.right >> _WIDE) - (shape.left >> _WIDE) + 1)
        * ((shape.top >> _TALL) - (shape.bottom >> _TALL) + 1)
        for shape in shapes
    )
    if touched > partitions:
        raise TooWide(f"{touched} partitions")
    pieces: list[tuple[_Piece, _Shape]] = []
    for shape in shapes:
        for column in range(shape.left >> _WIDE, (shape.right >> _WIDE) + 1):
            for row in range(shape.bottom >> _TALL, (shape.top >> _TALL) + 1):
                pieces += [(piece, shape) for piece in _pieces(shape, column, row)]
    pieces.sort()
    # Each gap that stays needs one more range: keep the largest, and each change of partition.
    gaps = []
    forced = 1
    for number in range(1, len(pieces)):
        last, first = pieces[number - 1][0].last, pieces[number][0].first
        if last >> _LOW != first >> _LOW:
            forced += 1
            gaps.append((math.inf, number))
        elif first > last + 1:
            gaps.append((first - last, number))
    gaps.sort(reverse=True)
    cuts = sorted(number for _, number in gaps[: max(most, forced) - 1])
    return [
        _range(pieces[start], pieces[end - 1])
        for start, end in zip([0, *cuts], [*cuts, len(pieces)], strict=True)
    ]


def _range(first: tuple[_Piece, _Shape], last: tuple[_Piece, _Shape]) -> Range:
    # Cut the outermost cells to the shape's rectangle.
    piece, shape = first
    low = _code(max(piece.left, shape.left), max(piece.bottom, shape.bottom))
    piece, shape = last
    high = _code(min(piece.right, shape.right), min(piece.top, shape.top))
    text = letters(low, 10)
    # "~" sorts after "#", which ends the gh10 of a sort key.
    return Range(text[:5], text, letters(high, 10) + "~")


def _code(x: int, y: int) -> int:
    return spread(x) << 1 | spread(y)


def _pieces(shape: _Shape, column: int, row: int) -> list[_Piece]:
    """The cells of one gh5 that the shape touches: large inside, small at the edge."""
    left, bottom, right, top, circle = shape
    wide = max((right - left + 1).bit_length() - _FINE, 0)
    tall = max((top - bottom + 1).bit_length() - _FINE, 0)
    pieces = []
    stack = [(column << _WIDE, row << _TALL, _WIDE, _TALL)]
    while stack:
        x, y, across, up = stack.pop()
        end_x, end_y = x + (1 << across) - 1, y + (1 << up) - 1
        if end_x < left or x > right or end_y < bottom or y > top:
            continue
        inside = left <= x and end_x <= right and bottom <= y and end_y <= top
        if circle is not None:
            if _outside(circle, x, y, end_x, end_y):
                continue
            inside = False
        if inside or (across <= wide and up <= tall):
            first = _code(x, y)
            pieces.append(_Piece(first, first + (1 << across + up) - 1, x, y, end_x, end_y))
        elif up > across:
            stack.append((x, y + (1 << up - 1), across, up - 1))
            stack.append((x, y, across, up - 1))
        else:
            stack.append((x + (1 << across - 1), y, across - 1, up))
            stack.append((x, y, across - 1, up))
    return pieces


def _outside(
    circle: tuple[float, float, float, float], x: int, y: int, end_x: int, end_y: int
) -> bool:
    """Whether a cell certainly lies outside the circle."""
    lat, long, reach2, narrow = circle
    size = 1 << _BITS
    west, east = x / size * 360 - 180, (end_x + 1) / size * 360 - 180
    south, north = y / size * 180 - 90, (end_y + 1) / size * 180 - 90
    across = max(west - long, 0.0, long - east) * narrow
    up = max(south - lat, 0.0, lat - north)
    return across * across + up * up > reach2
