"""Acting on reports through the services: one action, one transaction, one event."""

import json
import logging
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.principal import Principal
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.notifications import citizen_messages, outbox
from chalicelib.services.platform.idempotency import Outcome
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import actions, one_tap, queries, queues
from chalicelib.storage import control, report_lists, report_texts, reports, tables
from chalicelib.storage.transactions import Unavailable
from tests.support.aws import backend
from tests.support.world import BUNDLE, JURISDICTION, PUBLIC, World, citizen, faults, official, spot

REPORTER = citizen("reporter")
ANOTHER = {**BUNDLE, "version": "bbbbbbbbbbbb"}


def refusal(call: Any, *given: Any, **fields: Any) -> Problem:
    """The problem that a call raises."""
    with pytest.raises(Problem) as found:
        call(*given, **fields)
    return found.value


def sound(world: World, *ids: str) -> None:
    """Every invariant holds for these reports, and for the tallies after projecting."""
    for report in ids:
        assert faults(world.head(report), world.links(report)) == []
    world.project()
    assert world.tallies() == monthly_counts.recount()
    assert monthly_counts.rebuild()["changed"] == 0


def test_a_report_travels_from_filing_to_a_verified_repair(world: World) -> None:
    """Filed, assigned, started, finished with a photo, verified: five events and one chain."""
    report = world.finished()
    answer = world.act(REPORTER, report, "verify", note="Thank you.")
    assert (answer["state"], answer["resolution"], answer["version"]) == ("closed", "verified", 5)
    sound(world, report)
    month = monthly_counts.month(JURISDICTION, "202611", world.now)
    counted = {name: n for name, n in month["city"].items() if n}
    assert counted == {"received": 1, "verified": 1, "finished": 1}
    assert [event["action"] for event in world.events(report)] == [
        "file",
        "assign",
        "start",
        "finish",
        "verify",
    ]


def test_an_event_names_the_role_that_gave_the_right(world: World) -> None:
    """It names no relation such as holder, except reporter."""
    report = world.finished(contact={"email": "a@example.org"})
    world.act(official("verifier"), report, "refuse", reason="x")
    world.act(official("worker1"), report, "reclassify", service="misconduct", reason="x")
    world.act(official("safe"), report, "take")
    world.act(REPORTER, report, "withdraw")
    roles = [event["actor"]["role"] for event in world.events(report)]
    assert roles == [
        "citizen",
        "officer",
        "field_worker",
        "field_worker",
        "verifier",
        "field_worker",
        "staff",
        "reporter",
    ]


def test_the_timeline_is_only_ever_appended_to(world: World) -> None:
    """Case 78: whatever is done, its table gets conditional puts and nothing else."""
    seen: list[str] = []

    def record(params: dict[str, Any], **_: Any) -> None:
        for one in json.loads(params["body"]).get("TransactItems", []):
            for kind, item in one.items():
                if item["TableName"] == tables.Event.Meta.table_name:
                    seen.append(f"{kind} {item.get('ConditionExpression')}")

    events = tables.client().meta.events
    events.register("before-call.dynamodb", record)
    try:
        report = world.finished()
        world.act(REPORTER, report, "refuse", reason="x")
        world.project()
    finally:
        events.unregister("before-call.dynamodb", record)
    assert seen == ["Put attribute_not_exists (#0)"] * 5


def test_a_stale_version_is_refused_with_both_versions(world: World) -> None:
    """Case 75: two officers at once, one 409 that says where the report is now."""
    report = world.file()["id"]
    world.act(official("officer1"), report, "assign", version=1, unit="u-d1")
    problem = refusal(
        world.act, official("colleague1"), report, "assign", version=1, person="s_worker1"
    )
    assert (problem.status, problem.slug) == (409, "stale_version")
    assert (problem.members["seen"], problem.members["version"]) == (1, 2)
    assert problem.members["state"] == "assigned"
    assert "finish" in problem.members["open_actions"]
    assert world.head(report).version == 2
    sound(world, report)


