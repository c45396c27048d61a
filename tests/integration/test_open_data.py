"""Open data: every format, only what changed, nothing personal, no formula in a spreadsheet."""

import csv
import hashlib
import io
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path
from typing import Any

import pytest
import shapefile

from chalicelib.domain.open_data import formats
from chalicelib.domain.open_data.formats import FORMATS
from chalicelib.services.city import cities
from chalicelib.services.open_data import publishing
from chalicelib.services.people import erasure
from chalicelib.storage import files
from infra.city import importing
from infra.city.import_mapping_checks import checked
from tests.support import aws
from tests.support.world import JURISDICTION, World, citizen, city, official, spot

KML = "{http://www.opengis.net/kml/2.2}"


def file(name: str) -> bytes:
    """A file of the package."""
    held = files.get(f"open-data/{JURISDICTION}/{name}")
    assert held is not None
    return held


def sheet(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(file(name).decode("utf-8-sig"), newline="")))


def shapes(name: str) -> list[Any]:
    """The records of a zipped shapefile, with what a GIS needs beside them."""
    with zipfile.ZipFile(io.BytesIO(file(name))) as archive:
        ends = {one.rpartition(".")[2]: archive.read(one) for one in archive.namelist()}
    assert set(ends) == {"shp", "shx", "dbf", "prj", "cpg"}
    parts = {end: io.BytesIO(ends[end]) for end in ("shp", "shx", "dbf")}
    with shapefile.Reader(**parts, encoding=ends["cpg"].decode()) as read:
        return list(read.iterShapeRecords())


def written(world: World) -> list[str]:
    """Project, then let the schedule run."""
    world.project()
    return publishing.publish(world.now)


def test_every_format_has_every_public_request_once(world: World) -> None:
    ids = [world.file(citizen(f"c{n}"), description=f"Lubang {n}")["id"] for n in range(3)]
    hidden = world.file(citizen("h"), service="violence", description="Rahasia besar")["id"]
    assert set(written(world)) == {
        "2026-11.csv", "2026-11.geojson", "2026-11.ndjson", "2026-11.kml", "2026-11.shp.zip",
        "newest.xml",
    }  # fmt: skip
    assert [row["service_request_id"] for row in sheet("2026-11.csv")] == sorted(ids)
    geojson = json.loads(file("2026-11.geojson"))
    assert [one["id"] for one in geojson["features"]] == sorted(ids)
    assert [json.loads(one)["id"] for one in file("2026-11.ndjson").splitlines()] == sorted(ids)
    kml = ElementTree.fromstring(file("2026-11.kml"))
    assert len(list(kml.iter(f"{KML}Placemark"))) == 3
    found = shapes("2026-11.shp.zip")
    assert [one.record["request_id"] for one in found] == sorted(ids)
    features = {one["id"]: one["geometry"]["coordinates"] for one in geojson["features"]}
    for one in found:
        assert list(one.shape.points[0]) == pytest.approx(features[one.record["request_id"]])
    rss = ElementTree.fromstring(file("newest.xml"))
    assert {one.text for one in rss.iter("guid")} == set(ids)
    for name in ("2026-11.csv", "2026-11.geojson", "2026-11.kml", "newest.xml"):
        assert hidden.encode() not in file(name)
        assert b"Rahasia besar" not in file(name)


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.spreadsheet])
def test_a_text_in_a_file_for_spreadsheets_is_never_a_formula(name: str) -> None:
    texts = dict.fromkeys((*formats.COLUMNS, "status", "updated_datetime"), "=1+1")
    row = FORMATS[name].row({**texts, "lat": -6.1, "long": 106.8})
    cells = re.split(r"[\",;\t\r\n]+", row)
    assert "'=1+1" in cells
    assert [cell for cell in cells if cell.startswith("=")] == []


@pytest.mark.parametrize("name", FORMATS)
def test_the_page_of_open_data_names_every_format(name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "open-data.md").read_text()
    assert f".{FORMATS[name].ending}`" in page


