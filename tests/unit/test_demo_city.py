"""The demo city that ships: real names and codes, made-up shapes without a gap, made-up people."""

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.city.boundaries import Boundaries, build
from chalicelib.domain.city.city import City
from infra.city import voronoi
from infra.city.folder import prepare

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "infra" / "cities" / "demo"
JAKARTA = ROOT / "infra" / "cities" / "jakarta"
DATA = ROOT.parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")


@cache
def points() -> dict[str, Any]:
    """The points from which the shapes are drawn."""
    found: dict[str, Any] = json.loads((DEMO / "points.json").read_bytes())
    return found


@cache
def demo() -> tuple[City, Boundaries, list[dict[str, Any]]]:
    """Rules, index and staff of the demo city."""
    made = prepare(DEMO)
    return City.from_json(made.bundle), Boundaries.from_bytes(made.blob), made.staff


def test_the_committed_shapes_are_those_of_the_points() -> None:
    """wards.geojson is what the program draws from points.json, and both say what it is."""
    text = (DEMO / "wards.geojson").read_text(encoding="utf-8")
    assert text.strip() == voronoi.document(points()).strip()
    assert "approximate" in json.loads(text)["about"].lower()
    assert "approximate" in json.loads((DEMO / "city.json").read_bytes())["about"]


def test_44_districts_with_two_wards_each() -> None:
    """City, six municipalities, 44 districts, 88 wards; each point lies in its own district."""
    city, index, _ = demo()
    count = dict.fromkeys(city.levels, 0)
    for area in city.areas.values():
        count[area.level] += 1
    assert list(count.values()) == [1, 6, 44, 88]
    for district in points()["districts"]:
        found = index.locate(district["lat"], district["long"])
        assert found.ward is not None
        assert city.district_and_path(found.ward)[0] == district["code"]


def test_no_gap_lies_between_two_wards() -> None:
    """Every point well within the outline is in a ward: neighbours share their corners."""
    _, index, _ = demo()
    outline = points()["outline"]
    middle = [sum(corner[axis] for corner in outline) / len(outline) for axis in (0, 1)]
    chance = random.Random(31)
    for _ in range(20_000):
        here, there = chance.sample(outline, 2)
        share, depth = chance.random(), chance.uniform(0.0, 0.99)
        x, y = (
            middle[axis] + depth * (here[axis] + share * (there[axis] - here[axis]) - middle[axis])
            for axis in (0, 1)
        )
        assert index.locate(y, x).distance_m == 0


def test_a_district_is_what_lies_nearest_to_its_point() -> None:
    """Within the outline; the cells are exact to a few metres."""
    city, index, _ = demo()
    main = [district for district in points()["districts"] if "radius_m" not in district]
    squeeze = 0.9942
    chance = random.Random(44)
    for _ in range(2000):
        x, y = chance.uniform(106.70, 106.95), chance.uniform(-6.23, -6.10)
        away = sorted(
            (((one["long"] - x) * squeeze) ** 2 + (one["lat"] - y) ** 2, one["code"])
            for one in main
        )
        if away[1][0] ** 0.5 - away[0][0] ** 0.5 > 1e-3:
            ward = index.locate(y, x).ward
            assert ward is not None
            assert city.district_and_path(ward)[0] == away[0][1]


def test_an_outline_that_is_not_convex_is_refused() -> None:
    """Half-planes cannot cut it."""
    given = {**points(), "outline": [[0, 0], [2, 0], [1, 0.5], [2, 2], [0, 2]]}
    with pytest.raises(ValueError, match="convex"):
        voronoi.document(given)


def test_every_district_has_an_officer_a_worker_and_a_head() -> None:
    """Verifiers belong to no district, and only a protected unit's people are marked so."""
    city, _, staff = demo()
    roles = {(one["home_district"], grant["role"]) for one in staff for grant in one["grants"]}
    districts = {area.code for area in city.areas.values() if area.level == "district"}
    for role in ("officer", "field_worker", "district_head"):
        assert {home for home, held in roles if held == role} >= districts
    assert {home for home, held in roles if held == "verifier"} == {None}
    marked = {one["unit"] for one in staff if one.get("protected_unit")}
    assert marked == {service.unit for service in city.services.values() if service.protected}


