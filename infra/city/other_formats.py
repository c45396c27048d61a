"""What a file that should be GeoJSON is instead, in words, and how to make GeoJSON of it.

Tests: tests/unit/test_other_formats.py
"""

import codecs
from pathlib import Path
from typing import Any

_HEAD = 512
# ogr2ogr is a program of GDAL (https://gdal.org).
MAKE = "make GeoJSON of it, for example: ogr2ogr -f GeoJSON -t_srs EPSG:4326 wards.geojson FILE"
_BYTES = (
    (b"PK\x03\x04", "is a ZIP archive (KMZ, or a zipped Shapefile)"),
    (b"\x00\x00\x27\x0a", "is a Shapefile"),
    (b"SQLite format 3\x00", "is a GeoPackage"),
    (b"\x1f\x8b", "is compressed by gzip: unpack it"),
)
_WGS84 = ("CRS84", "EPSG:4326", "EPSG::4326", "EPSG/0/4326")


def of_file(path: Path) -> str | None:
    """What a file is that cannot be read as JSON, if its first bytes tell."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for start, what in _BYTES:
        if head.startswith(start):
            return f"{what}; {MAKE}"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "is in UTF-16: save it as UTF-8"
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if not text:
        return "is empty"
    if text.startswith(b"<"):
        kind = next(
            (name for name in ("KML", "GML", "HTML") if name.encode() in text.upper()), "XML"
        )
        return f"is {kind}; {MAKE}"
    if text.startswith((b'{"type":"Feature"', b'{"type": "Feature"', b"\x1e")):
        return f"has a feature in each line (GeoJSONSeq); {MAKE}"
    return None


def of_document(document: Any) -> str | None:
    """What a JSON document is that is no FeatureCollection; ``None`` if it is one."""
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "Topology":
        return f"is TopoJSON, not a GeoJSON FeatureCollection; {MAKE}"
    if isinstance(document, dict) and (
        "spatialReference" in document or "geometryType" in document
    ):
        return "is JSON of ArcGIS, not GeoJSON; ask its server for f=geojson"
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        found = f", not a {kind}" if isinstance(kind, str) and kind.isalpha() else ""
        return f"must be a GeoJSON FeatureCollection{found}"
    return None


def of_crs(crs: Any) -> str | None:
    """What is wrong with the member ``crs`` of an older GeoJSON file."""
    given = crs.get("properties") if isinstance(crs, dict) else None
    values = list(given.values()) if isinstance(given, dict) else []
    names = [f"EPSG:{value}" if isinstance(value, int) else str(value) for value in values]
    if any(name.upper().endswith(_WGS84) for name in names):
        return None
    shown = f", not {names[0][:80]!r}" if names else ""
    return f"must be WGS84 (CRS84 or EPSG:4326){shown}; {MAKE}"


def lone_surrogate(value: Any, path: str = "") -> str | None:
    """Where a document has half of a character, which no UTF-8 can hold, such as "\\ud800"."""
    if isinstance(value, str):
        return path if any("\ud800" <= sign <= "\udfff" for sign in value) else None
    if isinstance(value, dict):
        inner = [(f"{path}.{name}".lstrip("."), one) for name, one in value.items()]
        inner += [(f"{path} (a name)".lstrip(), name) for name in value]
    elif isinstance(value, list):
        inner = [(f"{path}[{number}]", one) for number, one in enumerate(value)]
    else:
        return None
    return next((found for name, one in inner if (found := lone_surrogate(one, name))), None)
