"""Reports become protected by a proposal, and then leave every public answer."""

import gzip
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso, parse, shifted
from chalicelib.errors import Problem
from chalicelib.services.open311 import requests
from chalicelib.services.reports import queries, queues
from chalicelib.services.scorecards import anonymising, card_queries, compute, lifecycle
from chalicelib.storage import control, files
from chalicelib.storage import scorecards as store
from chalicelib.storage.transactions import Refused
from tests.support.world import JURISDICTION, PUBLIC, World, citizen, city, official

WORKER, SAFE, OFFICER = official("worker1"), official("safe"), official("officer1")
MONTH = "202611"
FIRST = city().bounds(MONTH)[1]
DRAFT = city().day(shifted(MONTH, 1), 16)
PROPOSED = {"service": "misconduct", "reason": "Uang pelicin diminta."}


def refusal(call: Any, *args: Any, **more: Any) -> Problem:
    """The problem that a call raises."""
    with pytest.raises(Problem) as found:
        call(*args, **more)
    return found.value


def proposed(world: World, **more: Any) -> str:
    """A report that a field worker has proposed for protection."""
    report: str = world.file(**more)["id"]
    world.act(OFFICER, report, "assign", person="s_worker1")
    world.act(WORKER, report, "protect", **PROPOSED)
    return report


@pytest.mark.parametrize("action", ["protect", "reclassify"])
def test_a_proposed_report_is_hidden_at_once_and_stays_where_it_is(
    world: World, action: str
) -> None:
    report = world.file()["id"]
    before = world.act(OFFICER, report, "assign", person="s_worker1")
    world.act(WORKER, report, action, **PROPOSED)
    world.project()
    assert refusal(queries.public, PUBLIC, report).status == 404
    assert refusal(queries.track, PUBLIC, world.head(report).code).status == 404
    assert requests.search(city(), {}, world.now) == []
    head = world.head(report)
    assert (head.state, head.holder, head.unit) == ("assigned", "s_worker1", "u-d1")
    assert iso(head.due_at) == before["due_at"]
    assert sum(tally.get("received", 0) for tally in world.tallies().values()) == 2
    assert queries.public(citizen("reporter"), report)["id"] == report
    assert queries.case(WORKER, report)["protection"]["unit"] == "u-safe"
    assert refusal(queries.case, official("officer2"), report).status == 404


def test_the_protected_unit_sees_what_is_proposed_and_takes_it(world: World) -> None:
    report = proposed(world)
    (row,) = queues.queue(SAFE, "protected", None, None, 10, None, world.now)["reports"]
    assert (row["id"], row["proposed"], row["service"]) == (report, True, "misconduct")
    assert {"take", "return"} <= set(queries.case(SAFE, report)["open_actions"])
    taken = world.act(SAFE, report, "take")
    assert (taken["state"], taken["unit"]) == ("assigned", "u-safe")
    assert world.head(report).protected
    (row,) = queues.queue(SAFE, "protected", None, None, 10, None, world.now)["reports"]
    assert "proposed" not in row
    assert refusal(queries.case, OFFICER, report).status == 404


def test_the_protected_unit_gives_back_a_report_that_does_not_concern_it(world: World) -> None:
    """It is visible again as before; the public sees neither the proposal nor the reason."""
    report = proposed(world)
    world.act(SAFE, report, "return", reason="Bukan urusan kami.")
    shown = queries.timeline(PUBLIC, report, 0)
    assert [event["action"] for event in shown["events"]] == ["file", "assign", "inside", "inside"]
    assert "pelicin" not in json.dumps(shown)
    assert "Bukan" in json.dumps(queries.case(OFFICER, report)["timeline"])
    head = world.head(report)
    assert (head.state, head.holder, head.protection) == ("assigned", "s_worker1", {})
    assert queues.queue(SAFE, "protected", None, None, 10, None, world.now)["reports"] == []