def test_the_package_tells_rows_sizes_and_digests(world: World) -> None:
    world.file()
    written(world)
    package = json.loads(file("datapackage.json"))
    assert package["licenses"][0]["name"]
    for one in package["resources"]:
        data = file(one["path"])
        assert (one["rows"], one["bytes"]) == (1, len(data))
        assert one["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
    (table,) = [one for one in package["resources"] if one["path"].endswith(".csv")]
    assert [one["name"] for one in table["schema"]["fields"]] == list(formats.COLUMNS)
    shown = publishing.listed(cities.current(JURISDICTION, world.now))
    assert {one["path"] for one in shown["files"]} == {one["path"] for one in package["resources"]}


def test_no_cache_keeps_a_file_of_open_data_for_longer_than_minutes(world: World) -> None:
    """What is erased or corrected in the files must not be served for another day."""
    world.file()
    world.project()
    publishing.publish(world.now)
    bucket = aws.backend("s3").buckets["tanggap-files"]
    kept = {
        name: file.metadata.get("cache-control")
        for name, file in bucket.keys.items()
        if name.startswith("open-data/")
    }
    assert kept
    assert set(kept.values()) == {"public, max-age=300"}


def test_only_the_months_in_which_something_changed_are_written_again(world: World) -> None:
    old = world.file(citizen("a"))["id"]
    world.advance(days=40)
    world.file(citizen("b"))
    assert "2026-11.csv" in written(world)
    world.advance(hours=5)
    written(world)  # within the hour by which a projection may have been late
    world.advance(hours=5)
    assert written(world) == []
    world.file(citizen("c"))
    assert {name[:7] for name in written(world)} == {"2026-12", "newest."}
    world.advance(hours=5)
    written(world)
    world.advance(hours=5)
    world.act(official("officer1"), old, "reject", reason_code="spam", text="x")
    assert {name[:7] for name in written(world)} == {"2026-11", "newest."}
    (row,) = sheet("2026-11.csv")
    assert (row["status_description"], bool(row["closed_date"])) == ("closed", True)


def test_a_report_that_becomes_protected_is_gone_from_the_files(world: World) -> None:
    report = world.file(description="Bukan untuk umum")["id"]
    other = world.file(citizen("b"))["id"]
    written(world)
    world.advance(hours=2)
    written(world)
    assert report.encode() in file("2026-11.csv")
    world.act(official("officer1"), report, "reclassify", service="violence", reason="x")
    written(world)
    assert [row["service_request_id"] for row in sheet("2026-11.csv")] == [other]
    assert b"Bukan untuk umum" not in file("2026-11.geojson")


def test_hostile_texts_are_text_in_every_format(world: World) -> None:
    text = ']]> <script>alert(1)</script> & "x" 🌊'
    world.file(description=text)
    written(world)
    kml = ElementTree.fromstring(file("2026-11.kml"))
    assert [one.text for one in kml.iter(f"{KML}description")] == [text]
    (row,) = sheet("2026-11.csv")
    assert row["description"] == text
    assert json.loads(file("2026-11.geojson"))["features"][0]["properties"]["description"] == text


def test_what_was_erased_on_a_report_closed_long_ago_is_gone_from_the_files(world: World) -> None:
    mine = citizen("a")
    old = world.file(mine, description="Rumah Bu Sri", photos=[world.photo(mine)])["id"]
    world.act(official("officer1"), old, "reject", reason_code="spam", text="x")
    written(world)
    for _ in range(2):
        world.advance(days=20)
        written(world)
    assert b"Bu Sri" in file("2026-11.csv")
    erasure.erase(JURISDICTION, old, world.now)
    assert {name[:7] for name in written(world)} == {"2026-11", "newest."}
    for name in ("2026-11.csv", "2026-11.geojson", "2026-11.ndjson", "2026-11.kml", "newest.xml"):
        assert b"Bu Sri" not in file(name)


def test_reports_of_every_year_since_1970_are_in_the_files(world: World) -> None:
    columns = {"id": "no", "created": "at", "lat": "lat", "long": "lon", "service": "kind"}
    mapping = {
        "source": "old",
        "columns": {**columns, "status": "state"},
        "statuses": {"x": "open"},
        "services": {"*": "pothole"},
    }
    here = spot("D1-W1")
    rows = [{"no": year, "at": f"{year}-03-05 08:00:00", "lat": here["lat"], "lon": here["long"],
             "kind": "a", "state": "x"} for year in ("1971", "1999", "2009")]  # fmt: skip
    outcome = importing.run(city(), iter(rows), checked(mapping, city()), world.now)
    assert outcome.imported == 3
    assert {"1971-03.csv", "1999-03.csv", "2009-03.csv"} <= set(written(world))
    assert len(sheet("1999-03.csv")) == 1


@pytest.mark.skipif(shutil.which("soffice") is None, reason="needs LibreOffice (soffice)")
def test_libreoffice_opens_the_csv_with_every_letter_and_no_formula(
    world: World, tmp_path: Path
) -> None:
    words = ["Jalan rusak di café “Ñandú”, blok 1;2", '=HYPERLINK("http://x")', "two\nlines"]
    ids = {world.file(citizen(f"c{n}"), description=one)["id"]: one for n, one in enumerate(words)}
    written(world)
    (tmp_path / "month.csv").write_bytes(file("2026-11.csv"))
    # Comma, double quotes, UTF-8, from line 1: as the dialogue proposes for a file with the mark.
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless",
               "--infilter=CSV:44,34,76,1", "--convert-to", "fods", "--outdir", str(tmp_path),
               str(tmp_path / "month.csv")]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    office = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
    table = ElementTree.parse(tmp_path / "month.fods")
    assert not [one for one in table.iter() if one.get(office % "table" + "formula")]
    rows = [
        ["\n".join(p.text or "" for p in one.iter(office % "text" + "p"))
         for one in row.iter(office % "table" + "table-cell")]
        for row in table.iter(office % "table" + "table-row")
    ]  # fmt: skip
    assert rows[0][:2] == ["service_request_id", "requested_datetime"]
    shown = {row[0]: row for row in rows[1:] if row[0] in ids}
    assert set(shown) == set(ids)
    for report, text in ids.items():
        assert any(cell in (text, f"'{text}") for cell in shown[report])
