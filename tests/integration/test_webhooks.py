"""Webhooks: other systems get the public events of reports, signed, in order, at least once."""

import copy
import io
import itertools
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib import clock, observability
from chalicelib.domain import webhooks as rules
from chalicelib.entrypoints import batches
from chalicelib.outside import webhooks as outside
from chalicelib.services.city import cities
from chalicelib.services.notifications import outbox
from chalicelib.services.people import erasure
from chalicelib.services.reports import engagement
from chalicelib.services.webhooks import hooks, sending
from chalicelib.services.webhooks.sending import Later
from chalicelib.settings import settings
from chalicelib.storage import control, leases
from chalicelib.storage import webhooks as store
from chalicelib.storage.transactions import Unavailable
from infra.ops import webhooks as command
from tests.support import aws, open311_server
from tests.support.open311_server import Asked, reply, says
from tests.support.world import BUNDLE, JURISDICTION, STAFF, World, blob, citizen, official

URL = f"https://{open311_server.NAME}/hook/tanggap"
SECRET = outside.secret(b"a" * 32)
OFFICER, REPORTER = official("officer1"), citizen("reporter")
STATES = {"submitted": "Belum", "work_done": "Selesai?", "closed": "Selesai", "*": "Proses"}
CANARY = "zzcanaryzz"
HOOK = {"code": "lapor", "url": URL, "states": STATES, "outside_id": ["data", "id"]}
Message = dict[str, Any]


class Receiver:
    """Another system: what it took, in the order in which it came, and what it answers."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.status: list[int] = []
        self.meanwhile: Callable[[], None] | None = None

    def __call__(self, asked: Asked, handler: BaseHTTPRequestHandler) -> None:
        """Take an event, or answer the next status of the list."""
        if self.meanwhile is not None:
            act, self.meanwhile = self.meanwhile, None
            act()
        status = self.status.pop(0) if self.status else 200
        if status < 300:
            self.taken.append(json.loads(asked.body))
            self.ids.append(asked.headers["webhook-id"])
        reply(handler, status, {"data": {"id": "LAPOR-7"}})

    def types(self) -> list[str]:
        """The types of what it took."""
        return [one["type"] for one in self.taken]

    def versions(self, report: str) -> list[int]:
        """The versions of a report that it took, without repetitions that follow each other."""
        events = [one["data"]["event"] for one in self.taken if one["type"] != "ping"]
        versions = [one["version"] for one in events if one["id"].startswith(report)]
        return [version for version, _ in itertools.groupby(versions)]


@pytest.fixture(name="world")
def fixture_world(aws: None) -> World:
    """The test city with one webhook."""
    world = World()
    connect(world)
    store.forget()
    store.put_secrets(JURISDICTION, "lapor", [SECRET])
    return world


@pytest.fixture(name="there")
def fixture_there() -> Iterator[Receiver]:
    """The other system, which takes everything."""
    receiver = Receiver()
    with open311_server.server(receiver):
        yield receiver


def connect(world: World, *more: dict[str, Any], **changed: Any) -> None:
    """Give the city the hook with these changes, and more hooks."""
    bundle = copy.deepcopy(BUNDLE)
    bundle["webhooks"] = [{**HOOK, **changed}, *more]
    bundle["version"] = f"w{abs(hash(json.dumps(bundle['webhooks']))) % 10**11:011d}"
    cities.publish(bundle, blob(), list(STAFF), world.now)


def queued(queue: str = "webhooks_queue", suffix: str = "") -> list[Message]:
    """The messages of a queue; they are removed."""
    held = aws.backend("sqs").queues[getattr(settings(), queue) + suffix]._messages
    bodies = [json.loads(one.body) for one in held]
    held.clear()
    return bodies


def jobs(world: World) -> list[Message]:
    """The messages for the sender that events have made since."""
    world.project()
    outbox.drain(now=world.now)
    return queued()


def deliver(world: World, message: Message, attempts: int = 1) -> int | None:
    """One delivery of the queue; the seconds until it comes back, or ``None``."""
    try:
        sending.handle(message, attempts, world.now)  # type: ignore[arg-type]
    except Later as later:
        return later.seconds
    return None


def work_off(world: World) -> None:
    """Deliver what events have made."""
    for message in jobs(world):
        assert deliver(world, message) is None


def progress(report: str, hook: str = "lapor") -> store.Progress:
    """The report's row of the hook."""
    return store.progress(JURISDICTION, hook, report)


