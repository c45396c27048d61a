"""A month in which the city changes is judged by the city version of its first moment."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.code_history import CodeHistory
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.city import staff as officials
from chalicelib.services.notifications import announcements
from chalicelib.services.scorecards import audits, card_queries, compute, lifecycle, report_rows
from chalicelib.storage import city as city_store
from chalicelib.storage import control, report_filers, score_rows, tables, topics
from chalicelib.storage import scorecards as store
from tests.integration.test_recompute import compare, users
from tests.integration.test_scorecards import figure
from tests.support import scorecards_in_pandas, second_version
from tests.support.kept_state import built_once
from tests.support.second_version import official, publish
from tests.support.world import BUNDLE, JURISDICTION, World, citizen, spot
from tests.support.world import city as first_city
from tests.support.world import official as before

pytestmark = pytest.mark.usefixtures("aws")

MONTH, NEXT = "202611", "202612"
FIRST = datetime(2026, 11, 30, 17, tzinfo=UTC)
OVER = datetime(2026, 12, 31, 17, tzinfo=UTC)
AUDITOR = official("auditor")
BACK = {
    "DX": "D2", "DX-W": "D2-W2", "DX-E": "D2-W2", "D1-N2": "D1-W2", "u-light": "u-lamps",
    "lighting": "lamp",
}  # fmt: skip


class Told(dict[str, Any]):
    """Reports by their part in the story."""


@pytest.fixture
def world() -> Iterator[World]:
    """The first version of the city; the caches are cleared afterwards."""
    found = World()
    yield found
    cities.forget()
    officials.forget()


@pytest.fixture
def told(world: World) -> Told:
    """A November in which wards get new codes or are divided, and a district is renamed."""
    world.now, reports = built_once(__name__, lambda: november(world))
    world.keys = itertools.count(1000)
    return Told(reports)


def november(world: World) -> tuple[datetime, Told]:
    """Let that month happen; its moment and its reports."""
    found = Told()
    found["closed"] = world.finished(service="litter")
    world.act(citizen("reporter"), found["closed"], "verify")
    found["lamp"] = world.file(service="lamp", ward="D2-W2", **spot("D2-W2", east=0.2))["id"]
    found["recoded"] = world.file(service="litter", ward="D1-W2")["id"]
    found["west"] = world.file(service="litter", ward="D2-W2", **spot("D2-W2", east=0.3))["id"]
    found["rejected"] = world.file(service="litter", ward="D2-W2", **spot("D2-W2", 0.9))["id"]
    world.act(before("officer2"), found["rejected"], "reject", reason_code="spam", text="None.")
    world.advance(hours=20)
    publish(world)
    world.advance(minutes=1)
    boss = official("officer2")
    world.act(boss, found["west"], "assign", person="s_worker2")
    found["east"] = world.file(service="litter", ward="D2-W2", **spot("D2-W2", east=0.8))["id"]
    found["late"] = world.file(service="lighting", ward="D1-W2")["id"]
    found["kept"] = world.file(service="litter", ward="D2-W1")["id"]
    world.act(boss, found["east"], "reject", reason_code="spam", text="None.")
    world.advance(days=6)
    world.project()
    return world.now, found


def close(world: World, moment: datetime) -> list[str]:
    """Let time pass to a moment, and the schedule run then."""
    world.now = moment
    return lifecycle.update_all(world.now)


def codes(world: World, month: str) -> set[tuple[str, str]]:
    """(kind, code) of the cards of a month."""
    held = store.month(JURISDICTION, month) or {}
    found = store.cards(JURISDICTION, month, held["folder"])
    return {(one["kind"], one["code"]) for _, one in found if "kind" in one}


def behind(world: World, month: str, area: str, measure: str) -> list[dict[str, Any]]:
    """The rows behind a figure."""
    found, cursor = list[dict[str, Any]](), None
    while True:
        page = card_queries.rows(AUDITOR, month, area, measure, 50, cursor, world.now)
        found += page["rows"]
        if (cursor := page["cursor"]) is None:
            return found


def received(world: World, month: str, area: str) -> float:
    """How many reports a card says were received."""
    card = card_queries.card(AUDITOR, month, area, world.now)["card"]
    value: float = figure(card, "received")["value"]
    return value


def test_the_cards_of_the_month_have_the_codes_of_its_first_moment(
    world: World, told: Told
) -> None:
    for moment in (world.now, FIRST):  # live, then provisional
        close(world, moment)
        areas = {code for kind, code in codes(world, MONTH) if kind in ("district", "ward")}
        assert areas == {"D1", "D2", "D1-W1", "D1-W2", "D2-W1", "D2-W2"}
        assert ("unit", "u-light") not in codes(world, MONTH)
        assert (store.month(JURISDICTION, MONTH) or {})["rules"] == BUNDLE["version"]
    page = card_queries.month(AUDITOR, MONTH, world.now)
    assert [one["code"] for one in page["districts"]] == ["D1", "D2"]
    assert page["districts"][1]["name"]["en"] != "D2"


def test_nothing_is_counted_twice_or_lost_where_codes_changed(world: World, told: Told) -> None:
    close(world, FIRST)
    assert received(world, MONTH, "TV") == len(told)
    counted = {area: received(world, MONTH, area) for area in ("D1", "D2")}
    assert counted == {"D1": 3, "D2": 5}
    wards = {area: received(world, MONTH, area) for area in ("D1-W1", "D1-W2", "D2-W1", "D2-W2")}
    assert wards == {"D1-W1": 1, "D1-W2": 2, "D2-W1": 1, "D2-W2": 4}
    assert received(world, MONTH, "u-lamps") == 2
    for area in ("TV", *counted, *wards, "u-lamps"):
        rows = behind(world, MONTH, area, "received")
        assert len(rows) == len({one["report"] for one in rows}) == received(world, MONTH, area)


@pytest.mark.parametrize("measure", ["on_time", "backlog", "acknowledged_on_time"])
def test_the_rows_of_the_month_add_up_to_its_figures(
    world: World, told: Told, measure: str
) -> None:
    close(world, FIRST)
    for area in ("TV", "D1", "D2", "D2-W2", "D1-W2", "u-lamps", "u-d2"):
        card = card_queries.card(AUDITOR, MONTH, area, world.now)["card"]
        rows = behind(world, MONTH, area, measure)
        whole = sum(one["share"] * one["weight"] for one in rows
                    if one["outcome"] != "dismissed")  # fmt: skip
        dismissed = [one for one in rows if one["outcome"] == "dismissed"]
        rest = figure(card, measure)["n"] - whole
        assert -1e-6 <= rest <= len(dismissed) + 1e-6
        assert len(rows) == 0 or {one["ward"] for one in rows} <= set(first_city().areas)


def test_the_next_month_has_the_new_codes_for_what_was_closed_before_too(
    world: World, told: Told
) -> None:
    close(world, FIRST)
    world.file(service="litter", ward="D2-W2", **spot("D2-W2", east=0.7))
    world.project()
    close(world, OVER)
    areas = {code for kind, code in codes(world, NEXT) if kind in ("district", "ward")}
    assert areas == {"D1", "DX", "D1-W1", "D1-N2", "D2-W1", "DX-W", "DX-E"}
    assert received(world, NEXT, "DX") == received(world, NEXT, "DX-E") == 1
    with pytest.raises(Problem, match="not_found"):
        card_queries.card(AUDITOR, NEXT, "D2", world.now)
    each = report_rows.each(second(), MONTH)
    rows = {row["report"]: row for row in (translate(stored) for stored, translate in each)}
    assert len(rows) == len(told) + 1
    known = second()
    for row in rows.values():
        held = [party[1:3] for party in row["holds"]]
        assert all(ward in known.areas and unit in known.units for ward, unit in held)
    assert rows[told["rejected"]]["ward"] == "DX-E"  # by its pin: it was closed before
    assert rows[told["rejected"]]["district"] == "DX"


def second() -> City:
    """The city of the second version."""
    return cities.at(JURISDICTION, second_version.VERSION)


@pytest.mark.parametrize("month", [MONTH, NEXT])
def test_recomputed_figures_agree_once_told_the_codes(world: World, told: Told, month: str) -> None:
    world.now = FIRST if month == MONTH else OVER
    city = report_rows.city_judging(second(), month)
    settings = Settings(weights={"on_time": 60, "acknowledged_on_time": 40}, rank_from=1)
    found = compute.compute(city, month, settings, world.now)
    raw = [
        row
        for code in cities.districts(city)
        for row in score_rows.scores(JURISDICTION, code, "202609")
    ]
    forward = {"D2": "DX", "D2-W2": "DX-E", "D1-W2": "D1-N2", "u-lamps": "u-light",
               "lamp": "lighting"}  # fmt: skip
    if month == NEXT:  # an older report of the divided ward goes by its pin
        pins = {told["lamp"]: "DX-W", told["west"]: "DX-W"}
        raw = [
            scorecards_in_pandas._recoded(row, {"D2-W2": pins.get(row["report"], "DX-E")})
            for row in raw
        ]
    filers = {one: report_filers.filers(JURISDICTION, one) for one in (MONTH, NEXT)}
    weights = scorecards_in_pandas.weights(filers, settings.reporter_cap, settings.weighing)
    bundle = BUNDLE if month == MONTH else second_version.bundle()
    facts = {**scorecards_in_pandas.city_facts(bundle), "users": users(filers, month)}
    facts["codes"] = BACK if month == MONTH else forward
    cards = scorecards_in_pandas.recompute(raw, weights, facts, found.settings, month, world.now)
    assert compare(found, cards) == []


def test_a_month_that_was_told_keeps_the_city_it_was_told_by(world: World, told: Told) -> None:
    close(world, FIRST)
    held = store.month(JURISDICTION, MONTH) or {}
    publish(world, version="cccccccccccc")
    world.now = FIRST + timedelta(days=16)
    assert f"{JURISDICTION} {MONTH} draft" in lifecycle.update_all(world.now)
    after = store.month(JURISDICTION, MONTH) or {}
    assert (after["stage"], after["rules"]) == ("draft", held["rules"])
    assert received(world, MONTH, "D2") == 5


def test_the_audit_is_drawn_by_the_months_districts_and_found_under_those_of_today(
    world: World, told: Told
) -> None:
    close(world, FIRST)
    page = audits.queue(official("auditor"), MONTH, "DX", None, 50, world.now)
    drawn = {one["report"] for one in page["sample"]}
    assert drawn == {told["rejected"], told["east"]}
    for report in drawn:
        world.act(official("verifier"), report, "audit", result="pass", reason="Looked.")
    page = audits.queue(official("auditor"), MONTH, "DX", None, 50, world.now)
    assert {one["result"] for one in page["sample"]} == {"pass"}


def test_a_sample_that_was_drawn_before_the_district_was_renamed_is_still_audited(
    world: World,
) -> None:
    reports = [world.file(service="litter", ward="D2-W1")["id"] for _ in range(3)]
    for report in reports:
        world.act(before("officer2"), report, "reject", reason_code="spam", text="None.")
    world.project()
    close(world, FIRST)
    publish(world)
    world.advance(minutes=1)
    first = audits.queue(official("auditor"), MONTH, "DX", None, 2, world.now)
    rest = audits.queue(official("auditor"), MONTH, "DX", first["next"], 2, world.now)
    found = [one["report"] for one in (*first["sample"], *rest["sample"])]
    assert found == sorted(reports)
    world.act(official("verifier"), reports[0], "audit", result="fail", reason="It is there.")
    page = audits.queue(official("auditor"), MONTH, "DX", None, 9, world.now)
    assert [one["result"] for one in page["sample"]].count("fail") == 1


def test_a_city_loaded_before_versions_were_dated_is_judged_by_what_it_was(world: World) -> None:
    for row in list(tables.CityRow.query(f"{JURISDICTION}#CITY")):
        if row.sk.startswith("SINCE#"):
            row.delete()
    was = city_store.since(JURISDICTION) or ""
    assert city_store.version_at(JURISDICTION, was) == BUNDLE["version"]
    assert city_store.history(JURISDICTION) == [BUNDLE["version"]]
    world.advance(days=1)
    publish(world)
    assert city_store.history(JURISDICTION) == [BUNDLE["version"], second_version.VERSION]
    assert city_store.version_at(JURISDICTION, "2001") == BUNDLE["version"]
    assert city_store.version_at(JURISDICTION, was) == BUNDLE["version"]
    assert city_store.version_at(JURISDICTION, "2099") == second_version.VERSION


def test_officials_of_a_renamed_district_still_hear_of_its_months(
    world: World, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = next(one for one in second_version.staff() if one["ref"] == "s_head2")
    mail = [{"protocol": "email", "address": "head2@example.org"}]
    city_store.put_staff(JURISDICTION, [{**head, "endpoints": mail}])
    officials.forget()
    close(world, FIRST)
    sent: list[Any] = []
    monkeypatch.setattr(topics, "publish", lambda *given: sent.append(given))
    (message,) = [doc for _, doc in control.outbox(50) if doc["kind"] == "scorecard"]
    announcements.publish(message, world.now)
    ((_, _, attributes),) = sent
    assert attributes["district"] == "D2"
    assert "person:s_head2" in attributes["audience"]


def test_an_old_month_asked_by_a_new_code_gives_the_card_of_that_time(
    world: World, told: Told
) -> None:
    """For a district, a divided ward and a unit; the card names the former code. A code of no
    version, and a unit without a predecessor, are not found."""
    close(world, FIRST)
    for new, old in (("DX", "D2"), ("DX-W", "D2-W2"), ("D1-N2", "D1-W2"), ("u-light", "u-lamps")):
        card = card_queries.card(AUDITOR, MONTH, new, world.now)["card"]
        assert card["code"] == old
    page = card_queries.rows(AUDITOR, MONTH, "DX", "received", 50, None, world.now)
    same = card_queries.rows(AUDITOR, MONTH, "D2", "received", 50, None, world.now)
    assert page["rows"] == same["rows"] != []
    for unknown in ("u-parks", "D9", "x"):
        with pytest.raises(Problem, match="not_found"):
            card_queries.card(AUDITOR, MONTH, unknown, world.now)


def test_a_district_that_was_several_names_them(world: World, told: Told) -> None:
    """Two districts became one: the month of before has a card for each."""
    close(world, FIRST)
    merged = second_version.bundle(version="cccccccccccc")
    merged["areas"] = [
        {**one, "code": "DY" if one["code"] == "DX" else one["code"],
         "parent": "DY" if one["parent"] in ("D1", "DX") else one["parent"]}
        for one in merged["areas"] if one["code"] != "D1"
    ]  # fmt: skip
    merged["successors"] = {"areas": {"D1": ["DY"], "DX": ["DY"]}}
    city_ = City.from_json(merged)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cities, "current", lambda *_: city_)
        patch.setattr(
            report_rows,
            "code_history",
            lambda city, most: CodeHistory(
                city,
                lambda: ([], [City.from_json(second_version.bundle()), city_]),
                lambda *_: None,
            ),
        )
        with pytest.raises(Problem) as refused:
            card_queries._of_then("DY", first_city(), world.now)
    assert refused.value.slug == "codes_of_then"
    assert refused.value.members["codes"] == ["D1", "D2"]
