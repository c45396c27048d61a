"""A city's areas and the shapes of its wards, from GeoJSON files and a mapping of their names.

    "boundaries": {
      "areas": [{"level": "city", "code": "31", "name": "Jakarta"}],
      "files": [{
        "file": "wards.geojson",
        "where": {"official": true},
        "areas": [
          {"level": "district", "code": "district_code", "name": "district"},
          {"level": "ward", "code": "ward_code", "name": "ward", "parent": "district_code"}]}]}

``areas`` are written out. Each feature that passes ``where`` names one area for each entry; what
several features say of one area must agree. Without ``parent`` the parent is the area of the entry
before, or the one area of the highest level. A feature that names an area of the last level gives
that ward its shape.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalicelib.domain.boundaries import SCALE, Polygons
from infra.city.documents import read_large_json
from infra.city.fields import CODE, Fields
from infra.city.findings import Findings

_MOST_WARDS = 20_000
_MOST_POINTS = 3_000_000
_WGS84 = ("CRS84", "EPSG::4326", "EPSG:4326")
_NAME_LIMIT = 200


@dataclass
class Areas:
    """The areas by code, in the order met, and each ward's shape."""

    areas: dict[str, dict[str, Any]] = field(default_factory=dict)
    shapes: dict[str, Polygons] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)

    def of(self, level: str) -> set[str]:
        """The codes of a level."""
        return {code for code, area in self.areas.items() if area["level"] == level}


@dataclass(frozen=True)
class _Entry:
    level: str
    code: str
    name: str
    parent: str | None


@dataclass
class _Feature:
    """One feature of one file, and what is found about it."""

    place: str
    properties: dict[str, Any]
    geometry: Any
    findings: Findings

    def fault(self, name: str, message: str) -> None:
        self.findings.add(self.place, name, message)

    def text(self, name: str) -> str | None:
        """A property as text; a whole number counts as its digits."""
        value = self.properties.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value.strip() or len(value) > _NAME_LIMIT:
            self.fault(name, "must be a text")
            return None
        return value.strip()

    def code(self, name: str) -> str | None:
        """A property that is a code."""
        value = self.text(name)
        if value is not None and not CODE.match(value):
            self.fault(name, f"must be a code of letters, digits and . _ -, not {value!r}")
            return None
        return value


def read(mapping: Fields, folder: Path, levels: list[str], findings: Findings) -> Areas:
    """Every area and every ward's shape; what is wrong goes to ``findings``."""
    found = Areas()
    for one in mapping.each("areas", required=False):
        _read_written(one, levels, found)
    roots = sorted(found.of(levels[0])) if levels else []
    for one in mapping.each("files"):
        _read_file(one, folder, levels, roots[0] if len(roots) == 1 else None, found, findings)
    mapping.close()
    if levels:
        _check_tree(found, levels, findings)
    return found


def _read_written(one: Fields, levels: list[str], found: Areas) -> None:
    code = one.code()
    area = {
        "code": code,
        "name": one.text("name"),
        "level": one.choice("level", levels),
        "parent": one.text("parent", required=False) or None,
    }
    one.close()
    if code in found.areas:
        one.fault("code", f"{code!r} is used twice")
    elif code and area["level"]:
        found.areas[code] = area
        found.where[code] = f"{one.file}:{one.line}"


