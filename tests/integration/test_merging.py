"""A merged report goes on as its original: what its filing person says reaches that one.

The person may have an account, a one-tap link, or only a contact that a front end passes on.
"""

from datetime import datetime
from typing import Any

import pytest

from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.http import problems
from chalicelib.pages import one_tap_page
from chalicelib.services.open311 import requests as open311
from chalicelib.services.reports import engagement, one_tap, queries
from chalicelib.services.reports.one_tap_tokens import make
from chalicelib.storage import people, reports
from chalicelib.storage.transactions import commit
from infra.ops import backfill
from tests.integration.test_filers import post
from tests.integration.test_updates import (
    ANI,
    BUDI,
    OFFICER,
    WORKER,
    Sent,
    fixture_key,
    fixture_sent,
    listed,
    remark,
)
from tests.support.world import JURISDICTION, PUBLIC, World, citizen, city, faults, official

__all__ = ("fixture_key", "fixture_sent")
CITI = "citi@example.org"


def family(world: World, key: Principal, **given: Any) -> tuple[str, str]:
    """Ani's report, and Budi's of the same hole, both through the front end and merged."""
    original = post(world, key, 1, email=ANI)
    world.advance(hours=1)
    copy = post(world, key, 2, **{"email": BUDI, **given})
    world.act(OFFICER, copy, "merge", into=original)
    return original, copy


def repair(world: World, report: str) -> None:
    """The unit says that it is done."""
    world.act(OFFICER, report, "assign", person="s_worker1")
    world.act(WORKER, report, "start")
    world.advance(hours=1)
    world.finish(WORKER, report)
    world.advance(hours=1)


def sound(world: World, *names: str) -> None:
    """Heads and chains fit together."""
    for report in names:
        assert faults(world.head(report), world.links(report)) == []


@pytest.mark.parametrize(
    ("status", "state"), [("FIXED", "closed"), ("CLOSED", "closed"), ("OPEN", "in_progress")]
)
def test_the_filer_of_a_copy_judges_the_original_through_the_front_end(
    world: World, key: Principal, status: str, state: str
) -> None:
    original, copy = family(world, key)
    repair(world, original)
    (answer,) = remark(world, key, copy, status, email=BUDI)
    head = world.head(original)
    assert (head.state, head.comments) == (state, 1)
    *_, comment, verdict = world.events(original)
    assert (comment["data"]["said_by"], comment["data"]["duplicate"]) == ("filer", copy)
    assert verdict["data"]["by"] == "duplicate"
    assert world.head(copy).comments == 0
    world.project()
    assert answer["update_id"] in {row["update_id"] for row in listed(world)}
    sound(world, original, copy)


def test_the_filer_of_a_copy_reopens_the_original_through_the_front_end(
    world: World, key: Principal
) -> None:
    original, copy = family(world, key)
    repair(world, original)
    world.advance(days=15)
    world.sweep()
    remark(world, key, copy, "REOPEN", email=BUDI)
    assert (world.head(original).state, world.head(copy).state) == ("assigned", "closed")


def test_a_comment_on_a_copy_reaches_those_who_work_on_the_original(
    world: World, key: Principal
) -> None:
    original, copy = family(world, key)
    remark(world, key, copy, "UNCHANGED", email=BUDI, description="It is deeper now")
    remark(world, key, copy, "UNCHANGED", description="Mind the bicycles")
    view = queries.case(OFFICER, original)
    words = [event["words"].get("comment") for event in view["timeline"] if "words" in event]
    assert [text for text in words if text] == ["It is deeper now", "Mind the bicycles"]


def test_anybodys_status_on_a_copy_judges_nothing_and_the_filer_is_asked(
    world: World, key: Principal, sent: Sent
) -> None:
    original, copy = family(world, key)
    repair(world, original)
    sent()
    for contact in ({}, {"email": CITI}, {"email": ANI}):
        remark(world, key, copy, "FIXED", **contact)
    assert world.head(original).state == "work_done"
    ((to, _, letter),) = sent()
    assert to == BUDI
    assert one_tap.answer(token_in(letter), True, world.now) is not None
    assert world.head(original).resolution == "verified"
    assert world.events(original)[-1]["data"]["by"] == "duplicate"


