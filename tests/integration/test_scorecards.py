"""A month's scorecards: stages, who sees which, the rows behind a figure, audits."""

import csv
import gzip
import hashlib
import io
import itertools
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.principal import Principal
from chalicelib.domain.scorecards import engines, weighing
from chalicelib.domain.scorecards.measures import behind
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.notifications import outbox
from chalicelib.services.scorecards import audits, card_queries, compute, lifecycle
from chalicelib.storage import control, files, report_filers, topics
from chalicelib.storage import scorecards as store
from chalicelib.storage.transactions import commit
from tests.support.kept_state import built_once
from tests.support.world import (
    BUNDLE,
    JURISDICTION,
    PUBLIC,
    STAFF,
    World,
    citizen,
    city,
    official,
)

MONTH = "202611"
LOCAL = timedelta(hours=7)
FIRST = datetime(2026, 12, 1, tzinfo=UTC) - LOCAL
DRAFT = datetime(2026, 12, 16, tzinfo=UTC) - LOCAL
AUDITOR = official("auditor")
WEIGHTS = {"on_time": 60, "verified": 20, "satisfaction": 20}


@pytest.fixture
def month(world: World) -> World:
    """A small November: two repairs confirmed, one unanswered, one late, one rejected."""
    world.now = built_once(__name__, lambda: november(world))
    world.keys = itertools.count(1000)
    return world


def november(world: World) -> datetime:
    """Let that month happen; its moment."""
    done = [world.finished() for _ in range(2)]
    for report in done:
        world.act(citizen("reporter"), report, "verify")
    world.finished(service="litter")
    world.file(service="litter")
    lost = world.file(ward="D2-W1", service="litter")["id"]
    world.act(official("officer2"), lost, "reject", reason_code="spam", text="No litter there.")
    world.advance(days=20)
    world.project()
    return world.now


def go_to(world: World, moment: datetime) -> list[str]:
    """Let time pass to a moment, and the schedule run then."""
    world.now = moment
    return lifecycle.update_all(world.now)


def figure(card: dict[str, Any], measure: str) -> dict[str, Any]:
    """One figure of a card."""
    found: dict[str, Any] = next(one for one in card["measures"] if one["measure"] == measure)
    return found


def test_a_month_lives_from_live_to_provisional_to_draft(month: World) -> None:
    assert lifecycle.update_all(month.now) == [f"{JURISDICTION} {MONTH} live"]
    assert go_to(month, FIRST - timedelta(minutes=15)) == [f"{JURISDICTION} {MONTH} live"]
    assert go_to(month, FIRST)[0] == f"{JURISDICTION} {MONTH} provisional"
    assert not any(MONTH in one for one in go_to(month, DRAFT - timedelta(minutes=15)))
    assert go_to(month, DRAFT)[0] == f"{JURISDICTION} {MONTH} draft"
    held = store.month(JURISDICTION, MONTH)
    assert held is not None
    assert [one["stage"] for one in held["history"]] == ["provisional"]


def test_a_run_repeated_does_nothing(month: World) -> None:
    for moment in (FIRST, DRAFT):
        go_to(month, moment)
        before = store.month(JURISDICTION, MONTH)
        assert lifecycle.update_all(month.now) == []
        assert store.month(JURISDICTION, MONTH) == before


def test_a_month_missed_for_weeks_is_caught_up_in_one_run(month: World) -> None:
    done = go_to(month, DRAFT + timedelta(days=9))
    assert done[:2] == [f"{JURISDICTION} {MONTH} provisional", f"{JURISDICTION} {MONTH} draft"]


def test_the_draft_of_a_month_comes_even_two_months_late(month: World) -> None:
    done = go_to(month, FIRST + timedelta(days=70))
    assert f"{JURISDICTION} {MONTH} draft" in done


