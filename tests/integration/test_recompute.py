"""Every figure of every card, computed by the product and with pandas from its rows."""

import copy
from typing import Any

import pytest

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.domain.scorecards.totals import MonthTotals
from chalicelib.domain.sla import periods
from chalicelib.services.scorecards import compute
from chalicelib.storage import report_filers, score_rows
from chalicelib.storage.transactions import commit
from tests.support import scorecards_in_pandas
from tests.support.random_reports import Lives
from tests.support.random_score_rows import Town, bundle
from tests.support.scores_again import Again, Line, tenth
from tests.support.world import BUNDLE, JURISDICTION, World, citizen, official
from tests.support.world import city as world_city

SEEDS = range(50)
FEW = 5  # months in ``make test``
CLOSE = 1.000001e-6  # one unit in the last digit that is published


def compare(found: compute.Computed, cards: scorecards_in_pandas.Cards) -> list[str]:
    """Where a computation of the product and the recomputed cards differ; empty if nowhere."""
    return differences(found.cards, cards)


def differences(published: list[dict[str, Any]], cards: scorecards_in_pandas.Cards) -> list[str]:
    """Where the product's cards and the recomputed ones differ; empty if nowhere."""
    product = {(card["kind"], card["code"]): card for card in published}
    wrong = [f"{key}: only here or there" for key in sorted(product.keys() ^ cards.keys())]
    for key in sorted(product.keys() & cards.keys()):
        card, mine = product[key], cards[key]
        figures = {one["measure"]: one for one in card["measures"]}
        if figures.keys() | {""} != mine.keys():
            wrong.append(f"{key}: measures {figures.keys() ^ mine.keys()}")
        for measure in figures.keys() & mine.keys():
            for name, value in figures[measure].items():
                if name != "measure" and not _same(value, mine[measure].get(name)):
                    wrong.append(f"{key} {measure}.{name}: {value} is {mine[measure].get(name)}")
        head = mine[""]
        if not _same(card["n"], head["n"]):
            wrong.append(f"{key} n: {card['n']} is {head['n']}")
        tie = abs(head["exact"] * 10 % 1 - 0.5) < 1e-6
        if card["score"] != head["score"] and not tie:
            wrong.append(f"{key} score: {card['score']} is {head['score']} ({head['exact']})")
        names = ("rank", "of", "score_low", "score_high", "rank_best", "rank_worst", "unscored")
        for name in names:
            if card.get(name) != head.get(name):
                wrong.append(f"{key} {name}: {card.get(name)} is {head.get(name)}")
        if not _same(card.get("due_in_three_months"), head.get("due_in_three_months")):
            wrong.append(f"{key} due in three months: {card['due_in_three_months']}")
    return wrong


