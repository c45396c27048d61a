"""Approximate shapes from points: a district is the area nearest to its point.

    {"outline": [[long, lat], ...], "districts": [{"code", "name", "municipality", "lat", "long",
     "population", "radius_m"?}], "municipalities": {code: name}}

The outline is convex, so cutting it by the bisectors to all other points leaves the district.
A district with ``radius_m`` (islands) is a polygon of 16 corners around its point. Each district
is cut into a northern and a southern ward at its point, and its population is divided by their
areas. These are no real borders.
"""

import json
import math
from collections.abc import Iterable
from functools import partial
from itertools import pairwise
from typing import Any

Point = tuple[float, float]
_SNAP = 2e-5
_CORNERS = 16
_METRES = 110_600.0
_HALVES = (("D1", "Utara", 1.0), ("D2", "Selatan", -1.0))


def document(city: dict[str, Any]) -> str:
    """The wards as GeoJSON, a feature a line."""
    districts = city["districts"]
    centre = sum(district["lat"] for district in districts) / len(districts)
    squeeze = math.cos(math.radians(centre))
    outline = [(long * squeeze, lat) for long, lat in city["outline"]]
    if _area(outline) < 0:
        outline.reverse()
    if not _is_convex(outline):
        raise ValueError("the outline must be convex")
    rings = []
    for district in districts:
        cell = _cell(district, districts, outline, squeeze)
        for suffix, half, side in _HALVES:
            ring = _clip(cell, (0.0, side, -side * district["lat"]))
            rings.append((district, suffix, half, [(x / squeeze, y) for x, y in ring]))
    shapes = _joined([ring for _, _, _, ring in rings])
    people = [
        count
        for district, north, south in zip(districts, rings[::2], rings[1::2], strict=True)
        for count in _shared(district["population"], north[3], south[3])
    ]
    features = [
        _feature(district, suffix, half, shape, city["municipalities"], count)
        for (district, suffix, half, _), shape, count in zip(rings, shapes, people, strict=True)
    ]
    head = json.dumps(city["about"], ensure_ascii=False)
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False) for feature in features)
    return f'{{"type": "FeatureCollection", "about": {head}, "features": [\n{lines}\n]}}'


def _shared(people: int, north: list[Point], south: list[Point]) -> tuple[int, int]:
    share = _area(north) / (_area(north) + _area(south))
    above = round(people * share / 100) * 100
    return above, people - above


def _feature(
    district: dict[str, Any],
    suffix: str,
    half: str,
    ring: list[Point],
    above: dict[str, str],
    people: int,
) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {
            "municipality_code": district["municipality"],
            "municipality": above[district["municipality"]],
            "district_code": district["code"],
            "district": district["name"],
            "ward_code": f"{district['code']}.{suffix}",
            "ward": f"{district['name']} {half} (demo)",
            "population": people,
        },
        "geometry": {"type": "Polygon", "coordinates": [[list(point) for point in ring]]},
    }


def _cell(
    district: dict[str, Any], districts: list[dict[str, Any]], outline: list[Point], squeeze: float
) -> list[Point]:
    x, y = district["long"] * squeeze, district["lat"]
    if "radius_m" in district:
        reach = district["radius_m"] / _METRES
        turns = (2 * math.pi * corner / _CORNERS for corner in range(_CORNERS))
        return [(x + reach * math.cos(turn), y + reach * math.sin(turn)) for turn in turns]
    cell = outline
    for other in districts:
        if other is district or "radius_m" in other:
            continue
        u, v = other["long"] * squeeze, other["lat"]
        # Nearer to (x, y) than to (u, v): a half-plane a·X + b·Y + c >= 0.
        cell = _clip(cell, (x - u, y - v, (u * u + v * v - x * x - y * y) / 2))
    return cell


def _clip(ring: list[Point], plane: tuple[float, float, float]) -> list[Point]:
    """The part of a convex ring (not closed) on the side of a half-plane."""
    a, b, c = plane
    sides = [(point, a * point[0] + b * point[1] + c) for point in ring]
    corners: list[Point] = []
    for (before, s), (after, t) in pairwise([*sides, sides[0]]):
        if s >= 0:
            corners.append(before)
        if (s > 0 > t) or (s < 0 < t):
            share = s / (s - t)
            corners.append(
                (
                    before[0] + share * (after[0] - before[0]),
                    before[1] + share * (after[1] - before[1]),
                )
            )
    return corners


def _joined(rings: Iterable[list[Point]]) -> list[list[Point]]:
    """Closed rings rounded to 1e-6 degrees that share corners, so that no gap lies between."""
    corners: list[Point] = []

    def snap(point: Point) -> Point:
        for corner in corners:
            if math.dist(corner, point) < _SNAP:
                return corner
        corners.append((round(point[0], 6), round(point[1], 6)))
        return corners[-1]

    snapped = [[snap(point) for point in ring] for ring in rings]
    rings = []
    for ring in snapped:
        closed: list[Point] = []
        for start, end in pairwise([*ring, ring[0]]):
            if start == end:
                continue
            between = [point for point in corners if _lies_on(point, start, end)]
            closed += [start, *sorted(between, key=partial(math.dist, start))]
        rings.append([*closed, closed[0]])
    return rings


def _lies_on(point: Point, start: Point, end: Point) -> bool:
    length = math.dist(start, end)
    along = ((point[0] - start[0]) * (end[0] - start[0])
             + (point[1] - start[1]) * (end[1] - start[1])) / length  # fmt: skip
    across = ((point[0] - start[0]) * (end[1] - start[1])
              - (point[1] - start[1]) * (end[0] - start[0])) / length  # fmt: skip
    return abs(across) < _SNAP and _SNAP < along < length - _SNAP


def _area(ring: list[Point]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*ring, ring[0]])) / 2


def _is_convex(ring: list[Point]) -> bool:
    turns = zip(ring, [*ring[1:], ring[0]], [*ring[2:], *ring[:2]], strict=True)
    return all(
        (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0]) >= 0 for a, b, c in turns
    )
