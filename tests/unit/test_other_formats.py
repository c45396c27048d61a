"""A file of shapes in another format is named, with what to do; what is plain is read."""

import copy
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.city.findings import CityErrors
from infra.city.folder import Prepared, prepare
from tests.support.city_folder import files, square, write

LAYERS = Path(__file__).parents[3] / "shared/data/layers"
WARDS = files()["wards.geojson"]
Change = Callable[[dict[str, Any]], Any]


def loaded(tmp_path: Path, wards: Any) -> Prepared:
    """The town with another file of shapes."""
    folder = write(tmp_path, copy.deepcopy(files()))
    raw = wards if isinstance(wards, bytes) else json.dumps(wards).encode()
    (folder / "wards.geojson").write_bytes(raw)
    return prepare(folder)


def said(tmp_path: Path, wards: Any) -> str:
    """Why the town is refused."""
    with pytest.raises(CityErrors) as raised:
        loaded(tmp_path, wards)
    return "\n".join(raised.value.findings)


def changed(geometry: Any = ..., **properties: Any) -> dict[str, Any]:
    """The wards, of which the first one is changed."""
    wards = copy.deepcopy(WARDS)
    first = wards["features"][0]
    first["properties"] |= properties
    if geometry is not ...:
        first["geometry"] = geometry
    return wards


def lines(start: str = "") -> bytes:
    """A feature in each line."""
    return "".join(f"{start}{json.dumps(one)}\n" for one in WARDS["features"]).encode()


@pytest.mark.parametrize(
    ("wards", "words"),
    [
        (b"", "wards.geojson: is empty"),
        (b"PK\x03\x04" + bytes(200), "is a ZIP archive (KMZ, or a zipped Shapefile); make GeoJSON"),
        (b"\x00\x00\x27\x0a" + bytes(200), "is a Shapefile; make GeoJSON"),
        (b"SQLite format 3\x00" + bytes(200), "is a GeoPackage; make GeoJSON"),
        (gzip.compress(json.dumps(WARDS).encode(), mtime=0), "is compressed by gzip"),
        (json.dumps(WARDS).encode("utf-16"), "is in UTF-16: save it as UTF-8"),
        (b'<?xml version="1.0"?><kml xmlns="http://x/kml/2.2"></kml>', "is KML; make GeoJSON"),
        (b"<!DOCTYPE html><html></html>", "is HTML; make GeoJSON"),
        (lines(), "has a feature in each line"),
        (lines("\x1e"), "has a feature in each line"),
        ({"type": "Topology", "objects": {}, "arcs": []}, "is TopoJSON"),
        (WARDS["features"][0], "must be a GeoJSON FeatureCollection, not a Feature"),
        (WARDS["features"][0]["geometry"], "must be a GeoJSON FeatureCollection, not a Polygon"),
        (WARDS["features"], "must be a GeoJSON FeatureCollection"),
        ({"geometryType": "x", "features": [{"attributes": {}}]}, "ask its server for f=geojson"),
        (b"[" * 200_000, "is not JSON"),
        (changed(None), "feature 1: geometry.type: the geometry is null"),
        (changed({"type": "GeometryCollection", "geometries": []}), "without a Polygon"),
        (changed({"type": "LineString", "coordinates": []}), "not 'LineString'"),
        (changed({"type": "Polygon", "coordinates": [[[10**400, 0]] * 4]}), "in WGS84 degrees"),
        (changed(title="A\ud800b"), "features[0].properties.title: has half of a character"),
        (changed(title="\u200b"), "feature 1: title: must be a text"),
        (changed(ward=10**400), "feature 1: ward: must be a text"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_geojson_of_shapes_is_named(tmp_path: Path, wards: Any, words: str) -> None:
    assert words in said(tmp_path, wards)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("jakarta_kota.kml", "is KML"),
        ("jakarta_kota.kmz", "is a ZIP archive"),
        ("jakarta_kota.gml", "is GML"),
        ("jakarta_kota_utm48s.shp.zip", "is a ZIP archive"),
    ],
)
def test_real_files_of_other_formats_are_named(tmp_path: Path, name: str, words: str) -> None:
    if not LAYERS.exists():
        pytest.skip("the real layers are not here")
    assert words in said(tmp_path, (LAYERS / name).read_bytes())


CRS84 = "urn:ogc:def:crs:OGC:1.3:CRS84"


@pytest.mark.parametrize(
    "crs",
    [
        {"type": "name", "properties": {"name": CRS84}},
        {"properties": {"name": CRS84}, "type": "name"},
        {"type": "name", "properties": {"name": "epsg:4326"}},
        {"type": "name", "properties": {"name": "http://www.opengis.net/def/crs/EPSG/0/4326"}},
        {"type": "EPSG", "properties": {"code": 4326}},
        {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4326", "note": "x"}},
        None,
    ],
    ids=str,
)
def test_every_way_to_write_wgs84_is_read(tmp_path: Path, crs: Any) -> None:
    assert loaded(tmp_path, {**WARDS, "crs": crs}).warnings == loaded(tmp_path, WARDS).warnings


@pytest.mark.parametrize(
    ("crs", "shown"),
    [
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32748"}}, "EPSG::32748"),
        ({"type": "name", "properties": {"name": "EPSG:14326"}}, "EPSG:14326"),
        ({"type": "EPSG", "properties": {"code": 3857}}, "EPSG:3857"),
        ("EPSG:32748", "must be WGS84"),
    ],
    ids=str,
)
def test_another_projection_is_named_with_what_to_do(tmp_path: Path, crs: Any, shown: str) -> None:
    words = said(tmp_path, {**WARDS, "crs": crs})
    assert shown in words
    assert "-t_srs EPSG:4326" in words


RING = square(106.81, -6.2)["coordinates"][0]


@pytest.mark.parametrize("tail", [[12.5], [None], [0, 1], ["x"]])
def test_heights_and_measures_are_passed_over(tmp_path: Path, tail: list[Any]) -> None:
    shape = {"type": "Polygon", "coordinates": [[[*point, *tail] for point in RING]]}
    assert (
        loaded(tmp_path, changed(shape)).blob
        == loaded(tmp_path, changed(square(106.81, -6.2))).blob
    )


def test_polygons_in_a_collection_are_taken_together_with_a_warning(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": RING[:2]}
    both = [square(106.81, -6.2), line]
    made = loaded(tmp_path, changed({"type": "GeometryCollection", "geometries": both}))
    assert made.blob == loaded(tmp_path, changed(square(106.81, -6.2))).blob
    (warning,) = [one for one in made.warnings if "GeometryCollection" in one]
    assert "feature 1" in warning
    assert "without LineString" in warning


def test_codes_that_a_program_wrote_as_floats_are_their_digits(tmp_path: Path) -> None:
    wards = changed()
    for number, feature in enumerate(wards["features"]):
        feature["properties"]["ward"] = 3171.0 + number
    folder = copy.deepcopy(files())
    folder["wards.geojson"] = wards
    folder["overrides.csv"] = folder["overrides.csv"].partition("\n")[0] + "\n"
    areas = prepare(write(tmp_path, folder)).bundle["areas"]
    assert {"3171", "3172", "3173"} <= {area["code"] for area in areas}


def test_names_are_cleaned_of_what_cannot_be_seen(tmp_path: Path) -> None:
    made = loaded(tmp_path, changed(title=" Pasar\n\u202eBaru\x00\u200b "))
    assert "Pasar Baru" in {area["name"] for area in made.bundle["areas"]}