def _read_file(
    one: Fields, folder: Path, levels: list[str], root: str | None, found: Areas, findings: Findings
) -> None:
    name = one.text("file")
    where = one.raw("where", required=False) or {}
    if not isinstance(where, dict):
        one.fault("where", "must be an object of property names and values")
        where = {}
    entries = []
    for row in one.each("areas"):
        level = row.choice("level", levels)
        parent = row.text("parent", required=False) or None
        entries.append(_Entry(level, row.text("code"), row.text("name"), parent))
        row.close()
    one.close()
    if not name or not all(entry.level and entry.code and entry.name for entry in entries):
        return
    document = read_large_json(folder / name, findings)
    if document is None:
        return
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        findings.add(name, "", "must be a GeoJSON FeatureCollection")
        return
    crs = document.get("crs")
    if crs is not None and not str(crs).rstrip("'} ").endswith(_WGS84):
        findings.add(name, "crs", "must be WGS84 (CRS84 or EPSG:4326)")
    for number, feature in enumerate(document["features"], 1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        place = f"{name}: feature {number}"
        if not isinstance(properties, dict):
            findings.add(place, "properties", "must be an object")
        elif all(_passes(properties.get(key), value) for key, value in where.items()):
            item = _Feature(place, properties, feature.get("geometry"), findings)
            _read_feature(item, entries, levels, root, found)


def _passes(value: Any, wanted: Any) -> bool:
    return value in wanted if isinstance(wanted, list) else bool(value == wanted)


def _read_feature(
    feature: _Feature, entries: list[_Entry], levels: list[str], root: str | None, found: Areas
) -> None:
    above = root
    for entry in entries:
        code, name = feature.code(entry.code), feature.text(entry.name)
        top = entry.level == levels[0]
        parent = None if top else feature.code(entry.parent) if entry.parent else above
        above = code
        if code is None or name is None or (entry.parent and not top and parent is None):
            continue
        area = {"code": code, "name": name, "level": entry.level, "parent": parent}
        known = found.areas.setdefault(code, area)
        first = found.where.setdefault(code, feature.place)
        if known != area:
            part = next(key for key in ("level", "name", "parent") if known[key] != area[key])
            feature.fault(
                entry.code,
                f"{code!r} has the {part} {area[part]!r} here, but {known[part]!r} in {first}",
            )
        elif entry.level == levels[-1] and code in found.shapes:
            feature.fault(entry.code, f"{code!r} is used twice, first in {first}")
            continue
        shape = _polygons(feature) if entry is entries[-1] else None
        if entry.level == levels[-1]:
            found.shapes[code] = shape or []


def _polygons(feature: _Feature) -> Polygons | None:
    """The feature's polygons, or ``None`` with a finding."""
    geometry = feature.geometry
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        feature.fault("geometry.type", f"must be Polygon or MultiPolygon, not {kind!r}")
        return None
    given = geometry.get("coordinates")
    several = [given] if kind == "Polygon" else given
    if not isinstance(several, list) or not several:
        feature.fault("geometry.coordinates", "must be a list of rings")
        return None
    found: Polygons = []
    for number, rings in enumerate(several):
        prefix = "geometry.coordinates" + (f"[{number}]" if kind == "MultiPolygon" else "")
        if not isinstance(rings, list) or not rings:
            feature.fault(prefix, "must be a list of rings")
            continue
        read = [_ring(feature, ring, f"{prefix}[{place}]") for place, ring in enumerate(rings)]
        found.append([ring for ring in read if ring])
    return found


def _ring(feature: _Feature, ring: Any, path: str) -> list[tuple[float, float]]:
    if not isinstance(ring, list) or len(ring) < 4:
        feature.fault(path, "a ring must have at least four points")
        return []
    points = []
    for place, point in enumerate(ring):
        if not _is_point(point):
            feature.fault(f"{path}[{place}]", "must be [longitude, latitude] in WGS84 degrees")
            return []
        points.append((float(point[0]), float(point[1])))
    if points[0] != points[-1]:
        feature.fault(path, "a ring must end where it begins")
        return []
    if not _area(points):
        feature.fault(path, "a ring must enclose an area")
        return []
    return points


def _is_point(point: Any) -> bool:
    if not isinstance(point, list) or len(point) not in (2, 3):
        return False
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in point):
        return False
    long, lat = point[0], point[1]
    return math.isfinite(long) and math.isfinite(lat) and abs(long) <= 180 and abs(lat) <= 90


def _area(points: list[tuple[float, float]]) -> int:
    grid = [(round(x * SCALE), round(y * SCALE)) for x, y in points]
    return sum(
        x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(grid, grid[1:] + grid[:1], strict=True)
    )


def _check_tree(found: Areas, levels: list[str], findings: Findings) -> None:
    for code, area in found.areas.items():
        parent = area["parent"]
        place, above = found.where[code], levels[levels.index(area["level"]) - 1]
        if area["level"] == levels[0]:
            if parent is not None:
                findings.add(place, "parent", f"{code!r} is of the highest level")
        elif parent is None:
            findings.add(place, "parent", f"{area['level']} {code!r} lies in no {above}")
        elif parent not in found.areas:
            findings.add(place, "parent", f"{area['level']} {code!r} lies in unknown {parent!r}")
        elif found.areas[parent]["level"] != above:
            findings.add(
                place,
                "parent",
                f"{area['level']} {code!r} must lie in a {above}, "
                f"not in the {found.areas[parent]['level']} {parent!r}",
            )
    for code in sorted(found.of(levels[-1]) - found.shapes.keys()):
        findings.add(found.where[code], "geometry", f"{levels[-1]} {code!r} has no shape")
    points = sum(len(r) for shape in found.shapes.values() for polygon in shape for r in polygon)
    if not found.shapes:
        findings.add("city.json", "boundaries", f"no feature names an area of level {levels[-1]}")
    if len(found.shapes) > _MOST_WARDS:
        findings.add("city.json", "boundaries", f"more than {_MOST_WARDS} wards")
    if points > _MOST_POINTS:
        findings.add("city.json", "boundaries", f"more than {_MOST_POINTS} points in the shapes")
