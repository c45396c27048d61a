"""The place index: geohashes, ranges around a point, distances."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.geohash import distance_m, encode, ranges_around

JAKARTA = st.tuples(st.floats(-6.4, -6.0), st.floats(106.6, 107.0))


@pytest.mark.parametrize(
    ("lat", "long", "expected"),
    [
        (57.64911, 10.40744, "u4pruydqqv"),
        (-6.175392, 106.827153, "qqguygcdmm"),
        (0.0, 0.0, "s000000000"),
        (90.0, 180.0, "zzzzzzzzzz"),
        (-90.0, -180.0, "0000000000"),
    ],
)
def test_known_points_have_their_known_geohash(lat: float, long: float, expected: str) -> None:
    """The first is the example of the scheme's author, the others follow from its definition."""
    assert encode(lat, long, 10)[:6] == expected[:6]
    assert encode(lat, long, 5) == expected[:5]


def test_a_point_beyond_the_globe_is_refused() -> None:
    """No latitude above 90 is folded back silently."""
    with pytest.raises(ValueError, match="latitude"):
        encode(90.0001, 0, 5)


@given(
    JAKARTA,
    st.floats(0, 2 * math.pi),
    st.floats(0, 0.999),
    st.sampled_from([50.0, 100.0, 250.0, 1000.0]),
)
def test_no_point_within_the_radius_escapes_the_ranges(
    centre: tuple[float, float], bearing: float, share: float, radius: float
) -> None:
    """Every point of the circle lies in one of at most four ranges."""
    lat, long = centre
    away = radius * share
    up = away * math.cos(bearing) / 111_320
    across = away * math.sin(bearing) / (111_320 * math.cos(math.radians(lat)))
    point = (lat + up, long + across)
    ranges = ranges_around(lat, long, radius)
    cell, key = encode(*point, 5), encode(*point, 10) + "#01ABC"
    assert len(ranges) <= 4
    assert any(cell == gh5 and low <= key <= high for gh5, low, high in ranges)


def test_a_degree_of_latitude_measures_as_on_the_sphere() -> None:
    """One degree is 111.19 km on a sphere of the mean radius."""
    assert distance_m(0, 0, 1, 0) == pytest.approx(111_194.9, abs=0.5)
    assert distance_m(-6.2, 106.8, -6.2, 106.8) == 0