def test_notes_of_the_clock_do_not_make_a_version_stale(world: World) -> None:
    """A breach, levels and supports do not; a colleague's action among them does."""
    report = world.file(service="litter")["id"]
    world.advance(days=3)
    world.sweep()
    noted = world.head(report).version
    assert noted > 3
    changed = world.act(official("officer1"), report, "assign", version=1, person="s_worker1")
    assert changed["version"] == noted + 1
    world.advance(days=3)
    world.sweep()
    problem = refusal(world.act, official("worker1"), report, "start", version=1)
    assert (problem.slug, problem.members["version"]) == (
        "stale_version",
        world.head(report).version,
    )
    assert world.act(official("worker1"), report, "start", version=noted + 1)["state"] == (
        "in_progress"
    )
    sound(world, report)


def test_a_version_of_the_future_is_stale(world: World) -> None:
    report = world.file(service="litter")["id"]
    ahead = refusal(world.act, official("officer1"), report, "assign", version=2, unit="u-d1")
    assert ahead.slug == "stale_version"


def test_for_an_older_head_the_last_events_say_what_was_only_noted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the head is written again; with too many events the version is stale."""
    report = world.file(service="litter")["id"]
    world.advance(days=3)
    world.sweep()
    monkeypatch.setattr(reports, "get", _of_before(reports.get))
    officer = official("officer1")
    with monkeypatch.context() as patch:
        patch.setattr(actions, "NOTES_AT_MOST", 2)
        behind = refusal(world.act, officer, report, "assign", version=1, unit="u-d1")
        assert behind.slug == "stale_version"
    assert world.act(officer, report, "assign", version=1, unit="u-d1")["state"] == "assigned"


def _of_before(get: Any) -> Any:
    return lambda place, report: replace(get(place, report), decided=0)


def test_an_action_overtaken_by_the_clock_is_written_over_the_newest_version(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep runs between reading and writing: the write is tried again on the new version."""
    report = world.file(service="litter")["id"]
    world.advance(days=3)
    real, swept = actions.write_with_key, []

    def late(*given: Any) -> Outcome:
        if not swept:
            swept.append(True)
            world.sweep()
        return real(*given)

    monkeypatch.setattr(actions, "write_with_key", late)
    changed = world.act(official("officer1"), report, "assign", version=1, person="s_worker1")
    assert changed["version"] == world.head(report).version > 2
    assert world.head(report).breached
    sound(world, report)


def test_the_same_key_acts_once(world: World) -> None:
    """A replay answers the same, though the version has moved on; another body is refused."""
    report = world.file()["id"]
    first = world.act(official("officer1"), report, "assign", 1, key="k", unit="u-d1")
    world.act(official("worker1"), report, "start")
    assert world.act(official("officer1"), report, "assign", 1, key="k", unit="u-d1") == first
    problem = refusal(world.act, official("officer1"), report, "assign", 2, key="k", unit="u-d1")
    assert (problem.status, problem.slug) == (422, "key_reused")
    assert world.head(report).version == 3


def test_one_key_of_two_people_is_two_operations(world: World) -> None:
    """Nobody gets another person's answer."""
    report = world.file()["id"]
    world.act(official("officer1"), report, "assign", 1, key="k", unit="u-d1")
    problem = refusal(world.act, official("colleague1"), report, "assign", 1, key="k", unit="u-d1")
    assert problem.slug == "stale_version"


def test_a_photo_serves_once_and_only_its_owner(world: World) -> None:
    """A used, foreign, missing or unknown photo is 422, and nothing is written."""
    report = world.file()["id"]
    worker = official("worker1")
    world.act(official("officer1"), report, "assign", person=worker.uid)
    foreign = world.photo(official("mate1"))
    for photos, slug in (
        ([foreign], "unknown_photo"),
        (["01J00000000000000000000000"], "unknown_photo"),
        ([foreign, foreign], "too_many_photos"),
    ):
        problem = refusal(world.act, worker, report, "finish", photos=photos, note="x")
        assert problem.slug == slug
    photo = world.photo(worker)
    world.act(worker, report, "finish", photos=[photo], note="x")
    world.act(REPORTER, report, "refuse", reason="x")
    problem = refusal(world.act, worker, report, "finish", photos=[photo], note="x")
    assert problem.slug == "photo_used"
    assert world.head(report).version == 4
    sound(world, report)


