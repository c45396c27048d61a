"""The one-tap answer: a signed link acts for the reporter, for one finish, until it lapses."""

import pytest

from chalicelib.errors import Problem
from chalicelib.pages import one_tap_page
from chalicelib.services.notifications import citizen_messages, outbox
from chalicelib.services.reports import one_tap
from chalicelib.storage import control, mail, people, queues, topics
from tests.support.world import JURISDICTION, World, citizen, official

WORKER = official("worker1")


def token(world: World, report: str) -> str:
    """The token of the link that the reporter gets."""
    finished = world.head(report).finished_at
    assert finished is not None
    return citizen_messages.answer_link(JURISDICTION, report, finished).rsplit("/", 1)[1]


def test_yes_closes_the_report_as_verified_by_its_reporter(world: World) -> None:
    """The event says that a reporter answered, without an id."""
    report = world.finished()
    assert one_tap.answer(token(world, report), True, world.now) is not None
    assert (world.head(report).state, world.head(report).resolution) == ("closed", "verified")
    actor = world.events(report)[-1]["actor"]
    assert (actor["role"], actor["uid"]) == ("reporter", None)


def test_no_sends_the_work_back(world: World) -> None:
    """The refusal is counted and its reason is shown."""
    report = world.finished()
    one_tap.answer(token(world, report), False, world.now)
    assert world.head(report).state == "in_progress"
    assert world.head(report).flow["refused"]


def test_a_second_tap_changes_nothing_more(world: World) -> None:
    """With either button."""
    report = world.finished()
    link = token(world, report)
    one_tap.answer(link, True, world.now)
    version = world.head(report).version
    assert one_tap.answer(link, True, world.now) is None
    assert one_tap.answer(link, False, world.now) is None
    assert world.head(report).version == version


def test_a_link_answers_only_for_its_own_finish(world: World) -> None:
    """After a refusal and another finish the old link answers nothing."""
    report = world.finished()
    old = token(world, report)
    one_tap.answer(old, False, world.now)
    world.advance(hours=1)
    world.finish(WORKER, report)
    assert one_tap.answer(old, True, world.now) is None
    assert one_tap.answer(token(world, report), True, world.now) is not None


@pytest.mark.parametrize("forge", ["", "x", "k1.e30.AAAA"])
def test_a_forged_link_is_refused(world: World, forge: str) -> None:
    """The page gives no reason."""
    with pytest.raises(Problem, match="invalid_token"):
        one_tap.question(forge, world.now)


def test_a_link_lapses_with_the_time_to_answer(world: World) -> None:
    """Fourteen days after the finish."""
    report = world.finished()
    link = token(world, report)
    world.advance(days=14)
    with pytest.raises(Problem, match="invalid_token"):
        one_tap.question(link, world.now)


def test_opening_the_page_changes_nothing(world: World) -> None:
    """Link scanners open links; the page asks, in the reporter's language, with two forms."""
    report = world.finished()
    version = world.head(report).version
    page = one_tap_page.ask(token(world, report), world.now)
    assert page.count("<form") == 2
    assert '<html lang="id">' in page
    assert world.head(report).version == version


def test_the_reporter_is_asked_once_by_the_channel_they_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By e-mail, else by text message; the same message again sends nothing."""
    posted: list[tuple[str, str]] = []
    waiting: list[dict[str, object]] = []
    monkeypatch.setattr(mail, "send", lambda to, subject, text, *_: posted.append((to, text)))
    monkeypatch.setattr(topics, "send_sms", lambda to, text: posted.append((to, text)))
    monkeypatch.setattr(queues, "send_message", waiting.append)
    world.finished(contact={"email": "siti@example.org", "phone": "+62811000111"})
    world.finished(contact={"phone": "+62811000222"}, actor=citizen("other"))
    world.finished(actor=citizen("silent"))
    world.project()
    outbox.drain()
    asked = [one for one in waiting if one["event"] == "finish"]
    assert [one["tell"]["reporter"] for one in asked if "reporter" in one["tell"]] == ["ask"] * 2
    for one in [*waiting, *waiting]:
        citizen_messages.send(one)
    assert sorted(to for to, _ in posted) == ["+62811000222", "siti@example.org"]
    assert all("/v1/answers/" in text for _, text in posted)
    assert not any("siti" in str(one) for one in waiting)
    assert [row for _, row in control.outbox(10) if row["kind"] != "alert"] == []
    assert people.contact(JURISDICTION, "none") is None


def test_a_row_that_cannot_be_published_does_not_block_the_next(world: World) -> None:
    """It becomes a dead letter, and the next row goes out."""
    from chalicelib.storage.transactions import commit

    row = {"kind": "alert", "jurisdiction": JURISDICTION, "rules": "gone", "protected": False}
    commit([control.put_outbox("2000#poison", row)])
    world.file()
    world.project()
    assert outbox.drain() == 1
    assert control.outbox(10) == []
