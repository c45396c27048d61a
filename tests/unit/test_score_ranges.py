"""Scores that neither size nor smallness pays, with their intervals and ranges of ranks."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.scorecards.bootstrap import Row
from chalicelib.domain.scorecards.contributions import Contribution
from chalicelib.domain.scorecards.statistics import rank_ranges
from chalicelib.domain.sla.custody import WHOLE
from tests.support.conduct import IN_TIME, MEAN, SETTINGS, better, cards, contribution, rows, scores

SEEDS = range(6)
DISTRICTS = ("D1", "D2", "D3")
ONLY_ON_TIME = replace(SETTINGS, weights={"on_time": 100})


def against_the_city(n: int) -> float:
    """Mean over seeds: the score of a district of ``n`` reports, less that of the city."""
    differences = []
    for seed in SEEDS:
        found = scores(two_districts(n, seed))
        differences.append(found["D1"] - found["TV"])
    return fmean(differences)


def two_districts(n: int, seed: int, share: float = 0.0) -> list[Row]:
    """A large district and one of ``n`` reports, which work alike unless ``share`` says more."""
    rng = Random(f"{n} {seed}")
    return rows("D2", 600, MEAN, rng) + rows("D1", n, better(MEAN, share), rng)


@pytest.mark.parametrize("n", [15, 60, 200, 500])
def test_conduct_at_the_citys_mean_scores_the_same_with_15_reports_as_with_500(n: int) -> None:
    assert abs(against_the_city(n)) < 3


def test_the_first_engine_paid_for_many_reports() -> None:
    """Why there is a second one: the same conduct lost 13 points to its small number."""
    first = replace(SETTINGS, engine=1)
    few, many = (fmean(cards(two_districts(n, seed), first)["D1"]["score"] or 0 for seed in SEEDS)
                 for n in (15, 500))  # fmt: skip
    assert few < many - 10


@pytest.mark.parametrize("share", [0.0, 0.5, -0.3])
def test_splitting_a_district_in_two_gives_no_gain(share: float) -> None:
    """In the mean over seeds: none at or above the city's mean. Below it each half is pulled a
    little more towards the mean; docs/scorecards.md names that price of shrinking."""
    gains = []
    for seed in SEEDS:
        rng = Random(seed)
        town = rows("D3", 600, MEAN, rng)
        whole = rows("D1", 80, better(MEAN, share), rng)
        halves = [
            (name, one._replace(ward="D2-W1", unit="u-d2") if second[name] else one, weight)
            for second in [{name: rng.random() < 0.5 for name, _, _ in whole}]
            for name, one, weight in whole
        ]
        both = scores(town + halves)
        gains.append(fmean((both["D1"], both["D2"])) - scores(town + whole)["D1"])
    assert fmean(gains) < (0.4 if share >= 0 else 4.0)


def test_a_short_record_has_no_score_and_says_why() -> None:
    """29 reports due in three months are too few, 30 are enough."""
    town = rows("D2", 300, MEAN, Random(1))
    few = [row for row in rows("D1", 10, MEAN, Random(2)) if row[0] != "D1-E0"]
    card = cards(town + few)["D1"]
    assert (card["score"], card["score_low"], card["score_high"]) == (None, None, None)
    assert (card["unscored"], card["due_in_three_months"]) == ("too_few_due", 29)
    assert (card["ranked"], card["rank_best"], card["rank"]) == (False, None, None)
    card = cards(town + rows("D1", 10, MEAN, Random(2)))["D1"]
    assert (card["unscored"], card["due_in_three_months"]) == (None, 30)
    assert card["score"] is not None
    assert card["ranked"]


def test_a_city_without_weights_has_no_score_and_says_why() -> None:
    found = cards(rows("D1", 40, MEAN, Random(2)), replace(SETTINGS, weights={}))["D1"]
    assert (found["score"], found["unscored"]) == (None, "no_weights")


def test_a_month_that_has_just_begun_says_that_there_is_no_data_yet() -> None:
    """Enough was due in the months before, and the city has weights; nothing is due yet."""
    earlier = [row for row in rows("D1", 40, MEAN, Random(2)) if row[1].measure == "due_earlier"]
    found = cards(earlier)["D1"]
    assert (found["score"], found["unscored"]) == (None, "no_data")


def test_a_measure_without_data_takes_the_citys_value() -> None:
    """Who empties a bad measure gets the city's mean of it, not the weight of the others."""
    town = rows("D2", 400, MEAN, Random(1))
    bad = rows("D1", 60, better(MEAN, 0.6), Random(2))
    unrated = [row for row in bad if row[1].measure != "satisfaction"]
    alone = replace(SETTINGS, weights={"satisfaction": 100})
    found = scores(town + unrated, alone)
    assert found["D1"] == found["TV"]