def test_a_run_out_of_time_is_resumed(month: World) -> None:
    month.now = DRAFT
    turns = iter([True, False])
    assert len(lifecycle.update_all(month.now, lambda: next(turns))) == 1
    assert f"{JURISDICTION} {MONTH} draft" in lifecycle.update_all(month.now)


def test_a_second_computation_gives_the_same_bytes(month: World) -> None:
    city = cities.current(JURISDICTION, month.now)
    settings = compute.Settings.from_json({"weights": WEIGHTS})
    one, two = (compute.compute(city, MONTH, settings, month.now) for _ in range(2))
    assert one.digest == two.digest
    assert one.rows == two.rows
    compute.publish(city, one, "draft", 1)
    prefix = f"scorecards/{JURISDICTION}/{MONTH}/r1-{one.digest[:12]}"
    first = [files.get(f"{prefix}/scorecard.{kind}") for kind in ("json", "csv")]
    compute.publish(city, two, "draft", 1)
    assert first == [files.get(f"{prefix}/scorecard.{kind}") for kind in ("json", "csv")]
    assert None not in first


def test_files_hold_every_figure_but_no_official(month: World) -> None:
    go_to(month, FIRST)
    held = store.month(JURISDICTION, MONTH)
    assert held is not None
    prefix = f"scorecards/{JURISDICTION}/{MONTH}/{held['folder']}"
    text = files.get(f"{prefix}/scorecard.json") or b""
    document = json.loads(text)
    kinds = {card["kind"] for card in document["cards"]}
    assert kinds == {"city", "district", "ward", "unit"}
    assert b"s_worker1" not in text
    table = list(
        csv.DictReader(
            io.StringIO((files.get(f"{prefix}/scorecard.csv") or b"").decode("utf-8-sig"))
        )
    )
    assert {row["kind"] for row in table} == kinds
    (row,) = [r for r in table if (r["code"], r["measure"]) == ("D1", "verified")]
    assert (row["numerator"], row["denominator"]) == ("2.0", "2.0")


def test_live_and_provisional_months_are_for_officials_alone(month: World) -> None:
    for moment, shown in ((month.now, False), (FIRST, False), (DRAFT, True)):
        go_to(month, moment)
        assert card_queries.month(official("worker2"), MONTH, month.now)["month"] == MONTH
        for who in (PUBLIC, citizen("ann")):
            listed = [
                one["month"] for one in card_queries.months(who, None, 9, month.now)["months"]
            ]
            assert (MONTH in listed) is shown
            for ask in (
                lambda who=who: card_queries.month(who, MONTH, month.now),
                lambda who=who: card_queries.card(who, MONTH, "D1", month.now),
                lambda who=who: card_queries.rows(who, MONTH, "D1", "on_time", 5, None, month.now),
            ):
                if shown:
                    assert ask()
                else:
                    with pytest.raises(Problem, match="not_found"):
                        ask()


MAY_SEE_WORKER1 = {"s_worker1", "s_head1", "s_auditor"}


@pytest.mark.parametrize("ref", [record["ref"] for record in STAFF])
def test_an_officers_card_is_for_the_officer_the_head_and_auditors(month: World, ref: str) -> None:
    go_to(month, DRAFT)
    who = official(ref.removeprefix("s_"))
    expected = ref in MAY_SEE_WORKER1 or ref == "s_auditor"
    assert _sees(who, "s_worker1", month) is expected
    assert _sees(PUBLIC, "s_worker1", month) is False
    assert _sees(citizen("reporter"), "s_worker1", month) is False


def test_an_auditor_of_one_district_sees_no_card_of_officials_elsewhere(month: World) -> None:
    """A right holds within its grant; the head of another district of the unit has none."""
    go_to(month, DRAFT)
    auditor, head = official("auditor"), official("head1")
    for district, expected in (("D1", True), ("D2", False)):
        place = frozenset({district})
        for who in (auditor, head):
            there = tuple(replace(one, districts=place) for one in who.grants)
            assert _sees(replace(who, grants=there), "s_worker1", month) is expected


