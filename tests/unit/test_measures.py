"""The measures of rules/scorecard.json, against what is computed, published and documented."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards import measures
from chalicelib.domain.scorecards.cards import Scorecards
from chalicelib.domain.scorecards.contributions import Contribution, Window, contributions
from chalicelib.domain.scorecards.recurrence import Recurrences
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.domain.scorecards.totals import MonthTotals
from chalicelib.domain.sla.custody import WHOLE
from tests.support.random_score_rows import Town, bundle

PAGE = Path(__file__).parents[2] / "docs" / "scorecards.md"
BOLD = re.compile(r"\*\*(\w+)\.?\*\*")
WAYS = {"rate", "complement", "stars", "ratio"}
CODES = list(measures.table())


@cache
def month() -> tuple[tuple[Contribution, ...], dict[str, Any]]:
    """All contributions of some random months, and the city's card of the last of them."""
    every: list[Contribution] = []
    for seed in range(4):
        town = Town(seed)
        city = City.from_json(bundle(town.zone))
        settings = Settings(weights=town.settings["weights"])
        window = Window.of(town.month, city, town.now, 3)
        again = Recurrences(window, window.until, 30.0, 60)
        totals = MonthTotals(city)
        found = []
        for row in town.rows:
            again.add(row)
            found += contributions(row, window, settings.old_factor)
        found += [contribution for _, contribution in again.contributions()]
        for contribution in found:
            totals.add(contribution, WHOLE)
        extra = {"active_users": 1, "registered_users": 1}
        cards = Scorecards(totals, city, settings, extra).cards()
        every += found
    return tuple(every), next(card for card in cards if card["kind"] == "city")


def test_every_measure_is_on_the_citys_card_in_its_order() -> None:
    assert [figure["measure"] for figure in month()[1]["measures"]] == CODES


def test_every_contribution_belongs_to_a_measure() -> None:
    """A measure with a wrong name in one place would always be 0."""
    emitted = {contribution.measure for contribution in month()[0]}
    behind = {name for rows in measures.behind().values() for name in rows}
    assert emitted == behind


@pytest.mark.parametrize("code", CODES)
def test_a_measure_says_how_it_is_computed_and_weighed(code: str) -> None:
    row = measures.table()[code]
    emitted = {one.outcome for one in month()[0] if one.measure == code}
    if "hit" in row:
        assert emitted == {row["hit"], row["other"]}
    assert row.get("scored", "rate") in WAYS
    assert ("weight" in row) == ("scored" in row)
    assert set(measures.measures()[code]) == {"code", "kind", "name", "formula"}


@pytest.mark.parametrize("code", CODES)
def test_a_measure_is_defined_in_the_documentation(code: str) -> None:
    assert code in BOLD.findall(PAGE.read_text("utf-8"))


def test_a_score_of_every_measure_that_may_weigh_can_be_computed() -> None:
    assert month()[1]["score"] is not None