def test_easy_reports_earn_nothing() -> None:
    """A hundred more of a service that nobody is ever late with change nothing."""
    town = rows("D2", 400, MEAN, Random(1)) + rows("D1", 60, MEAN, Random(2))
    easy = [
        (f"{district}-X{n}", contribution("on_time", "verified", "tree", district), WHOLE)
        for district, many in (("D2", 400), ("D1", 1))
        for n in range(many)
    ]
    more = [(f"D1-Y{n}", easy[-1][1], WHOLE) for n in range(100)]
    before, after = scores(town + easy, ONLY_ON_TIME), scores(town + easy + more, ONLY_ON_TIME)
    gain, citys = after["D1"] - before["D1"], after["TV"] - before["TV"]
    assert gain <= citys + 1


def test_a_district_of_bridges_scores_as_one_of_litter_that_works_alike() -> None:
    differences = []
    for seed in range(20):
        rng = Random(seed)
        town = [
            (f"{district}-{service}-{n}", made(district, service, rng), WHOLE)
            for district, services in (("D1", ["bridge"]), ("D2", ["litter"]), ("D3", IN_TIME))
            for service in services
            for n in range(200)
        ]
        found = scores(town, ONLY_ON_TIME)
        differences.append(found["D1"] - found["D2"])
    assert abs(fmean(differences)) < 4


def made(district: str, service: str, rng: Random) -> Contribution:
    """A deadline of somebody who works as everybody does."""
    kept = rng.random() < IN_TIME[service]
    return contribution("on_time", "verified" if kept else "late", service, district)


OUTCOMES = ("late", "verified", "unanswered", "dismissed")
TOWN = st.lists(
    st.tuples(
        st.sampled_from(("D1", "D2", "D3")), st.sampled_from(list(IN_TIME)),
        st.sampled_from(OUTCOMES), st.integers(1, 12),
    ),
    min_size=1, max_size=12,
)  # fmt: skip
SHRINK = st.sampled_from((0, 1, 20))


def due(town: list[tuple[str, str, str, int]]) -> Iterator[Row]:
    """Rows of deadlines, and enough of the months before for a score."""
    for number, (district, service, outcome, many) in enumerate(town):
        for n in range(many):
            yield f"{number}-{n}", contribution("on_time", outcome, service, district), WHOLE
    for n in range(30):
        yield f"E{n}", contribution("due_earlier", "due", "litter", "D1"), WHOLE


def exact(given_rows: list[Row], shrink: int) -> float:
    given = replace(ONLY_ON_TIME, weights={"on_time": 60, "case_mix": 40}, shrink_n=shrink)
    return scores(given_rows, given)["D1"]


@settings(max_examples=60, deadline=None)
@given(TOWN, st.sampled_from(list(IN_TIME)), SHRINK)
def test_one_more_kept_promise_never_lowers_a_score(
    town: list[tuple[str, str, str, int]], service: str, shrink: int
) -> None:
    """Neither one that is kept in place of a missed one, nor one more that is kept."""
    base = list(due(town))
    late, kept = (
        [("new", contribution("on_time", outcome, service, "D1"), WHOLE)]
        for outcome in ("late", "verified")
    )
    assert exact(base + late, shrink) <= exact(base + kept, shrink)
    if any(row[1].measure == "on_time" for row in base):
        assert exact(base, shrink) <= exact(base + kept, shrink)


