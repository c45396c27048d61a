"""The boundary index answers as shapely does, on shared borders, in holes and on islands too."""

import csv
import json
import math
import random
from functools import cache
from pathlib import Path

import pytest
import shapely
from shapely import STRtree
from shapely.geometry import MultiPolygon, Point, shape

from chalicelib.domain.city.boundaries import Boundaries, build
from chalicelib.domain.city.geometry import SCALE, Polygons

DATA = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="../shared/data is not here")

# Metres of a degree at 6.2 degrees south on WGS84, from published tables.
NORTH, EAST = 110_587.0, 110_672.0


def square(west: float, south: float, side: float) -> list[tuple[float, float]]:
    """A closed ring."""
    east, north = west + side, south + side
    return [(west, south), (east, south), (east, north), (west, north), (west, south)]


TOWN: list[tuple[str, Polygons]] = [
    ("A", [[square(106.80, -6.20, 0.02), square(106.805, -6.195, 0.005)]]),
    ("B", [[square(106.82, -6.20, 0.02)], [square(106.90, -6.20, 0.001)]]),
    ("C", [[square(106.805, -6.195, 0.005)]]),
]


@pytest.fixture(scope="module")
def town() -> Boundaries:
    """A ward with a hole, the ward in the hole, and a ward with an island."""
    return Boundaries.from_bytes(build(TOWN))


@pytest.mark.parametrize(
    ("lat", "long", "ward"),
    [
        (-6.19, 106.803, "A"),
        (-6.1925, 106.8075, "C"),
        (-6.19, 106.83, "B"),
        (-6.1995, 106.9005, "B"),
        (-6.19, 106.82, "A"),
        (-6.195, 106.807, "A"),
        (-6.20, 106.80, "A"),
        (-6.18, 106.84, "B"),
    ],
    ids=["inside", "in the hole", "next ward", "island", "shared border", "hole's border",
         "south-west corner", "north-east corner"],
)  # fmt: skip
def test_a_point_lies_in_its_ward(town: Boundaries, lat: float, long: float, ward: str) -> None:
    """A shared border belongs to the ward whose code sorts first."""
    found = town.locate(lat, long)
    assert (found.ward, found.distance_m) == (ward, 0.0)


@pytest.mark.parametrize(
    ("lat", "long", "ward", "metres"),
    [
        (-6.19, 106.799, "A", 0.001 * EAST),
        (-6.1799, 106.83, "B", 0.0001 * NORTH),
        (-6.2005, 106.9005, "B", 0.0005 * NORTH),
        (-6.24, 106.76, "A", 0.04 * math.hypot(NORTH, EAST)),
    ],
)
def test_a_point_outside_gets_the_nearest_ward_and_its_distance(
    town: Boundaries, lat: float, long: float, ward: str, metres: float
) -> None:
    """Within a thousandth of the length on the ellipsoid."""
    found = town.locate(lat, long)
    assert found.ward == ward
    assert found.distance_m == pytest.approx(metres, rel=0.001)


def test_the_farthest_points_of_the_globe_are_answered(town: Boundaries) -> None:
    """No point crashes the look-up."""
    for lat, long in ((90, 180), (-90, -180), (0, 0), (-6.2, -180)):
        assert town.locate(lat, long).distance_m > 1000


@cache
def jakarta() -> tuple[list[str], list[MultiPolygon], Boundaries]:
    """Codes, shapes (on the index's grid) and index of the 267 official wards, sorted by code."""
    document = json.loads((DATA / "jakarta" / "kelurahan.geojson").read_bytes())
    wards = sorted(
        (feature["properties"]["kemendagri_code"], _polygons(feature["geometry"]))
        for feature in document["features"]
        if feature["properties"]["official"]
    )
    assert len(wards) == 267
    shapes = [shape({"type": "MultiPolygon", "coordinates": rings}) for _, rings in wards]
    return [code for code, _ in wards], shapes, Boundaries.from_bytes(build(wards))


def _polygons(geometry: dict[str, object]) -> Polygons:
    found = geometry["coordinates"]
    rings = found if geometry["type"] == "MultiPolygon" else [found]
    return [
        [
            [(round(x * SCALE) / SCALE, round(y * SCALE) / SCALE) for x, y in ring]
            for ring in polygon
        ]
        for polygon in rings  # type: ignore[union-attr]
    ]