def token_in(letter: str) -> str:
    """The token of the one-tap link in a message."""
    return letter.split("/v1/answers/")[1].split()[0]


@pytest.mark.parametrize(("settled", "state"), [(True, "closed"), (False, "assigned")])
def test_the_filer_of_a_copy_is_asked_whether_the_closed_original_is_settled(
    world: World, key: Principal, sent: Sent, settled: bool, state: str
) -> None:
    original, copy = family(world, key)
    repair(world, original)
    world.advance(days=15)
    world.sweep()
    sent()
    for _ in range(2):
        remark(world, key, copy, "OPEN")
    ((to, _, letter),) = sent()
    assert to == BUDI
    token = token_in(letter)
    assert one_tap_page.ask(token, world.now).count("<form") == 2
    assert one_tap.answer(token, settled, world.now) is not None
    assert world.head(original).state == state
    sound(world, original, copy)


def test_where_the_filer_of_a_copy_left_no_contact_the_first_one_is_asked(
    world: World, key: Principal, sent: Sent
) -> None:
    original, copy = family(world, key, email="")
    repair(world, original)
    sent()
    remark(world, key, copy, "FIXED")
    assert [to for to, *_ in sent()] == [ANI]


def test_the_filer_of_a_copy_answers_once_and_an_old_answer_judges_nothing(
    world: World, key: Principal
) -> None:
    original, copy = family(world, key)
    before = world.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    repair(world, original)
    remark(world, key, copy, "FIXED", email=BUDI, updated_datetime=before)
    assert world.head(original).state == "work_done"
    for _ in range(2):
        remark(world, key, copy, "OPEN", email=BUDI, update_id="7")
    actions = [event["action"] for event in world.events(original)]
    assert (actions.count("refuse"), actions.count("comment")) == (1, 2)


def test_a_remark_on_a_copy_of_a_copy_reaches_the_report_at_the_end(
    world: World, key: Principal
) -> None:
    oldest = post(world, key, 3, email=CITI)
    original, copy = family(world, key)
    world.act(OFFICER, original, "merge", into=oldest)
    repair(world, oldest)
    remark(world, key, copy, "FIXED", email=BUDI)
    assert world.head(oldest).resolution == "verified"
    sound(world, oldest, original, copy)


def test_a_remark_on_a_copy_of_a_protected_original_stays_on_the_copy(
    world: World, key: Principal
) -> None:
    original, copy = family(world, key)
    world.act(OFFICER, original, "reclassify", service="violence", reason="x")
    (answer,) = remark(world, key, copy, "OPEN", email=BUDI)
    assert answer["update_id"].startswith(copy)
    assert (world.head(copy).comments, world.head(original).comments) == (1, 0)
    assert world.events(original)[-1]["action"] != "comment"


def test_what_is_said_of_a_private_copy_is_public_nowhere(world: World, key: Principal) -> None:
    original = post(world, key, 1, email=ANI)
    where = {name: getattr(world.head(original), name) for name in ("lat", "long")}
    world.advance(hours=1)
    copy = world.file(key, contact={"email": BUDI}, public=False, **where)["id"]
    world.act(OFFICER, copy, "merge", into=original)
    text = "In front of my door"
    remark(world, key, copy, "UNCHANGED", email=BUDI, description=text)
    world.project()
    for report in (original, copy):
        timeline = queries.timeline(PUBLIC, report, 0)["events"]
        assert text not in str(timeline)
        assert copy not in str([event.get("data") for event in timeline])
    assert text not in str(listed(world))
    # Those who work on it read it.
    assert text in str(queries.case(OFFICER, original)["timeline"])