INTERVALS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 15)).map(lambda pair: (pair[0], sum(pair))),
    max_size=30,
)


@given(INTERVALS)
def test_a_rank_is_a_range_from_who_is_surely_better_to_who_is_surely_worse(
    given_intervals: list[tuple[int, int]],
) -> None:
    many = len(given_intervals)
    for (low, high), (best, worst) in zip(
        given_intervals, rank_ranges(given_intervals), strict=True
    ):
        assert best == 1 + sum(other > high for other, _ in given_intervals)
        assert worst == many - sum(other < low for _, other in given_intervals)
        assert 1 <= best <= worst <= many


def test_districts_that_overlap_share_their_ranks() -> None:
    town = [
        row
        for code, share in (("D1", 0.9), ("D2", 0.0), ("D3", 0.02))
        for row in rows(code, 150, better(MEAN, share), Random(3))
    ]
    found = cards(town)
    ranges = {code: (found[code]["rank_best"], found[code]["rank_worst"]) for code in DISTRICTS}
    assert ranges == {"D1": (1, 1), "D2": (2, 3), "D3": (2, 3)}
    assert {found[code]["of"] for code in DISTRICTS} == {3}
    assert {found[code]["rank"] for code in DISTRICTS} == {None}


def test_a_city_may_publish_bands_in_place_of_ranks() -> None:
    bands = [{"code": "C", "from": 0}, {"code": "B", "from": 60}, {"code": "A", "from": 80}]
    town = rows("D1", 100, better(MEAN, 0.9), Random(3)) + rows("D2", 100, MEAN, Random(3))
    found = cards(town, replace(SETTINGS, bands=bands))
    card = found["D1"]
    assert (card["band_low"], card["band_high"]) == ("A", "A")
    assert (card["ranked"], card["rank_best"], card["rank_worst"]) == (False, None, None)
    assert found["D2"]["band_low"] in ("B", "C")


def test_a_few_reports_that_all_went_well_are_not_surely_the_best() -> None:
    usual = replace(better(MEAN, 0.3), verified=1.0)
    perfect = replace(usual, in_time=dict.fromkeys(IN_TIME, 1.0))
    town = rows("D2", 200, usual, Random(1)) + rows("D1", 12, perfect, Random(2))
    found = cards(town, ONLY_ON_TIME)
    assert (found["D1"]["score_low"] or 0) < (found["D2"]["score_high"] or 0)
    assert found["D1"]["rank_worst"] == 2


def _width(n: int) -> float:
    card = cards(rows("D2", 200, MEAN, Random(1)) + rows("D1", n, MEAN, Random(n)))["D1"]
    return (card["score_high"] or 0) - (card["score_low"] or 0)


def test_the_interval_narrows_with_the_number_of_reports() -> None:
    few, some, many = (_width(n) for n in (15, 60, 240))
    assert few > some > many > 0


def test_the_interval_has_the_true_score_about_nineteen_times_in_twenty() -> None:
    """Of a district that works as the city does; the shrinking makes it safer than that."""
    inside = 0
    for seed in range(8):
        rng = Random(seed)
        found = cards([row for code in DISTRICTS for row in rows(code, 60, MEAN, rng)])
        for code in DISTRICTS:
            low, high = found[code]["score_low"], found[code]["score_high"]
            inside += (low or 0) <= (found["TV"]["score"] or 0) <= (high or 0)
    assert inside >= 22


def test_the_interval_is_the_same_in_any_order_of_the_reports() -> None:
    town = rows("D1", 40, MEAN, Random(1)) + rows("D2", 60, MEAN, Random(2))
    shuffled: dict[str, list[Row]] = {}
    for row in town:
        shuffled.setdefault(row[0], []).append(row)
    order: Callable[[str], str] = lambda name: name[::-1]  # noqa: E731
    other = [row for name in sorted(shuffled, key=order) for row in reversed(shuffled[name])]
    assert cards(town) == cards(other)
