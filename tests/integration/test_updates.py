"""Updates of other systems: comments are kept, and only the person who filed judges the repair."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.pages import one_tap_page
from chalicelib.services.identity import api_keys
from chalicelib.services.notifications import citizen_messages, outbox
from chalicelib.services.open311 import updates
from chalicelib.services.people import claiming
from chalicelib.services.platform import signing
from chalicelib.services.platform.idempotency import Outcome, keyed_operation
from chalicelib.services.reports import one_tap
from chalicelib.storage import mail, queues, topics
from tests.integration.test_filers import post
from tests.support.world import JURISDICTION, World, citizen, city, faults, official

ANI, BUDI = "ani@example.org", "budi@example.org"
OFFICER, WORKER = official("officer1"), official("worker1")
Sent = Callable[[], list[tuple[str, str, str]]]


@pytest.fixture(name="key")
def fixture_key(world: World) -> Principal:
    """The principal of a front end's key."""
    key_id, _ = api_keys.issue(JURISDICTION, "front end", 10_000, world.now)
    return Principal("citizen", JURISDICTION, uid=f"k_{key_id}", permissions=frozenset({FOR_MANY}))


@pytest.fixture(name="sent")
def fixture_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Send everything; (to, subject, text) of what was sent since the last time."""
    letters: list[tuple[str, str, str]] = []
    queue: list[dict[str, Any]] = []
    monkeypatch.setattr(
        mail, "send", lambda to, subject, text, *_: letters.append((to, subject, text))
    )
    monkeypatch.setattr(topics, "publish", lambda *_: None)
    monkeypatch.setattr(queues, "send_message", queue.append)

    def turn() -> list[tuple[str, str, str]]:
        world.project()
        outbox.drain(now=world.now)
        while queue:
            citizen_messages.send(queue.pop(0), world.now)
        news = list(letters)
        letters.clear()
        return news

    return turn


def remark(world: World, key: Principal, report: str, status: str, **more: Any) -> Any:
    """An update that a front end posts; the answer."""
    form = {
        "update_id": str(next(world.keys)),
        "service_request_id": report,
        "status": status,
        "updated_datetime": world.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "description": "Still flooded, NOT repaired",
        **more,
    }
    return updates.receive(key, form.get, world.now).answer["updates"]


def repaired(world: World, key: Principal, **given: Any) -> str:
    """A report of Ani's through the front end, on which the work is done."""
    # Each has other words: the same form again is the same report.
    words = f"Report {next(world.keys)}"
    report = post(world, key, **{"email": ANI, "description": words, **given})
    world.act(OFFICER, report, "assign", person="s_worker1")
    world.act(WORKER, report, "start")
    world.advance(hours=1)
    world.finish(WORKER, report)
    world.advance(hours=1)
    return report


def closed(world: World, key: Principal, **given: Any) -> str:
    """Such a report after the time to answer is over."""
    report = repaired(world, key, **given)
    world.advance(days=15)
    world.sweep()
    assert world.head(report).resolution == "unverified"
    return report


@pytest.mark.parametrize("status", ["FIXED", "CLOSED"])
@pytest.mark.parametrize("who", [{}, {"email": BUDI}, {"phone": "+62811000999"}])
def test_anybodys_comment_with_the_present_state_does_not_confirm_a_repair(
    world: World, key: Principal, status: str, who: dict[str, str]
) -> None:
    report = repaired(world, key)
    remark(world, key, report, status, **who)
    head = world.head(report)
    assert (head.state, head.comments) == ("work_done", 1)


@pytest.mark.parametrize("status", ["OPEN", "REOPEN"])
def test_anybodys_comment_neither_refuses_a_repair_nor_reopens_a_report(
    world: World, key: Principal, status: str
) -> None:
    done, over = repaired(world, key), closed(world, key)
    for report, state in ((done, "closed"), (over, "closed")):
        remark(world, key, report, status, email=BUDI)
        assert world.head(report).state == state
    fresh = repaired(world, key)
    remark(world, key, fresh, status, email=BUDI)
    assert world.head(fresh).state == "work_done"


def test_a_comment_is_kept_with_the_status_and_by_whom(world: World, key: Principal) -> None:
    report = repaired(world, key)
    for email, said_by in ((None, "unknown"), (BUDI, "other")):
        remark(world, key, report, "FIXED", email=email)
        event = world.events(report)[-1]
        assert event["action"] == "comment"
        assert (event["data"]["status"], event["data"]["said_by"]) == ("FIXED", said_by)
        assert [word["audience"] for word in event["words"]] == ["public"]
    assert faults(world.head(report), world.links(report)) == []


