"""How many messages one official gets in an hour, whatever happens in the city."""

from collections import Counter
from typing import Any, cast

import pytest

from chalicelib.services.city import staff
from chalicelib.services.notifications import alerts, announcements, daily_digest, outbox
from chalicelib.storage import city as store
from chalicelib.storage.transactions import Unavailable
from tests.integration.test_audience import ALL, reach
from tests.integration.test_outbox import quiet, sent
from tests.support.world import BUNDLE, JURISDICTION, STAFF, World, citizen, city, official

PER_HOUR = 5
# The measures that a message about a scorecard has.
MEASURES = (
    "on_time", "acknowledged_on_time", "verified", "reopened_or_refused", "overdue_carried",
    "backlog", "satisfaction",
)  # fmt: skip


def heard(world: World) -> dict[str, Counter[str]]:
    """{official: {event: messages}} of all that was published."""
    found: dict[str, Counter[str]] = {}
    for message in sent():
        for ref, _ in alerts.recipients(message.data):
            found.setdefault(ref[2:], Counter())[message.data["event"]] += 1
    return found


def test_a_flood_of_reports_is_not_a_flood_of_mails(world: World) -> None:
    """28 floods in one hour: nobody gets more than the city allows, and no verifier or auditor
    gets one; the digest at the hour's end tells each of the rest, by name."""
    reach(*ALL)
    for number in range(28):
        world.file(citizen(f"c{number}"), service="flood", answers={"depth": 3})
        world.project()
        outbox.drain(now=world.now)
        world.advance(minutes=2)
    single = heard(world)
    assert not {"verifier", "verifier2", "auditor", "admin", "overseer"} & single.keys()
    assert max(one.total() for one in single.values()) == PER_HOUR - 1, "one is left for a digest"
    quiet_hour = world.now.replace(minute=0)
    world.advance(minutes=4)
    assert world.now.hour == quiet_hour.hour + 1
    outbox.drain(now=world.now)
    assert heard(world)["officer1"] == {"file": PER_HOUR - 1, "digest": 1}
    told = {message.data["dedupe"] for message in sent() if message.data["event"] == "file"}
    (mine,) = (
        message for message in sent()
        if message.data["event"] == "digest" and message.data["audience"] == ["person:s_officer1"]
    )  # fmt: skip
    assert len(mine.data["alerts"]) == 28 - (PER_HOUR - 1)
    assert len({alert["dedupe"] for alert in mine.data["alerts"]} | told) == 28
    assert (mine.data["late"], mine.data["not_late"]) == (0, 24)


def test_an_official_of_many_units_has_one_hour(world: World) -> None:
    """Escalations of two districts come to one dispatcher: together no more than allowed."""
    reach("dispatcher")
    for number in range(4):
        for ward in ("D1-W1", "D2-W1"):
            world.file(citizen(f"{ward}{number}"), ward=ward)
    quiet(world)
    world.advance(days=9)
    world.sweep()
    world.project()
    outbox.drain(now=world.now)
    assert heard(world)["dispatcher"].total() == PER_HOUR - 1
    world.advance(hours=1)
    outbox.drain(now=world.now)
    assert heard(world)["dispatcher"]["digest"] == 1


def test_urgent_alerts_do_not_wait_for_a_digest(world: World) -> None:
    """Alerts of the ladder's last rung come at once, one by one, besides the hour's others."""
    reach("admin")
    for number in range(PER_HOUR + 3):
        world.file(citizen(f"c{number}"))
    quiet(world)
    world.advance(days=11)
    world.sweep()
    world.project()
    outbox.drain(now=world.now)
    urgent = [message for message in sent() if message.attributes["priority"] == "urgent"]
    assert len(urgent) == PER_HOUR + 3
    assert heard(world)["admin"].total() - len(urgent) == PER_HOUR - 1


def test_an_official_below_the_limit_is_told_at_once_while_others_wait(world: World) -> None:
    """The same alert: at once to officials below the limit, in the digest to those above it."""
    reach("officer1", "head1", "verifier")
    report = world.finished()
    quiet(world)
    for number in range(PER_HOUR):
        world.file(citizen(f"c{number}"))
    world.project()
    outbox.drain(now=world.now)
    assert "verifier" not in heard(world)
    world.act(citizen("reporter"), report, "refuse", reason="Still there.")
    world.act(official("worker1"), report, "dispute", reason="It is repaired.")
    world.project()
    outbox.drain(now=world.now)
    assert heard(world)["verifier"] == {"dispute": 1}
    assert heard(world)["officer1"]["dispute"] == 0
    world.advance(hours=1)
    outbox.drain(now=world.now)
    digests = [message for message in sent() if message.data["event"] == "digest"]
    for one in digests:
        assert "dispute" in {alert["event"] for alert in one.data["alerts"]}