def _sees(who: Principal, area: str, world: World) -> bool:
    try:
        card_queries.card(who, MONTH, area, world.now)
        card_queries.rows(who, MONTH, area, "on_time", 5, None, world.now)
    except Problem as problem:
        if problem.slug != "not_found":
            raise
        return False
    return True


def test_no_page_but_an_officers_own_names_an_officer(month: World) -> None:
    go_to(month, DRAFT)
    pages: list[Any] = [card_queries.month(PUBLIC, MONTH, month.now)]
    for area in ("TV", "D1", "D2", "D1-W1", "u-d1", "u-lamps"):
        try:
            pages.append(card_queries.card(PUBLIC, MONTH, area, month.now))
        except Problem:
            continue  # a unit that had nothing
        for measure in behind():
            pages.append(card_queries.rows(PUBLIC, MONTH, area, measure, 200, None, month.now))
    assert "s_worker1" not in json.dumps(pages)
    own = card_queries.rows(official("worker1"), MONTH, "s_worker1", "on_time", 9, None, month.now)
    assert {row["officer"] for row in own["rows"]} == {"s_worker1"}


def test_the_rows_behind_a_figure_add_up_to_it(month: World) -> None:
    go_to(month, DRAFT)
    for area in ("TV", "D1", "D1-W1", "u-d1"):
        card = card_queries.card(PUBLIC, MONTH, area, month.now)["card"]
        for measure, hits in (("verified", {"verified"}), ("acknowledged_on_time", {"in_time"})):
            rows = all_rows(area, measure, month)
            share = sum(row["share"] * row["weight"] for row in rows if row["outcome"] in hits)
            assert share == pytest.approx(figure(card, measure)["numerator"])
            total = sum(row["share"] * row["weight"] for row in rows)
            assert total == pytest.approx(figure(card, measure)["denominator"])


def all_rows(area: str, measure: str, world: World, limit: int = 1) -> list[dict[str, Any]]:
    """Every row behind a figure, a page at a time."""
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = card_queries.rows(PUBLIC, MONTH, area, measure, limit, cursor, world.now)
        assert len(page["rows"]) <= limit
        rows += page["rows"]
        cursor = page["cursor"]
        if cursor is None:
            return rows


def test_pages_of_rows_neither_repeat_nor_leave_out(month: World) -> None:
    go_to(month, DRAFT)
    whole = all_rows("TV", "acknowledged_on_time", month, 200)
    assert all_rows("TV", "acknowledged_on_time", month) == whole
    assert len(whole) == 5
    page = card_queries.rows(PUBLIC, MONTH, "TV", "received", 1, None, month.now)
    with pytest.raises(Problem, match="cursor_invalid"):
        card_queries.rows(PUBLIC, MONTH, "D1", "received", 1, page["cursor"], month.now)


def test_the_sample_is_drawn_from_what_nobody_confirmed_by_a_seed_committed_to(
    month: World,
) -> None:
    before = card_queries.months(PUBLIC, None, 9, month.now)["audits"]
    assert MONTH not in [one["month"] for one in before["seeds"]]
    go_to(month, FIRST)
    verifier = official("verifier")
    sample = audits.queue(verifier, MONTH, "D2", None, 9, month.now)["sample"]
    assert [one["resolution"] for one in sample] == ["rejected"]
    assert audits.queue(verifier, MONTH, "D1", None, 9, month.now)["sample"] == []
    after = card_queries.months(PUBLIC, None, 9, month.now)["audits"]
    seed = next(one["seed"] for one in after["seeds"] if one["month"] == MONTH)
    committed = next(one for one in before["commitments"] if one["month"] == MONTH)
    assert hashlib.sha256(seed.encode()).hexdigest() == committed["sha256"]


