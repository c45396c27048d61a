"""Alerts of overdue reports: recipients, texts, and digests of many alerts."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest

from chalicelib.services.notifications import alerts, subscriptions
from chalicelib.services.notifications import outbox as notifications_outbox
from chalicelib.storage import control, leases, topics
from chalicelib.storage.transactions import Unavailable, Unknown, commit
from tests.support import aws
from tests.support.world import JURISDICTION, STAFF, World, citizen, official

PER_HOUR = 5
SNS_LIMIT = 256 * 1024


class Sent:
    """One message as the topic took it."""

    def __init__(self, row: tuple[Any, ...]) -> None:
        _, message, self.subject, attributes, _ = row
        self.texts = json.loads(message)
        self.text = self.texts["default"]
        self.data = json.loads(self.texts["sqs"])
        self.size = len(message.encode()) + len(json.dumps(attributes).encode())
        self.attributes = {name: _value(one) for name, one in attributes.items()}


def _value(attribute: dict[str, str]) -> Any:
    kind, value = attribute["Type"], attribute["Value"]
    return json.loads(value) if kind == "String.Array" else value


def sent() -> list[Sent]:
    """Everything that was published."""
    (topic,) = aws.backend("sns").topics.values()
    return [Sent(row) for row in topic.sent_notifications]


def waiting() -> list[str]:
    """The keys of the outbox."""
    return sorted(row["sk"] for row in aws.rows("control") if row["pk"] == "*#OUT#0")


def quiet(world: World) -> None:
    """Publish the alerts of filing and assigning, and clear what was published."""
    world.project()
    notifications_outbox.drain(now=world.now)
    notifications_outbox.drain(now=world.now + timedelta(hours=1))
    for topic in aws.backend("sns").topics.values():
        topic.sent_notifications.clear()


def late(world: World, n: int, ward: str = "D1-W1") -> list[str]:
    """Reports whose acknowledgement has just been missed, their breaches in the outbox."""
    filed = [world.file(citizen(f"c{one}"), ward=ward)["id"] for one in range(n)]
    quiet(world)
    world.advance(hours=24, minutes=10)
    world.sweep()
    world.project()
    return filed


def test_a_breach_is_told_to_the_holder_of_the_report(world: World) -> None:
    """The code, the ward, the promise in local time, how late it is, who had it, where it is: one
    message, though it is the ladder's first rung too."""
    report = world.file()
    world.act(official("officer1"), report["id"], "assign", person="s_worker1")
    quiet(world)
    world.act(official("worker1"), report["id"], "start", note="Seen.")
    world.advance(days=7, hours=3)
    world.sweep()
    world.project()
    notifications_outbox.drain(now=world.now)
    (breach,) = sent()
    assert breach.attributes["level"] == "breached"
    assert breach.data["audience"] == ["person:s_worker1", "district_head"]
    assert breach.attributes["priority"] == "high"
    for part in (
        report["code"], "Ward D1-W1", "pothole (id)", "07-11-2026 08:00",
        "terlambat 2 hari 3 jam", "u-d1 (id)", f"/v1/reports/{report['id']}",
    ):  # fmt: skip
        assert part in breach.text
    assert "s_worker1" not in breach.text
    assert breach.data["held_by"] == {"unit": "u-d1", "person": "s_worker1"}
    assert breach.data["overdue"]["target"] == "resolve"
    assert breach.data["overdue"]["level"] == 1
    assert "Belum diperbaiki pada waktunya; Eskalasi tingkat 1" in breach.text


def test_the_holder_at_the_deadline_is_named(world: World) -> None:
    """A late sweep, after the report was given to another, names the former holder."""
    report = world.file()["id"]
    world.act(official("officer1"), report, "assign", person="s_worker1")
    world.act(official("worker1"), report, "start", note="Seen.")
    world.advance(hours=121)
    world.act(official("officer1"), report, "assign", person="s_mate1")
    quiet(world)
    world.sweep()
    world.project()
    notifications_outbox.drain(now=world.now)
    breach, escalation = sent()
    assert breach.attributes["audience"] == ["person:s_worker1"]
    assert "person:s_mate1" in escalation.attributes["audience"]