def test_a_person_must_be_an_active_official_of_the_unit(world: World) -> None:
    """An official of another unit, or unknown, is 422; people who may not assign learn no names."""
    report = world.file()["id"]
    officer = official("officer1")
    for person in ("s_worker2", "s_nobody"):
        problem = refusal(world.act, officer, report, "assign", person=person)
        assert (problem.status, problem.slug) == (422, "unknown_person")
    problem = refusal(world.act, REPORTER, report, "assign", person="s_nobody")
    assert problem.slug == "role_not_allowed"


def test_unknown_reports_and_those_of_another_city_are_404(world: World) -> None:
    """The same answer for both."""
    report = world.file()["id"]
    stranger = Principal("staff", "otherville", "s_x", "u-d1", "D1", official("officer1").grants)
    first = refusal(queries.case, stranger, report)
    second = refusal(queries.case, official("officer1"), "01J00000000000000000000000")
    assert first.document() == second.document()
    assert first.status == 404


def test_a_protected_report_exists_for_its_unit_and_reporter_alone(world: World) -> None:
    """404 for everybody else in every view; it is in no tally, list or neighbourhood."""
    filed = world.file(service="violence", description="secret words")
    report, code = filed["id"], filed["code"]
    assert (filed["emergency"], filed["possible_duplicates"]) == ("112", [])
    for actor in (PUBLIC, citizen("other"), official("officer1"), official("dispatcher")):
        for problem in (
            refusal(queries.public, actor, report),
            refusal(queries.track, actor, code),
            refusal(queries.timeline, actor, report, 0),
        ):
            assert problem.status == 404
    for who in ("officer1", "head1", "dispatcher", "admin", "auditor", "officer2"):
        assert refusal(queries.case, official(who), report).status == 404
        assert refusal(world.act, official(who), report, "assign", unit="u-d1").status == 404
    assert queries.public(REPORTER, report)["description"] == "secret words"
    assert queries.case(official("safe"), report)["protected"] is True
    desk = queues.queue(official("safe"), "protected", None, None, 50, None, world.now)
    assert [card["id"] for card in desk["reports"]] == [report]
    desk = queues.queue(official("cleaner"), "protected", None, None, 50, None, world.now)
    assert desk["reports"] == []
    for who in ("officer1", "dispatcher"):
        seen = queues.queue(official(who), "D1", None, None, 50, None, world.now)
        assert seen["reports"] == []
    world.act(official("safe"), report, "assign", person="s_guard")
    world.act(official("guard"), report, "finish", note="Safe now.")
    world.act(REPORTER, report, "verify")
    sound(world, report)
    assert world.tallies() == {}


def test_a_protected_report_alerts_without_content_and_asks_nobody(world: World) -> None:
    """No place, no service, no survey."""
    contact = {"email": "reporter@example.org"}
    report = world.file(service="violence", contact=contact)["id"]
    world.act(official("safe"), report, "assign", person="s_guard")
    world.act(official("guard"), report, "finish", note="Safe.")
    world.project()
    rows = [row for _, row in control.outbox(100)]
    assert [row["event"] for row in rows] == ["file", "assign"]
    for row in rows:
        assert not {"district", "ward", "service", "state"} & row.keys()


def test_reclassifying_into_a_protected_service_hides_all_of_it(world: World) -> None:
    """Out of the map, the queue, the counters and the public view, once its unit has taken it."""
    report = world.file()["id"]
    world.project()
    assert world.tallies()
    world.act(official("worker1"), report, "reclassify", service="misconduct", reason="A bribe.")
    assert refusal(queries.public, PUBLIC, report).status == 404
    world.act(official("safe"), report, "take")
    assert refusal(queries.public, PUBLIC, report).status == 404
    assert refusal(queries.case, official("officer1"), report).status == 404
    neighbour = world.file(citizen("b"), ward="D1-W1")
    assert neighbour["possible_duplicates"] == []
    world.act(official("officer1"), neighbour["id"], "reject", reason_code="spam", text="x")
    sound(world, report, neighbour["id"])
    assert {"received": 1, "rejected": 1} in world.tallies().values()


def merged(world: World) -> tuple[str, str]:
    """An original and a duplicate that was merged into it."""
    original = world.file(citizen("first"))["id"]
    world.advance(hours=1)
    duplicate = world.file(citizen("second"))["id"]
    world.act(official("officer1"), duplicate, "merge", into=original)
    return original, duplicate


