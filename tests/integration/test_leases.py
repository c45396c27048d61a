"""Leases: a killed run's alerts go out later, a failed run's at once, and nothing twice."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.entrypoints import batches
from chalicelib.services.notifications import alerts, citizen_messages, outbox
from chalicelib.storage import control, leases, mail
from chalicelib.storage.transactions import Unavailable, commit
from tests.support import aws
from tests.support.world import JURISDICTION, World, official

MAIL = {"email": "ani@example.org"}


class Killed(BaseException):
    """The function's process ended."""


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The machine's time, to be moved."""
    moment = [clock.wall()]
    monkeypatch.setattr(clock, "wall", lambda: moment[0])
    return moment


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses to which an e-mail was sent."""
    found: list[str] = []
    monkeypatch.setattr(mail, "send", lambda to, *_: found.append(to))
    return found


def published() -> list[str]:
    """The dedupe keys of what the topic took."""
    (topic,) = aws.backend("sns").topics.values()
    return [row[3]["dedupe"]["Value"] for row in topic.sent_notifications]


def later(wall: list[datetime], seconds: int) -> None:
    """Let time pass."""
    wall[0] += timedelta(seconds=seconds)


def question(world: World) -> dict[str, Any]:
    """The queued message that asks a reporter something."""
    report = world.file(contact=MAIL)["id"]
    world.act(official("officer1"), report, "ask", question="Where?")
    world.project()
    messages = [row for _, row in control.outbox(50) if row["kind"] != "alert"]
    return messages[-1]


def test_an_alert_whose_publisher_was_killed_goes_out_when_its_lease_has_expired(
    world: World, wall: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.file()
    world.project()

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(alerts, "publish", killed)
        with pytest.raises(Killed):
            outbox.drain(now=world.now)
    assert outbox.drain(now=world.now) == 0
    later(wall, control.LEASE_SECONDS + 1)
    assert outbox.drain(now=world.now) == 1
    assert len(published()) == 1


def test_an_alert_that_could_not_be_published_does_not_wait_for_a_lease(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.file()
    world.project()

    def failing(*_: Any) -> None:
        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(alerts, "publish", failing)
        with pytest.raises(Unavailable):
            outbox.drain(now=world.now)
    assert outbox.drain(now=world.now) == 1


def test_a_wrong_clock_does_not_hold_an_alert_for_ever(world: World, wall: list[datetime]) -> None:
    world.file()
    world.project()
    (row,) = leases.outbox_page(10)
    wall[0] += timedelta(days=1)
    assert leases.take(row, "one whose clock is a day ahead")
    wall[0] -= timedelta(days=1)
    assert outbox.drain(now=world.now) == 1


def test_a_lane_publishes_its_own_events_without_another_write(world: World) -> None:
    """Its rows are written with its lease: another relay skips them."""
    from chalicelib.services.projections import timeline_events

    event = world.events(world.file()["id"])[0]
    assert timeline_events.apply(event, world.now, "this lane")
    assert outbox.drain(now=world.now) == 0
    before = leases.outbox_page(10)
    assert all(leases.take(row, "this lane") for row in before)
    assert leases.outbox_page(10) == before
    assert outbox.drain(now=world.now, holder="this lane") == 1
    assert len(published()) == 1


def test_a_full_page_of_other_runs_rows_hides_none_behind_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "PAGE", 2)
    for _ in range(3):
        world.file()
    world.project()
    for row in leases.outbox_page(2):
        assert leases.take(row, "another run")
    assert outbox.drain(now=world.now) == 1
    assert len(published()) == 1


def test_a_lease_of_a_row_that_is_gone_makes_no_row(world: World) -> None:
    world.file()
    world.project()
    (row,) = leases.outbox_page(10)
    control.remove_outbox(row.name)
    assert not leases.take(row, "late")
    leases.give_back("late", row.name)
    assert leases.outbox_page(10) == []


def test_a_digest_that_another_run_has_is_left_to_it(world: World) -> None:
    """Also if the row with the other run's lease is not the first of its group."""
    names = [f"2026-11-02T01:00:0{n}.000Z#x:{n}" for n in range(2)]
    message = {"kind": "photo", "jurisdiction": JURISDICTION, "dedupe": "x"}
    commit([control.put_deferred(name, message, world.now, "u-d1") for name in names])
    first, second = leases.outbox_page(10)
    assert leases.take(second, "another run")
    assert outbox.drain(now=world.now) == 0
    assert [row.holder for row in leases.outbox_page(10)] == [None, "another run"]
    assert leases.take(first, "a third")


def test_a_message_whose_sender_was_killed_is_sent_at_a_later_delivery(
    world: World, wall: list[datetime], posted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = question(world)

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(mail, "send", killed)
        with pytest.raises(Killed):
            citizen_messages.send(message, world.now)
    with pytest.raises(leases.Held):
        citizen_messages.send(message, world.now)
    later(wall, control.LEASE_SECONDS + 1)
    assert citizen_messages.send(message, world.now)
    assert not citizen_messages.send(message, world.now)
    assert posted == [MAIL["email"]]


def test_a_message_that_could_not_be_sent_is_sent_at_the_next_delivery(
    world: World, posted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = question(world)

    def failing(*_: Any) -> None:
        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(mail, "send", failing)
        with pytest.raises(Unavailable):
            citizen_messages.send(message, world.now)
    assert citizen_messages.send(message, world.now)
    assert posted == [MAIL["email"]]


def test_a_message_that_another_run_is_sending_is_no_unhandled_error(
    world: World, posted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue delivers it again."""
    import json

    from chalicelib import observability

    message = question(world)

    def beside(*_: Any) -> None:
        record = {"messageId": "1", "body": json.dumps(message), "eventSource": "aws:sqs",
                  "attributes": {"ApproximateReceiveCount": "1"}}  # fmt: skip
        answer = batches.send_messages({"Records": [record]}, None)
        assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == ["1"]
        posted.append("once")

    monkeypatch.setattr(observability, "unhandled", lambda *_: pytest.fail("an unhandled error"))
    monkeypatch.setattr(mail, "send", beside)
    assert citizen_messages.send(message, world.now)
    assert posted == ["once"]


def test_a_message_that_was_sent_by_an_older_version_is_not_sent_again(
    world: World, posted: list[str]
) -> None:
    message = question(world)
    assert citizen_messages.send(message, world.now)
    (row,) = [row for row in aws.rows("control") if "#SENT#" in row["pk"]]
    assert {"holder", "until"}.isdisjoint(row)
    assert not citizen_messages.send(message, world.now)
    assert posted == [MAIL["email"]]