def test_a_level_is_told_to_the_roles_of_its_rung(world: World) -> None:
    """Without a holder the unit; then the dispatcher; then the administration and the auditor,
    urgently."""
    world.file()
    quiet(world)
    for hours in (121, 60, 60):
        world.advance(hours=hours)
        world.sweep()
    world.project()
    notifications_outbox.drain(now=world.now)
    rungs = [message for message in sent() if "level" in message.data["overdue"]]
    assert [rung.data["audience"] for rung in rungs] == [
        ["unit:u-d1", "district_head"], ["dispatcher"], ["city_admin", "auditor"],
    ]  # fmt: skip
    assert {"dispatcher", "dispatcher@*", "dispatcher@D1", "dispatcher@D1/pothole"} < set(
        rungs[1].attributes["audience"]
    )
    assert [rung.attributes["priority"] for rung in rungs] == ["high", "high", "urgent"]


def test_a_protected_reports_escalation_stays_in_its_unit(world: World) -> None:
    """No other role is told; no place, service or code is in it; it is in no digest."""
    filed = [world.file(service="violence") for _ in range(PER_HOUR + 2)]
    quiet(world)
    world.advance(hours=5)
    world.sweep()
    world.project()
    notifications_outbox.drain(now=world.now)
    found = sent()
    assert len(found) == 2 * len(filed)
    for one in found:
        assert one.attributes["audience"] == ["unit:u-safe"]
        assert one.attributes["protected"] == "true"
        assert not {"district", "ward", "service"} & one.attributes.keys()
        said = json.dumps(one.texts)
        assert "violence" not in said
        assert "D1-W1" not in said
        assert not any(report["code"] in said for report in filed)


