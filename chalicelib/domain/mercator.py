"""Web-mercator tiles (EPSG:3857, as slippy maps number them): x eastwards, y southwards.

A tile at zoom z has the parent ``x >> 1, y >> 1`` at z - 1.
"""

import math

from chalicelib.domain.geohash import Box

# Where the square map of the world ends.
LIMIT = math.degrees(math.atan(math.sinh(math.pi)))


def tile(lat: float, long: float, zoom: int) -> tuple[int, int]:
    """(x, y) of the tile of a point; what lies beyond ±85.05° belongs to the outermost rows."""
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