def test_no_address_of_the_demos_officials_is_real() -> None:
    """Endpoints are of a domain that is reserved for examples."""
    _, _, staff = demo()
    ends = [end["endpoint"] for one in staff for end in one["endpoints"]]
    assert ends
    assert all(end.endswith("@example.org") for end in ends)


def test_the_busiest_hour_of_the_real_flood_passes_the_limits() -> None:
    """One address may file 926 reports in two days, 143 in an hour, each from its own device."""
    city, _, _ = demo()
    for kind in ("address", "devices"):
        assert all(limit["n"] >= 926 for limit in city.limits[kind])
    assert all(limit["n"] >= 143 for limit in city.limits["cell"])
    assert city.limits["device"][0] == {"n": 5, "seconds": 600}


@needs_data
def test_the_real_jakarta_takes_everything_but_its_borders_from_the_demo() -> None:
    """267 official wards; services, units, staff and calendar are the demo's."""
    made, ours = prepare(JAKARTA, DATA / "jakarta"), prepare(DEMO)
    levels = [area["level"] for area in made.bundle["areas"]]
    assert [levels.count(level) for level in made.bundle["levels"]] == [1, 6, 44, 267]
    for part in ("services", "groups", "units", "calendar", "limits", "rules", "scoring"):
        assert made.bundle[part] == ours.bundle[part]
    assert made.staff == ours.staff
    assert made.bundle["jurisdiction"] == "jakarta"
    names = [{a["code"]: a["name"] for a in one.bundle["areas"] if a["level"] == "district"}
             for one in (made, ours)]  # fmt: skip
    assert names[0] == names[1]


@needs_data
def test_the_demo_copies_no_real_border() -> None:
    """No corner of the made-up wards is a corner of a real one, nor is any point."""
    real = json.loads((DATA / "jakarta" / "kelurahan.geojson").read_bytes())
    corners = {
        tuple(point)
        for feature in real["features"]
        for polygon in feature["geometry"]["coordinates"]
        for ring in polygon
        for point in ring
    }
    ours = json.loads((DEMO / "wards.geojson").read_bytes())
    made = {tuple(p) for feature in ours["features"] for p in feature["geometry"]["coordinates"][0]}
    assert not corners & made


@needs_data
def test_real_jakarta_is_indexed_compactly() -> None:
    """Under 400 KB for 267 wards, so that a new container reads it quickly."""
    assert len(prepare(JAKARTA, DATA / "jakarta").blob) < 400_000


def test_a_city_of_one_shape_is_still_a_city() -> None:
    """The index needs no second ward."""
    ring = [(106.8, -6.2), (106.9, -6.2), (106.9, -6.1), (106.8, -6.2)]
    index = Boundaries.from_bytes(build([("only", [[ring]])]))
    assert index.locate(-6.19, 106.88).ward == "only"


def test_every_alert_of_the_demo_has_somebody_to_go_to() -> None:
    """Each district has an officer and a head with an address; no service or rung has nobody."""
    from infra.city.reach import nobody

    city, _, staff = demo()
    assert nobody(prepare(DEMO)) == []
    heard = {
        (one["home_district"], grant["role"])
        for one in staff
        if one["endpoints"]
        for grant in one["grants"]
    }
    for area in city.areas_of_level(-2):
        assert {(area.code, "officer"), (area.code, "district_head")} <= heard


def test_the_check_names_districts_services_and_rungs_that_reach_nobody() -> None:
    from dataclasses import replace

    from infra.city.reach import nobody

    made = prepare(DEMO)
    silent = [
        {**one, "endpoints": []}
        if one["home_district"] == "31.71.01" or one["unit"] == "pju"
        else one
        for one in made.staff
    ]
    told = "\n".join(nobody(replace(made, staff=silent)))
    assert "district 31.71.01 (Gambir)" in told
    assert "service lampu_jalan" in told
    assert "rung district_head: nobody over district 31.71.01" in told
    assert "31.71.02" not in told
