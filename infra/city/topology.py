"""Checks the wards' shapes together, and repairs a fault whose repair is plain.

Repaired, with a warning: a crossing so small that it does not change the area, and parts of one
ward that overlap (the ward is all of them together). Two wards that overlap a little get a warning:
a point in both belongs to the ward whose code sorts first. Everything else is a fault. Each names
the feature and a place as "latitude, longitude". Geometry: shapely (GEOS).

Tests: tests/unit/test_topology.py
"""

import re
from typing import Any

import shapely
from shapely.geometry import MultiPolygon, Polygon

from chalicelib.domain.city.geometry import SCALE, Polygons, metric_scale
from infra.city.areas import Areas
from infra.city.findings import Findings

# Web maps (EPSG:3857) end here.
MOST_NORTH = 85.0
# A repair may change an area by this share.
_SAME = 1e-3
_ROUNDING = 1e-9
# Borders that two sources drew differ by less than this many metres.
_SLIVER_M = 1.0
# Two wards that share more than this part of the smaller one are a mistake.
_MUCH = 0.5
_NAMED = 20
_AT = re.compile(r"\[(\S+) (\S+)\]")
_REASONS = {
    "Self-intersection": "the border crosses itself",
    "Ring Self-intersection": "the border touches itself",
    "Hole lies outside shell": "a hole lies outside its outer ring",
    "Holes are nested": "a hole lies in another hole",
    "Nested shells": "a part lies in another part",
    "Duplicate Rings": "a ring is there twice",
    "Interior is disconnected": "holes cut the area into pieces",
}


def check(areas: Areas, findings: Findings) -> None:
    """Check and repair ``areas.shapes``; faults and warnings go to ``findings``."""
    _check_extent(areas, findings)
    if findings.lines:
        return
    shapes = {}
    for code, polygons in areas.shapes.items():
        before = len(findings.warnings)
        shape = _whole(areas.where[code], polygons, findings)
        if shape is not None:
            shapes[code] = shape
            if len(findings.warnings) > before:
                areas.shapes[code] = _rings(shape)
    _check_overlaps(areas, shapes, findings)


def _check_extent(areas: Areas, findings: Findings) -> None:
    sides: dict[bool, str] = {}
    for code, polygons in areas.shapes.items():
        location = areas.where[code]
        for ring in (ring for polygon in polygons for ring in polygon):
            longs, lats = [x for x, _ in ring], [y for _, y in ring]
            if max(longs) - min(longs) > 180:
                message = (
                    f"{code!r} crosses the meridian of 180 degrees; cut it there "
                    "(RFC 7946, 3.1.9), and load each side as a city of its own"
                )
                findings.add(location, "geometry", message)
                return
            if max(map(abs, lats)) > MOST_NORTH:
                message = f"{code!r} reaches beyond {MOST_NORTH:g} degrees, where no web map goes"
                findings.add(location, "geometry", message)
            # Close to 180 degrees only: a city on the meridian of Greenwich is no fault.
            for long in (min(longs), max(longs)):
                if abs(long) > 90:
                    sides.setdefault(long > 0, f"{location} ({code!r})")
    if len(sides) == 2:
        message = (
            f"the wards lie on both sides of the meridian of 180 degrees: {sides[True]} in the "
            f"east, {sides[False]} in the west; load each side as a city of its own"
        )
        findings.add(sides[False].partition(" (")[0], "geometry", message)


def _whole(location: str, polygons: Polygons, findings: Findings) -> Any:
    """The ward as a valid shape, or ``None`` with a fault."""
    parts = []
    for rings in polygons:
        if not rings:
            return None
        part = Polygon(rings[0], rings[1:])
        if not part.is_valid:
            reason = _reason(part)
            repaired = _surface(shapely.make_valid(part))
            if abs(repaired.area - _area(rings)) > _SAME * repaired.area:
                findings.add(location, "geometry", reason)
                return None
            findings.warn(location, "geometry", f"{reason}; repaired, the area stays the same")
            part = repaired
        parts.append(part)
    if len(parts) < 2:
        return parts[0] if parts else None
    together = shapely.union_all(parts)
    lost = sum(part.area for part in parts) - together.area
    if lost <= _ROUNDING * together.area:
        return MultiPolygon([shape for part in parts for shape in getattr(part, "geoms", [part])])
    both = _overlapping(parts)
    message = f"parts of the shape overlap at {_where(both)}; taken together as one area"
    findings.warn(location, "geometry", message)
    return _surface(together)


def _check_overlaps(areas: Areas, shapes: dict[str, Any], findings: Findings) -> None:
    codes = sorted(shapes)
    tree = shapely.STRtree([shapes[code] for code in codes])
    named = 0
    rest = []
    for one, code in enumerate(codes):
        for other in sorted(int(number) for number in tree.query(shapes[code])):
            if other <= one:
                continue
            common = _surface(shapely.intersection(shapes[code], shapes[codes[other]]))
            if common.is_empty or _width_m(common) < _SLIVER_M:
                continue
            share = common.area / min(shapes[code].area, shapes[codes[other]].area)
            location, there = areas.where[codes[other]], areas.where[code]
            message = (
                f"{codes[other]!r} and {code!r} ({there}) overlap in {share:.1%} of the smaller "
                f"one, for example at {_where(common)}"
            )
            if share > _MUCH:
                findings.add(location, "geometry", message)
            elif named < _NAMED:
                named += 1
                findings.warn(location, "geometry", f"{message}; a point in both is in {code!r}")
            else:
                rest.append(code)
    if rest:
        findings.warn(areas.where[rest[0]], "geometry", f"{len(rest)} more pairs of wards overlap")


def _overlapping(parts: list[Any]) -> Any:
    for number, part in enumerate(parts):
        for other in parts[number + 1 :]:
            if (common := _surface(shapely.intersection(part, other))).area:
                return common
    return parts[0]


def _reason(part: Polygon) -> str:
    text: str = shapely.is_valid_reason(part)
    name: str = text.partition("[")[0]
    at = _AT.search(text)
    where = f" at {float(at[2]):.6f}, {float(at[1]):.6f}" if at else ""
    return _REASONS.get(name, name.lower()) + where


def _area(rings: list[list[tuple[float, float]]]) -> float:
    """The area of the first ring without the others; a loop the other way round is subtracted."""
    first, *holes = (float(Polygon(ring).area) for ring in rings)
    return first - sum(holes)


def _surface(shape: Any) -> Any:
    """The polygons of a shape; lines and points that a cut leaves are dropped."""
    if isinstance(shape, Polygon):
        return shape
    parts = [part for part in getattr(shape, "geoms", []) if part.area]
    flat = [shape for part in parts for shape in getattr(part, "geoms", [part])]
    return MultiPolygon([shape for shape in flat if isinstance(shape, Polygon)])


def _rings(shape: Any) -> Polygons:
    parts = [shape] if isinstance(shape, Polygon) else list(shape.geoms)
    return [
        [[(x, y) for x, y, *_ in ring.coords] for ring in (part.exterior, *part.interiors)]
        for part in parts
    ]


def _width_m(shape: Any) -> float:
    """About how wide a shape is at its widest part, in metres."""
    parts = [shape] if isinstance(shape, Polygon) else list(shape.geoms)
    squeeze, metres = metric_scale(shape.centroid.y)
    degree = metres * SCALE
    return max(2 * float(part.area) * squeeze * degree / float(part.length) for part in parts)


def _where(shape: Any) -> str:
    point = shape.representative_point()
    return f"{point.y:.6f}, {point.x:.6f}"