@pytest.fixture
def inbox(world: World) -> Iterator[Any]:
    """Subscribe queues by the filter of a staff record; what has arrived at one since."""
    sqs, made, arns = boto3.client("sqs"), {}, []

    def subscribe(ref: str, **more: Any) -> None:
        record = {**next(one for one in STAFF if one["ref"] == f"s_{ref}"), **more}
        url = sqs.create_queue(QueueName=f"inbox-{ref}")["QueueUrl"]
        arn = f"arn:aws:sqs:{aws.REGION}:123456789012:inbox-{ref}"
        rule = subscriptions.policy({**record, "jurisdiction": JURISDICTION})
        assert len(rule) <= 5
        arns.append(topics.subscribe("sqs", arn, rule))
        made[ref] = url

    def events(ref: str) -> list[tuple[str, str]]:
        found = []
        while bodies := sqs.receive_message(QueueUrl=made[ref], MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for body in bodies:
                sqs.delete_message(QueueUrl=made[ref], ReceiptHandle=body["ReceiptHandle"])
                data = json.loads(json.loads(body["Body"])["Message"])
                found.append((data["event"], data["level"]))
        return sorted(found)

    yield subscribe, events
    for arn in arns:
        topics.unsubscribe(arn)
    for url in made.values():
        sqs.delete_queue(QueueUrl=url)


def test_each_official_gets_what_is_for_them(world: World, inbox: Any) -> None:
    """SNS filters the audience, an array, against the values of each record's policy."""
    subscribe, events = inbox
    everybody = ("worker1", "mate1", "head1", "head2", "dispatcher", "admin")
    for ref in everybody:
        subscribe(ref)
    subscribe("safe", protected_unit=True)
    report = world.file()["id"]
    world.act(official("officer1"), report, "assign", person="s_worker1")
    world.project()
    notifications_outbox.drain(now=world.now)
    new, given = ("file", "new"), ("assign", "assigned")
    assert {ref: events(ref) for ref in everybody} == {
        "worker1": [given, new], "mate1": [new], "head1": [new],
        "head2": [], "dispatcher": [], "admin": [],
    }  # fmt: skip
    world.advance(hours=121)
    world.sweep()
    world.advance(hours=60)
    world.sweep()
    world.project()
    notifications_outbox.drain(now=world.now)
    breach = ("breach", "breached")
    assert events("worker1") == [breach, breach]
    assert events("mate1") == []
    assert events("head1") == [breach]
    assert events("dispatcher") == [("escalate", "escalated")]
    assert events("head2") == events("admin") == events("safe") == []
    world.file(service="violence")
    world.advance(hours=2)
    world.sweep()
    world.project()
    notifications_outbox.drain(now=world.now)
    assert ("breach", "breached") in events("safe")
    assert events("dispatcher") == events("admin") == []


def test_a_policy_never_has_more_combinations_than_sns_takes() -> None:
    """For a mailbox of many wards and services the filter is wider than needed."""
    grants = [
        {"role": "officer", "districts": [f"D{n}" for n in range(20)],
         "services": [f"s{n}" for n in range(30)]}
    ]  # fmt: skip
    rule = subscriptions.policy(
        {"ref": "a", "unit": "u", "jurisdiction": JURISDICTION, "grants": grants}
    )
    n = 1
    for values in rule.values():
        n *= len(values)
    assert n <= 150
    assert len([one for one in rule["audience"] if one.startswith("officer@D")]) == 20
    assert rule["protected"] == ["false"]


def test_a_flood_becomes_one_digest_at_the_hours_end(world: World) -> None:
    """Five go out one by one, the rest together; the digest names the key of each."""
    late(world, PER_HOUR + 3)
    assert notifications_outbox.drain(now=world.now) == PER_HOUR
    alone = {message.data["dedupe"] for message in sent()}
    assert len(waiting()) == 3
    world.advance(minutes=45)
    assert notifications_outbox.drain(now=world.now) == 0
    world.advance(minutes=5)
    assert world.now.minute == 0
    assert notifications_outbox.drain(now=world.now) == 1
    assert waiting() == []
    digest = sent()[-1]
    together = {alert["dedupe"] for alert in digest.data["alerts"]}
    assert len(alone) == PER_HOUR
    assert len(together) == 3
    assert not alone & together
    assert digest.subject == "Tanggap: 3 laporan, 0 terlambat"
    assert digest.attributes["level"] == "digest"
    assert digest.attributes["audience"] == ["unit:u-d1"]
    assert digest.attributes["ward"] == ["D1-W1"]
    assert len(digest.text.splitlines()) == 4
    assert notifications_outbox.drain(now=world.now) == 0


def test_a_burst_of_any_kind_becomes_a_digest(world: World) -> None:
    """New reports as well as broken promises; it says how many are late and how many are not."""
    late(world, PER_HOUR - 1)
    world.advance(hours=97)
    for number in range(4):
        world.file(citizen(f"new{number}"))
    world.sweep()
    world.project()
    assert notifications_outbox.drain(now=world.now) == PER_HOUR
    world.advance(hours=1)
    assert notifications_outbox.drain(now=world.now) == 1
    digest = sent()[-1]
    assert (digest.data["late"], digest.data["not_late"]) == (3, 4)
    assert "3 laporan terlambat, 4 belum terlambat" in digest.text


def test_each_unit_has_an_hour_of_its_own(world: World) -> None:
    """One digest for each, and in the next hour there is room again."""
    for ward, n in (("D1-W1", PER_HOUR + 1), ("D2-W1", PER_HOUR + 2)):
        for one in range(n):
            world.file(citizen(f"{ward}{one}"), ward=ward)
    quiet(world)
    world.advance(hours=24, minutes=10)
    world.sweep()
    world.project()
    notifications_outbox.drain(now=world.now)
    world.advance(hours=1)
    notifications_outbox.drain(now=world.now)
    digests = [message for message in sent() if message.attributes["event"] == "digest"]
    told = [(digest.attributes["unit"], len(digest.data["alerts"])) for digest in digests]
    assert told == [("u-d1", 1), ("u-d2", 2)]


def test_deferred_rows_cost_an_idle_relay_one_query(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads the outbox once, for any number of deferred rows."""
    monkeypatch.setattr(notifications_outbox, "PAGE", 3)
    late(world, PER_HOUR + 7)
    notifications_outbox.drain(now=world.now)
    reads = []
    real = leases.outbox_page
    monkeypatch.setattr(leases, "outbox_page", lambda *n: reads.append(n) or real(*n))
    monkeypatch.setattr(leases, "group_of", lambda *_: pytest.fail("nothing is due"))
    assert notifications_outbox.drain(now=world.now) == 0
    assert len(reads) == 1


@pytest.mark.parametrize("kill", range(1, 5))
def test_a_digest_whose_relay_is_killed_comes_again_under_its_key(
    world: World, monkeypatch: pytest.MonkeyPatch, kill: int
) -> None:
    """Killed at the n-th removal: nothing is lost, and what is repeated says so by its key."""
    late(world, PER_HOUR + 3)
    notifications_outbox.drain(now=world.now)
    world.advance(hours=1)
    expected = {json.loads(row["doc"])["dedupe"] for row in aws.rows("control") if "doc" in row
                and row["sk"].startswith("~")}  # fmt: skip
    real, calls = control.remove_outbox, []

    def dying(name: str) -> None:
        calls.append(name)
        if len(calls) == kill:
            raise Unknown
        real(name)

    with monkeypatch.context() as broken:
        broken.setattr(control, "remove_outbox", dying)
        if kill <= 3:
            with pytest.raises(Unknown):
                notifications_outbox.drain(now=world.now)
        else:
            notifications_outbox.drain(now=world.now)
    notifications_outbox.drain(now=world.now)
    digests = [message for message in sent() if message.attributes["event"] == "digest"]
    assert len(digests) == (2 if kill <= 3 else 1)
    assert len({digest.data["dedupe"] for digest in digests}) == 1
    assert {alert["dedupe"] for digest in digests for alert in digest.data["alerts"]} == expected
    assert waiting() == []


@pytest.mark.parametrize("at", range(1, 12))
def test_a_relay_killed_while_it_sorts_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """After any write that it makes, done or not known to be done: each breach is told."""
    late(world, PER_HOUR + 3)
    owed = {json.loads(row["doc"])["dedupe"] for row in aws.rows("control")
            if row["pk"] == "*#OUT#0"}  # fmt: skip
    real, calls = notifications_outbox.commit, []
    take = control.take

    def dying(*args: Any) -> Any:
        calls.append(args)
        answer = (real if isinstance(args[0], list) else take)(*args)
        if len(calls) == at:
            raise Unknown
        return answer

    with monkeypatch.context() as broken:
        broken.setattr(notifications_outbox, "commit", dying)
        broken.setattr(control, "take", dying)
        with pytest.raises(Unknown):
            notifications_outbox.drain(now=world.now)
    notifications_outbox.drain(now=world.now)
    world.advance(hours=1)
    notifications_outbox.drain(now=world.now)
    alone = [
        message.data["dedupe"] for message in sent() if message.attributes["event"] == "breach"
    ]
    told = {key["dedupe"] for message in sent() for key in message.data.get("alerts", ())}
    assert told | set(alone) == owed
    assert not told & set(alone)
    assert len(alone) == len(set(alone)) <= PER_HOUR
    assert waiting() == []


def test_two_relays_at_once_tell_each_breach(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One drains after the other has read its page: a row that is gone is not deferred."""
    late(world, PER_HOUR + 3)
    real, inner = leases.outbox_page, []

    def outbox_page(limit: int, after: str) -> Any:
        page = real(limit, after)
        if not inner:
            inner.append(True)
            notifications_outbox.drain(now=world.now)
        return page

    monkeypatch.setattr(leases, "outbox_page", outbox_page)
    notifications_outbox.drain(now=world.now)
    assert len([name for name in waiting() if name.startswith("~")]) == 3
    world.advance(hours=1)
    notifications_outbox.drain(now=world.now)
    found = sent()
    keys = [one.data["dedupe"] for one in found if one.attributes["event"] == "breach"]
    digest = [key["dedupe"] for one in found for key in one.data.get("alerts", ())]
    assert len(set(keys) | set(digest)) == len(keys) + len(digest) == PER_HOUR + 3
    assert waiting() == []


def test_a_digest_that_cannot_be_published_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows become dead letters; the next unit's digest goes out."""
    late(world, PER_HOUR + 2)
    for number in range(PER_HOUR + 1):
        world.file(citizen(f"x{number}"), ward="D2-W1")
    notifications_outbox.drain(now=world.now)
    real = alerts.publish_digest

    def broken(messages: list[dict[str, Any]], dedupe: str) -> None:
        if messages[0]["unit"] == "u-d1":
            raise KeyError("a ward that is gone")
        real(messages, dedupe)

    monkeypatch.setattr(alerts, "publish_digest", broken)
    world.advance(hours=24, minutes=30)
    world.sweep()
    world.project()
    notifications_outbox.drain(now=world.now)
    world.advance(hours=1)
    notifications_outbox.drain(now=world.now)
    dead = [row for row in aws.rows("control") if row["pk"] == f"{JURISDICTION}#DEAD#outbox"]
    assert len(dead) == 2
    digests = [message for message in sent() if message.attributes["event"] == "digest"]
    assert [digest.attributes["unit"] for digest in digests] == ["u-d2"]
    assert waiting() == []


def test_a_row_of_unknown_rules_holds_up_no_other(world: World) -> None:
    """Also if the city version with the hourly limit is missing."""
    late(world, 2)
    name = waiting()[0]
    (row,) = (row for row in aws.rows("control") if row["sk"] == name)
    message = {**json.loads(row["doc"]), "rules": "bbbbbbbbbbbb"}
    commit([control.put_outbox(name, message)])
    assert notifications_outbox.drain(now=world.now) == 1
    assert waiting() == []


def test_while_sns_is_away_everything_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A digest too."""
    late(world, PER_HOUR + 3)
    notifications_outbox.drain(now=world.now)
    world.advance(hours=1)

    def away(*_: Any) -> None:
        raise Unavailable

    with monkeypatch.context() as broken:
        broken.setattr(topics, "publish", away)
        with pytest.raises(Unavailable):
            notifications_outbox.drain(now=world.now)
    assert len(waiting()) == 3
    assert notifications_outbox.drain(now=world.now) == 1


def test_the_largest_digest_fits_into_a_message(world: World) -> None:
    """Real lengths of keys and codes; a longer hour makes a second digest under its own key."""
    late(world, 1)
    (name,) = waiting()
    (row,) = (row for row in aws.rows("control") if row["sk"] == name)
    message = json.loads(row["doc"])
    writes = []
    for number in range(notifications_outbox.DIGEST_AT_MOST + 10):
        held = {"unit": "suku-dinas-bina-marga-" + "x" * 40, "person": "s_" + "p" * 40}
        fake = {**message, "dedupe": f"{message['dedupe']}:{number:04d}", "held_by": held}
        key = f"{message['at']}#{fake['dedupe']}"
        writes.append(control.defer(key, fake, world.now, "u-d1")[1])
    control.remove_outbox(name)
    for start in range(0, len(writes), 50):
        commit(writes[start : start + 50])
    assert notifications_outbox.drain(now=world.now) == 2
    first, second = sent()
    assert len(first.data["alerts"]) == notifications_outbox.DIGEST_AT_MOST
    assert len(second.data["alerts"]) == 10
    assert first.data["dedupe"] != second.data["dedupe"]
    assert first.size < SNS_LIMIT
    assert len(first.text.splitlines()) == 22
