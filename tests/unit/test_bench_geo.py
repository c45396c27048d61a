"""The bench of the map: its points, its expected answers and its arithmetic."""

from collections import Counter

import pytest

from bench.geo.points import EAST, NORTH, SOUTH, WEST, centres, clustered, tenfold, uniform, view
from bench.geo.truth import Truth
from bench.geo.units import item_size, read_units
from chalicelib.domain.map.geohash import distance_m


def test_points_are_seeded_counted_and_inside() -> None:
    points = list(clustered(300, 700))
    assert points == list(clustered(300, 700))
    assert points != list(clustered(300, 700, seed=2))
    assert Counter(point.closed is None for point in points) == {True: 300, False: 700}
    assert [point.number for point in points] == list(range(1000))
    for point in [*points, *uniform(200)]:
        assert SOUTH <= point.lat7 / 1e7 <= NORTH
        assert WEST <= point.long7 / 1e7 <= EAST
        assert point.closed is None or point.filed <= point.closed
    assert all(point.lat7 / 1e7 <= SOUTH + (NORTH - SOUTH) / 2 for point in clustered(99, 0, 0.5))


def test_ten_cities_lie_side_by_side() -> None:
    points = list(clustered(20, 0))
    many = list(tenfold(points))
    assert len({point.number for point in many}) == 200
    assert many[:20] == points
    assert {point.lat7 for point in many} == {point.lat7 for point in points}


def test_a_view_is_as_wide_as_its_pixels() -> None:
    """1,024 pixels of zoom 14 are 0.0879 degrees of longitude; a zoom more is half."""
    south, west, north, east = view(0, 106.8, 14)
    assert east - west == pytest.approx(0.087891, abs=1e-6)
    assert north - south == pytest.approx(0.065918, abs=1e-6)
    _, west, _, east = view(0, 106.8, 15)
    assert east - west == pytest.approx(0.087891 / 2, abs=1e-6)


def test_the_truth_is_what_a_plain_loop_finds() -> None:
    points = list(clustered(800, 0))
    truth = Truth(points)
    for lat, long in centres(points, 40):
        box = view(lat, long, 15)
        south, west, north, east = box
        assert {point.number for point in truth.box(box)} == {
            point.number
            for point in points
            if south <= point.lat7 / 1e7 <= north and west <= point.long7 / 1e7 <= east
        }
        assert {point.number for point in truth.circle((lat, long, 400))} == {
            point.number
            for point in points
            if distance_m(lat, long, point.lat7 / 1e7, point.long7 / 1e7) <= 400
        }


def test_units_follow_the_published_rules() -> None:
    """Names and texts in UTF-8, two digits a byte and one more, 4 KB for half a unit."""
    assert item_size({"pk": {"S": "é"}, "n": {"N": "12"}, "m": {"N": "-123"}}) == 4 + 3 + 5
    assert item_size({"b": {"B": b"123"}, "t": {"BOOL": True}}) == 4 + 2
    assert [read_units(size) for size in (0, 1, 4096, 4097, 40_960)] == [0.5, 0.5, 0.5, 1.0, 5.0]
