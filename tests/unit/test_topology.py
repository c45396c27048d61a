"""Faults of the wards' shapes are named with feature and place; plain ones are repaired."""

import copy
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.city.boundaries import Boundaries
from infra.city.findings import CityErrors
from infra.city.folder import Prepared, prepare
from infra.city.shapes import from_name
from tests.support.city_folder import files, square, write

Ring = list[list[float]]


def box(west: float, south: float, east: float, north: float) -> Ring:
    """A closed ring around a rectangle."""
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def loaded(tmp_path: Path, *geometries: Any, code: str | None = "ward", **changes: Any) -> Prepared:
    """The town with these shapes for its first wards."""
    made = copy.deepcopy(files())
    features = made["wards.geojson"]["features"]
    for feature, geometry in zip(features, geometries, strict=False):
        feature["geometry"] = geometry
    for feature in features:
        feature["properties"] |= changes
    if code is None:
        for entry in made["city.json"]["boundaries"]["files"][0]["areas"]:
            del entry["code"]
            entry.pop("parent", None)
        made["overrides.csv"] = made["overrides.csv"].partition("\n")[0] + "\n"
    return prepare(write(tmp_path, made))


def faults(tmp_path: Path, *geometries: Any) -> str:
    """The faults of a town with these shapes."""
    with pytest.raises(CityErrors) as raised:
        loaded(tmp_path, *geometries)
    return "\n".join(raised.value.findings)


def polygon(*rings: Ring) -> dict[str, Any]:
    """A polygon of rings."""
    return {"type": "Polygon", "coordinates": list(rings)}


def warnings(made: Prepared) -> list[str]:
    """The warnings about shapes."""
    return [line for line in made.warnings if line.startswith("wards.geojson")]


def where(made: Prepared, lat: float, long: float) -> str | None:
    """The ward of a point."""
    return Boundaries.from_bytes(made.blob).locate(lat, long).ward


def test_a_town_without_faults_has_no_warning(tmp_path: Path) -> None:
    assert warnings(loaded(tmp_path)) == []


def test_a_bow_tie_is_a_fault_with_its_place(tmp_path: Path) -> None:
    tie = [[106.81, -6.2], [106.82, -6.19], [106.82, -6.2], [106.81, -6.192], [106.81, -6.2]]
    text = faults(tmp_path, polygon(tie))
    assert "wards.geojson: feature 1: geometry: the border crosses itself at -6.195" in text


def test_a_tiny_crossing_is_repaired_with_a_warning(tmp_path: Path) -> None:
    ring = box(106.81, -6.2, 106.82, -6.19)
    ring[3:3] = [[106.815, -6.19], [106.814999, -6.189999], [106.815, -6.189999],
                 [106.814999, -6.19]]  # fmt: skip
    made = loaded(tmp_path, polygon(ring))
    (warning,) = warnings(made)
    assert "feature 1: geometry: the border crosses itself" in warning
    assert "repaired" in warning
    assert where(made, -6.195, 106.815) == "W1"


def test_a_hole_outside_its_ring_is_a_fault(tmp_path: Path) -> None:
    shape = polygon(box(106.81, -6.2, 106.82, -6.19), box(106.85, -6.2, 106.86, -6.19))
    assert "feature 1: geometry: a hole lies outside its outer ring at -6." in faults(
        tmp_path, shape
    )


def test_overlapping_parts_of_a_ward_are_taken_together(tmp_path: Path) -> None:
    parts = [[box(106.81, -6.2, 106.816, -6.19)], [box(106.814, -6.2, 106.82, -6.19)]]
    made = loaded(tmp_path, {"type": "MultiPolygon", "coordinates": parts})
    assert "parts of the shape overlap at -6.19" in warnings(made)[0]
    # By the even-odd rule alone the doubled part would be outside.
    assert where(made, -6.195, 106.815) == "W1"


def test_identical_wards_are_a_fault_that_names_both(tmp_path: Path) -> None:
    text = faults(tmp_path, square(106.81, -6.2), square(106.81, -6.2))
    assert "feature 2: geometry: 'W2' and 'W1' (wards.geojson: feature 1) overlap in 100.0%" in text


def test_wards_that_overlap_a_little_are_named_and_the_first_code_has_the_points(
    tmp_path: Path,
) -> None:
    made = loaded(tmp_path, polygon(box(106.81, -6.2, 106.821, -6.19)))
    (warning,) = warnings(made)
    assert "'W2' and 'W1' (wards.geojson: feature 1) overlap in 10.0%" in warning
    assert "a point in both is in 'W1'" in warning
    assert where(made, -6.195, 106.8205) == "W1"


def test_borders_drawn_twice_within_a_metre_are_no_fault(tmp_path: Path) -> None:
    made = loaded(tmp_path, polygon(box(106.81, -6.2, 106.820002, -6.19)))
    assert warnings(made) == []


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ((square(179.98, -17.0), square(-179.99, -17.0)),
         "feature 2 ('W2') in the west; load each side"),
        ((polygon([[179.9, -17], [-179.9, -17], [-179.9, -16], [179.9, -16], [179.9, -17]]),),
         "feature 1: geometry: 'W1' crosses the meridian of 180 degrees"),
        ((square(20.0, 89.5),), "feature 1: geometry: 'W1' reaches beyond 85 degrees"),
        ((square(20.0, -89.5),), "feature 1: geometry: 'W1' reaches beyond 85 degrees"),
    ],
)  # fmt: skip
def test_both_sides_of_180_degrees_and_the_poles_are_faults(
    tmp_path: Path, shapes: tuple[Any, ...], message: str
) -> None:
    assert message in faults(tmp_path, *shapes)


def test_a_ring_that_does_not_end_where_it_begins_is_closed(tmp_path: Path) -> None:
    made = loaded(tmp_path, polygon(box(106.81, -6.2, 106.82, -6.19)[:-1]))
    assert "a ring must end where it begins; closed" in warnings(made)[0]
    assert where(made, -6.195, 106.815) == "W1"


def test_names_without_codes_get_codes_that_stay(tmp_path: Path) -> None:
    made = loaded(tmp_path, code=None)
    assert {area["code"] for area in made.bundle["areas"]} == {
        "C", "district-1", "district-2",
        "district-1.ward-1", "district-1.ward-2", "district-2.ward-3",
    }  # fmt: skip
    assert (from_name("São João d’El-Rei", None), from_name("Ñuñoa", "a")) == (
        "sao-joao-del-rei", "a.nunoa",
    )  # fmt: skip
    assert from_name("東京", None) == from_name("東京", None) != from_name("大阪", None)
    assert len(from_name("a" * 200, "b" * 60)) <= 63


def test_an_empty_code_is_made_of_the_name_and_said(tmp_path: Path) -> None:
    made = loaded(tmp_path, ward=None)
    assert "ward: is empty; the code is made of the name: D1.ward-1" in warnings(made)[0]