def test_a_proposal_that_nobody_answers_lapses_after_a_working_day(world: World) -> None:
    report = proposed(world, service="bridge")
    until = parse(world.head(report).protection["until"])
    # Eight working hours, with an hour of break.
    assert until == world.now + timedelta(hours=9)
    world.now = until - timedelta(seconds=1)
    world.sweep()
    assert world.head(report).secret
    world.now = until
    assert world.sweep()["protect_lapse"] == 1
    assert not world.head(report).secret
    assert queries.public(PUBLIC, report)["state"] == "assigned"
    assert world.sweep() == {}


def test_one_person_hides_five_reports_a_day_and_no_more(world: World) -> None:
    made = [world.file(citizen(f"c{n}"))["id"] for n in range(6)]
    for report in made[:5]:
        world.act(WORKER, report, "protect", **PROPOSED)
    assert refusal(world.act, WORKER, made[5], "protect", **PROPOSED).status == 429
    world.act(OFFICER, made[5], "protect", **PROPOSED)


def test_the_protected_unit_and_a_dispatcher_are_alerted_without_content(world: World) -> None:
    proposed(world)
    world.project()
    told = [row for _, row in control.outbox(100) if row.get("event") == "protect"]
    unit, dispatcher = sorted(told, key=lambda row: not row["protected"])
    assert (unit["protected"], unit["unit"]) == (True, "u-safe")
    assert not {"district", "ward", "service", "state"} & unit.keys()
    assert (dispatcher["audience"], dispatcher["sealed"]) == (["dispatcher"], True)
    assert "pelicin" not in json.dumps(told)


def test_nothing_is_merged_into_a_report_that_is_kept_secret(world: World) -> None:
    original = proposed(world)
    world.advance(hours=1)
    other = world.file(citizen("b"))
    assert other["possible_duplicates"] == []
    problem = refusal(world.act, OFFICER, other["id"], "merge", into=original)
    assert problem.slug == "original_unknown"
    assert refusal(world.act, OFFICER, original, "coordinate", agency="u-prov", reason="x")


def test_a_protected_report_sent_out_again_stays_private(world: World) -> None:
    """Only an officer of the protected unit may, and the public does not see the reason."""
    report = proposed(world)
    world.act(SAFE, report, "take")
    guard = official("guard")
    out = {"service": "pothole", "reason": "Lubang biasa."}
    assert refusal(world.act, guard, report, "reclassify", **out).status == 403
    world.act(SAFE, report, "reclassify", **out)
    head = world.head(report)
    assert (head.protected, head.private, head.unit) == (False, True, "u-d1")
    world.project()
    assert requests.search(city(), {}, world.now) == []


def test_a_reporter_sees_the_protected_time_of_a_report_that_is_public_again(world: World) -> None:
    report = proposed(world)
    world.act(SAFE, report, "take")
    world.act(SAFE, report, "assign", person="s_guard")
    world.act(SAFE, report, "reclassify", service="pothole", reason="x")
    mine = queries.timeline(citizen("reporter"), report, 0)["events"]
    assert [one["action"] for one in mine].count("inside") == 1
    assert "take" in [one["action"] for one in mine]


def test_photos_of_a_report_that_is_hidden_get_new_addresses(world: World) -> None:
    photo = world.photo(citizen("reporter"))
    report = world.file(photos=[photo])["id"]
    world.act(WORKER, report, "protect", **PROPOSED)
    picture = world.head(report).pictures[photo]
    assert (picture["state"], picture["rev"]) == ("pending", 2)
    world.project()
    jobs = [row for _, row in control.outbox(100) if row.get("task") == "draw"]
    assert [(job["photo"], job["rev"]) for job in jobs] == [(photo, 2)]


# What is left of it.


def traces(world: World) -> tuple[str, str, str, Report]:
    """(report, its duplicate, a neighbour, its head): public everywhere, also in a judged month."""
    report = world.file(citizen("first"), service="litter", description="Jejakrahasia")["id"]
    world.advance(hours=1)
    duplicate = world.file(citizen("second"), service="litter", key="beside")["id"]
    world.act(OFFICER, duplicate, "merge", into=report)
    world.act(OFFICER, report, "assign", person="s_worker1", note="x")
    world.advance(days=2)
    world.sweep()
    world.project()
    return report, duplicate, "beside", world.head(report)


