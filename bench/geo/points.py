"""Seeded points of a city like Jakarta, and views and circles on them.

Sixty Gaussian clusters (sigma 0.3 to 3.5 km, Zipf weights) and a fifth of the points uniform, in a
box of 33 by 32 km; or all uniform. A year of filing; open ones are mostly recent.
"""

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple

SOUTH, WEST, NORTH, EAST = -6.37, 106.68, -6.08, 106.98
NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
SERVICES, DISTRICTS = 12, 44
_KM = 1 / 111.195
_YEAR, _OPEN_FOR = 365.0, 18.25

# South, west, north, east.
Box = tuple[float, float, float, float]
# Latitude, longitude, metres.
Circle = tuple[float, float, float]


class Point(NamedTuple):
    """A report: place (1e-7 degrees), service, district, times of filing and closing."""

    number: int
    lat7: int
    long7: int
    service: str
    district: str
    filed: datetime
    closed: datetime | None


def clustered(opened: int, closed: int, side: float = 1.0, seed: int = 1) -> Iterator[Point]:
    """Open points, then closed ones, in clusters; ``side`` is the share of the box's side."""
    draw = random.Random(f"clustered {seed}")
    north, east = _corner(side)
    centres = [
        (draw.uniform(SOUTH, north), draw.uniform(WEST, east), draw.uniform(0.3, 3.5) * _KM * side)
        for _ in range(60)
    ]
    weights = list(accumulate(1 / (rank + 1) for rank in range(60)))

    def place() -> tuple[float, float]:
        while True:
            if draw.random() < 0.2:
                return draw.uniform(SOUTH, north), draw.uniform(WEST, east)
            [(lat, long, sigma)] = draw.choices(centres, cum_weights=weights)
            position = draw.gauss(lat, sigma), draw.gauss(long, sigma)
            if SOUTH <= position[0] <= north and WEST <= position[1] <= east:
                return position

    for number in range(opened + closed):
        yield _point(number, place(), draw, number < opened)


def uniform(opened: int, side: float = 1.0, seed: int = 1) -> Iterator[Point]:
    """Open points, uniform in the box."""
    draw = random.Random(f"uniform {seed}")
    north, east = _corner(side)
    for number in range(opened):
        yield _point(number, (draw.uniform(SOUTH, north), draw.uniform(WEST, east)), draw, True)


def tenfold(points: list[Point]) -> Iterator[Point]:
    """The points, and nine copies of the city beside it: ten times the data, equally dense."""
    for city in range(10):
        east = round(city * (EAST - WEST) * 1e7)
        for point in points:
            number = city * len(points) + point.number
            yield point._replace(number=number, long7=point.long7 + east)


def view(lat: float, long: float, zoom: int) -> Box:
    """The box of 1024 by 768 pixels of a web-mercator map, centred on a point."""
    wide = 360 / 2**zoom / 256 * 1024
    tall = wide * 0.75 * math.cos(math.radians(lat))
    box = (lat - tall / 2, long - wide / 2, lat + tall / 2, long + wide / 2)
    south, west, north, east = (round(edge, 7) for edge in box)
    return south, west, north, east


def centres(points: list[Point], many: int, seed: int = 2) -> Iterator[tuple[float, float]]:
    """Centres of views: people look near reports, within 50 m of a random one."""
    draw = random.Random(f"centres {seed}")
    for point in draw.choices(points, k=many):
        yield (
            point.lat7 / 1e7 + draw.uniform(-0.05, 0.05) * _KM,
            point.long7 / 1e7 + draw.uniform(-0.05, 0.05) * _KM,
        )


def _corner(side: float) -> tuple[float, float]:
    return SOUTH + (NORTH - SOUTH) * side, WEST + (EAST - WEST) * side


def _point(
    number: int, position: tuple[float, float], draw: random.Random, still_open: bool
) -> Point:
    # All reports lie within the year; older ones are moved to its first days.
    recent = min(draw.expovariate(1 / _OPEN_FOR), _YEAR - 1)
    age = recent if still_open else draw.uniform(0, _YEAR)
    filed = NOW - timedelta(days=age)
    closed = None if still_open else filed + timedelta(days=draw.uniform(0, age))
    rank = min(int(draw.paretovariate(1)), SERVICES)
    lat, long = position
    column = int((long - WEST) / (EAST - WEST) * 0.999999 * 11)
    row = int((lat - SOUTH) / (NORTH - SOUTH) * 0.999999 * 4)
    return Point(
        number, round(lat * 1e7), round(long * 1e7), f"s{rank - 1:02}", f"d{row * 11 + column:02}",
        filed, closed,
    )  # fmt: skip