def test_every_reporter_of_a_duplicate_keeps_a_reporters_rights(world: World) -> None:
    """They verify or refuse the original; only the person who filed it may withdraw it."""
    original, duplicate = merged(world)
    assert world.head(original).merged == 1
    problem = refusal(world.act, citizen("second"), original, "withdraw")
    assert (problem.status, problem.members["rule"]) == (403, "withdraw.filer")
    assert refusal(world.act, citizen("third"), original, "withdraw").status == 403
    world.act(official("officer1"), original, "assign", person="s_worker1")
    world.finish(official("worker1"), original)
    assert world.act(citizen("second"), original, "refuse", reason="x")["state"] == "in_progress"
    sound(world, original, duplicate)


def test_rights_reach_through_a_merged_original(world: World) -> None:
    """The duplicate of a duplicate has them too, and loses them with the undoing."""
    oldest = world.file(citizen("zeroth"))["id"]
    world.advance(hours=1)
    original, duplicate = merged(world)
    officer = official("officer1")
    world.act(officer, original, "merge", into=oldest)
    world.act(officer, oldest, "assign", person="s_worker1")
    world.finish(official("worker1"), oldest)
    assert world.act(citizen("second"), oldest, "verify")["resolution"] == "verified"
    world.act(officer, original, "unmerge", reason="x")
    problem = refusal(world.act, citizen("second"), oldest, "reopen", reason="x")
    assert problem.slug == "role_not_allowed"
    sound(world, oldest, original, duplicate)


def test_claiming_a_duplicate_of_a_lost_phone_keeps_its_rights(world: World) -> None:
    """The new device has the original's rights, the lost one none."""
    from chalicelib.services.people import claiming
    from chalicelib.services.platform import signing

    original, duplicate = merged(world)
    phone = citizen("newphone")
    op = world.operation(phone, "claimReport", {})
    claiming.claim(phone, op, duplicate, signing.claim_secret(duplicate), world.now)
    world.act(official("officer1"), original, "assign", person="s_worker1")
    world.finish(official("worker1"), original)
    assert refusal(world.act, citizen("second"), original, "verify").status == 403
    assert world.act(phone, original, "verify")["resolution"] == "verified"


def test_unmerging_takes_back_count_and_rights(world: World) -> None:
    """The duplicate is open again with its own clock; the original forgets it."""
    original, duplicate = merged(world)
    due = world.head(duplicate).due_at
    world.act(official("officer1"), duplicate, "unmerge", reason="Another hole.")
    head = world.head(duplicate)
    assert (head.state, head.due_at, head.merged_into) == ("submitted", due, None)
    assert world.head(original).merged == 0
    assert refusal(world.act, citizen("second"), original, "withdraw").slug == "role_not_allowed"
    sound(world, original, duplicate)


def test_the_clock_frees_a_duplicate_when_its_original_is_put_aside(world: World) -> None:
    """Not before."""
    original, duplicate = merged(world)
    assert refusal(world.clock, duplicate, "unmerge").slug == "too_early"
    world.act(official("officer1"), original, "disown", text="The province's.")
    assert world.clock(duplicate, "unmerge")["state"] == "submitted"
    sound(world, original, duplicate)


def test_an_incident_is_one_report_for_many(world: World) -> None:
    """Sixty duplicates, each merged once; the original's chain counts them all."""
    original = world.file(citizen("first"))["id"]
    world.advance(seconds=1)
    duplicates = [world.file(citizen(f"n{number}"))["id"] for number in range(60)]
    for duplicate in duplicates:
        world.act(official("officer1"), duplicate, "merge", into=original)
    assert world.head(original).merged == 60
    world.act(official("officer1"), original, "assign", person="s_worker1")
    world.finish(official("worker1"), original)
    assert world.act(citizen("n59"), original, "verify")["resolution"] == "verified"
    sound(world, original, duplicates[0], duplicates[59])


def test_a_merge_succeeds_though_the_original_changes_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The actor's version is that of the duplicate; the original is read and checked again."""
    original = world.file(citizen("first"))["id"]
    world.advance(hours=1)
    duplicate = world.file(citizen("second"))["id"]
    real = actions._commit
    interrupted: list[int] = []

    def meanwhile(*given: Any) -> Outcome:
        if not interrupted:
            interrupted.append(1)
            world.act(official("colleague1"), original, "assign", unit="u-d1")
        return real(*given)

    monkeypatch.setattr(actions, "_commit", meanwhile)
    world.act(official("officer1"), duplicate, "merge", into=original)
    assert world.head(original).version == 3
    sound(world, original, duplicate)


