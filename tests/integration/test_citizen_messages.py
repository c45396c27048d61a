"""Reporters, reporters of merged reports and followers are each told once, as they chose."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.notifications import reachability
from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.pages import preferences_page
from chalicelib.services.notifications import citizen_messages, citizens, outbox
from chalicelib.services.people import claiming, preferences
from chalicelib.services.reports import engagement, intake
from chalicelib.storage import control, mail, people, queues, reach, topics
from tests.support.world import JURISDICTION, START, World, citizen, city, official, spot

OFFICER, WORKER = official("officer1"), official("worker1")
SITI = {"email": "siti@example.org"}
Post = list[tuple[str, str]]
Run = Callable[[], Post]


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Project, relay and send everything; what was posted since the last time, (to, text)."""
    posted: Post = []
    queue: list[dict[str, Any]] = []
    monkeypatch.setattr(mail, "send", lambda to, subject, text, *_: posted.append((to, text)))
    monkeypatch.setattr(topics, "send_sms", lambda to, text: posted.append((to, text)))
    monkeypatch.setattr(topics, "publish", lambda *_: None)
    monkeypatch.setattr(queues, "send_message", queue.append)

    def turn() -> Post:
        world.project()
        outbox.drain(now=world.now)
        while queue:
            one = queue.pop(0)
            citizen_messages.send(one, world.now)
            citizen_messages.send(one, world.now)  # Delivered twice.
            outbox.drain(now=world.now)
        found = list(posted)
        posted.clear()
        return found

    return turn


def to(post: Post) -> list[str]:
    """The people who got a message."""
    return sorted(who for who, _ in post)


def comment(world: World, actor: Principal, report: str, audience: str = "public") -> None:
    op = world.operation(actor, "commentReport", "words")
    engagement.comment(actor, op, report, "We are on it.", audience, world.now)


def follow(name: str, report: str, **contact: Any) -> None:
    engagement.follow(citizen(name), report, True, START, contact or None, ("en",))


def test_reporter_merged_reporters_and_followers_hear_of_an_officials_comment(
    world: World, run: Run
) -> None:
    report = world.file(contact=SITI)["id"]
    other = world.file(citizen("second"), contact={"phone": "+62811000222"})["id"]
    world.act(OFFICER, other, "merge", into=report)
    follow("follower", report, email="follower@example.org")
    assert to(run()) == ["+62811000222"]  # Its report was merged.
    comment(world, OFFICER, report)
    post = run()
    assert to(post) == ["+62811000222", "follower@example.org", "siti@example.org"]
    assert all("/v1/notifications/" in text for _, text in post)
    comment(world, OFFICER, report, "inside")
    comment(world, citizen("reporter"), report)
    assert run() == []


def test_each_turn_of_a_report_is_told(world: World, run: Run) -> None:
    """Asked, scheduled, finished, lapsed, reopened, handed over, closed."""
    report = world.file(contact=SITI)["id"]
    follow("f", report, email="f@example.org")

    def told() -> None:
        assert to(run()) == ["f@example.org", "siti@example.org"]

    world.act(OFFICER, report, "ask", question="Which side?")
    told()
    world.act(citizen("reporter"), report, "answer", text="Left.")
    world.act(OFFICER, report, "assign", person="s_worker1")
    until = world.now.replace(hour=9).isoformat()
    assert run() == []
    world.act(OFFICER, report, "schedule", until=until, reason="The crane comes.")
    told()
    world.finish(WORKER, report)
    told()
    world.advance(days=15)
    world.sweep()
    told()
    world.act(OFFICER, report, "reopen", reason="Broken again.")
    told()
    world.act(OFFICER, report, "disown", text="The province answers for it.")
    told()


def test_a_verification_by_others_is_told_and_ones_own_is_not(world: World, run: Run) -> None:
    one, other = world.finished(contact=SITI), world.finished(contact=SITI)
    run()
    world.act(citizen("reporter"), one, "verify")
    assert run() == []
    world.act(official("verifier"), other, "verify")
    assert to(run()) == ["siti@example.org"]


def test_a_person_with_several_parts_in_a_report_is_told_once(world: World, run: Run) -> None:
    report = world.file(contact=SITI)["id"]
    other = world.file(contact=SITI)["id"]
    world.act(OFFICER, other, "merge", into=report)
    run()
    follow("reporter", report)  # By the contact of an earlier filing.
    follow("tablet", report, email="SITI@example.org")
    comment(world, OFFICER, report)
    assert to(run()) == ["siti@example.org"]


