"""Tallies as sums over reports: deltas telescope, protected reports count nowhere."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.tallies import MEASURES, contributions, deltas

MONTHS = st.sampled_from(["201701", "201702", "201703"])
FLOW = st.dictionaries(MONTHS, st.integers(1, 3), max_size=2)


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """Any facts that a report may have."""
    closed = draw(st.booleans())
    return {
        "state": "closed" if closed else draw(st.sampled_from(["submitted", "work_done"])),
        "resolution": draw(st.sampled_from(["verified", "duplicate"])) if closed else None,
        "district": draw(st.sampled_from(["A", "B"])),
        "ward": draw(st.sampled_from(["1", "2"])),
        "protected": draw(st.booleans()),
        "filed_month": draw(MONTHS),
        "closed_month": draw(MONTHS) if closed else None,
        "supports": draw(st.integers(0, 3)),
        "support_month": draw(MONTHS),
        "rating": draw(st.none() | st.integers(1, 5)),
        "rating_month": draw(MONTHS),
        "flow": draw(st.dictionaries(st.sampled_from(["finished", "refused"]), FLOW)),
    }


@given(st.lists(facts(), min_size=1, max_size=6))
def test_deltas_in_any_number_add_up_to_the_last_facts(history: list[dict[str, Any]]) -> None:
    """After any changes, the deltas of a report's events sum to its present counts."""
    total: Counter[tuple[str, str, str]] = Counter()
    for before, after in zip([None, *history], history, strict=False):
        for (month, area), changes in deltas({"before": before, "after": after}).items():
            for measure, n in changes.items():
                total[month, area, measure] += n
    assert {k: n for k, n in total.items() if n} == {
        k: n for k, n in contributions(history[-1]).items() if n
    }


@given(facts())
def test_a_protected_report_counts_nowhere(known: dict[str, Any]) -> None:
    """It changes no counter."""
    assert not contributions({**known, "protected": True})


@given(facts())
def test_every_count_stands_for_the_district_and_for_its_ward(known: dict[str, Any]) -> None:
    """For one report the ward's row equals the district's."""
    found = contributions(known)
    district = {(m, one): n for (m, area, one), n in found.items() if "/" not in area}
    ward = {(m, one): n for (m, area, one), n in found.items() if "/" in area}
    assert district == ward
    assert {measure for _, measure in district} <= set(MEASURES)