def test_a_merge_into_a_report_that_changes_all_the_time_is_503(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some attempts, with nothing written."""
    original = world.file(citizen("first"))["id"]
    duplicate = world.file(citizen("second"))["id"]
    real = actions._commit

    def meanwhile(*given: Any) -> Outcome:
        head = world.head(original)
        if given[3].after.state == "closed":
            world.act(official("colleague1"), original, "assign", head.version, unit="u-d1")
        return real(*given)

    monkeypatch.setattr(actions, "_commit", meanwhile)
    with pytest.raises(Unavailable):
        world.act(official("officer1"), duplicate, "merge", into=original)
    assert world.head(duplicate).version == 1
    sound(world, original, duplicate)


def test_merging_across_what_the_officer_may_not_see_is_422(world: World) -> None:
    """This officer sees neither another district's report nor a protected one."""
    hidden = world.file(citizen("a"), service="violence")["id"]
    other = world.file(citizen("b"), ward="D2-W1")["id"]
    world.advance(hours=1)
    report = world.file()["id"]
    for into in (hidden, other, "01J00000000000000000000000"):
        problem = refusal(world.act, official("officer1"), report, "merge", into=into)
        assert (problem.status, problem.slug) == (422, "original_unknown")


def test_another_district_takes_a_report_by_a_dispatcher(world: World) -> None:
    """One district stops seeing it, the other sees it; the tallies move with it."""
    report = world.file()["id"]
    world.project()
    problem = refusal(world.act, official("officer1"), report, "transfer", ward="D2-W1", reason="x")
    assert problem.slug == "dispatcher_needed"
    world.act(official("dispatcher"), report, "transfer", ward="D2-W1", reason="Border.")
    assert refusal(queries.case, official("officer1"), report).status == 404
    assert queries.case(official("officer2"), report)["unit"]["code"] == "u-d2"
    sound(world, report)
    assert {area for _, _, area in world.tallies()} == {"D2", "D2/D2-W1"}


def test_rules_of_filing_hold_for_the_life_of_a_report(world: World) -> None:
    """New city rules apply only to new promises, also of a reopened report."""
    from chalicelib.services.city import cities
    from tests.support.world import STAFF, blob

    report = world.file()["id"]
    stricter = json.loads(json.dumps(ANOTHER))
    stricter["services"][0]["resolve"]["hours"] = 1
    stricter["rules"]["reopen_days"] = 1
    cities.publish(stricter, blob(), list(STAFF), world.now)
    world.act(official("officer1"), report, "reject", reason_code="spam", text="x")
    world.advance(days=20)
    assert world.head(report).due_at == world.head(report).filed_at + timedelta(hours=120)
    world.act(REPORTER, report, "reopen", reason="x")
    assert world.head(report).due_at == world.now + timedelta(hours=1)
    assert world.head(world.file()["id"]).due_at == world.now + timedelta(hours=1)
    sound(world, report)


def test_the_contact_is_read_by_permission_and_every_reading_is_an_event(world: World) -> None:
    """Recorded first; nothing personal in the event or in the idempotency row."""
    contact = {"name": "Budi Canary", "email": "budi@canary.example"}
    report = world.file(contact=contact)["id"]
    officer = official("officer1")
    op = world.operation(officer, "readContact", {}, "k")
    outcome = queries.contact(officer, op, report, world.now)
    assert outcome.answer["contact"] == contact
    assert world.events(report)[-1]["action"] == "contact_read"
    assert world.events(report)[-1]["actor"]["uid"] == "s_officer1"
    again = queries.contact(officer, op, report, world.now)
    assert (again.replayed, again.answer["contact"]) == (True, contact)
    assert world.head(report).version == 2
    for who in ("colleague1", "worker1", "head1", "admin", "dispatcher", "verifier", "auditor"):
        op = world.operation(official(who), "readContact", {})
        problem = refusal(queries.contact, official(who), op, report, world.now)
        assert (problem.status, problem.slug) == (403, "contact_not_allowed")
    op = world.operation(official("officer2"), "readContact", {})
    assert refusal(queries.contact, official("officer2"), op, report, world.now).status == 404
    shown = queries.timeline(PUBLIC, report, 0)["events"][-1]
    assert (shown["action"], "by" in shown) == ("inside", False)
    sound(world, report)


def test_a_queue_is_ordered_by_deadline_and_paged(world: World) -> None:
    """Every open report of the district once, the next deadline first."""
    officer = official("officer1")
    made = []
    for number in range(7):
        world.advance(minutes=10)
        service = ("pothole", "litter")[number % 2]
        made.append(world.file(citizen(f"q{number}"), service=service)["id"])
    world.act(officer, made[0], "assign", unit="u-d1")
    world.act(officer, made[1], "reject", reason_code="spam", text="x")
    world.file(ward="D2-W1")
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = queues.queue(officer, None, None, None, 2, cursor, world.now)
        assert len(page["reports"]) <= 2
        found += page["reports"]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert [card["due_at"] for card in found] == sorted(card["due_at"] for card in found)
    assert {card["id"] for card in found} == set(made) - {made[1]}
    soon = queues.queue(officer, "D1", "submitted", 48, 50, None, world.now)["reports"]
    assert {card["service"] for card in soon} == {"litter"}
    problem = refusal(queues.queue, officer, "D1", "submitted", 48, 2, "x.y.z", world.now)
    assert problem.slug == "cursor_invalid"


def test_a_cursor_serves_its_own_list_and_person(world: World) -> None:
    """Signed with its filters."""
    for number in range(3):
        world.file(citizen(f"c{number}"))
    officer = official("officer1")
    cursor = queues.queue(officer, "D1", "submitted", None, 1, None, world.now)["cursor"]
    assert queues.queue(officer, "D1", "submitted", None, 1, cursor, world.now)["reports"]
    for actor, state in ((officer, "assigned"), (official("colleague1"), "submitted")):
        problem = refusal(queues.queue, actor, "D1", state, None, 1, cursor, world.now)
        assert (problem.status, problem.slug) == (400, "cursor_invalid")
    world.advance(days=2)
    problem = refusal(queues.queue, officer, "D1", "submitted", None, 1, cursor, world.now)
    assert problem.slug == "cursor_invalid"


def test_a_queue_never_leaves_the_officials_scope(world: World) -> None:
    """Case 72: another district is 404, and services outside the scope are left out."""
    pothole, litter = world.file()["id"], world.file(service="litter")["id"]
    problem = refusal(queues.queue, official("officer2"), "D1", None, None, 50, None, world.now)
    assert problem.status == 404
    seen = queues.queue(official("litterer"), "D1", None, None, 50, None, world.now)
    assert [card["id"] for card in seen["reports"]] == [litter]
    seen = queues.queue(official("auditor"), "D1", None, None, 50, None, world.now)
    assert {card["id"] for card in seen["reports"]} == {pothole, litter}
    problem = refusal(queues.queue, official("auditor"), None, None, None, 50, None, world.now)
    assert problem.slug == "district_needed"
    seen = queues.queue(official("officer1"), "protected", None, None, 50, None, world.now)
    assert seen["reports"] == []


def test_the_due_index_holds_what_a_clock_must_look_at(world: World) -> None:
    """Open reports by their next due time, and no closed or disputed ones."""
    report = world.file()["id"]
    head = world.head(report)
    ((_, place, found),) = report_lists.due(head.acknowledge_due, None, 10)
    assert (place, found) == (JURISDICTION, report)
    assert report_lists.due(head.acknowledge_due - timedelta(seconds=1), None, 10) == []
    world.act(official("officer1"), report, "reject", reason_code="spam", text="x")
    assert report_lists.due(head.due_at + timedelta(days=99), None, 10) == []


def test_projecting_twice_changes_nothing(world: World) -> None:
    """A marker an event; the outbox too."""
    report = world.finished(contact={"email": "a@example.org"})
    assert world.project() == 4
    before, waiting = world.tallies(), control.outbox(100)
    assert world.project() == 0
    assert (world.tallies(), control.outbox(100)) == (before, waiting)
    kinds = [row["kind"] for _, row in waiting]
    assert sorted(kinds) == ["alert", "alert", "photo", "told"]
    assert outbox.drain() == 4
    assert outbox.drain() == 0
    sound(world, report)


def test_one_tap_answers_for_the_reporter_once(world: World) -> None:
    """The link of this finish alone; a second tap, or the other button, changes nothing."""
    report = world.finished(contact={"email": "a@example.org"})
    finished = world.head(report).finished_at
    assert finished is not None
    link = citizen_messages.answer_link(JURISDICTION, report, finished)
    token = link.rsplit("/", 1)[1]
    done = one_tap.answer(token, False, world.now)
    assert done is not None
    assert done.answer["state"] == "in_progress"
    assert one_tap.answer(token, False, world.now) is None
    assert one_tap.answer(token, True, world.now) is None
    world.advance(hours=1)
    world.finish(official("worker1"), report)
    assert one_tap.answer(token, True, world.now) is None
    sound(world, report)


def test_two_officers_at_once_leave_one_winner(world: World) -> None:
    """The second writes over the version that the first has replaced: 409, one event."""
    report = world.file()["id"]
    real, started = actions.write_with_key, threading.Event()

    def late(*given: Any) -> Outcome:
        if not started.is_set():
            started.set()
            world.act(official("colleague1"), report, "assign", 1, person="s_mate1")
        return real(*given)

    actions.write_with_key = late  # type: ignore[assignment]
    try:
        problem = refusal(world.act, official("officer1"), report, "assign", 1, person="s_worker1")
    finally:
        actions.write_with_key = real
    assert (problem.slug, problem.members["version"]) == ("stale_version", 2)
    assert world.head(report).holder == "s_mate1"
    sound(world, report)


CANARIES = {
    "e-mail": "canary.mail@example.org",
    "phone": "+628199990001",
    "name": "Siti Canary",
    "device": "d_canarydevice",
    "inside": "canary-inside-note",
    "answer": "canary-free-answer",
}
PUBLIC_WORDS = ("canary-description", "canary-public-note")


def everything(model: Any) -> str:
    """All rows of a table as text."""
    return "\n".join(str(row.attribute_values) for row in model.scan())


def test_what_people_typed_is_only_in_the_table_people(
    world: World, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Canaries in every field, then a search of all public answers, tables, messages and logs."""
    caplog.set_level(logging.DEBUG, logger="chalicelib")
    reporter = Principal("citizen", JURISDICTION, uid=CANARIES["device"])
    contact = {name: CANARIES[key] for name, key in (("email", "e-mail"), ("phone", "phone"))}
    filed = world.file(
        reporter,
        service="flood",
        description=PUBLIC_WORDS[0],
        landmark="canary-landmark",
        contact={**contact, "name": CANARIES["name"]},
        answers={"depth": 40, "story": CANARIES["answer"]},
    )
    report = filed["id"]
    officer, worker = official("officer1"), official("worker1")
    world.act(officer, report, "assign", person="s_worker1", note=CANARIES["inside"])
    world.act(officer, report, "ask", question="canary-question")
    world.act(reporter, report, "answer", text="canary-inside-note by the reporter")
    world.act(officer, report, "assign", person="s_worker1")
    from chalicelib.services.reports import engagement

    op = world.operation(officer, "commentReport", {})
    engagement.comment(officer, op, report, CANARIES["inside"], "inside", world.now)
    world.act(worker, report, "finish", photos=[world.photo(worker)], note=PUBLIC_WORDS[1])
    op = world.operation(officer, "readContact", {})
    queries.contact(officer, op, report, world.now)
    neighbour = world.file(citizen("b"), service="flood", answers={"depth": 1})
    world.act(reporter, report, "verify", note="canary-thanks")
    world.project()
    waiting = [str(row) for row in control.outbox(100)]
    outbox.drain()
    sent = str([topic.sent_notifications for topic in backend("sns").topics.values()])
    queued = str(
        [[one.body for one in queue._messages] for queue in backend("sqs").queues.values()]
    )
    assert report in sent
    assert report in queued

    public = json.dumps(
        [
            {key: value for key, value in filed.items() if key != "claim_secret"},
            neighbour["possible_duplicates"],
            queries.public(PUBLIC, report),
            queries.public(citizen("b"), report),
            queries.track(PUBLIC, filed["code"]),
            queries.timeline(PUBLIC, report, 0),
            monthly_counts.month(JURISDICTION, "202611", world.now),
        ]
    )
    assert all(word in public for word in PUBLIC_WORDS)
    staff = json.dumps(queries.case(officer, report))
    queue = json.dumps(queues.queue(officer, None, None, None, 50, None, world.now))
    for canary in CANARIES.values():
        assert canary not in public
    for canary in (CANARIES[key] for key in ("e-mail", "phone", "name", "device")):
        assert canary not in staff + queue
    for who in ("s_worker1", "s_officer1"):
        assert who not in public

    typed = (*CANARIES.values(), *PUBLIC_WORDS, "canary")
    reporter_id = CANARIES["device"]
    for place, text in {
        "timeline": everything(tables.Event),
        "control": everything(tables.Control),
        "figures": everything(tables.Figure),
        "outbox": "\n".join(waiting),
        "topic": sent,
        "queue": queued,
        "logs": caplog.text + "".join(capsys.readouterr()),
        "reports": everything(tables.Report).replace(reporter_id, ""),
    }.items():
        for canary in typed:
            assert canary not in text, f"{canary} in {place}"
    kept = everything(tables.Person)
    for canary in (*CANARIES.values(), *PUBLIC_WORDS):
        assert canary in kept or canary == reporter_id
    sound(world, report)


def test_a_claim_secret_is_not_stored(world: World) -> None:
    """It is derived; a replay shows the same."""
    first = world.file(key="k", description="x")
    assert world.file(key="k", description="x") == first
    for model in tables.MODELS.values():
        assert first["claim_secret"] not in everything(model)


def test_an_erased_text_leaves_the_chain_whole(world: World) -> None:
    """The event holds only a commitment, so that the text can be erased."""
    report = world.file(description="to be forgotten")["id"]
    row = tables.Person.get(f"{JURISDICTION}#T#{report}", report_texts.text_name(1, "description"))
    row.delete()
    assert queries.public(PUBLIC, report)["description"] is None
    assert queries.timeline(PUBLIC, report, 0)["events"][0]["words"] == {}
    sound(world, report)


def test_a_schedule_shows_its_date_and_pauses_the_deadline(world: World) -> None:
    """In the public view, with the reason in the timeline."""
    report = world.file()["id"]
    officer = official("officer1")
    world.act(officer, report, "assign", unit="u-d1")
    until = iso(world.now + timedelta(days=2))
    world.act(officer, report, "schedule", until=until, reason="Asphalt comes on Wednesday.")
    view = queries.public(PUBLIC, report)
    assert (view["state"], view["clock"], view["scheduled_until"]) == ("scheduled", "paused", until)
    words = queries.timeline(PUBLIC, report, 0)["events"][-1]["words"]
    assert words == {"reason": "Asphalt comes on Wednesday."}
    due = world.head(report).due_at
    world.advance(days=2)
    assert world.clock(report, "resume")["due_at"] == iso(due + timedelta(days=2))
    sound(world, report)


def test_an_agency_sees_and_finishes_what_was_coordinated_with_it(world: World) -> None:
    """Named in the public view; it may finish, and its own people may not verify."""
    report = world.file(**spot("D1-W1"))["id"]
    world.act(official("officer1"), report, "coordinate", agency="u-prov", reason="Their road.")
    assert queries.public(PUBLIC, report)["agency"]["code"] == "u-prov"
    world.finish(official("province"), report)
    assert world.head(report).finished_by == "s_province"
    world.act(REPORTER, report, "verify")
    sound(world, report)


def test_a_chain_of_hand_overs_is_legal_and_visible(world: World) -> None:
    """Case 79: back and forth, every step an event."""
    report = world.file()["id"]
    world.act(official("officer1"), report, "assign", unit="u-d1")
    for _ in range(10):
        world.act(official("officer1"), report, "assign", unit="u-prov")
        world.act(official("province"), report, "accept")
        world.act(official("province"), report, "assign", unit="u-d1")
        world.act(official("officer1"), report, "accept")
    assert world.head(report).version == 42
    sound(world, report)


def test_work_is_given_only_to_people_who_may_see_the_report(world: World) -> None:
    """A colleague whose grants do not cover the report cannot hold it."""
    report = world.file(service="violence")["id"]
    with pytest.raises(Problem, match="unknown_person"):
        world.act(official("safe"), report, "assign", person="s_cleaner")
    assert world.act(official("safe"), report, "assign", person="s_guard")["holder"] == "s_guard"
