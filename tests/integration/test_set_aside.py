"""Every schedule: one bad city, month, unit, report or row holds up no other, and is reported."""

import ast
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import app
from chalicelib import clock, observability
from chalicelib.services.forwarding import polling
from chalicelib.services.notifications import citizen_messages, daily_digest, outbox
from chalicelib.services.open_data import publishing
from chalicelib.services.people import retention
from chalicelib.services.platform import set_aside
from chalicelib.services.projections import timeline_events
from chalicelib.services.record import sealing
from chalicelib.services.reports import text_moderation
from chalicelib.services.scorecards import anonymising, audits, compute
from chalicelib.services.sla import sweep
from chalicelib.storage import city as city_store
from chalicelib.storage import (
    control,
    files,
    forwards,
    open311_requests,
    queues,
    reach,
    record_roots,
    reports,
    score_rows,
    tables,
)
from chalicelib.storage import scorecards as scorecard_store
from chalicelib.storage.transactions import Unavailable, commit
from infra.deploy.functions import FUNCTIONS
from infra.ops import dead
from tests.support.world import JURISDICTION, World, citizen

BROKEN = "aaa"  # A city whose rules cannot be read; it comes first.
SERVICES = Path(__file__).parents[2] / "chalicelib" / "services"
SCHEDULES = sorted(name for name, function in FUNCTIONS.items() if function.scheduled)
Check = Callable[[World], None]


@pytest.fixture(name="world")
def fixture_world(aws: None) -> World:
    """The test city after a broken one, with the tests' clock."""
    world = World()
    city_store.put_jurisdictions([BROKEN, JURISDICTION])
    clock.use(lambda: world.now)
    return world