def _same(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= CLOSE


def store(town: Town, city: City) -> None:
    """Store the rows and filers as the product does."""
    rows: list[Any] = []
    for row in town.rows:
        last = periods.last_month(row, city)
        rows.append(score_rows.put_score(JURISDICTION, row["report"], row["version"], row, last))
    _commit(rows)
    for month, filed in sorted(town.filers.items()):
        _commit([report_filers.put_filer(JURISDICTION, month, *one) for one in filed.items()])
        uids = sorted(set(filed.values()))
        _commit([report_filers.first_filed(JURISDICTION, month, uid) for uid in uids])


def _commit(writes: list[Any]) -> None:
    for n in range(0, len(writes), 90):
        commit(writes[n : n + 90])


def users(filers: dict[str, dict[str, str]], month: str) -> dict[str, int]:
    """Numbers of people who filed in the month, and until then."""
    known = {uid for name, filed in filers.items() if name <= month for uid in filed.values()}
    active = set(filers.get(month, {}).values())
    return {"active_users": len(active), "registered_users": len(known)}


@pytest.mark.parametrize(
    "seed", [*SEEDS[:FEW], *(pytest.param(seed, marks=pytest.mark.long) for seed in SEEDS[FEW:])]
)
def test_random_months_agree_with_pandas(aws: None, seed: int) -> None:
    """Random rows, stored as the projection stores them."""
    town = Town(seed)
    raw = bundle(town.zone)
    city = City.from_json(raw)
    store(town, city)
    settings = Settings.from_json(town.settings)
    found = compute.compute(city, town.month, settings, town.now)
    facts = {**scorecards_in_pandas.city_facts(raw), "users": users(town.filers, town.month)}
    weights = scorecards_in_pandas.weights(town.filers, settings.reporter_cap, settings.weighing)
    cards = scorecards_in_pandas.recompute(
        town.rows, weights, facts, found.settings, town.month, town.now
    )
    assert compare(found, cards) == []


def test_a_month_of_a_city_that_does_not_shrink_is_closed_too(aws: None) -> None:
    """``shrink_n`` 0: a card without ratings, or without any report, has nothing to divide by."""
    town = Town(0)
    raw = bundle(town.zone)
    city = City.from_json(raw)
    store(town, city)
    settings = Settings.from_json({**town.settings, "shrink_n": 0, "score_from": 1})
    found = compute.compute(city, town.month, settings, town.now)
    facts = {**scorecards_in_pandas.city_facts(raw), "users": users(town.filers, town.month)}
    weights = scorecards_in_pandas.weights(town.filers, settings.reporter_cap, settings.weighing)
    cards = scorecards_in_pandas.recompute(
        town.rows, weights, facts, found.settings, town.month, town.now
    )
    assert compare(found, cards) == []


def published_lines(found: compute.Computed, city: City) -> list[Line]:
    """The rows of the published files, once for each card of the city and its districts."""
    totals, lines = MonthTotals(city), list[Line]()
    for file, body in found.rows.items():
        anonymous = 0
        for report, row, weight in compute.unpacked(body):
            name = report or f"-{file}|{anonymous}"
            anonymous += not report
            outcome = f"stars_{row.value:.0f}" if row.outcome == "rated" else row.outcome
            place, scopes = totals.scopes(row)
            lines += [
                Line((scope.kind, scope.code), name, row.measure, outcome, row.service, place,
                     row.share * weight)
                for scope in scopes
                if scope.kind in ("city", "district")
            ]  # fmt: skip
    return lines


@pytest.mark.parametrize("seed", [0, 6])
def test_a_score_is_computed_again_from_the_published_files_also_if_a_report_is_now_protected(
    aws: None, seed: int
) -> None:
    """The cards of the city and of the districts, from nothing but the rows that everybody sees."""
    town = Town(seed)
    for row in town.rows[::7]:
        row["anonymous"] = True
    raw = bundle(town.zone)
    city = City.from_json(raw)
    store(town, city)
    settings = Settings.from_json({**town.settings, "score_from": 1})
    found = compute.compute(city, town.month, settings, town.now)
    lines = published_lines(found, city)
    assert any(line.report.startswith("-D") for line in lines)
    again = Again(JURISDICTION, town.month, found.settings, lines, ("city", city.root))
    scored = 0
    for card in found.cards:
        if card["kind"] in ("city", "district") and card["score"] is not None:
            key = (card["kind"], card["code"])
            low, high = (tenth(end) for end in again.interval(key))
            score = again.exact(key)
            assert score is not None
            assert (card["score"], card["score_low"], card["score_high"]) == (
                tenth(score), low, high
            )  # fmt: skip
            scored += 1
    assert scored > 1


def test_protected_reports_that_differ_only_in_their_official_do_not_stop_the_close(
    aws: None,
) -> None:
    """One had an official, the other none yet: in the published file their rows are equal."""
    town = Town(0)
    for row in town.rows:
        row["anonymous"] = True
    unassigned = copy.deepcopy(town.rows)
    for row in unassigned:
        row["report"] += "-2"
        for shares in ("shares", "acknowledge_shares"):
            for period in row["rounds"]:
                period[shares] = [[*share[:2], None, share[3]] for share in period[shares]]
    town.rows += unassigned
    raw = bundle(town.zone)
    city = City.from_json(raw)
    store(town, city)
    settings = Settings.from_json({**town.settings, "score_from": 1})
    found = compute.compute(city, town.month, settings, town.now)
    assert all(card["score_low"] is not None for card in found.cards if card["kind"] == "city")


def test_months_played_by_the_product(world: World) -> None:
    """Rows of reports that people, the clock and audits of the product changed."""
    lives = Lives(world, 2)
    lives.play(reports=40, steps=330, hours=6)
    wanted = {"verify", "refuse", "lapse", "reopen", "transfer", "coordinate", "rate", "audit"}
    assert wanted <= lives.done
    settings = Settings(
        weights={"on_time": 40, "acknowledged_on_time": 20, "case_mix": 20, "satisfaction": 20},
        audit_from=3,
        rank_from=5,
        reporter_cap=4,
    )
    months = ("202611", "202612", "202701")
    filers = {month: report_filers.filers(JURISDICTION, month) for month in months}
    weights = scorecards_in_pandas.weights(filers, settings.reporter_cap, settings.weighing)
    for month in months:
        found = compute.compute(world_city(), month, settings, world.now)
        facts = {**scorecards_in_pandas.city_facts(BUNDLE), "users": users(filers, month)}
        cards = scorecards_in_pandas.recompute(
            lives.rows(), weights, facts, found.settings, month, world.now
        )
        assert compare(found, cards) == []


def figure(found: compute.Computed, measure: str, kind: str = "city", code: str = "TV") -> Any:
    """One figure of one card."""
    cards = [card for card in found.cards if (card["kind"], card["code"]) == (kind, code)]
    return next(one for one in cards[0]["measures"] if one["measure"] == measure)


def test_hours_run_from_filing(world: World) -> None:
    """Repaired after 10 hours, reopened after 20 days, repaired 10 hours later: 10 and 490."""
    reporter = citizen("reporter")
    report = world.file()["id"]
    world.act(official("officer1"), report, "assign", person="s_worker1")
    for again in (False, True):
        if again:
            world.advance(days=20, hours=-10)
            world.act(reporter, report, "reopen", reason="x")
        world.advance(hours=10)
        world.finish(official("worker1"), report)
        world.act(reporter, report, "verify")
    world.advance(hours=1)
    world.project()
    found = compute.compute(world_city(), "202611", Settings(), world.now)
    assert figure(found, "to_resolve")["median"] == 250


def test_a_ward_with_a_withdrawn_report_is_not_silent(world: World) -> None:
    """Somebody filed there in the month: only the three other wards are silent."""
    world.act(citizen("reporter"), world.file()["id"], "withdraw")
    world.advance(hours=1)
    world.project()
    found = compute.compute(world_city(), "202611", Settings(), world.now)
    assert figure(found, "silent_wards")["value"] == 3


def test_the_city_counts_reports_of_a_former_district(world: World) -> None:
    """Two districts become one: what was filed in the old one still counts for the city."""
    world.file(ward="D1-W1")
    world.file(ward="D2-W1")
    world.advance(hours=1)
    world.project()
    gone = [area for area in BUNDLE["areas"] if not area["code"].startswith("D2")]
    merged = City.from_json({**BUNDLE, "areas": gone})
    found = compute.compute(merged, "202611", Settings(), world.now)
    assert figure(found, "received")["value"] == 2