def test_the_person_who_filed_confirms_refuses_and_reopens_by_the_same_contact(
    world: World, key: Principal
) -> None:
    report = repaired(world, key)
    remark(world, key, report, "FIXED", email="ANI@Example.org", description="Yes, it is good.")
    head = world.head(report)
    assert (head.state, head.resolution) == ("closed", "verified")
    event = world.events(report)[-1]
    assert (event["actor"]["role"], event["actor"]["uid"]) == ("reporter", None)
    assert event["data"]["by"] == "contact"
    world.advance(hours=1)
    remark(world, key, report, "REOPEN", email=ANI)
    assert world.head(report).state == "assigned"
    again = repaired(world, key)
    remark(world, key, again, "OPEN", email=ANI)
    assert world.head(again).state == "in_progress"
    for each in (report, again):
        assert faults(world.head(each), world.links(each)) == []


def test_a_status_that_is_older_than_the_repair_judges_nothing(
    world: World, key: Principal
) -> None:
    report = repaired(world, key)
    before = world.head(report).filed_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    for status in ("OPEN", "FIXED"):
        remark(world, key, report, status, email=ANI, updated_datetime=before)
        assert world.head(report).state == "work_done"
    over = closed(world, key)
    finished = world.head(over).finished_at
    assert finished
    stale = finished.strftime("%Y-%m-%dT%H:%M:%SZ")
    remark(world, key, over, "OPEN", email=ANI, updated_datetime=stale)
    assert world.head(over).state == "closed"


def test_a_time_that_cannot_be_read_is_named(world: World, key: Principal) -> None:
    report = repaired(world, key)
    with pytest.raises(ExceptionGroup) as refused:
        remark(world, key, report, "FIXED", email=ANI, updated_datetime="soon")
    assert [fault.field for fault in refused.value.exceptions] == ["updated_datetime"]  # type: ignore[attr-defined]


def test_a_front_end_that_repeats_the_present_state_confirms_for_nobody(
    world: World, key: Principal, sent: Sent
) -> None:
    """Its key says so: FIXED of the filing person is no answer there, REOPEN is."""
    _, secret = api_keys.issue(JURISDICTION, "fixmystreet", 100, world.now, statuses="state")
    principals: list[Principal] = []

    def noted(actor: Principal) -> Any:
        principals.append(actor)
        return Outcome({})

    api_keys.run_with_key(JURISDICTION, secret, world.now, noted)
    (actor,) = principals
    report = repaired(world, actor)
    sent()
    for status in ("FIXED", "OPEN"):
        remark(world, actor, report, status, email=ANI)
        assert world.head(report).state == "work_done"
    assert world.events(report)[-2]["data"]["said_by"] == "filer"
    assert [to for to, _, _ in sent()] == [ANI]
    remark(world, actor, report, "REOPEN", email=ANI)
    assert world.head(report).state == "in_progress"


def test_a_front_end_keeps_its_reports_when_its_key_is_changed_to_repeat_the_state(
    world: World,
) -> None:
    """A new key could not send updates of requests that were filed with the old one."""
    from infra.ops import keys

    key_id, secret = api_keys.issue(JURISDICTION, "fixmystreet", 100, world.now)
    principals: list[Principal] = []

    def principal() -> Principal:
        def attempt(actor: Principal) -> Outcome:
            principals.append(actor)
            return Outcome({})

        api_keys.run_with_key(JURISDICTION, secret, world.now, attempt)
        return principals[-1]

    report = repaired(world, principal())
    assert keys.main(["--jurisdiction", JURISDICTION, "statuses", key_id, "state"]) == 0
    remark(world, principal(), report, "FIXED", email=ANI)
    assert (world.head(report).state, world.head(report).comments) == ("work_done", 1)
    assert keys.main(["--jurisdiction", JURISDICTION, "statuses", key_id, "verdict"]) == 0
    remark(world, principal(), report, "FIXED", email=ANI)
    assert world.head(report).resolution == "verified"
    assert keys.main(["--jurisdiction", JURISDICTION, "statuses", "k_none", "state"]) == 1


def test_once_somebody_claimed_the_report_the_contact_in_a_form_proves_nothing(
    world: World, key: Principal
) -> None:
    report = repaired(world, key)
    ani = citizen("ani")
    secret = signing.claim_secret(report)
    claiming.claim(ani, keyed_operation(ani, "claim", "1", ""), report, secret, world.now)
    remark(world, key, report, "FIXED", email=ANI)
    assert world.head(report).state == "work_done"


