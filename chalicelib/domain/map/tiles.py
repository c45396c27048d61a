"""Web-mercator tiles (EPSG:3857, numbered as in slippy maps): x to the east, y to the south.

A tile at zoom z has the parent ``x >> 1, y >> 1`` at z - 1. Its quadkey has one digit (0 to 3) for
each zoom, and quadkeys sort in the Z-order of the tiles.

Tests: tests/unit/test_heat_counters.py
"""

import math

from chalicelib.domain.map.geohash import Box, spread

# The northern edge of the square map of the world, in degrees.
LIMIT = math.degrees(math.atan(math.sinh(math.pi)))


def tile(lat: float, long: float, zoom: int) -> tuple[int, int]:
    """(x, y) of the tile of a point; points beyond ±85.05° belong to the outermost rows."""
    size = 1 << zoom
    across = (long + 180) / 360 * size
    up = math.asinh(math.tan(math.radians(max(-LIMIT, min(lat, LIMIT)))))
    down = (1 - up / math.pi) / 2 * size
    return max(0, min(int(across), size - 1)), max(0, min(int(down), size - 1))


def tiles(box: Box, zoom: int) -> tuple[int, int, int, int]:
    """(first x, first y, last x, last y) of the tiles that a box touches."""
    south, west, north, east = box
    left, top = tile(north, west, zoom)
    right, bottom = tile(south, east, zoom)
    return left, top, right, bottom


def quadkey(x: int, y: int, zoom: int) -> str:
    """The quadkey of a tile."""
    return base4(spread(y) << 1 | spread(x), zoom)


def base4(code: int, digits: int) -> str:
    """A Z-order code as a quadkey of ``digits`` digits."""
    return "".join(str(code >> 2 * index & 3) for index in range(digits - 1, -1, -1))


def tile_of(key: str) -> tuple[int, int]:
    """(x, y) of the tile of a quadkey."""
    x = y = 0
    for digit in map(int, key):
        x, y = x << 1 | digit & 1, y << 1 | digit >> 1
    return x, y