def test_after_a_claim_the_account_answers_for_the_copy_and_not_the_contact(
    world: World, key: Principal
) -> None:
    from chalicelib.services.people import claiming
    from chalicelib.services.platform import signing

    original, copy = family(world, key)
    phone = citizen("budi")
    op = world.operation(phone, "claimReport", {})
    claiming.claim(phone, op, copy, signing.claim_secret(copy), world.now)
    repair(world, original)
    remark(world, key, copy, "FIXED", email=BUDI)
    assert world.head(original).state == "work_done"
    assert world.act(phone, original, "verify")["resolution"] == "verified"


def test_who_left_only_a_contact_with_a_copy_is_asked_and_answers_by_the_link(
    world: World, key: Principal, sent: Sent
) -> None:
    original, copy = family(world, key)
    sent()
    repair(world, original)
    letters = {to: text for to, _, text in sent()}
    assert sorted(letters) == [ANI, BUDI]
    assert one_tap.answer(token_in(letters[BUDI]), False, world.now) is not None
    assert world.head(original).state == "in_progress"
    assert world.events(original)[-1]["data"]["by"] == "duplicate"
    # Both hear that the work goes on: Ani because somebody else refused it.
    assert sorted(to for to, *_ in sent()) == [ANI, BUDI]
    sound(world, original, copy)


def test_who_left_only_a_contact_with_a_copy_of_an_older_version_is_asked_after_a_backfill(
    world: World, key: Principal, sent: Sent
) -> None:
    original, copy = family(world, key)
    commit([people.delete_mark(JURISDICTION, original, people.DUPLICATE, copy)])
    backfill.main()
    sent()
    repair(world, original)
    assert sorted(to for to, *_ in sent()) == [ANI, BUDI]


def test_many_who_left_only_a_contact_are_each_asked_once(
    world: World, key: Principal, sent: Sent
) -> None:
    original = post(world, key, 1, email=ANI)
    many = [f"n{number}@example.org" for number in range(30)]
    for number, email in enumerate(many):
        words = f"The same hole, said {number}"
        copy = post(world, key, 1, email=email, description=words)
        world.act(OFFICER, copy, "merge", into=original)
    sent()
    repair(world, original)
    asked = [to for to, *_ in sent()]
    while page := sent():
        asked += [to for to, *_ in page]
    assert sorted(asked) == sorted([ANI, *many])


def test_an_account_that_acts_on_its_copy_is_told_where_to_go(world: World) -> None:
    original = world.file(citizen("first"))["id"]
    world.advance(hours=1)
    copy = world.file(citizen("second"))["id"]
    world.act(OFFICER, copy, "merge", into=original)
    for name, fields in (("verify", {}), ("refuse", {"reason": "x"}), ("reopen", {"reason": "x"})):
        with pytest.raises(Problem) as caught:
            world.act(citizen("second"), copy, name, **fields)
        told(caught.value, original)
    comment = world.operation(citizen("second"), "commentReport", "x")
    with pytest.raises(Problem) as caught:
        engagement.comment(citizen("second"), comment, copy, "x", "public", world.now)
    told(caught.value, original)
    support = world.operation(citizen("third"), "supportReport", "x")
    with pytest.raises(Problem) as caught:
        engagement.support(citizen("third"), support, copy, world.now)
    told(caught.value, original)
    # An official may still explain the merging there.
    explained = world.operation(OFFICER, "commentReport", "x")
    engagement.comment(OFFICER, explained, copy, "The same hole.", "public", world.now)
    assert world.head(copy).comments == 1


def told(problem: Problem, original: str) -> None:
    """A refusal names the original as data, and says in words that the report goes on there."""
    document = problems.document_of(problem, "en")
    assert (document["status"], document["merged_into"]) == (409, original)
    assert original in document["detail"]
    assert "digabung" in problems.document_of(problem, "id")["detail"]