def link_in(text: str) -> str:
    """The token of the one-tap link in a message."""
    return next(word for word in text.split() if "/v1/answers/" in word).rsplit("/", 1)[1]


def test_the_filing_person_is_asked_with_a_link_when_somebody_else_says_a_status(
    world: World, key: Principal, sent: Sent
) -> None:
    report = repaired(world, key)
    sent()
    remark(world, key, report, "FIXED", email=BUDI)
    ((to, _, text),) = sent()
    assert to == ANI
    assert one_tap.answer(link_in(text), False, world.now) is not None
    assert world.head(report).state == "in_progress"


def test_the_filing_person_is_asked_once_for_each_repair(
    world: World, key: Principal, sent: Sent
) -> None:
    report = repaired(world, key)
    sent()
    for status in ("FIXED", "OPEN", "FIXED"):
        remark(world, key, report, status, email=BUDI)
    assert len(sent()) == 1
    remark(world, key, report, "REOPEN", email=ANI)
    world.advance(hours=1)
    world.finish(WORKER, report)
    sent()
    remark(world, key, report, "FIXED")
    assert len(sent()) == 1


def test_a_closed_report_is_reopened_by_the_link_alone(
    world: World, key: Principal, sent: Sent
) -> None:
    report = closed(world, key)
    sent()
    remark(world, key, report, "OPEN", email=BUDI)
    ((to, _, text),) = sent()
    assert (to, world.head(report).state) == (ANI, "closed")
    token = link_in(text)
    assert "<form" in one_tap_page.ask(token, world.now)
    assert one_tap.answer(token, False, world.now) is not None
    assert world.head(report).state == "assigned"
    assert "<form" not in one_tap_page.ask(token, world.now)
    assert one_tap.answer(token, False, world.now) is None


def test_saying_yes_to_a_closed_report_changes_nothing(
    world: World, key: Principal, sent: Sent
) -> None:
    report = closed(world, key)
    sent()
    remark(world, key, report, "OPEN")
    token = link_in(sent()[0][2])
    version = world.head(report).version
    assert one_tap.answer(token, True, world.now) is not None
    assert world.head(report).version == version
    assert "<form" in one_tap_page.ask(token, world.now)


def test_nobody_is_asked_what_could_not_be_answered(
    world: World, key: Principal, sent: Sent
) -> None:
    """An ordinary comment, a report at work, one closed long ago, a duplicate, no contact."""
    working = post(world, key, email=ANI)
    done, over = repaired(world, key), closed(world, key)
    original, copy = post(world, key, 1, email=BUDI), post(world, key, 2, email=ANI)
    world.act(OFFICER, copy, "merge", into=original)
    mute = repaired(world, key, email="")
    sent()
    remark(world, key, mute, "FIXED")
    remark(world, key, done, "UNCHANGED")
    remark(world, key, working, "OPEN")
    remark(world, key, copy, "OPEN")
    world.advance(days=31)
    remark(world, key, over, "OPEN")
    assert sent() == []


def test_the_same_update_twice_is_one_comment_and_one_answer(world: World, key: Principal) -> None:
    report = repaired(world, key)
    for _ in range(2):
        remark(world, key, report, "FIXED", email=ANI, update_id="77")
    head = world.head(report)
    assert (head.comments, head.resolution) == (1, "verified")
    assert [event["action"] for event in world.events(report)].count("verify") == 1


def test_a_client_that_counts_the_updates_of_each_report_from_one_loses_none(
    world: World, key: Principal
) -> None:
    done, other = repaired(world, key), repaired(world, key)
    answers = [remark(world, key, report, "FIXED", update_id="1") for report in (done, other)]
    assert [world.head(report).comments for report in (done, other)] == [1, 1]
    again = [remark(world, key, report, "FIXED", update_id="1") for report in (done, other)]
    assert again == answers
    assert [world.head(report).comments for report in (done, other)] == [1, 1]
    (listed_first, listed_other) = (rows[0]["update_id"] for rows in answers)
    assert {listed_first, listed_other} <= {row["update_id"] for row in listed(world)}


