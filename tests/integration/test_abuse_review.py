"""Only a reviewer of abuse learns that one person filed two reports, with a reason and on
record."""

import json
from typing import Any

import pytest

from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.services.city import staff
from chalicelib.services.people import abuse_review
from chalicelib.services.photos import duplicates
from chalicelib.services.platform.idempotency import Outcome
from chalicelib.services.reports import queries, queues
from chalicelib.storage import control
from tests.integration.test_filers import a_key, post
from tests.support.world import JURISDICTION, PUBLIC, World, citizen, faults, official

SITI, BUDI = citizen("siti"), citizen("budi")
REASON = "Forty alike in one night."
SEALED = ("version", "at", "action", "hash", "prev")


def reviewer(
    role: str = "officer", district: str = "D1", permission: str = "abuse", unit: str = "u-gov"
) -> Principal:
    """An official who may review abuse in a district, and audits the whole city."""
    everywhere = {"role": "auditor", "districts": ["*"], "services": ["*"], "permissions": []}
    here = {"role": role, "districts": [district], "services": ["*"], "permissions": [permission]}
    record = {"ref": "s_reviewer", "unit": unit, "grants": [here, everywhere]}
    return staff.principal(JURISDICTION, record)


def ask(world: World, report: str, who: Principal | None = None, key: str = "") -> Outcome:
    """Ask for the other reports of a report's filer."""
    who = who or reviewer()
    op = world.operation(who, "readFilerReports", [report, REASON], key or None)
    return abuse_review.read(who, op, report, REASON, world.now)


def found(world: World, report: str, who: Principal | None = None) -> list[str]:
    """The ids that the answer names."""
    return [one["id"] for one in ask(world, report, who).answer["reports"]]


def test_a_reviewer_of_abuse_sees_what_else_one_person_filed_and_an_event_says_who_asked(
    world: World,
) -> None:
    first = world.file(SITI)["id"]
    world.advance(days=1)
    second = world.file(SITI, "litter", ward="D1-W2")["id"]
    world.file(BUDI)
    told = ask(world, first).answer
    assert told["reports"] == [{"id": second, "service": "litter", "day": "2026-11-03"}]
    assert (told["more"], told["version"]) == (False, 2)
    event = world.events(first)[-1]
    assert (event["action"], event["actor"]["uid"], event["data"]) == (
        "filer_read",
        "s_reviewer",
        {},
    )
    assert [(one["field"], one["audience"]) for one in event["words"]] == [("reason", "inside")]
    assert second not in json.dumps(world.events(first))
    assert faults(world.head(first), world.links(first)) == []
    # The report that is named has no event of it, and the public sees that something was noted.
    assert len(world.events(second)) == 1
    assert set(queries.timeline(PUBLIC, first, 0)["events"][-1]) == set(SEALED)
    inside = queries.case(official("officer1"), first)["timeline"][-1]
    assert (inside["by"]["uid"], inside["words"]) == ("s_reviewer", {"reason": REASON})


def test_the_same_question_sent_twice_is_one_event_and_no_key_keeps_the_answer(
    world: World,
) -> None:
    first, second = world.file(SITI)["id"], world.file(SITI)["id"]
    told = ask(world, first, key="k")
    again = ask(world, first, key="k")
    assert (again.replayed, again.answer) == (True, told.answer)
    assert world.head(first).version == 2
    op = world.operation(reviewer(), "readFilerReports", [first, REASON], "k")
    row = control.operation(JURISDICTION, op.id)
    assert row is not None
    assert second not in json.dumps(row)


def test_no_other_role_learns_that_two_reports_have_one_filer(world: World) -> None:
    first = world.file(SITI)["id"]
    world.file(SITI)
    names = ("officer1", "head1", "worker1", "dispatcher", "verifier", "admin", "auditor")
    for who in (*(official(name) for name in names), reviewer(permission="contact")):
        with pytest.raises(Problem, match="abuse_not_allowed"):
            ask(world, first, who)
    for who in (reviewer("auditor"), reviewer("field_worker")):
        with pytest.raises(Problem, match="abuse_not_allowed"):
            ask(world, first, who)
    assert world.head(first).version == 1


def test_a_reviewer_learns_nothing_beyond_their_own_district(world: World) -> None:
    here, there = world.file(SITI)["id"], world.file(SITI, ward="D2-W1")["id"]
    assert found(world, here) == []
    with pytest.raises(Problem, match="abuse_not_allowed"):
        ask(world, there)
    assert found(world, here, reviewer("verifier", "*")) == [there]


def test_a_protected_report_is_never_named_nor_asked_about(world: World) -> None:
    plain, guarded = world.file(SITI)["id"], world.file(SITI, "violence")["id"]
    proposed = world.file(SITI)["id"]
    world.act(official("worker1"), proposed, "protect", service="misconduct", reason="It is.")
    for who in (reviewer(district="*"), reviewer(district="*", unit="u-safe")):
        assert found(world, plain, who) == []
        for one in (guarded, proposed):
            with pytest.raises(Problem, match=r"abuse_not_allowed|not_found"):
                ask(world, one, who)


def test_reports_that_came_through_a_key_belong_together_by_their_contact_alone(
    world: World,
) -> None:
    key = a_key(world)
    first = post(world, key, 1, email="ani@example.org")
    second = world.file(official("officer1"), contact={"email": "ANI@example.org"})["id"]
    stranger, nobody = post(world, key, 2, email="budi@example.org"), post(world, key, 3)
    assert found(world, first) == [second]
    assert found(world, stranger) == found(world, nobody) == []


def test_a_long_list_is_cut_and_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    filed = [world.file(SITI)["id"] for _ in range(4)]
    monkeypatch.setattr(abuse_review, "AT_MOST", 2)
    told = ask(world, filed[0]).answer
    assert {report["id"] for report in told["reports"]} <= set(filed[1:])
    assert (len(told["reports"]), told["more"]) == (2, True)


def test_officials_of_a_ward_see_nothing_that_two_reports_of_one_person_share(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In cases, queues and public views; a picture that is used twice names no report."""
    contact = {"email": "siti@example.org"}
    first = world.file(SITI, contact=contact, photos=[world.photo(SITI)])["id"]
    second = world.file(SITI, contact=contact, photos=[world.photo(SITI)])["id"]
    for one in (first, second):
        for photo in world.head(one).photos:
            duplicates.register_use(JURISDICTION, one, photo, world.now)
    assert [bool(world.head(one).flags) for one in (first, second)].count(True)
    for who in ("officer1", "worker1", "head1", "dispatcher", "verifier", "admin", "auditor"):
        seen: dict[str, Any] = {
            one: [queries.case(official(who), one), queries.timeline(official(who), one, 0)]
            for one in (first, second)
        }
        assert second not in json.dumps(seen[first]), who
        assert first not in json.dumps(seen[second]), who
        shown = json.dumps(
            [seen, queues.queue(official(who), "D1", None, None, 9, None, world.now)]
        )
        for secret in ("d_siti", "filer", "reporter_id", world.head(first).contact or ""):
            assert secret not in shown, (who, secret)