def test_what_becomes_protected_is_named_by_no_other_report(world: World) -> None:
    report, duplicate, key, head = traces(world)
    answers = [queries.public(PUBLIC, duplicate), queries.timeline(PUBLIC, duplicate, 0)]
    assert report in json.dumps(answers)
    world.act(WORKER, report, "protect", **PROPOSED)
    world.project()
    answers = [
        queries.public(PUBLIC, duplicate),
        queries.timeline(PUBLIC, duplicate, 0),
        world.file(citizen("second"), service="litter", key=key),
        requests.search(city(), {"extensions": "true"}, world.now),
    ]
    assert answers[0]["merged_into"] is None
    text = json.dumps(answers)
    assert not [one for one in (report, head.code, "Jejakrahasia") if one in text]
    duplicates = refusal(queries.public, citizen("second"), report)
    assert duplicates.status == 404


def test_an_original_does_not_name_a_duplicate_that_is_kept_secret(world: World) -> None:
    report, duplicate, _, _ = traces(world)
    assert duplicate in json.dumps(queries.timeline(PUBLIC, report, 0))
    world.act(official("officer1"), duplicate, "protect", **PROPOSED)
    assert duplicate not in json.dumps(queries.timeline(PUBLIC, report, 0))
    world.act(SAFE, duplicate, "take")
    assert world.head(report).merged == 0
    assert duplicate not in json.dumps(queries.timeline(PUBLIC, report, 0))


def rows(measure: str, area: str, now: datetime) -> list[dict[str, Any]]:
    """The public rows of a figure."""
    found: list[dict[str, Any]] = card_queries.rows(PUBLIC, MONTH, area, measure, 100, None, now)[
        "rows"
    ]
    return found


def judged(world: World) -> tuple[str, Report]:
    """A report whose promise was missed in a month that has its draft."""
    report, _, _, head = traces(world)
    lifecycle.update_all(world.now)
    world.now = FIRST
    world.sweep()
    world.project()
    lifecycle.update_all(world.now)
    world.now = DRAFT
    world.sweep()
    world.project()
    lifecycle.update_all(world.now)
    return report, head


def test_rows_of_a_judged_month_name_nobody_and_still_add_up(world: World) -> None:
    report, _ = judged(world)
    before = {area: rows("on_time", area, world.now) for area in ("TV", "D1", "D1-W1", "u-d1")}
    assert all(report in [one["report"] for one in found] for found in before.values())
    card = card_queries.card(PUBLIC, MONTH, "D1", world.now)["card"]
    world.act(WORKER, report, "protect", **PROPOSED)
    hidden = {area: rows("on_time", area, world.now) for area in before}
    assert report not in json.dumps(hidden)
    world.act(SAFE, report, "take")
    world.project()
    for area in ("TV", "D1"):
        found = rows("on_time", area, world.now)
        same = ("service", "outcome", "share", "weight")
        told = [
            sorted([one[name] for name in same] for one in each) for each in (found, before[area])
        ]
        assert told[0] == told[1]
        late = [one for one in found if one["outcome"] == "late"]
        assert late
        for row in late:
            assert [row[name] for name in ("report", "ward", "unit", "at")] == [None] * 4
            assert row["district"] == "D1"
    for area in ("D1-W1", "u-d1"):
        assert [one["outcome"] for one in rows("on_time", area, world.now)] == ["dismissed"]
    world.advance(days=1)
    lifecycle.update_all(world.now)
    assert card_queries.card(PUBLIC, MONTH, "D1", world.now)["card"] == card
    assert report not in json.dumps(card_queries.month(PUBLIC, MONTH, world.now))