def test_a_refusal_on_a_copy_does_not_name_an_original_that_became_protected(
    world: World,
) -> None:
    original = world.file(citizen("first"))["id"]
    world.advance(hours=1)
    copy = world.file(citizen("second"))["id"]
    world.act(OFFICER, copy, "merge", into=original)
    world.act(OFFICER, original, "reclassify", service="violence", reason="x")
    with pytest.raises(Problem) as caught:
        world.act(citizen("second"), copy, "reopen", reason="x")
    assert original not in str(problems.document_of(caught.value, "en"))
    op = world.operation(citizen("second"), "commentReport", "x")
    engagement.comment(citizen("second"), op, copy, "x", "public", world.now)


def test_a_link_about_a_repair_of_a_report_that_was_merged_leads_to_the_original(
    world: World,
) -> None:
    original = world.file(citizen("first"))["id"]
    world.advance(hours=1)
    copy = world.file(citizen("second"), contact={"email": BUDI})["id"]
    repair(world, copy)
    finished = world.head(copy).finished_at
    assert isinstance(finished, datetime)
    token = make(JURISDICTION, copy, finished)
    world.act(OFFICER, copy, "merge", into=original)
    head = reports.get(JURISDICTION, original)
    assert head is not None
    for page in (
        one_tap_page.ask(token, world.now),
        one_tap_page.thanks(token, None, world.now),
    ):
        assert f"/v1/track/{head.code}" in page
        assert "digabung" in page
    assert one_tap.answer(token, True, world.now) is None
    world.act(OFFICER, original, "reclassify", service="violence", reason="x")
    assert head.code not in one_tap_page.ask(token, world.now)


def test_a_link_about_a_merged_report_promises_no_question_once_the_original_is_closed(
    world: World,
) -> None:
    original = world.file(citizen("first"))["id"]
    world.advance(hours=1)
    copy = world.file(citizen("second"), contact={"email": BUDI})["id"]
    repair(world, copy)
    finished = world.head(copy).finished_at
    assert isinstance(finished, datetime)
    token = make(JURISDICTION, copy, finished)
    world.act(OFFICER, copy, "merge", into=original)
    asked = one_tap_page.ask(token, world.now)
    assert "akan ditanya lagi" in asked
    assert "<h1>Sekarang tidak ada yang perlu dijawab</h1>" in asked
    repair(world, original)
    world.act(citizen("first"), original, "verify")
    page = one_tap_page.ask(token, world.now)
    assert "ditanya lagi" not in page
    assert f"/v1/track/{world.head(original).code}" in page


def test_an_officials_action_on_a_copy_names_the_original_too(world: World) -> None:
    original = world.file(citizen("first"))["id"]
    world.advance(hours=1)
    copy = world.file(citizen("second"))["id"]
    world.act(OFFICER, copy, "merge", into=original)
    with pytest.raises(Problem) as caught:
        world.act(official("officer1"), copy, "assign", person="s_worker1")
    told(caught.value, original)
    assert "unmerge" in caught.value.members["open_actions"]


def test_a_look_up_of_a_merged_request_says_where_it_goes_on_and_promises_nothing(
    world: World, key: Principal
) -> None:
    original, copy = family(world, key)
    world.project()
    ids = {"service_request_id": f"{copy},{original}"}
    (merged, _) = open311.search(city(), ids, world.now)
    assert merged == open311.request(JURISDICTION, copy)[0]
    assert merged["service_notice"].endswith(f"{original}.")
    window = {"start_date": "2026-11-01T00:00:00Z", "end_date": "2026-11-30T00:00:00Z"}
    listed_rows = {
        one["service_request_id"]: one for one in open311.search(city(), window, world.now)
    }
    assert listed_rows[copy]["service_notice"] is None
    assert listed_rows[original]["service_notice"]
    # Nobody learns of a report that has become protected.
    world.act(OFFICER, original, "reclassify", service="violence", reason="x")
    assert original not in str(open311.request(JURISDICTION, copy))
