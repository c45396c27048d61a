"""Tiles of the map and counters of places: windows, boxes, and deltas that telescope."""

import itertools
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.map import heat_counters
from chalicelib.domain.map.tiles import LIMIT, quadkey, tile, tile_of, tiles

STATES, SERVICES = ("submitted", "in_progress", "closed"), ("pothole", "litter")


@pytest.mark.parametrize(
    ("lat", "long", "zoom", "found"),
    [
        (0, 0, 0, (0, 0)),
        (-6.1754, 106.8272, 12, (3263, 2118)),
        (85.06, -180, 16, (0, 0)),
        (-90, 180, 16, (65535, 65535)),
        (52.52, 13.405, 10, (550, 335)),
    ],
)
def test_known_places_lie_in_their_known_tiles(
    lat: float, long: float, zoom: int, found: tuple[int, int]
) -> None:
    """By the formula of slippy maps; beyond the map's edge counts as its edge."""
    assert tile(lat, long, zoom) == found


@given(st.floats(-LIMIT, LIMIT), st.floats(-180, 180), st.integers(1, 16))
def test_a_parent_is_half_its_child(lat: float, long: float, zoom: int) -> None:
    x, y = tile(lat, long, zoom)
    assert tile(lat, long, zoom - 1) == (x >> 1, y >> 1)


@given(st.integers(0, 4095), st.integers(0, 4095))
def test_a_quadkey_names_its_tile_and_begins_with_its_parent(x: int, y: int) -> None:
    key = quadkey(x, y, 12)
    assert tile_of(key) == (x, y)
    assert key[:-1] == quadkey(x >> 1, y >> 1, 11)


def test_the_quadkey_of_the_scheme_s_own_example() -> None:
    """Bing Maps Tile System: tile (3, 5) of zoom 3 is 213."""
    assert quadkey(3, 5, 3) == "213"


FACTS = st.builds(
    lambda state, service, day, lat, long, protected: {
        "state": state, "service": service, "district": "D1", "protected": protected,
        "filed_day": f"202611{day:02}", "place": [lat, long],
    },
    st.sampled_from(STATES), st.sampled_from(SERVICES), st.integers(1, 30),
    st.integers(-62_000_000, -61_000_000), st.integers(1_068_000_000, 1_069_000_000),
    st.booleans(),
)  # fmt: skip


@given(st.lists(FACTS, min_size=1, max_size=8), st.randoms())
def test_deltas_in_any_order_leave_what_the_last_facts_contribute(
    lives: list[dict[str, Any]], chance: Any
) -> None:
    pairs = list(itertools.pairwise([None, *lives]))
    chance.shuffle(pairs)
    total: Counter[tuple[str, str, str]] = Counter()
    for before, after in pairs:
        for (partition, place), moved in heat_counters.deltas(
            {"before": before, "after": after}
        ).items():
            for name, n in moved.items():
                total[partition, place, name] += n
    assert +total == heat_counters.contributions(lives[-1])
    assert not -total


@given(FACTS)
def test_a_report_is_found_again_in_its_cell(facts: dict[str, Any]) -> None:
    """In every window and service, once."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for (partition, place, name), n in heat_counters.contributions(facts).items():
        found.setdefault((partition, place), {})[name] = n
    lat, long = (one / 1e7 for one in facts["place"])
    x, y = tile(lat, long, heat_counters.ZOOM)
    still = int(facts["state"] != "closed")
    right = [] if facts["protected"] else [heat_counters.Cell(x, y, "D1", 1, still)]
    for counts in found.items():
        assert list(heat_counters.cells(counts[0][1], counts[1])) == right
    assert len(found) == 6 * len(right)


@given(
    st.dates(date(2024, 1, 1), date(2026, 12, 31)),
    st.integers(0, 365),
    st.sampled_from([None, "litter"]),
)
def test_a_window_is_cut_into_whole_months_and_days(
    first: date, days: int, service: str | None
) -> None:
    """Every day is read once, and as few Queries as months are touched."""
    last = first + timedelta(days=days)
    found = heat_counters.spans(first, last, service, None)
    months = {(first + timedelta(days=n)).strftime("%Y%m") for n in range(days + 1)}
    assert len(found) == len(months)
    read = []
    for span in found:
        kind, rest = span.partition.split("#")
        month, _, of = rest.partition("/")
        assert of == (service or "")
        start = date(int(month[:4]), int(month[4:]), 1)
        ends = (int(span.first[:2]), int(span.last[:2])) if kind == "DAYS" else (1, 31)
        inside = [start + timedelta(days=n) for n in range(31)]
        read += [
            one for one in inside if one.month == start.month and ends[0] <= one.day <= ends[1]
        ]
    assert sorted(read) == [first + timedelta(days=n) for n in range(days + 1)]


@given(
    st.floats(-60, 60), st.floats(-170, 170), st.floats(0.0001, 0.6), st.floats(0.0001, 0.6),
    st.floats(0, 1), st.floats(0, 1),
)  # fmt: skip
def test_a_box_reads_every_tile_that_it_touches_in_few_ranges(
    south: float, west: float, tall: float, wide: float, up: float, across: float
) -> None:
    reach = tiles((south, west, south + tall, west + wide), heat_counters.ZOOM)
    found = heat_counters.spans(None, None, None, reach)
    assert 1 <= len(found) <= heat_counters.RANGES
    x, y = tile(south + up * tall, west + across * wide, heat_counters.PARENT)
    key = f"{quadkey(x, y, heat_counters.PARENT)}#D1"
    assert any(span.first <= key <= span.last for span in found)