def test_a_locked_file_is_replaced_with_a_tombstone_of_both_digests(world: World) -> None:
    report, _ = judged(world)
    held = store.month(JURISDICTION, MONTH) or {}
    keys = [
        compute.rows_key(JURISDICTION, MONTH, folder, "D1") for folder in ("live", held["folder"])
    ]
    world.act(WORKER, report, "protect", **PROPOSED)
    world.act(SAFE, report, "take")
    world.project()
    assert all(report.encode() in gzip.decompress(files.get(key) or b"") for key in keys)
    assert set(keys) <= set(anonymising.anonymise_hidden(world.now))
    assert not any(report.encode() in gzip.decompress(files.get(key) or b"") for key in keys)
    graves = card_queries.month(PUBLIC, MONTH, world.now)["tombstones"]
    assert {grave["district"] for grave in graves} == {"D1"}
    assert all(grave["was"] != grave["is"] and grave["rows"] for grave in graves)
    assert report not in json.dumps(graves)
    assert anonymising.anonymise_hidden(world.now) == []
    assert [one for one, _ in store.to_anonymise(JURISDICTION, 10)] == [report]
    world.advance(hours=1)
    anonymising.anonymise_hidden(world.now)
    assert store.to_anonymise(JURISDICTION, 10) == []


def test_a_report_whose_month_is_computed_meanwhile_is_made_anonymous_at_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    report, _ = judged(world)
    world.act(WORKER, report, "protect", **PROPOSED)
    world.act(SAFE, report, "take")
    world.project()
    world.advance(hours=2)

    def refuse(*_: Any) -> Any:
        raise Refused(frozenset({"month"}))

    monkeypatch.setattr(store, "put_month", refuse)
    assert anonymising.anonymise_hidden(world.now) == []
    assert [one for one, _ in store.to_anonymise(JURISDICTION, 10)] == [report]
    monkeypatch.undo()
    assert anonymising.anonymise_hidden(world.now) != []
    assert store.to_anonymise(JURISDICTION, 10) == []


def test_a_promise_missed_before_stays_missed_in_a_month_judged_later(world: World) -> None:
    """The month is still live when the report becomes protected."""
    report, _, _, _ = traces(world)
    world.act(WORKER, report, "protect", **PROPOSED)
    world.act(SAFE, report, "take")
    world.project()
    world.now = FIRST
    lifecycle.update_all(world.now)
    card = card_queries.card(official("auditor"), MONTH, "D1", world.now)["card"]
    due = next(measure for measure in card["measures"] if measure["measure"] == "on_time")
    assert (due["numerator"], due["denominator"]) == (0.0, 1.5)  # and its duplicate
    body = files.get(
        compute.rows_key(
            JURISDICTION, MONTH, (store.month(JURISDICTION, MONTH) or {})["folder"], "D1"
        )
    )
    assert report.encode() not in gzip.decompress(body or b"")
    backlog = next(measure for measure in card["measures"] if measure["measure"] == "backlog")
    assert backlog["n"] == 0


# Misses.


def calls(recorded: list[str], call: Any, *args: Any) -> list[str]:
    """The calls to AWS of a refused request."""
    recorded.clear()
    assert refusal(call, *args).status == 404
    return list(recorded)


def test_a_miss_and_a_secret_report_take_the_same_work(world: World) -> None:
    """Equal number and kind of calls to storage, so that the answers take equal time."""
    from chalicelib.storage import tables

    report = proposed(world)
    code, nobody = world.head(report).code, "01J00000000000000000000009"
    made: list[str] = []

    def record(model: Any, **_: Any) -> None:
        made.append(model.name)

    events = tables.client().meta.events
    events.register("before-call.dynamodb", record)
    try:
        asked = [
            (queries.track, (code, "ZZZZ-ZZZZ", "no code at all")),
            (queries.public, (report, nobody, "0")),
        ]
        for call, (known, *others) in asked:
            for who in (PUBLIC, citizen("stranger")):
                expected = calls(made, call, who, known)
                assert expected
                for other in others:
                    assert calls(made, call, who, other) == expected
        expected = calls(made, requests.token, JURISDICTION, f"t{report}")
        for other in (f"t{nobody}", "t", "nonsense"):
            assert calls(made, requests.token, JURISDICTION, other) == expected
    finally:
        events.unregister("before-call.dynamodb", record)