def test_a_burst_of_protected_reports_says_nothing_but_a_number(world: World) -> None:
    """The unit's officials get a digest too, without service, ward or state."""
    reach("safe")
    for number in range(PER_HOUR + 2):
        world.file(citizen(f"c{number}"), service="violence")
    world.project()
    outbox.drain(now=world.now)
    world.advance(hours=1)
    outbox.drain(now=world.now)
    digest = sent()[-1]
    assert digest.data["event"] == "digest"
    assert digest.attributes["protected"] == "true"
    assert "Termasuk laporan terlindungi unit Anda: 3." in digest.text
    said = str(digest.texts)
    assert not any(word in said for word in ("violence", "D1-W1", "District one"))
    assert heard(world)["safe"] == {"file": PER_HOUR - 1, "digest": 1}


def test_the_morning_digest_waits_while_the_hour_is_full(world: World) -> None:
    """An official above the hourly limit gets it once, when the hour is over."""
    reach("officer1")
    world.file(service="litter")
    quiet(world)
    world.advance(hours=23, minutes=5)
    for number in range(PER_HOUR):
        world.file(citizen(f"c{number}"))
    world.project()
    outbox.drain(now=world.now)
    daily_digest.notify(world.now)
    outbox.drain(now=world.now)
    assert heard(world)["officer1"]["morning"] == 0
    world.advance(hours=1)
    outbox.drain(now=world.now)
    assert heard(world)["officer1"]["morning"] == 1


def test_a_relay_that_is_killed_while_it_splits_a_row_loses_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after any of its writes: both officials hear of each report, at once or in the
    digest."""
    reach("officer1", "head1")
    filed = [world.file(citizen(f"c{number}"))["id"] for number in range(PER_HOUR + 2)]
    world.project()
    real, calls = outbox.commit, []

    def dying(writes: list[object]) -> None:
        real(writes)  # type: ignore[arg-type]
        calls.append(writes)
        raise Unavailable

    for _ in range(4):
        with monkeypatch.context() as broken:
            broken.setattr(outbox, "commit", dying)
            try:
                outbox.drain(now=world.now)
            except Unavailable:
                continue
    outbox.drain(now=world.now)
    world.advance(hours=1)
    outbox.drain(now=world.now)
    assert calls
    told: dict[str, set[str]] = {}
    for message in sent():
        for ref, _ in alerts.recipients(message.data):
            rows = message.data.get("alerts", [message.data])
            told.setdefault(ref, set()).update(row["report"] for row in rows)
    assert told == {"s_officer1": set(filed), "s_head1": set(filed)}


def test_too_few_reports_due_are_not_rounded_up_to_enough() -> None:
    """29.96 of 30 that a score needs: the message says 29, not 30."""
    figure = {"value": None, "n": 0, "numerator": 0}
    card = {"code": "D1", "score": None, "rank": None, "of": None, "ranked": False,
            "unscored": "too_few_due", "due_in_three_months": 29.96,
            "measures": [{"measure": measure, **figure} for measure in MEASURES]}  # fmt: skip
    message = {"kind": "scorecard", "month": "202611", "stage": "draft"}
    text = announcements.compose(cast(Any, message), cast(Any, card), city(), "https://x")
    assert "3 bulan: 29, perlu 30" in text


def test_the_months_close_is_one_message_a_scope(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head of one district reads of that district; a head of two, and an auditor of the city,
    get one message with all of theirs."""
    head = next(one for one in STAFF if one["ref"] == "s_head1")
    grants = [{"role": "district_head", "districts": ["D1", "D2"], "services": ["*"]}]
    mail = [{"protocol": "email", "endpoint": "both@example.org"}]
    reach("head1", "head2", "auditor", "officer1")
    both = {**head, "ref": "s_both", "subject": "both", "grants": grants, "endpoints": mail}
    store.put_staff(JURISDICTION, [both])
    staff.forget()
    figure = {"value": None, "n": 0, "numerator": 0}

    def card(place: str, month: str, folder: str, name: str) -> dict[str, object]:
        if name == "ranking":
            return {"district": [{"code": "D1"}, {"code": "D2"}]}
        code = name.partition("#")[2]
        return {"code": code, "score": 71.0, "rank": int(code[1]), "of": 2, "ranked": True,
                "measures": [{"measure": measure, **figure} for measure in MEASURES]}  # fmt: skip

    monkeypatch.setattr(announcements.store, "card", card)
    message = {
        "kind": "scorecard", "jurisdiction": JURISDICTION, "rules": BUNDLE["version"],
        "month": "202611", "folder": "1", "stage": "draft", "revision": 1,
    }  # fmt: skip
    announcements.publish(message, world.now)
    assert heard(world) == {
        name: Counter(scorecard=1) for name in ("head1", "head2", "both", "auditor")
    }
    several = [one for one in sent() if "districts" in one.data]
    assert [len(one.data["districts"]) for one in several] == [2]
    assert len({one.data["dedupe"] for one in sent()}) == len(sent()) == 3
