"""Reads and checks one feature of a GeoJSON file: its properties and polygons."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.domain.city.geometry import SCALE, Polygons
from chalicelib.domain.input.text import mended
from infra.city.fields import CODE
from infra.city.findings import Findings
from infra.city.schemas.city import MOST_PEOPLE

_NAME_LIMIT = 200
_CODE_LIMIT = 63
_LARGEST_CODE = 10**_CODE_LIMIT


@dataclass
class Feature:
    """One feature of one file; faults go to the findings."""

    place: str
    properties: dict[str, Any]
    geometry: Any
    findings: Findings

    def fault(self, name: str, message: str) -> None:
        self.findings.add(self.place, name, message)

    def text(self, name: str) -> str | None:
        """A property as text in one line; a whole number counts as its digits."""
        value = self.properties.get(name)
        # Many programs write whole numbers in GeoJSON as 3171.0.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST_CODE:
            value = str(value)
        words = " ".join(mended(value).split()) if isinstance(value, str) else ""
        if not words or len(words) > _NAME_LIMIT:
            self.fault(name, "must be a text")
            return None
        return words

    def people(self, name: str) -> int | None:
        """A property that is a number of people; ``null`` if unknown."""
        if name not in self.properties:
            self.fault(name, "is missing")
            return None
        value = self.properties[name]
        if value is None:
            return None
        # Many programs write whole numbers in GeoJSON as 1234.0.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_PEOPLE:
            self.fault(name, f"must be a whole number from 0 to {MOST_PEOPLE}, or null")
            return None
        return value

    def code(self, name: str) -> str | None:
        """A property that is a code."""
        value = self.text(name)
        if value is not None and not CODE.match(value):
            self.fault(name, f"must be a code of letters, digits and . _ -, not {value!r}")
            return None
        return value

    def code_or_made(self, name: str, title: str, above: str | None) -> str | None:
        """A property that is a code, or a code made of the ``title`` and the code ``above``.

        It is made if the mapping names no property, or, with a warning, if the property is empty.
        """
        if name and (name not in self.properties or self.properties[name] not in (None, "")):
            return self.code(name)
        code = from_name(title, above)
        if name:
            self.findings.warn(self.place, name, f"is empty; the code is made of the name: {code}")
        return code


def from_name(title: str, above: str | None) -> str:
    """A code made of a name: the same name gives the same code at each loading."""
    letters = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    code = "-".join(re.findall("[a-z0-9]+", letters))
    if not code:
        # A name without Latin letters.
        code = f"n{_digits(title)}"
    whole = f"{above}.{code}" if above else code
    if len(whole) > _CODE_LIMIT:
        return f"{whole[: _CODE_LIMIT - 9]}-{_digits(whole)}"
    return whole


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def polygons(feature: Feature) -> Polygons | None:
    """The feature's polygons, or ``None`` with a finding."""
    geometry = feature.geometry
    if geometry is None:
        feature.fault("geometry.type", "the geometry is null")
        return None
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind == "GeometryCollection":
        return _collected(feature, geometry)
    if kind not in ("Polygon", "MultiPolygon"):
        feature.fault("geometry.type", f"must be Polygon or MultiPolygon, not {kind!r}")
        return None
    coordinates = geometry.get("coordinates")
    several = [coordinates] if kind == "Polygon" else coordinates
    if not isinstance(several, list) or not several:
        feature.fault("geometry.coordinates", "must be a list of rings")
        return None
    polygons: Polygons = []
    for number, rings in enumerate(several):
        prefix = "geometry.coordinates" + (f"[{number}]" if kind == "MultiPolygon" else "")
        if not isinstance(rings, list) or not rings:
            feature.fault(prefix, "must be a list of rings")
            continue
        read = [_ring(feature, ring, f"{prefix}[{place}]") for place, ring in enumerate(rings)]
        polygons.append([ring for ring in read if ring])
    return polygons


def _collected(feature: Feature, collection: dict[str, Any]) -> Polygons | None:
    """The polygons of a collection, as programs make it that repair shapes."""
    parts = collection.get("geometries")
    found: Polygons = []
    others = set[str]()
    for part in parts if isinstance(parts, list) else []:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in ("Polygon", "MultiPolygon"):
            found += polygons(replace(feature, geometry=part)) or []
        else:
            others.add(str(kind)[:20])
    if not found:
        feature.fault("geometry", "is a GeometryCollection without a Polygon")
        return None
    left_out = f" without {', '.join(sorted(others))}" if others else ""
    message = f"is a GeometryCollection; its polygons are taken together{left_out}"
    feature.findings.warn(feature.place, "geometry", message)
    return found


def _ring(feature: Feature, ring: Any, path: str) -> list[tuple[float, float]]:
    if not isinstance(ring, list) or len(ring) < 3:
        feature.fault(path, "a ring must have at least three corners")
        return []
    points = []
    for place, point in enumerate(ring):
        if not _is_point(point):
            feature.fault(f"{path}[{place}]", "must be [longitude, latitude] in WGS84 degrees")
            return []
        points.append((float(point[0]), float(point[1])))
    if points[0] != points[-1]:
        feature.findings.warn(feature.place, path, "a ring must end where it begins; closed")
        points.append(points[0])
    if not _area(points):
        feature.fault(path, "a ring must enclose an area and not cross itself")
        return []
    return points


def _is_point(point: Any) -> bool:
    if not isinstance(point, list) or len(point) < 2:
        return False
    # Heights and measures may follow.
    long, lat = point[:2]
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (long, lat)):
        return False
    # NaN is not in a range either.
    return bool(abs(long) <= 180 and abs(lat) <= 90)


def _area(points: list[tuple[float, float]]) -> int:
    grid = [(round(x * SCALE), round(y * SCALE)) for x, y in points]
    return sum(
        x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(grid, grid[1:] + grid[:1], strict=True)
    )