def test_a_hundred_followers_are_told_page_by_page_each_once(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(citizens, "PAGE", 3)
    report = world.file(contact=SITI)["id"]
    for number in range(8):
        follow(f"n{number}", report, email=f"n{number}@example.org")
    comment(world, OFFICER, report)
    assert to(run()) == [*(f"n{number}@example.org" for number in range(8)), "siti@example.org"]


def test_one_dead_address_stops_nobody_else(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = world.file(contact={"email": "refused@example.org"})["id"]
    follow("f", report, email="f@example.org")
    posted: list[str] = []

    def send(to: str, subject: str, text: str, *_: str) -> None:
        if to == "refused@example.org":
            raise ValueError("refused for good")
        posted.append(to)

    monkeypatch.setattr(mail, "send", send)
    comment(world, OFFICER, report)
    with pytest.raises(ValueError, match="refused"):
        run()
    assert posted == ["f@example.org"]


def test_a_follower_without_a_contact_hears_nothing_and_stopping_forgets_the_contact(
    world: World, run: Run
) -> None:
    report = world.file()["id"]
    follow("mute", report)
    follow("gone", report, email="gone@example.org")
    (ref,) = people.details(JURISDICTION, "d_gone", people.REACHED_BY, report)
    engagement.follow(citizen("gone"), report, False, START)
    assert people.contact(JURISDICTION, ref) is None
    comment(world, OFFICER, report)
    assert run() == []


def token(post: Post) -> str:
    """The token of the link by which the reader of the first message chooses."""
    return post[0][1].rsplit("/v1/notifications/", 1)[1].split("?")[0]


def test_the_link_in_a_message_ends_the_messages_without_a_script(world: World, run: Run) -> None:
    report = world.file(contact=SITI)["id"]
    comment(world, OFFICER, report)
    link = token(run())
    page = preferences_page.ask(city(), link, ("en",), "")
    assert page.count("<form") == len(reachability.CHOICES) + len(reachability.WAYS)
    assert "<script" not in page
    assert "✓" in preferences_page.chosen(city(), link, "nothing", ("en",), "")
    comment(world, OFFICER, report)
    assert run() == []
    preferences.choose(JURISDICTION, link, "asked")
    comment(world, OFFICER, report)
    assert run() == []
    world.act(OFFICER, report, "ask", question="Which side?")
    assert to(run()) == ["siti@example.org"]


@pytest.mark.parametrize("forged", ["", "k1.x.y", "k1.abc." + "A" * 22])
def test_a_forged_link_chooses_nothing(world: World, forged: str) -> None:
    with pytest.raises(Problem, match="invalid_token"):
        preferences.choose(JURISDICTION, forged, "nothing")


def test_a_link_of_one_city_says_nothing_in_another(world: World) -> None:
    link = preferences.link(JURISDICTION, "abc").rsplit("/", 1)[1].split("?")[0]
    assert preferences.choice(JURISDICTION, link)["notify"] == "all"
    with pytest.raises(Problem, match="invalid_token"):
        preferences.choice("elsewhere", link)


def test_a_digest_comes_once_a_day_with_everything(world: World, run: Run) -> None:
    report = world.file(contact=SITI)["id"]
    comment(world, OFFICER, report)
    preferences.choose(JURISDICTION, token(run()), "digest")
    other = world.file(contact=SITI)["id"]
    for _ in range(2):
        comment(world, OFFICER, other)
    world.act(OFFICER, report, "reject", reason_code="spam", text="Not a report.")
    assert run() == []
    citizen_messages.queue_held(world.now)
    assert run() == []
    world.advance(hours=24)
    assert citizen_messages.queue_held(world.now) == 1
    citizen_messages.queue_held(world.now)
    ((who, text),) = run()
    assert who == "siti@example.org"
    assert all(world.head(one).code in text for one in (report, other))
    world.advance(hours=24)
    assert citizen_messages.queue_held(world.now) == 0
    assert run() == []


def test_a_digest_to_an_address_that_is_refused_for_good_is_noted_and_tried_once(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = world.file(contact=SITI)["id"]
    comment(world, OFFICER, report)
    preferences.choose(JURISDICTION, token(run()), "digest")
    comment(world, OFFICER, world.file(contact=SITI)["id"])
    assert run() == []
    world.advance(hours=24)
    tried = []

    def refuse(to: str, *_: Any) -> None:
        tried.append(to)
        raise ValueError("refused for good")

    monkeypatch.setattr(mail, "send", refuse)
    for _ in range(3):
        citizen_messages.queue_held(world.now)
        assert run() == []
        world.advance(hours=1)
    assert tried == ["siti@example.org"]
    (note,) = control.dead(JURISDICTION, citizen_messages.SOURCE, 9)
    assert note["error"] == "ValueError"


def test_only_the_reporter_hears_of_a_private_report(world: World, run: Run) -> None:
    report = world.file(contact=SITI)["id"]
    follow("f", report, email="f@example.org")
    event = {**_event(world, report), "action": "transfer"}
    from chalicelib.domain.notifications import citizen_news

    row = citizen_news.message({**event, "after": {**event["after"], "private": True}})
    assert row is not None
    assert row["tell"] == {"reporter": "transferred"}


def _event(world: World, report: str) -> dict[str, Any]:
    comment(world, OFFICER, report)
    return world.events(report)[-1]


def test_a_notice_about_a_protected_report_says_nothing(world: World, run: Run) -> None:
    """It has no code, service, place or word about the repair, only how to sign in."""
    report = world.file(service="violence", contact={**SITI, "phone": "+62811000111"})["id"]
    engagement.follow(citizen("reporter"), report, True, START, {"email": "f@example.org"}, ("en",))
    world.act(official("safe"), report, "ask", question="Are you safe?")
    ((who, text),) = run()
    assert who == "siti@example.org"
    assert world.head(report).code not in text
    assert not any(word in text.casefold() for word in ("violence", "report", "laporan", "ward"))


def test_a_reporter_for_whom_no_contact_is_safe_gets_no_message_and_no_question(
    world: World, run: Run
) -> None:
    contact = {"phone": "+62811000111", "safe": {"way": "none", "note": "He reads my phone."}}
    report = world.file(service="violence", contact=contact)["id"]
    head = world.head(report)
    assert not head.contactable
    assert people.contact(JURISDICTION, head.contact or "") == contact
    with pytest.raises(Problem):
        world.act(official("safe"), report, "ask", question="Are you safe?")
    world.act(official("safe"), report, "assign", person="s_guard")
    assert run() == []


def test_a_message_waits_for_the_hour_that_is_safe(world: World, run: Run) -> None:
    safe = {"way": "phone", "from": "21:00", "until": "22:00"}
    contact = {**SITI, "phone": "+62811000111", "safe": safe}
    report = world.file(service="violence", contact=contact)["id"]
    world.act(official("safe"), report, "ask", question="Are you safe?")
    assert run() == []
    world.advance(hours=13)
    assert citizen_messages.queue_held(world.now) == 1
    assert to(run()) == ["+62811000111"]


def test_the_former_contact_is_told_that_another_device_has_the_report(
    world: World, run: Run
) -> None:
    filed = world.file(contact=SITI)
    phone = citizen("newphone")
    op = world.operation(phone, "claimReport", "x")
    claiming.claim(phone, op, filed["id"], filed["claim_secret"], world.now)
    ((who, text),) = run()
    assert who == "siti@example.org"
    link = text.split("/v1/claims/")[1].split()[0]
    assert claiming.undo(link, world.now) is not None
    assert world.head(filed["id"]).reporter is None


def test_an_erasure_forgets_what_was_chosen(world: World, run: Run) -> None:
    from chalicelib.services.people import erasure

    report = world.file(contact=SITI)["id"]
    comment(world, OFFICER, report)
    preferences.choose(JURISDICTION, token(run()), "nothing")
    key = preferences.key(SITI)
    assert reach.person(JURISDICTION, key)[0]["notify"] == "nothing"
    follow("reporter", report, email="else@example.org")
    erasure.erase(JURISDICTION, report, world.now)
    assert reach.person(JURISDICTION, key)[0] == {}
    assert people.details(JURISDICTION, "d_reporter", people.REACHED_BY, report) == []


def test_a_duplicates_reporter_answers_by_a_link_of_their_own(world: World, run: Run) -> None:
    from chalicelib.services.reports import one_tap

    report = world.file(contact=SITI)["id"]
    other = world.file(citizen("second"), contact={"email": "second@example.org"})["id"]
    world.act(OFFICER, other, "merge", into=report)
    world.act(OFFICER, report, "assign", person="s_worker1")
    run()
    world.finish(WORKER, report)
    post = dict(run())
    link = post["second@example.org"].split("/v1/answers/")[1].split()[0]
    assert one_tap.answer(link, True, world.now) is not None
    assert world.head(report).resolution == "verified"
    assert world.events(report)[-1]["data"]["by"] == "duplicate"
    assert to(run()) == ["second@example.org", "siti@example.org"]


def test_a_contact_without_an_address_is_nobodys(world: World) -> None:
    body = {"service": "pothole", **spot("D1-W1"), "contact": {"name": "Siti"}}
    op = world.operation(citizen("a"), "fileReport", body)
    intake.file_report(citizen("a"), op, body, intake.Origin("192.0.2.1", ("id",)), world.now)