def test_anybody_can_draw_the_sample_again(world: World) -> None:
    ids = []
    for number in range(20):
        report = world.file(citizen(f"c{number}"), "litter", "D1-W1")["id"]
        world.act(official("officer1"), report, "reject", reason_code="spam", text="x")
        ids.append(report)
    world.project()
    go_to(world, FIRST)
    seed = audits.seed(JURISDICTION, MONTH)
    ids.sort(key=lambda one: hashlib.sha256(f"{seed}{one}".encode()).digest())
    page = audits.queue(official("verifier"), MONTH, "D1", None, 50, world.now)
    assert {one["report"] for one in page["sample"]} == set(ids[:12])


def test_only_the_sample_is_audited_and_once(month: World) -> None:
    go_to(month, FIRST)
    verifier = official("verifier")
    lost = audits.queue(verifier, MONTH, "D2", None, 9, month.now)["sample"][0]["report"]
    head = month.head(lost)
    answer = month.act(verifier, lost, "audit", result="fail", reason="It lay there.")
    assert (answer["state"], answer["version"]) == ("closed", head.version + 1)
    assert audits.queue(verifier, MONTH, "D2", None, 9, month.now)["sample"][0]["result"] == "fail"
    with pytest.raises(Problem, match="audited_once"):
        month.act(verifier, lost, "audit", result="pass", reason="Not at all.")
    other = month.file(ward="D2-W2", service="litter")["id"]
    month.act(official("officer2"), other, "reject", reason_code="spam", text="x")
    with pytest.raises(Problem, match="not_in_sample"):
        month.act(verifier, other, "audit", result="pass", reason="Well.")


def test_a_verifier_of_the_district_neither_sees_its_sample_nor_audits(month: World) -> None:
    go_to(month, FIRST)
    lost = audits.queue(official("verifier"), MONTH, "D2", None, 9, month.now)["sample"][0]
    for ref in ("verifier2", "officer2", "head1", "worker1"):
        with pytest.raises(Problem, match="not_found"):
            audits.queue(official(ref), MONTH, "D2", None, 9, month.now)
    with pytest.raises(Problem, match="role_not_allowed"):
        month.act(official("verifier2"), lost["report"], "audit", result="pass", reason="x")


def test_a_failed_audit_counts_in_the_months_draft(month: World) -> None:
    go_to(month, FIRST)
    provisional = card_queries.card(AUDITOR, MONTH, "TV", month.now)["card"]
    lost = audits.queue(official("verifier"), MONTH, "D2", None, 9, month.now)["sample"][0]
    month.act(official("verifier"), lost["report"], "audit", result="fail", reason="x")
    month.project()
    go_to(month, DRAFT)
    draft = card_queries.card(AUDITOR, MONTH, "TV", month.now)["card"]
    assert figure(draft, "on_time")["denominator"] > figure(provisional, "on_time")["denominator"]
    rates = card_queries.month(PUBLIC, MONTH, month.now)["pass_rates"]
    assert rates[0] == {"district": None, "passed": 0, "audited": 1, "used": 0}


def test_an_audit_after_the_draft_belongs_to_the_next(month: World) -> None:
    go_to(month, DRAFT)
    lost = audits.queue(official("verifier"), MONTH, "D2", None, 9, month.now)["sample"][0]
    month.act(official("verifier"), lost["report"], "audit", result="fail", reason="x")
    month.project()
    done = go_to(month, DRAFT + timedelta(days=1))
    assert f"{JURISDICTION} {MONTH} draft" not in done


