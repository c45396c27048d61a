"""How much the reports of one filer count, and that the weight does not identify the filer."""

from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.scorecards import weighing
from chalicelib.domain.scorecards.statistics import Settings

WHOLE = 1_000_000
COUNTS = st.lists(st.integers(1, 400), max_size=60)


def filed(counts: list[int]) -> dict[str, str]:
    """{report: filer}, where the n-th filer has so many reports."""
    return {f"{who}-{n}": f"d_{who}" for who, count in enumerate(counts) for n in range(count)}


def weights(counts: list[int], cap: int = 25, version: int = 2) -> dict[int, int]:
    """{filer: weight of each of their reports}."""
    found = weighing.weights(filed(counts), cap, version)
    by_filer: dict[int, set[int]] = defaultdict(set)
    for report, weight in found.items():
        by_filer[int(report.split("-")[0])].add(weight)
    assert all(len(held) == 1 for held in by_filer.values())
    return {who: held.pop() for who, held in by_filer.items()}


@given(COUNTS, st.integers(1, 30))
def test_a_public_weight_below_one_is_held_by_five_people_or_nobody(
    counts: list[int], cap: int
) -> None:
    people = Counter(weights(counts, cap, weighing.present()).values())
    assert set(people) <= {WHOLE, WHOLE // 2, WHOLE // 4, WHOLE // 8}
    assert all(number >= 5 for weight, number in people.items() if weight < WHOLE)


@given(COUNTS, st.integers(1, 30))
def test_nobody_counts_less_than_by_the_first_rule_unless_far_beyond_it(
    counts: list[int], cap: int
) -> None:
    first = weights(counts, cap, 1)
    for who, weight in weights(counts, cap).items():
        assert weight >= min(first[who], WHOLE // 8)


@pytest.mark.parametrize(
    ("count", "parts"), [(25, 1), (49, 1), (50, 2), (99, 2), (100, 4), (199, 4), (200, 8), (999, 8)]
)
def test_five_who_file_alike_share_a_step(count: int, parts: int) -> None:
    assert set(weights([count] * 5).values()) == {WHOLE // parts}


def test_four_at_the_lowest_step_take_the_next_above_with_those_who_are_there() -> None:
    assert weights([200] * 4 + [100]) == dict.fromkeys(range(5), WHOLE // 4)


def test_few_people_climb_until_they_are_five_or_count_whole() -> None:
    assert weights([200] * 2 + [100] + [50] * 2) == dict.fromkeys(range(5), WHOLE // 2)
    assert weights([200, 100, 50]) == dict.fromkeys(range(3), WHOLE)


def test_the_first_rule_still_judges_the_months_it_has_judged() -> None:
    assert weights([25, 26, 400], version=1) == {0: WHOLE, 1: 961538, 2: 62500}
    old = {"reporter_cap": 25, "rank_from": 3}
    assert Settings.of_month(old).weighing == 1
    assert "weighing" not in Settings.of_month(old).published()
    assert Settings.of_month(Settings().published()) == Settings()
    assert Settings.from_json({}).weighing == weighing.present() == 2