@pytest.fixture(name="metrics")
def fixture_metrics(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What the metrics counted."""
    counted: Counter[str] = Counter()

    def count(name: str, value: float = 1) -> None:
        counted[name] += int(value)

    monkeypatch.setattr(observability, "count", count)
    return counted


def run(schedule: str) -> None:
    """Run a schedule as Lambda does."""
    event = {
        "version": "0", "id": "-", "source": "aws.events", "detail-type": "Scheduled Event",
        "account": "0", "time": "", "region": "us-east-1", "resources": [], "detail": {},
    }  # fmt: skip
    getattr(app, schedule)(event, None)


def notes(source: str, jurisdiction: str = JURISDICTION) -> list[str]:
    """The names of what a schedule set aside."""
    return sorted(note["name"] for note in control.dead(jurisdiction, source, 50))


def a_bad_row_in_the_outbox(world: World) -> Check:
    """A message of the city that cannot be read waits before one that is right."""
    commit([control.put_outbox("2026-11-01T00:00:00.000Z#a", {
        "kind": "scorecard", "jurisdiction": BROKEN, "month": "202611", "stage": "draft",
        "revision": 1, "folder": "r1-", "rules": "-", "dedupe": "a"})])  # fmt: skip
    commit([control.put_outbox("2026-11-01T00:00:00.000Z#b", {
        "kind": "alert", "jurisdiction": JURISDICTION, "dedupe": "b", "rules": None,
        "audience": 7})])  # fmt: skip
    commit([control.put_outbox("2026-11-02T00:00:00.000Z#c", {
        "kind": "forward", "jurisdiction": JURISDICTION, "dedupe": "c"})])  # fmt: skip

    def check(world: World) -> None:
        assert control.outbox(9) == []
        assert [len(notes(outbox.SOURCE, city)) for city in (BROKEN, JURISDICTION)] == [1, 1]

    return check


def a_bad_report_that_is_due(world: World) -> Check:
    """Of two overdue reports, one was promised under a version that is gone."""
    bad, good = (world.file(citizen(name))["id"] for name in ("a", "b"))
    head = replace(world.head(bad), promise={"city": "gone"})
    commit([reports.put_head(head, head.due_at, seen=1)])
    world.advance(days=30)
    world.now = world.now.replace(minute=36)

    def check(world: World) -> None:
        assert "resolve" in world.head(good).breached
        assert notes(sweep.SOURCE) == [bad]
        assert notes(text_moderation.SOURCE, BROKEN) == [set_aside.CITY]

    return check


def a_bad_row_in_a_queue(world: World) -> Check:
    """A report of district one has a deadline that cannot be read in the packed row."""
    bad = world.file(citizen("a"), ward="D1-W1")["id"]
    good = [world.file(citizen(ward), ward=ward)["id"] for ward in ("D1-W1", "D2-W1")]
    row = tables.Report.get(f"{JURISDICTION}#R#{bad}")
    card = json.loads(row.m)
    row.m = json.dumps([*card[:8], "soon", *card[9:]])
    row.save()
    reach_due = world.now + timedelta(hours=1)
    commit(reach.hold(JURISDICTION, reach_due, "person", "event", {"report": good[0]}))
    world.advance(days=4, hours=23)

    def check(world: World) -> None:
        told = [message for _, message in control.outbox(9)]
        assert sorted(message.get("unit", "-") for message in told) == ["-", "u-d1", "u-d2"]
        listed = [message["due"] for message in told if message["kind"] == "notice"]
        assert sorted(listed) == sorted([report] for report in good)
        assert notes(daily_digest.SOURCE) == [bad]
        assert notes(citizen_messages.SOURCE, BROKEN) == [set_aside.CITY, "held"]

    return check


def a_bad_row_of_a_scorecard(world: World) -> Check:
    """A report's row in the scorecards has no periods."""
    bad, _ = (world.file(citizen(name))["id"] for name in ("a", "b"))
    world.project()
    row = score_rows.score(JURISDICTION, bad)
    assert row is not None
    del row["rounds"]
    commit([score_rows.put_score(JURISDICTION, bad, 2, row, "999999")])
    world.advance(hours=2)

    def check(world: World) -> None:
        month = scorecard_store.month(JURISDICTION, "202611")
        assert month is not None
        cards = dict(scorecard_store.cards(JURISDICTION, "202611", month["folder"]))
        (received,) = (
            measure["value"]
            for measure in cards["city#TV"]["measures"]
            if measure["measure"] == "received"
        )
        assert received == 1
        assert notes(compute.SOURCE) == [f"{compute.ROW}{bad}"]

    return check


def a_bad_note_of_a_hidden_report(world: World) -> Check:
    """One of two reports that became protected has a note without its month."""
    good = world.file()["id"]
    commit([scorecard_store.put_to_anonymise(JURISDICTION, good, "202611", "2026-11-02T00:00:00Z"),
            scorecard_store.put_to_anonymise(JURISDICTION, "0", "202611", "soon")])  # fmt: skip
    world.advance(hours=2)

    def check(world: World) -> None:
        left = [report for report, _ in scorecard_store.to_anonymise(JURISDICTION, 9)]
        assert (left, notes(anonymising.SOURCE)) == (["0"], ["0"])

    return check


def a_bad_report_whose_retention_is_over(world: World) -> Check:
    """Only the city is bad; ``test_retention`` plants a bad report."""
    world.now = world.now.replace(hour=19)  # two in the morning in the city
    control.put_dead(JURISDICTION, retention.DEAD, set_aside.CITY, {})

    def check(world: World) -> None:
        assert notes(retention.DEAD) == []  # It succeeded, so its old note is gone.

    return check


def a_bad_row_in_a_list(world: World) -> Check:
    """A row of the Open311 list has no state."""
    bad, good = (world.file(citizen(name))["id"] for name in ("a", "b"))
    world.project()
    row = {"id": bad, "updated": "2026-11-02T01:00:00.000Z"}
    event = {"report": bad, "version": 9, "at": "2026-11-02T01:00:00.000Z"}
    commit([open311_requests.put_request(JURISDICTION, row, event)])
    world.advance(hours=1)

    def check(world: World) -> None:
        text = (files.get(f"open-data/{JURISDICTION}/2026-11.csv") or b"").decode()
        assert (good in text, bad in text) == (True, False)
        assert f"row:{bad}" in notes(publishing.SOURCE)

    return check


def a_bad_row_of_a_forwarded_report(world: World) -> Check:
    """A unit's server is asked about three reports; one row names no report."""
    from tests.integration import test_forwarding
    from tests.support import open311_server

    test_forwarding.connect(world)
    with open311_server.server(open311_server.Agency()) as there:
        report = test_forwarding.given_to_province(world)
        assert test_forwarding.work_off(world) == []
        there.answer.requests["P-1"]["status"] = "closed"  # type: ignore[attr-defined]
        commit([forwards.put_followed(JURISDICTION, test_forwarding.UNIT, "P-0", {"n": 0})])
        run("follow_forwards")
    assert world.events(report)[-1]["action"] == polling.FINISHED

    def check(world: World) -> None:
        assert notes(polling.SOURCE) == [f"{test_forwarding.UNIT}:P-0"]

    return check


def a_bad_note_of_a_tail(world: World) -> Check:
    """One of two notes of a day's events cannot be read, and one of the other city."""
    good, bad = (world.file()["id"] for _ in range(2))
    day = record_roots.day_of(world.now)
    for city, report in ((JURISDICTION, bad), (BROKEN, bad)):
        tables.Control(f"{city}#TAILS#{day}", report, doc="{}").save()
    world.advance(days=2)

    def check(world: World) -> None:
        (row,) = record_roots.roots(JURISDICTION, None, 1)
        month = json.loads(row["document"])["months"][0]
        tails = record_roots.month(JURISDICTION, month["month"], month["root"]) or []
        assert [tail.report for tail in tails if tail.report] == [good]
        assert notes(sealing.SOURCE) == [f"tail:{bad}"]

    return check


PLANTED: dict[str, Callable[[World], Check]] = {
    "relay_outbox": a_bad_row_in_the_outbox,
    "sweep_clocks": a_bad_report_that_is_due,
    "warn_units": a_bad_row_in_a_queue,
    "keep_scorecards": a_bad_row_of_a_scorecard,
    "seal_record": a_bad_note_of_a_tail,
    "hide_rows": a_bad_note_of_a_hidden_report,
    "erase_expired": a_bad_report_whose_retention_is_over,
    "write_open_data": a_bad_row_in_a_list,
    "follow_forwards": a_bad_row_of_a_forwarded_report,
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_one_bad_city_and_one_bad_row_hold_up_nothing_and_are_counted(
    world: World, metrics: Counter[str], schedule: str
) -> None:
    check = PLANTED[schedule](world)
    run(schedule)
    check(world)
    assert metrics[set_aside.METRIC] >= 1
    assert any(name.startswith(BROKEN) for name in dead.look()["notes"])


def test_every_schedule_has_a_test_with_a_bad_row() -> None:
    assert sorted(PLANTED) == SCHEDULES


def test_every_loop_over_the_cities_sets_a_bad_city_aside() -> None:
    """In the services, whose loops over cities are run by schedules."""
    bare = []
    for path in sorted(SERVICES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            loops = isinstance(node, ast.For) and ast.unparse(node.iter).endswith("jurisdictions()")
            if loops and "run.item(jurisdiction" not in ast.unparse(node).partition("\n")[2]:
                bare.append(f"{path.relative_to(SERVICES)}:{node.lineno}")
    # A rebuild is a command: it deletes the notes of every city, and stops at the first fault.
    assert [place.partition(":")[0] for place in bare] == ["projections/monthly_counts.py"]


def test_a_month_of_which_the_audit_fails_keeps_no_other_from_its_scorecards(
    world: World, metrics: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.file()
    world.project()
    world.advance(days=35)

    def fail(*_: Any) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(audits, "draw", fail)
    run("keep_scorecards")
    assert scorecard_store.month(JURISDICTION, "202611") is None
    assert scorecard_store.month(JURISDICTION, "202612") is not None
    assert notes(compute.SOURCE) == ["month:202611"]
    monkeypatch.undo()
    run("keep_scorecards")
    assert notes(compute.SOURCE) == []


def test_while_aws_does_not_answer_a_run_ends_and_says_so(world: World) -> None:
    one_run, tried = set_aside.Run("sweep", world.now), list[int]()

    def fail_at_every_item() -> None:
        for number in range(9):
            with one_run.item(JURISDICTION, str(number)):
                tried.append(number)
                raise Unavailable

    with pytest.raises(Unavailable):
        fail_at_every_item()
    assert (tried, notes("sweep")) == ([0, 1, 2], [])


def test_a_row_of_the_outbox_with_an_unexpected_fault_stays_and_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def send(message: dict[str, Any]) -> None:
        if message["dedupe"].startswith("bad"):
            raise ZeroDivisionError
        sent.append(message["dedupe"])

    monkeypatch.setattr(queues, "send_forward", send)
    monkeypatch.setattr(outbox, "PAGE", 3)
    names = ["bad-1", "a", "bad-2", "bad-3", "b", "c", "d", "bad-4", "e"]
    for number, name in enumerate(names):
        row = {"kind": "forward", "jurisdiction": JURISDICTION, "dedupe": name}
        commit([control.put_outbox(f"2026-11-02T00:00:00.00{number}Z#{name}", row)])
    assert outbox.drain(now=world.now) == 5
    assert sent == ["a", "b", "c", "d", "e"]
    assert len(notes(outbox.SOURCE)) == len(control.outbox(9)) == 4
    monkeypatch.undo()
    assert outbox.drain(now=world.now) == 4
    assert (notes(outbox.SOURCE), control.outbox(9)) == ([], [])


def test_what_one_item_left_for_the_next_run_is_said_when_the_others_are_done(
    world: World,
) -> None:
    one_run, tried = set_aside.Run("sweep", world.now), []
    for number in range(9):
        with one_run.item(JURISDICTION, str(number)):
            tried.append(number)
            if number == 1:
                raise Unavailable
    assert len(tried) == 9
    with pytest.raises(Unavailable):
        one_run.finish()


def stream_record(keys: dict[str, Any], image: dict[str, Any]) -> dict[str, Any]:
    """A record of the timeline's stream."""
    return {
        "eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb",
        "eventSourceARN": "arn", "awsRegion": "us-east-1",
        "dynamodb": {"Keys": keys, "NewImage": image, "SequenceNumber": "7"},
    }  # fmt: skip


def test_the_note_of_an_event_goes_when_a_later_attempt_projects_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = world.file()["id"]
    (row,) = tables.Event.scan()
    image = row.to_dynamodb_dict()
    record = stream_record({name: image[name] for name in ("pk", "version")}, image)

    def fail(*_: Any, **__: Any) -> bool:
        raise ValueError("the city's file was missing")

    monkeypatch.setattr(timeline_events, "apply", fail)
    app.project_timeline({"Records": [record]}, None)
    assert notes("projection") == [f"{report}#1"]
    monkeypatch.undo()
    assert app.project_timeline({"Records": [record]}, None) == {"batchItemFailures": []}
    assert notes("projection") == []


def test_the_note_of_an_open_data_row_goes_when_the_row_is_repaired(world: World) -> None:
    check = a_bad_row_in_a_list(world)
    run("write_open_data")
    check(world)
    (noted,) = [name for name in notes(publishing.SOURCE) if name.startswith("row:")]
    (event,) = world.events(noted.removeprefix("row:"))
    row = open311_requests.row_of(event)
    commit([open311_requests.put_request(JURISDICTION, row, {**event, "version": 10})])
    run("write_open_data")
    assert notes(publishing.SOURCE) == []


def test_the_note_of_an_item_that_no_run_tries_again_expires(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An official closes a report that the sweep could not do: the sweep visits it no more."""
    one_run = set_aside.Run(sweep.SOURCE, world.now)
    with one_run.item(JURISDICTION, "a report"):
        raise LookupError
    one_run.set_aside(JURISDICTION, "a dead letter", LookupError())
    assert notes(sweep.SOURCE) == ["a dead letter", "a report"]
    later = clock.wall() + set_aside.KEEP + timedelta(minutes=1)
    monkeypatch.setattr(clock, "wall", lambda: later)
    assert notes(sweep.SOURCE) == ["a dead letter"]


def test_an_event_that_the_projection_cannot_read_is_noted_and_counted(
    world: World, metrics: Counter[str]
) -> None:
    report = world.file()["id"]
    (event,) = world.events(report)
    event["after"] |= {"state": "closed", "resolution": "done", "closed_month": "202611"}
    event["schema"] = 1
    keys = {"pk": {"S": f"{JURISDICTION}#R#{report}"}, "version": {"N": "1"}}
    image = {**keys, "event": {"S": json.dumps(event)}}
    answer = app.project_timeline({"Records": [stream_record(keys, image)]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "7"}]}
    assert notes("projection") == [f"{report}#1"]
    assert metrics[set_aside.METRIC] == 1
    assert dead.look()["notes"][f"{JURISDICTION} projection"][0]["error"]