def test_a_comment_is_cleaned_of_what_cannot_be_seen_and_never_refused_for_it(
    world: World, key: Principal
) -> None:
    report = repaired(world, key)
    remark(
        world, key, report, "UNCHANGED", description="pay \u202etxt\u202c\x00\x0b no\u200bw\r\nx"
    )
    assert listed(world)[-1]["description"] == "pay txt now\nx"
    with pytest.raises(ExceptionGroup) as refused:
        remark(world, key, report, "UNCHANGED", description="\u202e\x00")
    assert [fault.field for fault in refused.value.exceptions] == ["description"]  # type: ignore[attr-defined]


def listed(world: World) -> list[dict[str, Any]]:
    """What other systems read of the last day."""
    world.project()
    return updates.listed(city(), None, None, world.now)


def test_an_update_comes_back_to_its_client_under_the_id_that_it_was_given(
    world: World, key: Principal
) -> None:
    report = repaired(world, key)
    (mine,) = remark(world, key, report, "FIXED", update_id="77")
    (again,) = remark(world, key, report, "FIXED", update_id="77")
    assert mine == again
    (back,) = [one for one in listed(world) if one["description"] == "Still flooded, NOT repaired"]
    assert back["update_id"] == mine["update_id"] != "77"


def test_the_words_of_a_refusal_come_back_once(world: World, key: Principal) -> None:
    report = repaired(world, key)
    (mine,) = remark(world, key, report, "OPEN", email=ANI)
    ids = [
        one["update_id"] for one in listed(world) if one["description"].startswith("Still flooded")
    ]
    assert ids == [mine["update_id"]]
    assert listed(world)[-1]["status"] == "in_progress"


KNOWN = {
    "open", "investigating", "in_progress", "action_scheduled", "fixed", "closed", "duplicate",
    "not_councils_responsibility", "no_further_action", "unchanged",
}  # fmt: skip


def test_every_status_that_goes_out_is_one_that_fixmystreet_knows() -> None:
    from chalicelib.domain.open311 import updates as rules

    table = rules.rules()
    for kind in ("states", "resolutions", "events", "former"):
        assert set(table[kind].values()) <= KNOWN, kind
    assert set(rules.told().values()) <= KNOWN | {"state"}


def test_a_reopened_report_is_open_again_and_not_in_an_unknown_state(
    world: World, key: Principal
) -> None:
    report = closed(world, key)
    remark(world, key, report, "REOPEN", email=ANI)
    assert listed(world)[-1]["status"] == "investigating"


def test_an_update_written_before_with_an_unknown_status_is_told_with_a_known_one(
    world: World, key: Principal
) -> None:
    from chalicelib.storage import open311_requests
    from chalicelib.storage.transactions import commit

    report = post(world, key)
    world.project()
    for number, status in enumerate(("reopen", "cancelled", "internal_referral"), start=2):
        row = {"report": report, "version": number, "status": status, "words": [],
               "at": f"2026-11-02T0{number}:00:00.000Z"}  # fmt: skip
        commit([open311_requests.put_update(JURISDICTION, row)])
    world.now = world.now.replace(year=2026, month=11, day=2, hour=12)
    rows = updates.listed(city(), None, None, world.now)
    assert [one["status"] for one in rows] == ["open", "no_further_action", "investigating"]


def test_work_that_is_done_is_the_same_in_requests_and_updates(
    world: World, key: Principal
) -> None:
    """Not yet fixed, for somebody has to confirm it; the finer state says what it waits for."""
    from chalicelib.services.open311 import requests

    report = repaired(world, key)
    last = listed(world)[-1]
    assert (last["status"], last["external_status_code"]) == ("in_progress", "work_done")
    (request,) = requests.request(JURISDICTION, report)
    assert request["status"] == "open"
    remark(world, key, report, "FIXED", email=ANI)
    last = listed(world)[-1]
    assert (last["status"], last["external_status_code"]) == ("fixed", "verified")
    assert requests.request(JURISDICTION, report)[0]["status"] == "closed"


def test_the_after_photo_is_in_the_update_until_it_is_hidden(world: World, key: Principal) -> None:
    from chalicelib.services.photos import moderation

    report = repaired(world, key)
    (photo,) = world.head(report).after_photos
    address = listed(world)[-1]["media_url"]
    assert f"/open311/v2/media/{report}-{photo}.jpg" in address
    head = world.head(report)
    op = world.operation(OFFICER, "moderatePhoto", photo)
    moderation.moderate(OFFICER, op, report, photo, {"action": "hide", "reason": "face"}, world.now)
    assert world.head(report).version > head.version
    assert all(one["media_url"] is None for one in listed(world))
