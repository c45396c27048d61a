"""Geohashes: known points, cells that hold what they encode, neighbours, poles and meridians."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.map.geohash import (
    bounds,
    box_around,
    decode,
    distance_m,
    encode,
    neighbours,
)

LATS, LONGS = st.floats(-90, 90), st.floats(-180, 180)
LETTERS = "0123456789bcdefghjkmnpqrstuvwxyz"
CELLS = st.text(LETTERS, min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("lat", "long", "expected"),
    [
        (57.64911, 10.40744, "u4pruydqqvj8"),
        (-6.175392, 106.827153, "qqguyg"),
        (0.0, 0.0, "s00000000000"),
        (90.0, 180.0, "zzzzzzzzzzzz"),
        (-90.0, -180.0, "000000000000"),
    ],
)
def test_known_points_have_their_known_geohash(lat: float, long: float, expected: str) -> None:
    """The first is the example of the scheme's author, the others follow from its definition."""
    for precision in range(1, 13):
        assert encode(lat, long, precision)[: len(expected)] == expected[:precision]


@pytest.mark.parametrize(
    ("lat", "long"), [(90.0001, 0), (-91, 0), (0, 180.1), (0, -181), (float("nan"), 0)]
)
def test_a_point_beyond_the_globe_is_refused(lat: float, long: float) -> None:
    """No latitude above 90 is folded back silently."""
    with pytest.raises(ValueError, match="latitude"):
        encode(lat, long, 5)


@pytest.mark.parametrize("precision", [0, 13])
def test_a_precision_beyond_twelve_letters_is_refused(precision: int) -> None:
    with pytest.raises(ValueError, match="letters"):
        encode(0, 0, precision)


@pytest.mark.parametrize("text", ["", "a", "qqguA", "0123456789bcd"])
def test_a_text_that_is_not_a_geohash_is_refused(text: str) -> None:
    for look in (bounds, decode, neighbours):
        with pytest.raises(ValueError, match="geohash"):
            look(text)


@given(LATS, LONGS, st.integers(1, 12))
def test_a_point_lies_in_its_own_cell(lat: float, long: float, precision: int) -> None:
    """The south and west edges belong to the cell; at the edge of the world all do."""
    south, west, north, east = bounds(encode(lat, long, precision))
    # A sum of floats may differ slightly from the edge.
    assert south - 1e-9 <= lat <= north + 1e-9
    assert west - 1e-9 <= long <= east + 1e-9


@given(CELLS)
def test_the_middle_of_a_cell_encodes_to_the_cell(cell: str) -> None:
    assert encode(*decode(cell), len(cell)) == cell


@given(CELLS)
def test_a_prefix_is_the_cell_around(cell: str) -> None:
    around, inner = bounds(cell[:-1] or cell), bounds(cell)
    assert around[0] <= inner[0] <= inner[2] <= around[2]
    assert around[1] <= inner[1] <= inner[3] <= around[3]


@given(CELLS.filter(lambda cell: len(cell) > 2))
def test_neighbours_touch_and_know_each_other(cell: str) -> None:
    found = neighbours(cell)
    assert len(set(found)) == len(found)
    assert cell not in found
    south, _, north, _ = bounds(cell)
    at_a_pole = south == -90 or north == 90
    assert len(found) == (5 if at_a_pole else 8)
    for one in found:
        assert cell in neighbours(one)


def test_neighbours_go_round_the_world_and_end_at_the_poles() -> None:
    """The author's rule: letters are cells, and the map of the world is a cylinder."""
    east_end = encode(0.1, 179.99, 5)
    assert encode(0.1, -179.99, 5) in neighbours(east_end)
    top = encode(89.99, 10, 5)
    assert all(bounds(neighbour)[2] <= 90 for neighbour in neighbours(top))


@given(st.floats(-85, 85), LONGS, st.floats(0, 6.283), st.floats(0, 1000))
def test_the_box_around_holds_the_circle(
    lat: float, long: float, bearing: float, radius: float
) -> None:
    """By the destination formula on the same sphere."""
    from math import asin, atan2, cos, degrees, radians, sin

    arc, phi = radius / 6_371_008.8, radians(lat)
    there = asin(sin(phi) * cos(arc) + cos(phi) * sin(arc) * cos(bearing))
    turn = atan2(sin(bearing) * sin(arc) * cos(phi), cos(arc) - sin(phi) * sin(there))
    south, west, north, east = box_around(lat, long, radius)
    assert south - 1e-9 <= degrees(there) <= north + 1e-9
    assert west - 1e-9 <= long + degrees(turn) <= east + 1e-9


def test_a_degree_of_latitude_measures_as_on_the_sphere() -> None:
    """One degree is 111.19 km on a sphere of the mean radius."""
    assert distance_m(0, 0, 1, 0) == pytest.approx(111_194.9, abs=0.5)
    assert distance_m(-6.2, 106.8, -6.2, 106.8) == 0
    assert distance_m(0, 179.9999, 0, -179.9999) == pytest.approx(22.2, abs=0.1)