def test_another_system_gets_each_public_event_in_order_with_its_own_word_and_id(
    world: World, there: Receiver
) -> None:
    report = world.file(description="Deep hole", landmark="At the mosque")["id"]
    work_off(world)
    world.act(OFFICER, report, "assign", person=official("worker1").uid)
    world.act(official("worker1"), report, "start")
    work_off(world)
    assert there.types() == ["report.file", "report.assign", "report.start"]
    assert there.ids == [f"{report}-{version}" for version in (1, 2, 3)]
    first, second, third = (one["data"] for one in there.taken)
    assert first["format"] == 1
    assert first["event"]["their_state"] == "Belum"
    assert second["event"]["their_state"] == third["event"]["their_state"] == "Proses"
    assert (first["outside_id"], second["outside_id"]) == (None, "LAPOR-7")
    assert first["report"]["description"] == "Deep hole"
    assert (first["report"]["lat"], first["report"]["long"]) == (-6.195, 106.805)
    assert first["report"]["service"]["code"] == "pothole"
    assert first["report"]["link"] == (
        f"http://127.0.0.1:8000/v1/reports/{report}?jurisdiction_id={JURISDICTION}"
    )
    assert progress(report)[1:3] == (3, 0)


def test_a_city_without_webhooks_queues_nothing(aws: None) -> None:
    world = World()
    world.file()
    world.project()
    assert [message["kind"] for _, message in control.outbox(50)] == ["alert"]


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example is from the project's own libraries."""
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    made = outside.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", body, [secret], 1614265330)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_hidden_report_is_gone_and_nothing_of_it_is_sent_again(
    world: World, there: Receiver
) -> None:
    report = world.file(description="Public words")["id"]
    never = world.file(description=f"{CANARY} never", public=False)["id"]
    work_off(world)
    world.protect(report)
    work_off(world)
    assert there.types() == ["report.file", "report.gone"]
    gone = there.taken[-1]["data"]
    assert gone["report"] == {"id": report}
    assert gone["event"].keys() == {"id", "version", "at"}
    assert gone["outside_id"] == "LAPOR-7"
    assert never not in json.dumps(there.taken)


def test_events_that_wait_when_a_report_is_hidden_are_never_sent(
    world: World, there: Receiver
) -> None:
    there.status = [503]
    report = world.file(description=f"{CANARY} words")["id"]
    (message,) = jobs(world)
    assert deliver(world, message) is not None
    world.protect(report)
    assert deliver(world, message, 2) is None
    # The answer to the first attempt was an error, but the system may have kept what it got.
    assert there.types() == ["report.gone"]
    assert CANARY not in json.dumps(there.taken)
    assert not progress(report).behind


def test_a_report_hidden_after_a_fault_of_ours_is_gone_for_the_system_that_got_it(
    world: World, there: Receiver
) -> None:
    report = world.file(description="Public words")["id"]
    (message,) = jobs(world)
    with (
        patch.object(hooks, "record_success", side_effect=Unavailable),
        pytest.raises(Unavailable),
    ):
        sending.handle(message, 1, world.now)  # type: ignore[arg-type]
    world.protect(report)
    # The lease was given back, so the report need not wait for its end.
    assert deliver(world, message, 2) is None
    assert there.types() == ["report.file", "report.gone"]


def test_a_report_that_its_reporter_opens_is_shown_from_then_on(
    world: World, there: Receiver
) -> None:
    report = world.file(description="Now public", public=False)["id"]
    work_off(world)
    assert there.taken == []
    op = world.operation(REPORTER, "openReport", report)
    engagement.make_public(REPORTER, op, report, world.now)
    work_off(world)
    assert there.types() == ["report.shown"]
    assert there.taken[0]["data"]["report"]["description"] == "Now public"
    assert there.taken[0]["data"]["event"]["their_state"] == "Belum"


