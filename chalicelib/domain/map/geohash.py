"""Geohashes, in pure Python: the place index's partition (gh5) and sort key (gh10).

The usual base-32 geohash (Niemeyer 2008): longitude takes the even bits. A prefix is a cell, and
the texts sort in the Z-order of the cells, which ``domain.map.cover`` cuts into ranges.
"""

import math

LETTERS = 12
_BITS = LETTERS * 5 // 2
_GRID = 1 << _BITS
_BASE32 = "0123456789bcdefghjkmnpqrstuvwxyz"
_PAIRS = [high + low for high in _BASE32 for low in _BASE32]
_VALUES = {letter: value for value, letter in enumerate(_BASE32)}
_METRES_PER_DEGREE = 111_195.0
_EARTH_M = 6_371_008.8

# South, west, north, east in WGS84 degrees.
Box = tuple[float, float, float, float]


def encode(lat: float, long: float, precision: int) -> str:
    """The geohash of a point; ``lat`` in -90..90, ``long`` in -180..180, WGS84 degrees.

    ``ValueError`` for any other point, and for a precision other than 1 to 12 letters.
    """
    if not 1 <= precision <= LETTERS:
        raise ValueError("a geohash has 1 to 12 letters")
    x, y = grid(lat, long, _BITS)
    return letters(spread(x) << 1 | spread(y), LETTERS)[:precision]


def grid(lat: float, long: float, bits: int) -> tuple[int, int]:
    """(x, y) of a point in a world of 2**bits columns and rows, counted from the south-west.

    The north pole and the 180th meridian belong to the last row and column.
    """
    if not (-90 <= lat <= 90 and -180 <= long <= 180):
        raise ValueError("a point lies within latitude ±90 and longitude ±180")
    size = 1 << bits
    x, y = int((long + 180) / 360 * size), int((lat + 90) / 180 * size)
    return min(x, size - 1), min(y, size - 1)


def spread(value: int) -> int:
    """The 32 bits of a number with a zero bit between each two: half of a Z-order code."""
    value = (value | value << 16) & 0x0000FFFF0000FFFF
    value = (value | value << 8) & 0x00FF00FF00FF00FF
    value = (value | value << 4) & 0x0F0F0F0F0F0F0F0F
    value = (value | value << 2) & 0x3333333333333333
    return (value | value << 1) & 0x5555555555555555


def letters(code: int, count: int) -> str:
    """The text of a Z-order code of an even ``count`` of letters, five bits each."""
    return "".join([_PAIRS[code >> shift & 1023] for shift in range(5 * count - 10, -1, -10)])


def bounds(cell: str) -> Box:
    """South, west, north, east of a cell; ``ValueError`` for an invalid geohash."""
    x, y, across, up = _parsed(cell)
    width, height = 360 / (1 << across), 180 / (1 << up)
    return (
        y * height - 90,
        x * width - 180,
        (y + 1) * height - 90,
        (x + 1) * width - 180,
    )


def decode(cell: str) -> tuple[float, float]:
    """(lat, long) of a cell's middle; ``ValueError`` for an invalid geohash."""
    south, west, north, east = bounds(cell)
    return (south + north) / 2, (west + east) / 2


def neighbours(cell: str) -> list[str]:
    """The cells around a cell, from the south-west, row by row: eight, or five at a pole.

    The last column and the first are neighbours across the 180th meridian.
    """
    x, y, across, up = _parsed(cell)
    cells = []
    for north in (-1, 0, 1):
        for east in (-1, 0, 1):
            if (north or east) and 0 <= y + north < 1 << up:
                cells.append(_text((x + east) % (1 << across), y + north, len(cell)))
    return list(dict.fromkeys(other for other in cells if other != cell))


def box_around(lat: float, long: float, radius_m: float) -> Box:
    """South, west, north, east of the box that holds the circle; may pass ±180 and ±90."""
    up = radius_m / _METRES_PER_DEGREE * (1 + 1e-9)
    # A circle is widest a little towards the pole, where meridians are closer.
    narrow = math.cos(math.radians(min(abs(lat) + up, 90.0)))
    across = up / narrow if narrow * 180 > up else 180.0
    return lat - up, long - across, lat + up, long + across


def distance_m(lat: float, long: float, other_lat: float, other_long: float) -> float:
    """Great-circle distance in metres (haversine, mean Earth radius)."""
    a, b = math.radians(lat), math.radians(other_lat)
    half = (
        math.sin((b - a) / 2) ** 2
        + math.cos(a) * math.cos(b) * math.sin(math.radians(other_long - long) / 2) ** 2
    )
    return 2 * _EARTH_M * math.asin(min(1.0, math.sqrt(half)))


def _parsed(cell: str) -> tuple[int, int, int, int]:
    """(x, y, bits of x, bits of y) of a cell."""
    if not 1 <= len(cell) <= LETTERS or any(letter not in _VALUES for letter in cell):
        raise ValueError("a geohash has 1 to 12 letters of its own base 32")
    code = 0
    for letter in cell:
        code = code << 5 | _VALUES[letter]
    bits = len(cell) * 5
    x = y = across = up = 0
    for position in range(bits):
        bit = code >> (bits - 1 - position) & 1
        if position % 2 == 0:
            x, across = x << 1 | bit, across + 1
        else:
            y, up = y << 1 | bit, up + 1
    return x, y, across, up


def _text(x: int, y: int, count: int) -> str:
    across, up = (count * 5 + 1) // 2, count * 5 // 2
    whole = spread(x << (_BITS - across)) << 1 | spread(y << (_BITS - up))
    return letters(whole, LETTERS)[:count]