@needs_data
def test_100_000_random_points_get_shapelys_answer() -> None:
    """Half of them anywhere in the city's box, half within 50 m of a border's vertex."""
    codes, shapes, index = jakarta()
    tree = STRtree(shapes)
    chance = random.Random(20170221)
    vertices = [point for one in shapes for part in one.geoms for point in part.exterior.coords]
    points = [(chance.uniform(-6.4, -5.1), chance.uniform(106.3, 107.0)) for _ in range(5_000)]
    points += [
        (chance.uniform(-6.37, -6.08), chance.uniform(106.68, 106.98)) for _ in range(45_000)
    ]
    for _ in range(50_000):
        x, y = chance.choice(vertices)
        points.append((y + chance.uniform(-5e-4, 5e-4), x + chance.uniform(-5e-4, 5e-4)))
    wrong = []
    exact = [Point(round(long * SCALE) / SCALE, round(lat * SCALE) / SCALE) for lat, long in points]
    shapely.prepare(shapes)
    near, wards = tree.query(exact)
    touch = shapely.intersects(tree.geometries[wards], [exact[place] for place in near])
    hits: dict[int, int] = {}
    for place, number in zip(near[touch].tolist(), wards[touch].tolist(), strict=True):
        hits[place] = min(hits.get(place, number), number)
    for place, (lat, long) in enumerate(points):
        got = index.ward_at(lat, long)
        expected = codes[hits[place]] if place in hits else None
        if got != expected and not _on_a_rounded_border(exact[place], shapes, tree):
            wrong.append((lat, long, got, expected))
    assert len(hits) > 50_000
    assert wrong == []


def _on_a_rounded_border(point: Point, shapes: list[MultiPolygon], tree: STRtree) -> bool:
    # Shapely computes in floats: within 1e-9 degrees (0.1 mm) of a border it may round either way.
    return any(shapes[i].boundary.distance(point) < 1e-9 for i in tree.query(point.buffer(1e-6)))


@needs_data
def test_vertices_of_borders_belong_to_the_first_ward_that_touches_them() -> None:
    """Exactly on a vertex, shapely's covering wards include ours, and ours is the first."""
    codes, shapes, index = jakarta()
    tree = STRtree(shapes)
    chance = random.Random(7)
    vertices = [point for one in shapes for part in one.geoms for point in part.exterior.coords]
    for x, y in chance.sample(vertices, 3000):
        found = index.locate(y, x)
        touching = sorted(codes[i] for i in tree.query(Point(x, y), predicate="intersects"))
        assert found.distance_m == 0
        assert found.ward == touching[0]


@needs_data
def test_the_distance_of_a_point_outside_is_shapelys() -> None:
    """Within half a percent, in a plane of the metres of a degree there."""
    _, shapes, index = jakarta()
    chance = random.Random(3)
    for _ in range(40):
        lat, long = chance.uniform(-6.45, -6.05), chance.uniform(106.62, 107.05)
        found = index.locate(lat, long)
        if found.distance_m == 0:
            continue
        nearest = min(
            _metres(one, lat, long) for one in shapes if one.distance(Point(long, lat)) < 0.3
        )
        assert found.distance_m == pytest.approx(nearest, rel=0.005)


def _metres(one: MultiPolygon, lat: float, long: float) -> float:
    from shapely.affinity import affine_transform

    plane = affine_transform(one, [EAST, 0, 0, NORTH, 0, 0])
    return plane.distance(Point(long * EAST, lat * NORTH))


@needs_data
def test_real_reports_lie_in_the_wards_that_the_archive_names() -> None:
    """Of 926 Qlue reports 909 lie in the stated ward, 17 more than 100 m outside the city."""
    _, _, index = jakarta()
    with (DATA / "reports" / "qlue_2017-02.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    inside = outside = 0
    for row in rows:
        found = index.locate(float(row["lat"]), float(row["lon"]))
        if row["kemendagri_code"]:
            assert (found.ward, found.distance_m) == (row["kemendagri_code"], 0.0)
            inside += row["source"] == "qlue"
        else:
            assert found.distance_m > 100 or row["source"] != "qlue"
            outside += row["source"] == "qlue"
    assert (inside, outside) == (909, 17)