def test_an_erased_text_leaves_other_systems_too(world: World, there: Receiver) -> None:
    report = world.file(description=f"{CANARY} words")["id"]
    work_off(world)
    assert there.taken[0]["data"]["report"]["description"] == f"{CANARY} words"
    erasure.erase(JURISDICTION, "d_reporter", world.now)
    # Also with a filter of events, and of services that the report has left.
    connect(world, events=["verify"], services=["litter"])
    world.advance(minutes=1)
    work_off(world)
    assert there.types()[-1] == "report.erased"
    assert there.taken[-1]["data"]["report"]["description"] is None
    assert CANARY not in json.dumps(there.taken[1:])
    assert progress(report).cursor == world.head(report).version


def test_no_personal_data_is_in_any_payload(world: World, there: Receiver) -> None:
    contact = {"email": f"{CANARY}@example.org", "name": CANARY}
    report = world.finished(
        contact=contact, description="Public", address=f"{CANARY} street", accuracy_m=17
    )
    world.act(REPORTER, report, "refuse", reason="Still there")
    op = world.operation(OFFICER, "comment", report)
    engagement.comment(OFFICER, op, report, f"{CANARY} among us", "inside", world.now)
    work_off(world)
    sent = json.dumps(there.taken)
    assert "Still there" in sent
    for word in (CANARY, "s_worker1", "s_officer1", "d_reporter", "accuracy", "contactable"):
        assert word not in sent, word
    assert len(there.taken) >= 5


def test_the_place_is_as_rounded_as_everybody_sees_it(world: World, there: Receiver) -> None:
    bundle = copy.deepcopy(BUNDLE)
    bundle["webhooks"], bundle["version"] = [HOOK], "round0000000"
    for row in bundle["services"]:
        row["public_decimals"] = 2
    cities.publish(bundle, blob(), list(STAFF), world.now)
    world.file(ward="D1-W1")
    work_off(world)
    shown = there.taken[0]["data"]["report"]
    assert (shown["lat"], shown["long"]) == (-6.19, 106.81)


def test_a_filter_lets_only_its_services_districts_and_events_pass(
    world: World, there: Receiver
) -> None:
    connect(world, services=["pothole"], districts=["D1"], events=["file", "assign"])
    wanted = world.file()["id"]
    world.file(service="litter")
    world.file(ward="D2-W1")
    world.act(OFFICER, wanted, "assign", person=official("worker1").uid)
    world.act(official("worker1"), wanted, "start")
    work_off(world)
    assert there.types() == ["report.file", "report.assign"]
    assert {one["data"]["report"]["id"] for one in there.taken} == {wanted}