def test_a_revision_says_so_if_only_the_interval_of_a_score_changed(
    month: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ranks follow from intervals, so they can change while no figure does."""
    go_to(month, DRAFT)
    held = store.month(JURISDICTION, MONTH) or {}
    found = compute.compute(city(), MONTH, Settings.of_month(held["settings"]), month.now)
    card = next(card for card in found.cards if card["kind"] == "district")
    card |= {"score_low": 40.0, "score_high": 60.0}
    before = [(compute.card_name("district", card["code"]), {**card, "score_low": 41.0})]
    others = [
        (compute.card_name(card["kind"], card["code"]), card) for card in found.cards
        if card["kind"] != "district" or card["code"] != "D1"
    ]  # fmt: skip
    monkeypatch.setattr(store, "cards", lambda *_: [*others, *before])
    changes = lifecycle._changes(JURISDICTION, MONTH, held["folder"], found)
    assert changes == [
        {"kind": "district", "code": "D1", "measure": "score_low", "was": 41.0, "is": 40.0}
    ]


def test_a_late_event_makes_a_revision_that_says_what_and_which(month: World) -> None:
    report = month.finished(service="litter")
    month.act(citizen("reporter"), report, "refuse", reason="Still there.")
    month.act(official("worker1"), report, "dispute", reason="It is not.")
    month.project()
    go_to(month, DRAFT)
    before = card_queries.card(PUBLIC, MONTH, "D1", month.now)["card"]
    month.advance(days=1)
    month.act(official("verifier"), report, "verify", note="Clean.")
    month.project()
    assert f"{JURISDICTION} {MONTH} draft" in lifecycle.update_all(month.now)
    page = card_queries.month(PUBLIC, MONTH, month.now)
    assert page["revision"] == 3
    assert page["because"] == [report]
    changed = {(one["code"], one["measure"]): one for one in page["changes"]}
    rework = changed["D1", "reopened_or_refused"]
    assert rework["was"] == figure(before, "reopened_or_refused")["value"] > rework["is"]
    # The earlier revision is still there, unchanged.
    old = next(one for one in page["history"] if one["revision"] == 2)
    folder = f"r2-{old['digest'][:12]}"
    held = files.get(f"scorecards/{JURISDICTION}/{MONTH}/{folder}/scorecard.json") or b""
    known = next(
        c for c in json.loads(held)["cards"] if (c["kind"], c["code"]) == ("district", "D1")
    )
    assert figure(known, "reopened_or_refused")["value"] == rework["was"]


def test_a_month_long_closed_is_looked_at_again_when_an_event_touches_it(month: World) -> None:
    report = month.finished(service="litter")
    month.act(citizen("reporter"), report, "refuse", reason="Still there.")
    month.act(official("worker1"), report, "dispute", reason="It is not.")
    month.project()
    go_to(month, DRAFT)
    go_to(month, DRAFT + timedelta(days=150))
    revision = (store.month(JURISDICTION, MONTH) or {})["revision"]
    month.act(official("verifier"), report, "verify", note="Clean.")
    month.project()
    assert store.flagged(JURISDICTION, 9)
    assert f"{JURISDICTION} {MONTH} draft" in lifecycle.update_all(month.now)
    assert (store.month(JURISDICTION, MONTH) or {})["revision"] == revision + 1
    assert store.flagged(JURISDICTION, 9) == {}
    assert lifecycle.update_all(month.now) == []


def _filed_by(filer: str, *reports: str) -> None:
    commit([report_filers.put_filer(JURISDICTION, MONTH, report, filer) for report in reports])


def test_a_month_that_the_first_engine_judged_keeps_its_scores_and_ranks(month: World) -> None:
    """Also its revisions. The month that begins then is judged by the new engine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(engines._rules(), "version", 1)
        lifecycle.update_all(month.now)
        live = store.month(JURISDICTION, MONTH) or {}
        go_to(month, DRAFT)
    before = store.month(JURISDICTION, MONTH) or {}
    assert not {"engine", "score_from", "bands"} & {*live["settings"], *before["settings"]}
    line = card_queries.month(PUBLIC, MONTH, month.now)["districts"][0]
    assert "score_low" not in line
    go_to(month, DRAFT + timedelta(days=1))
    after = store.month(JURISDICTION, MONTH) or {}
    assert (after["revision"], after["digest"]) == (before["revision"], before["digest"])
    assert (store.month(JURISDICTION, "202612") or {})["settings"]["engine"] == 2


def test_a_month_that_runs_when_the_new_engine_comes_is_judged_by_it(month: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(engines._rules(), "version", 1)
        lifecycle.update_all(month.now)
    assert "engine" not in (store.month(JURISDICTION, MONTH) or {})["settings"]
    go_to(month, FIRST)
    held = store.month(JURISDICTION, MONTH) or {}
    assert (held["stage"], held["settings"]["engine"]) == ("provisional", 2)
    assert held["settings"]["score_from"] == 30


def test_a_district_with_few_reports_is_told_so_and_not_given_a_zero(month: World) -> None:
    go_to(month, DRAFT)
    card = card_queries.card(PUBLIC, MONTH, "D1", month.now)["card"]
    assert (card["score"], card["unscored"], card["rank"]) == (None, "too_few_due", None)
    assert 0 < card["due_in_three_months"] < 30
    page = card_queries.rows(PUBLIC, MONTH, "D1", "due_earlier", 100, None, month.now)
    assert page["rows"] == []


def _public_weights(world: World) -> dict[str, float]:
    page = card_queries.rows(PUBLIC, MONTH, "TV", "on_time", 100, None, world.now)
    return {row["report"]: row["weight"] for row in page["rows"]}


def _busy(world: World) -> list[list[str]]:
    """Five people with fifty reports each, of which two are late."""
    reports = [[world.file(service="litter")["id"] for _ in range(2)] for _ in range(5)]
    for who, filed in enumerate(reports):
        _filed_by(f"d_busy{who}", *filed, *(f"{who}-{n}" for n in range(48)))
    world.advance(days=3)
    world.project()
    return reports


def test_a_claim_after_the_month_does_not_show_which_reports_are_of_one_person(
    world: World,
) -> None:
    reports = _busy(world)
    go_to(world, FIRST)
    # Two of the five turn out to be one person, and another has a report erased.
    _filed_by("d_busy0", *reports[1])
    _filed_by("erased", reports[2][0])
    go_to(world, DRAFT)
    assert set(_public_weights(world).values()) == {0.5}
    assert (store.month(JURISDICTION, MONTH) or {})["settings"]["weighing"] == 2


def test_a_month_judged_by_the_first_rule_of_weights_is_not_judged_again(world: World) -> None:
    _busy(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(weighing._rules(), "version", 1)
        go_to(world, DRAFT)
    before = store.month(JURISDICTION, MONTH) or {}
    assert "weighing" not in before["settings"]
    assert set(_public_weights(world).values()) == {0.5}
    go_to(world, DRAFT + timedelta(days=1))
    after = store.month(JURISDICTION, MONTH) or {}
    assert (after["revision"], after["digest"]) == (before["revision"], before["digest"])


def test_a_claim_does_not_show_who_filed_in_a_month_that_the_first_rule_of_weights_judged(
    world: World,
) -> None:
    """The rows of December name November's deadlines too, with weights by the second rule."""
    reports = _busy(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(weighing._rules(), "version", 1)
        go_to(world, DRAFT)
    go_to(world, DRAFT + timedelta(days=31))
    rows = card_queries.rows(PUBLIC, "202612", "TV", "due_earlier", 100, None, world.now)["rows"]
    assert {row["weight"] for row in rows} == {0.5}
    _filed_by("d_busy0", *reports[1])
    go_to(world, DRAFT + timedelta(days=32))
    page = card_queries.rows(PUBLIC, "202612", "TV", "due_earlier", 100, None, world.now)
    assert page["rows"] == rows


def test_weights_are_frozen_from_the_months_first_moment(month: World) -> None:
    lifecycle.update_all(month.now)
    scoring = {"weights": {"on_time": 100}, "rank_from": 1}
    bundle = {**BUNDLE, "version": "bbbbbbbbbbbb", "scoring": scoring}
    from tests.support.world import blob

    cities.publish(bundle, blob(), list(STAFF), month.now)
    go_to(month, FIRST)
    assert card_queries.month(AUDITOR, MONTH, month.now)["settings"]["weights"] == {}
    assert card_queries.month(AUDITOR, "202612", month.now)["settings"]["weights"] == {
        "on_time": 100
    }


def test_one_reporter_does_not_outweigh_the_rest(world: World) -> None:
    _busy(world)
    world.file(citizen("other"), "litter", "D1-W1")
    world.project()
    world.advance(days=3)
    lifecycle.update_all(world.now)
    card = card_queries.card(AUDITOR, MONTH, "D1", world.now)["card"]
    assert figure(card, "received")["value"] == 11
    assert figure(card, "on_time")["denominator"] == 5 + 1
    city = card_queries.card(AUDITOR, MONTH, "TV", world.now)["card"]
    assert figure(city, "active_users")["value"] == 5 + 1


def test_a_protected_report_is_in_no_card_except_what_it_added_before(world: World) -> None:
    world.file(citizen("eve"), "violence", "D1-W1")
    report = world.file(citizen("eve"), "litter", "D1-W1")["id"]
    world.project()
    world.protect(report, "violence", official("officer1"))
    world.project()
    world.advance(days=3)
    lifecycle.update_all(world.now)
    card = card_queries.card(AUDITOR, MONTH, "TV", world.now)["card"]
    # It became protected before a deadline: it only counts as received.
    assert figure(card, "received")["value"] == 1
    assert figure(card, "on_time")["n"] == 0
    assert figure(card, "on_time")["value"] is None


def test_closing_is_told_to_each_district_once(month: World) -> None:
    go_to(month, FIRST)
    go_to(month, FIRST)
    told = [doc for _, doc in control.outbox(50) if doc["kind"] == "scorecard"]
    assert [(one["month"], one["stage"]) for one in told] == [(MONTH, "provisional")]


def test_rows_are_packed_without_the_time_of_day(month: World) -> None:
    go_to(month, FIRST)
    held = store.month(JURISDICTION, MONTH) or {}
    body = files.get(compute.rows_key(JURISDICTION, MONTH, held["folder"], "D1")) or b""
    assert body[4:8] == b"\0\0\0\0"
    assert gzip.decompress(body)


def test_a_district_head_reads_the_closing_on_a_phone(
    month: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message a district under a key of its own, in plain text, for those of that district; one
    with all of them for those of the city."""
    sent: list[tuple[str, dict[str, str], dict[str, Any]]] = []
    monkeypatch.setattr(topics, "publish", lambda *given: sent.append(given))
    go_to(month, DRAFT)
    outbox.drain(now=month.now)
    cards = [one for one in sent if one[2]["event"] == "scorecard" and one[2]["level"] == "draft"]
    assert [one[2].get("district") for one in cards] == ["D1", "D2", None]
    subject, texts, attributes = cards[0]
    assert subject == "Tanggap: rapor 2026-11"
    assert attributes["dedupe"] == f"{JURISDICTION}:scorecard:{MONTH}:2:D1"
    assert "district_head@D1" in attributes["audience"]
    assert "auditor@*" not in attributes["audience"]
    assert "auditor@*" in cards[2][2]["audience"]
    assert len(json.loads(cards[2][1]["sqs"])["districts"]) == 2
    lines = texts["default"].splitlines()
    assert lines[0] == "Draf rapor 2026-11, District one"
    short = "terlalu sedikit laporan jatuh tempo dalam 3 bulan: 4, perlu 30"
    assert lines[1] == f"Nilai –, {short}"
    assert lines[4] == "Terverifikasi 100% (n=2)"
    assert lines[-1].startswith("http")
    assert max(map(len, lines)) < 80
    assert json.loads(texts["sqs"])["district"] == "D1"
    before = len(sent)
    outbox.drain(now=month.now)
    assert len(sent) == before
