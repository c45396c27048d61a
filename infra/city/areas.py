"""A city's areas and the shapes of its wards, from GeoJSON files and a mapping of their names.

    "boundaries": {
      "areas": [{"level": "city", "code": "31", "name": "Jakarta"}],
      "files": [{
        "file": "wards.geojson",
        "where": {"official": true},
        "areas": [
          {"level": "district", "code": "district_code", "name": "district"},
          {"level": "ward", "code": "ward_code", "name": "ward", "parent": "district_code"}]}]}

The first ``areas`` are complete. In ``files``, each feature that matches ``where`` names one area
for each entry; features that name the same area must agree. Without ``parent`` the parent is the
area of the previous entry, or the one area of the highest level. An entry without ``code``, and a
feature whose code is empty, get a code made of the name. A feature with an area of the last
level gives that ward its shape. ``population`` is optional: a number in ``areas``, the name of a
property in ``files``.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalicelib.domain.city.geometry import Polygons
from infra.city import other_formats
from infra.city.documents import read_large_json
from infra.city.fields import Fields
from infra.city.findings import Findings
from infra.city.shapes import Feature, polygons

_MOST_WARDS = 20_000
_MOST_POINTS = 3_000_000


@dataclass
class Areas:
    """The areas by code, in the order of the files, and each ward's shape."""

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
    population: str | None


def read(mapping: Fields, folder: Path, levels: list[str], findings: Findings) -> Areas:
    """Read every area and every ward's shape; faults go to ``findings``."""
    areas = Areas()
    for entry in mapping.each("areas"):
        _read_written(entry, levels, areas)
    roots = sorted(areas.of(levels[0])) if levels else []
    for entry in mapping.each("files"):
        _read_file(entry, folder, levels, roots[0] if len(roots) == 1 else None, areas, findings)
    if levels:
        _check_tree(areas, levels, findings)
    return areas


def _read_written(fields: Fields, levels: list[str], areas: Areas) -> None:
    code = fields.text("code")
    area: dict[str, Any] = {
        "code": code,
        "name": fields.text("name"),
        "level": fields.choice("level", levels, "level"),
        "parent": fields.text("parent") or None,
    }
    if fields.has("population"):
        area["population"] = fields.whole("population")
    if code in areas.areas:
        fields.fault("code", f"{code!r} is used twice")
    elif code and area["level"]:
        areas.areas[code] = area
        areas.where[code] = f"{fields.file}:{fields.line}"


def _read_file(
    fields: Fields,
    folder: Path,
    levels: list[str],
    root: str | None,
    areas: Areas,
    findings: Findings,
) -> None:
    name = fields.text("file")
    where = fields.raw("where")
    where = where if isinstance(where, dict) else {}
    entries = []
    for row in fields.each("areas"):
        level = row.choice("level", levels, "level")
        parent = row.text("parent") or None
        people = row.text("population") or None
        code = row.text("code") if row.has("code") else ""
        entries.append(_Entry(level, code, row.text("name"), parent, people))
    if not name or not all(entry.level and entry.name for entry in entries):
        return
    document = read_large_json(folder / name, findings)
    if document is None:
        return
    if what := other_formats.of_document(document):
        findings.add(name, "", what)
        return
    crs = document.get("crs")
    if crs is not None and (wrong := other_formats.of_crs(crs)):
        findings.add(name, "crs", wrong)
    for number, feature in enumerate(document["features"], 1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        location = f"{name}: feature {number}"
        if not isinstance(properties, dict):
            findings.add(location, "properties", "must be an object")
        elif all(_passes(properties.get(key), value) for key, value in where.items()):
            item = Feature(location, properties, feature.get("geometry"), findings)
            _read_feature(item, entries, levels, root, areas)


def _passes(value: Any, wanted: Any) -> bool:
    return value in wanted if isinstance(wanted, list) else bool(value == wanted)


def _read_feature(
    feature: Feature, entries: list[_Entry], levels: list[str], root: str | None, areas: Areas
) -> None:
    above = root
    for entry in entries:
        name = feature.text(entry.name)
        top = entry.level == levels[0]
        parent = None if top else feature.code(entry.parent) if entry.parent else above
        # A district's own code is enough; wards of the same name lie in several districts.
        prefix = parent if parent != root else None
        code = feature.code_or_made(entry.code, name, prefix) if name is not None else None
        above = code
        if code is None or name is None or (entry.parent and not top and parent is None):
            continue
        area: dict[str, Any] = {
            "code": code,
            "name": name,
            "level": entry.level,
            "parent": parent,
        }
        if entry.population and (people := feature.people(entry.population)) is not None:
            area["population"] = people
        known = areas.areas.setdefault(code, area)
        first = areas.where.setdefault(code, feature.place)
        if known != area:
            parts = ("level", "name", "parent", "population")
            part = next(key for key in parts if known.get(key) != area.get(key))
            here, there = area.get(part), known.get(part)
            feature.fault(
                entry.code, f"{code!r} has the {part} {here!r} here, but {there!r} in {first}"
            )
        elif entry.level == levels[-1] and code in areas.shapes:
            feature.fault(entry.code, f"{code!r} is used twice, first in {first}")
            continue
        shape = polygons(feature) if entry is entries[-1] else None
        if entry.level == levels[-1]:
            areas.shapes[code] = shape or []


def _check_tree(areas: Areas, levels: list[str], findings: Findings) -> None:
    for code, area in areas.areas.items():
        parent = area["parent"]
        location, above = areas.where[code], levels[levels.index(area["level"]) - 1]
        if area["level"] == levels[0]:
            if parent is not None:
                findings.add(location, "parent", f"{code!r} is of the highest level")
        elif parent is None:
            findings.add(location, "parent", f"{area['level']} {code!r} lies in no {above}")
        elif parent not in areas.areas:
            findings.add(location, "parent", f"{area['level']} {code!r} lies in unknown {parent!r}")
        elif areas.areas[parent]["level"] != above:
            findings.add(
                location,
                "parent",
                f"{area['level']} {code!r} must lie in a {above}, "
                f"not in the {areas.areas[parent]['level']} {parent!r}",
            )
    for code in sorted(areas.of(levels[-1]) - areas.shapes.keys()):
        findings.add(areas.where[code], "geometry", f"{levels[-1]} {code!r} has no shape")
    points = sum(len(r) for shape in areas.shapes.values() for polygon in shape for r in polygon)
    if not areas.shapes:
        findings.add("city.json", "boundaries", f"no feature names an area of level {levels[-1]}")
    if len(areas.shapes) > _MOST_WARDS:
        findings.add("city.json", "boundaries", f"more than {_MOST_WARDS} wards")
    if points > _MOST_POINTS:
        findings.add("city.json", "boundaries", f"more than {_MOST_POINTS} points in the shapes")