def test_events_before_the_day_of_since_are_not_sent(world: World, there: Receiver) -> None:
    world.file()
    connect(world, since=(world.now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    world.advance(days=1)
    later = world.file()["id"]
    work_off(world)
    assert [one["data"]["report"]["id"] for one in there.taken] == [later]


def test_a_failure_holds_back_later_events_of_its_report_only(
    world: World, there: Receiver
) -> None:
    report, other = world.file()["id"], world.file()["id"]
    first = {message["report"]: message for message in jobs(world)}
    there.status = [503]
    seconds = deliver(world, first[report])
    assert seconds is not None
    assert 15 <= seconds <= 30
    assert deliver(world, first[other]) is None
    world.act(OFFICER, report, "assign", person=official("worker1").uid)
    (second,) = jobs(world)
    # Its event waits for the first, whose message will come back.
    assert deliver(world, second) is None
    assert there.versions(report) == []
    assert deliver(world, first[report], 2) is None
    assert there.versions(report) == [1, 2]
    assert there.versions(other) == [1]


def test_the_news_of_a_message_that_was_lost_is_sent_by_the_next(
    world: World, there: Receiver
) -> None:
    report = world.file()["id"]
    (first,) = jobs(world)
    there.status = [503]
    deliver(world, first)
    world.act(OFFICER, report, "assign", person=official("worker1").uid)
    (second,) = jobs(world)
    world.advance(hours=1)
    assert deliver(world, second) is None
    assert there.versions(report) == [1, 2]


def test_a_run_that_is_killed_after_the_send_repeats_the_same_id(
    world: World, there: Receiver
) -> None:
    report = world.file()["id"]
    (message,) = jobs(world)
    with (
        patch.object(hooks, "record_success", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        sending.handle(message, 1, world.now)  # type: ignore[arg-type]
    assert progress(report).cursor == 0
    # The lease of the run that was killed lasts; then the message is delivered again.
    with patch.object(clock, "wall", lambda: clock.datetime.now(clock.UTC) + timedelta(minutes=2)):
        assert deliver(world, message, 2) is None
    assert there.ids == [f"{report}-1", f"{report}-1"]


def test_an_event_that_comes_while_a_run_sends_is_sent_by_that_run(
    world: World, there: Receiver
) -> None:
    report = world.file()["id"]
    (first,) = jobs(world)
    answers = []

    def meanwhile() -> None:
        world.act(OFFICER, report, "assign", person=official("worker1").uid)
        (second,) = jobs(world)
        answers.append(deliver(world, second))

    there.meanwhile = meanwhile
    assert deliver(world, first) is None
    assert answers == [None]
    assert there.versions(report) == [1, 2]
    assert len(there.ids) == 2


def test_a_message_that_finds_the_row_taken_is_not_lost_if_that_run_dies(
    world: World, there: Receiver
) -> None:
    report = world.file()["id"]
    (first,) = jobs(world)
    holder = leases.new_holder()
    assert store.take(JURISDICTION, "lapor", report, holder)
    world.act(OFFICER, report, "assign", person=official("worker1").uid)
    (second,) = jobs(world)
    assert deliver(world, second) is None
    assert there.taken == []
    with patch.object(clock, "wall", lambda: clock.datetime.now(clock.UTC) + timedelta(minutes=2)):
        assert deliver(world, first, 2) is None
    assert there.versions(report) == [1, 2]
    row = progress(report)
    assert not store.save(JURISDICTION, "lapor", holder, row._replace(cursor=9))


def test_a_message_that_relies_on_a_run_is_not_lost_if_that_run_was_about_to_wait(
    world: World, there: Receiver
) -> None:
    report = world.file()["id"]
    (first,) = jobs(world)
    there.status = [503]
    assert deliver(world, first) is not None
    world.act(OFFICER, report, "assign", person=official("worker1").uid)
    (second,) = jobs(world)
    # The second message's run would leave the report to the first, and is killed before that.
    with (
        patch.object(store, "put_back", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        sending.handle(second, 1, world.now)  # type: ignore[arg-type]
    assert deliver(world, first, 2) is None
    assert there.taken == []
    with patch.object(clock, "wall", lambda: clock.datetime.now(clock.UTC) + timedelta(minutes=2)):
        assert deliver(world, second, 2) is None
    assert there.versions(report) == [1, 2]


def test_a_system_that_answers_410_gets_nothing_until_it_is_enabled(
    world: World, there: Receiver
) -> None:
    report, other = world.file()["id"], world.file()["id"]
    there.status = [410]
    messages = jobs(world)
    with patch.object(observability, "count") as count:
        for message in messages:
            assert deliver(world, message) is None
    assert [call.args[0] for call in count.call_args_list].count("WebhooksOff") == 1
    world.act(OFFICER, report, "assign", person=official("worker1").uid)
    work_off(world)
    assert there.taken == []
    city = cities.current(JURISDICTION, world.now)
    assert hooks.lag(city, city.hooks["lapor"])[:3] == (2, 2, 0)
    assert hooks.enable(city, city.hooks["lapor"]) == 2
    for message in queued():
        assert deliver(world, message) is None
    assert (there.versions(report), there.versions(other)) == ([1, 2], [1])
    assert hooks.lag(city, city.hooks["lapor"])[:3] == (2, 0, 0)


def test_an_administrator_who_resumes_a_hook_that_is_off_is_told_to_enable_it(
    world: World, there: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    report = world.file()["id"]
    there.status = [410]
    (message,) = jobs(world)
    deliver(world, message)
    for words in (["resume", "lapor"], ["replay", "lapor", report]):
        status, shown, complaint = ops(capsys, *words)
        assert (status, shown) == (1, "")
        assert "lapor has been off since" in complaint
        assert "webhooks enable lapor" in complaint
    assert queued() == []
    assert ops(capsys, "enable", "lapor")[:2] == (0, "1 reports are sent\n")


def test_a_new_address_turns_a_hook_on_again(world: World, there: Receiver) -> None:
    world.file()
    there.status = [410]
    (message,) = jobs(world)
    deliver(world, message)
    connect(world, url=f"{URL}/new")
    world.advance(minutes=1)
    assert deliver(world, message) is None
    assert len(there.taken) == 1


@pytest.mark.parametrize(("status", "tries"), [(422, 3), (503, 10), (302, 10)])
def test_what_is_never_taken_becomes_a_dead_letter_and_goes_on_in_order_when_put_back(
    world: World, there: Receiver, status: int, tries: int
) -> None:
    report = world.file()["id"]
    (message,) = jobs(world)
    there.status = [status] * 30
    waits = []
    for attempt in range(1, tries + 1):
        waits.append(deliver(world, message, attempt))
        world.advance(hours=12)
    assert waits[-1] is None
    assert all(waits[:-1])
    assert queued(suffix="-dead") == [message]
    (note,) = control.dead(JURISDICTION, "webhooks", 9)
    assert (note["hook"], note["report"], note["after"]) == ("lapor", report, 0)
    world.act(OFFICER, report, "assign", person=official("worker1").uid)
    (second,) = jobs(world)
    there.status = []
    # The redrive and the next event come in any order.
    assert deliver(world, second) is None
    assert deliver(world, message) is None
    assert there.versions(report) == [1, 2]
    assert control.dead(JURISDICTION, "webhooks", 9) == []


def test_a_refusal_after_an_outage_gets_its_three_attempts(world: World, there: Receiver) -> None:
    """A system that comes back often answers 404 for a moment."""
    report = world.file()["id"]
    (message,) = jobs(world)
    there.status = [503, 503, 503, 404, 404]
    for attempt in range(1, 6):
        assert deliver(world, message, attempt) is not None, attempt
        world.advance(hours=12)
    assert deliver(world, message, 6) is None
    assert there.versions(report) == [1]
    assert queued(suffix="-dead") == []


def test_what_was_set_aside_gets_three_attempts_again_with_the_next_event(
    world: World, there: Receiver
) -> None:
    report = world.file()["id"]
    (message,) = jobs(world)
    there.status = [422] * 5
    assert [deliver(world, message, attempt) is None for attempt in (1, 2, 3)] == [False] * 2 + [
        True
    ]
    world.act(OFFICER, report, "assign", person=official("worker1").uid)
    (second,) = jobs(world)
    assert [deliver(world, second, attempt) is None for attempt in (1, 2, 3)] == [False] * 2 + [
        True
    ]
    assert there.versions(report) == [1, 2]


def test_a_dead_letter_that_is_replayed_is_no_longer_shown_as_one(
    world: World, there: Receiver
) -> None:
    report = world.file()["id"]
    (message,) = jobs(world)
    there.status = [422]
    assert deliver(world, message, 10) is None
    assert len(control.dead(JURISDICTION, "webhooks", 9)) == 1
    city = cities.current(JURISDICTION, world.now)
    assert hooks.replay(city, city.hooks["lapor"], report, 1, 1)
    for again in queued():
        assert deliver(world, again) is None
    assert there.versions(report) == [1]
    assert control.dead(JURISDICTION, "webhooks", 9) == []


def test_a_system_that_is_down_costs_the_others_no_time(world: World) -> None:
    reports = [world.file()["id"] for _ in range(hooks.FAILURES + 3)]
    with open311_server.server(says(503, {})) as down:
        for message in jobs(world):
            assert deliver(world, message) is not None
    assert len(down.asked) == hooks.FAILURES
    reasons = [progress(report).sent["failing"]["reason"] for report in reports]
    assert (reasons.count("status_503"), reasons.count("rests")) == (hooks.FAILURES, 3)


def test_a_dead_hook_does_not_hold_up_another(world: World, there: Receiver) -> None:
    other = {"code": "other", "url": f"https://{open311_server.NAME}/other"}
    connect(world, other)
    store.put_secrets(JURISDICTION, "other", [SECRET])
    report = world.file()["id"]
    there.status = [500]
    taken = [deliver(world, message) for message in jobs(world)]
    assert len(taken) == 2
    assert sorted(one is None for one in taken) == [False, True]
    behind = {hook: progress(report, hook).behind for hook in ("lapor", "other")}
    assert sorted(behind.values()) == [False, True]


def test_a_hook_without_a_secret_sends_nothing_and_says_so(world: World, there: Receiver) -> None:
    connect(world, code="new")
    report = world.file()["id"]
    (message,) = jobs(world)
    assert deliver(world, message) is not None
    assert there.taken == []
    assert progress(report, "new").sent["failing"]["reason"] == "no_secret"


def test_a_secret_that_was_stored_wrong_by_hand_is_a_failure_of_its_hook(
    world: World, there: Receiver
) -> None:
    store.put_secrets(JURISDICTION, "lapor", ["whsec_half5"])
    report = world.file()["id"]
    (message,) = jobs(world)
    assert deliver(world, message) is not None
    assert there.taken == []
    assert progress(report).sent["failing"]["reason"] == "bad_secret"


def test_both_secrets_sign_while_receivers_change(world: World) -> None:
    newer = outside.secret(b"b" * 32)
    store.put_secrets(JURISDICTION, "lapor", [newer, SECRET])
    world.file()
    with open311_server.server(Receiver()) as server:
        work_off(world)
    (asked,) = server.asked
    seconds = int(asked.headers["webhook-timestamp"])
    signatures = asked.headers["webhook-signature"].split(" ")
    for secret, signature in zip((newer, SECRET), signatures, strict=True):
        name = asked.headers["webhook-id"]
        assert signature == outside.signature(name, asked.body, [secret], seconds)
    assert asked.headers["content-type"] == "application/json"
    assert asked.path == "/hook/tanggap"


def test_a_system_that_wants_an_access_token_gets_it_in_its_header(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(world, token_header="Authorization")
    world.file()
    (message,) = jobs(world)
    with open311_server.server(Receiver()) as server:
        assert deliver(world, message) is not None
        assert server.asked == []
        for written, status in (("Bearer a\x07b", 1), ("Bearer their-key", 0)):
            monkeypatch.setattr("sys.stdin", io.StringIO(f"{written}\n"))
            assert ops(capsys, "token", "lapor")[0] == status
        assert deliver(world, message, 2) is None
    (asked,) = server.asked
    assert asked.headers["authorization"] == "Bearer their-key"
    assert asked.headers["content-type"] == "application/json"


def test_the_guide_shows_the_fields_that_are_sent(world: World, there: Receiver) -> None:
    def fields(value: Any, at: str = "") -> set[str]:
        if not isinstance(value, dict) or at.endswith((".name", ".event.data", ".texts")):
            return {at}
        return {name for key, each in value.items() for name in fields(each, f"{at}.{key}")}

    world.finished()
    work_off(world)
    text = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text("utf-8")
    (shown,) = re.findall(r"^```json\n(.*?)^```$", text, re.M | re.S)
    assert fields(json.loads(shown)) == fields(there.taken[-1])


def test_imported_history_and_a_hook_that_was_removed_send_nothing(
    world: World, there: Receiver
) -> None:
    world.file()
    (message,) = jobs(world)
    connect(world, code="renamed")
    world.advance(minutes=1)
    assert deliver(world, message) is None
    assert there.taken == []


def test_a_report_is_sent_again_from_a_version_on(world: World, there: Receiver) -> None:
    report = world.file()["id"]
    world.act(OFFICER, report, "assign", person=official("worker1").uid)
    work_off(world)
    city = cities.current(JURISDICTION, world.now)
    assert hooks.replay(city, city.hooks["lapor"], report, 2, world.head(report).version)
    for message in queued():
        assert deliver(world, message) is None
    assert there.ids == [f"{report}-1", f"{report}-2", f"{report}-2"]


def test_an_event_that_the_other_system_never_takes_can_be_left_out(
    world: World, there: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    report = world.file()["id"]
    (message,) = jobs(world)
    there.status = [422]
    assert deliver(world, message, 10) is None
    world.act(OFFICER, report, "assign", person=official("worker1").uid)
    jobs(world)
    assert ops(capsys, "skip", "lapor", report) == (0, "event 1 (file) is left out\n", "")
    for again in queued():
        assert deliver(world, again) is None
    assert there.versions(report) == [2]
    assert control.dead(JURISDICTION, "webhooks", 9) == []
    assert not progress(report).behind
    assert ops(capsys, "skip", "lapor", report) == (1, "", "no event of it waits\n")
    assert ops(capsys, "skip", "lapor", "0" * 26)[0] == 1


def test_what_makes_a_copy_go_is_never_left_out(
    world: World, there: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    report = world.file()["id"]
    work_off(world)
    world.protect(report)
    there.status = [422]
    (message,) = jobs(world)
    assert deliver(world, message, 10) is None
    status, _, complaint = ops(capsys, "skip", "lapor", report)
    assert status == 1
    assert "must delete" in complaint
    assert ops(capsys, "resume", "lapor")[0] == 0
    for again in queued():
        assert deliver(world, again) is None
    assert there.types() == ["report.file", "report.gone"]


def test_a_run_without_time_leaves_the_rest_to_the_next(world: World, there: Receiver) -> None:
    report = world.finished()
    (message, *_) = jobs(world)
    for _ in range(20):
        turns = iter([True, True, True, False])
        sending.handle(message, 1, world.now, lambda turns=turns: next(turns, False))  # type: ignore[arg-type,misc]
        if not queued():
            break
    assert there.versions(report) == sorted(there.versions(report))
    assert progress(report).cursor == world.head(report).version


def test_an_event_that_was_lost_in_a_restore_is_not_looked_for_for_ever(
    world: World, there: Receiver
) -> None:
    report = world.file()["id"]
    (message,) = jobs(world)
    store.announce(JURISDICTION, "lapor", report, 9, held=False)
    assert deliver(world, message) is None
    assert queued() == []
    assert there.versions(report) == [1]
    assert not progress(report).behind


def test_the_entry_point_lets_a_message_come_back_without_an_unhandled_error(
    world: World, there: Receiver
) -> None:
    world.file()
    (message,) = jobs(world)
    there.status = [500]
    record = {
        "messageId": "m1", "receiptHandle": "r1", "body": json.dumps(message),
        "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
        "eventSource": "aws:sqs", "eventSourceARN": "arn", "awsRegion": "r", "md5OfBody": "",
    }  # fmt: skip
    with (
        patch.object(batches.queues, "postpone") as postpone,
        patch.object(observability, "unhandled") as unhandled,
    ):
        answer = batches.send_webhooks({"Records": [record]}, None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    unhandled.assert_not_called()
    queue, receipt, seconds = postpone.call_args.args
    assert (queue, receipt) == (settings().webhooks_queue, "r1")
    assert 15 <= seconds <= 30


def ops(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """(exit status, output, complaints) of a command."""
    status = command.main(["--jurisdiction", JURISDICTION, *words])
    return status, *capsys.readouterr()


def test_an_administrator_sees_tests_and_repairs_a_hook(
    world: World, there: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ops(capsys, "ping", "lapor") == (0, '{"status": 200, "outside_id": "LAPOR-7"}\n', "")
    assert there.types() == ["ping"]
    there.status = [404]
    assert ops(capsys, "ping", "lapor")[0] == 1
    _, newer, _ = ops(capsys, "secret", "lapor")
    assert store.secrets(JURISDICTION, "lapor") == [newer.strip(), SECRET]
    assert ops(capsys, "retire", "lapor")[0] == 0
    assert store.secrets(JURISDICTION, "lapor") == [newer.strip()]
    assert ops(capsys, "retire", "lapor")[2] == "there is no older secret\n"
    report = world.file()["id"]
    (message,) = jobs(world)
    there.status = [422]
    assert deliver(world, message, 10) is None
    (row,) = json.loads(ops(capsys, "list")[1])
    assert (row["hook"], row["off"], row["behind"], row["dead"]) == ("lapor", None, 1, 1)
    assert row["why"] == "status_422"
    assert ops(capsys, "resume", "lapor") == (0, "1 reports are sent\n", "")
    for waiting in queued():
        assert deliver(world, waiting) is None
    assert there.versions(report) == [1]
    assert ops(capsys, "replay", "lapor", report)[0] == 0
    assert len(queued()) == 1
    assert ops(capsys, "replay", "lapor", "0" * 26)[0] == 1
    assert "'nobody' is no webhook of testville: lapor" in ops(capsys, "ping", "nobody")[2]


def test_a_secret_that_the_other_system_still_uses_signs_until_it_is_retired(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The newer one was printed twice, as its first print was lost."""
    _, lost, _ = ops(capsys, "secret", "lapor")
    _, newest, _ = ops(capsys, "secret", "lapor")
    assert store.secrets(JURISDICTION, "lapor") == [newest.strip(), lost.strip(), SECRET]
    world.file()
    with open311_server.server(Receiver()) as server:
        work_off(world)
    (asked,) = server.asked
    seconds = int(asked.headers["webhook-timestamp"])
    name = asked.headers["webhook-id"]
    signatures = asked.headers["webhook-signature"].split(" ")
    assert outside.signature(name, asked.body, [SECRET], seconds) in signatures
    assert ops(capsys, "retire", "lapor")[0] == 0
    assert store.secrets(JURISDICTION, "lapor") == [newest.strip()]
    for _ in range(5):
        status, _, complaint = ops(capsys, "secret", "lapor")
    assert (status, len(store.secrets(JURISDICTION, "lapor"))) == (1, 4)
    assert "retire lapor" in complaint


def test_the_command_says_in_words_what_it_does_and_what_is_wrong(
    world: World, there: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        ops(capsys, "--help")
    shown = capsys.readouterr().out
    assert "retire HOOK" in shown
    assert "replay HOOK REPORT" in shown
    with pytest.raises(SystemExit):
        ops(capsys, "replay", "lapor")
    assert "REPORT" in capsys.readouterr().err
    assert command.main(["--jurisdiction", "nowhere", "list"]) == 1
    assert "'nowhere' is no city that is loaded" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        ops(capsys, "secret")
    assert "secret needs a HOOK" in capsys.readouterr().err
    report = world.file()["id"]
    assert "its events are 1 to 1" in ops(capsys, "replay", "lapor", report, "--from", "7")[2]
    connect(world, code="new")
    world.advance(minutes=2)
    status, _, complaint = ops(capsys, "ping", "new")
    assert status == 1
    assert "it has no secret yet: webhooks secret new" in complaint


def test_the_list_of_a_city_without_webhooks_says_so(
    aws: None, capsys: pytest.CaptureFixture[str]
) -> None:
    World()
    status, shown, said = ops(capsys, "list")
    assert (status, json.loads(shown)) == (0, [])
    assert said == f"{JURISDICTION} has no webhooks (docs/webhooks.md)\n"


def test_names_of_the_rules_are_events_that_everybody_may_see() -> None:
    assert {"file", "assign", "comment", "erased", "photo_ready"} <= rules.event_names()
    assert not {"contact_read", "protect", "flag", "import"} & rules.event_names()
