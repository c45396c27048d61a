"""The arithmetic of the scorecards, against textbooks and numpy."""

from math import isclose

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.scorecards.statistics import (
    Rate,
    percentile,
    ranks,
    rounded,
    shrunken,
    wilson,
)

COUNTS = st.integers(1, 2000)
# Newcombe (1998), Statistics in Medicine 17, table I, method 3 (score, no continuity correction).
TEXTBOOK = [
    (81, 263, 0.2553, 0.3662),
    (15, 148, 0.0624, 0.1605),
    (0, 20, 0.0000, 0.1611),
    (1, 29, 0.0061, 0.1718),
]


@pytest.mark.parametrize(("hits", "n", "low", "high"), TEXTBOOK)
def test_wilson_against_the_textbook(hits: int, n: int, low: float, high: float) -> None:
    """To the four printed digits."""
    found = wilson(hits, n)
    assert found is not None
    assert [round(bound, 4) for bound in found] == [low, high]


def test_wilson_of_nothing_and_of_fractions() -> None:
    """Without values there is no interval; with parts of a report there is one."""
    assert wilson(0, 0) is None
    assert Rate(0, 0).assured == 0.0
    assert Rate(0, 0).value is None
    found = wilson(1.5, 3)
    assert found is not None
    assert isclose(sum(found), 1.0)


@given(COUNTS, st.floats(0, 1))
def test_the_interval_contains_the_rate(n: int, share: float) -> None:
    """The interval stays between 0 and 1."""
    found = wilson(share * n, n)
    assert found is not None
    assert 0 <= found[0] <= share + 1e-12
    assert share - 1e-12 <= found[1] <= 1


@given(COUNTS, COUNTS, st.integers(2, 50))
def test_the_interval_narrows_with_n(n: int, hits: int, times: int) -> None:
    """The same rate of more reports has a narrower interval and a higher lower bound."""
    hits = min(hits, n)
    few, many = wilson(hits, n), wilson(hits * times, n * times)
    assert few is not None
    assert many is not None
    assert many[1] - many[0] < few[1] - few[0]
    assert Rate(hits * times, n * times).assured > Rate(hits, n).assured


@given(COUNTS, st.data())
def test_one_more_success_raises_the_lower_bound(n: int, data: st.DataObject) -> None:
    """One more hit raises the lower bound; the bounds of the complement mirror it."""
    hits = data.draw(st.integers(0, n - 1))
    assert Rate(hits + 1, n).assured > Rate(hits, n).assured
    low, high = wilson(hits, n) or (0, 0)
    others = Rate(hits, n).complement.interval
    assert others is not None
    assert isclose(others[0], 1 - high, abs_tol=1e-12)
    assert isclose(others[1], 1 - low, abs_tol=1e-12)


def test_three_of_three_do_not_beat_290_of_300() -> None:
    """All of very few have a lower bound below nearly all of many."""
    assert Rate(3, 3).assured < Rate(290, 300).assured


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.sampled_from((0.5, 0.9)))
def test_percentiles_against_numpy_and_pandas(values: list[float], share: float) -> None:
    """Type 7, the one of spreadsheets."""
    found = percentile(sorted(values), share)
    assert found is not None
    assert isclose(found, float(np.quantile(values, share)), rel_tol=1e-9, abs_tol=1e-9)
    assert isclose(found, pd.Series(values).quantile(share), rel_tol=1e-9, abs_tol=1e-9)


def test_percentiles_of_no_value_and_of_one() -> None:
    """No values have no percentile; one value is every percentile."""
    assert percentile([], 0.5) is None
    assert percentile([7.0], 0.9) == 7.0
    assert percentile([1.0, 2.0], 0.5) == 1.5


def test_equal_scores_share_a_rank() -> None:
    """1, 2, 2, 4."""
    assert ranks([50.0, 70.0, 70.0, 90.0]) == [4, 2, 2, 1]
    assert ranks([]) == []


@given(st.lists(st.integers(0, 20).map(float), max_size=30))
def test_ranks_against_pandas(scores: list[float]) -> None:
    """Competition ranking."""
    expected = pd.Series(scores, dtype=float).rank(method="min", ascending=False)
    assert ranks(scores) == [int(rank) for rank in expected]


def test_a_shrunken_mean() -> None:
    """Two fives in a city of threes count less than 200 fives; no value gives the city's mean."""
    assert shrunken(10, 2, 3.0, 20) == pytest.approx(70 / 22)
    assert shrunken(1000, 200, 3.0, 20) == pytest.approx(1060 / 220)
    assert shrunken(0, 0, 3.0, 20) == 3.0
    assert shrunken(10, 2, None, 20) == 5.0
    assert shrunken(0, 0, 3.0, 0) == 3.0
    assert shrunken(0, 0, None, 20) is None


@given(st.integers(1, 500), st.floats(1, 5), st.floats(1, 5))
def test_a_shrunken_mean_lies_between_its_own_and_the_citys(
    n: int, mean: float, city: float
) -> None:
    """Between the own mean and the city's."""
    found = shrunken(mean * n, n, city, 20)
    assert found is not None
    assert min(mean, city) - 1e-9 <= found <= max(mean, city) + 1e-9


def test_published_figures_are_rounded() -> None:
    """To six digits, and never to minus zero."""
    assert rounded(2 / 3) == 0.666667
    assert str(rounded(-1e-9)) == "0.0"
    assert rounded(None) is None
