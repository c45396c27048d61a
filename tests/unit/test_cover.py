"""Covers miss nothing inside, and have few ranges that are nearly the shortest."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.map.cover import (
    BOX_RANGES,
    CIRCLE_RANGES,
    PARTITIONS,
    RATIO,
    Range,
    TooWide,
    box_ranges,
    circle_ranges,
)
from chalicelib.domain.map.geohash import Box, bounds, distance_m, encode, grid, spread

LETTERS = "0123456789bcdefghjkmnpqrstuvwxyz"
LARGEST = 2 * 360 / 2**13  # the view of zoom 14: two gh5 wide
SHARES = st.floats(0, 1)


def key(lat: float, long: float) -> tuple[str, str]:
    """Partition and sort key of a point's report."""
    text = encode(lat, long, 10)
    return text[:5], f"{text}#01J00000000000000000000000"


def holds(ranges: list[Range], lat: float, long: float) -> bool:
    """Whether a report at a point would be read."""
    cell, sort = key(lat, long)
    return any(one.cell == cell and one.low <= sort <= one.high for one in ranges)


def code(text: str) -> int:
    """The Z-order code of a geohash."""
    value = 0
    for letter in text:
        value = value << 5 | LETTERS.index(letter)
    return value


def length(ranges: list[Range]) -> int:
    """How many gh10 cells are read."""
    return sum(code(one.high[:10]) - code(one.low) + 1 for one in ranges)


@st.composite
def boxes(draw: st.DrawFn, largest: float = LARGEST) -> Box:
    """Boxes anywhere, borders of cells, poles and meridians among them."""
    tall, wide = (10 ** draw(st.floats(-6, math.log10(largest))) for _ in range(2))
    if draw(st.booleans()):
        south, west, _, _ = bounds(draw(st.text(LETTERS, min_size=3, max_size=6)))
    else:
        south, west = draw(st.floats(-90, 90)), draw(st.floats(-180, 180))
    if draw(st.integers(0, 9)) == 0:
        tall = wide = 0.0
    return south, west, min(south + tall, 90.0), min(west + wide, 180.0)


@given(boxes(), SHARES, SHARES)
@settings(max_examples=400)
def test_no_point_of_a_box_is_missed(box: Box, up: float, across: float) -> None:
    """Corners, edges and the inside of any box."""
    south, west, north, east = box
    ranges = box_ranges(box)
    for lat in (south, north, min(south + up * (north - south), north)):
        for long in (west, east, min(west + across * (east - west), east)):
            assert holds(ranges, lat, long)


@given(boxes())
def test_a_box_has_few_ranges_apart_and_in_order(box: Box) -> None:
    ranges = box_ranges(box)
    assert 1 <= len(ranges) <= PARTITIONS
    partitions = {one.cell for one in ranges}
    assert len(ranges) <= max(BOX_RANGES, len(partitions))
    for one in ranges:
        assert one.low[:5] == one.high[:5] == one.cell
        assert one.low <= one.high
    for one, other in itertools.pairwise(ranges):
        assert one.high < other.low


@given(boxes(largest=0.0005))
@settings(max_examples=60)
def test_a_cover_is_nearly_the_shortest_of_so_few_ranges(box: Box) -> None:
    """Against all Z-order runs of the box's gh10 cells, joined over their smallest gaps."""
    south, west, north, east = box
    (left, bottom), (right, top) = grid(south, west, 25), grid(north, east, 25)
    cells = sorted(
        spread(x) << 1 | spread(y)
        for x in range(left, right + 1)
        for y in range(bottom, top + 1)
    )  # fmt: skip
    ranges = box_ranges(box)
    pairs = list(itertools.pairwise(cells))
    within = sorted(b - a - 1 for a, b in pairs if a >> 25 == b >> 25)
    between = [b - a - 1 for a, b in pairs if a >> 25 != b >> 25]
    spare = max(BOX_RANGES, len(between) + 1) - 1 - len(between)
    kept = within[len(within) - spare :] if spare else []
    best = cells[-1] - cells[0] + 1 - sum(kept) - sum(between)
    assert length(ranges) <= RATIO * best


@pytest.mark.parametrize(
    "box",
    [
        (1, 0, 0, 1),
        (0, 1, 1, 0),
        (-6.1, 179.9, -6.0, -179.9),
        (-91, 0, 0, 1),
        (0, 0, 1, 181),
        (math.nan, 0, 1, 1),
        (0, 0, math.inf, 1),
    ],
)
def test_a_box_inside_out_or_off_the_globe_is_refused(box: Box) -> None:
    with pytest.raises(ValueError):
        box_ranges(box)


@pytest.mark.parametrize("box", [(-90, -180, 90, 180), (-6.4, 106.6, -6.0, 107.0), (89, 0, 90, 9)])
def test_a_box_of_too_many_partitions_is_refused_at_once(box: Box) -> None:
    with pytest.raises(TooWide):
        box_ranges(box)


def test_the_largest_view_fits_wherever_it_lies() -> None:
    """Two cells wide and tall: at most three by three are touched."""
    for step in range(100):
        south, west = -6.3 + step * 0.00071, 106.7 + step * 0.00113
        assert len(box_ranges((south, west, south + LARGEST, west + LARGEST))) <= PARTITIONS


@given(
    st.floats(-66, 66),
    st.floats(-180, 180),
    st.sampled_from([0.0, 1.0, 50.0, 100.0, 250.0, 1000.0]),
    st.floats(0, 2 * math.pi),
    SHARES,
)
@settings(max_examples=400)
def test_no_point_of_a_circle_is_missed(
    lat: float, long: float, radius: float, bearing: float, share: float
) -> None:
    """Any point that the distance finds inside, the 180th meridian in between or not."""
    ranges = circle_ranges(lat, long, radius)
    assert len(ranges) <= CIRCLE_RANGES
    up = radius * share * math.cos(bearing) / 111_195
    across = radius * share * math.sin(bearing) / 111_195 / math.cos(math.radians(lat))
    for point in ((lat, long), (lat + up, (long + across + 540) % 360 - 180)):
        if distance_m(lat, long, *point) <= radius:
            assert holds(ranges, *point)


@pytest.mark.parametrize("pole", [90.0, -90.0])
def test_a_circle_around_a_pole_is_refused(pole: float) -> None:
    """It touches every meridian."""
    with pytest.raises(TooWide):
        circle_ranges(pole, 0, 100)


@pytest.mark.parametrize("radius", [-1, math.nan])
def test_a_circle_without_a_radius_is_refused(radius: float) -> None:
    with pytest.raises(ValueError):
        circle_ranges(0, 0, radius)


def test_a_circle_off_the_globe_is_refused() -> None:
    with pytest.raises(ValueError):
        circle_ranges(91, 0, 10)
