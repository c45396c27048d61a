"""After an e-mail bounces, the address is marked, another way is used, and officials see it."""

import json
from typing import Any

import pytest

from chalicelib.errors import Problem
from chalicelib.services.notifications import bounces, citizen_messages
from chalicelib.services.reports import engagement, queries
from chalicelib.storage import mail, topics
from tests.support.world import JURISDICTION, World, citizen, official

OFFICER = official("officer1")
MAIL, PHONE = "siti@example.org", "+62811000111"


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that got something; the n-th e-mail has the id ``m<n>``."""
    found: list[str] = []

    def send(to: str, subject: str, text: str, *_: str) -> str:
        found.append(to)
        return f"m{len(found)}"

    monkeypatch.setattr(mail, "send", send)
    monkeypatch.setattr(topics, "send_sms", lambda to, text: found.append(to))
    return found


def tell(world: World, report: str, dedupe: str) -> bool:
    row = {"kind": "told", "jurisdiction": JURISDICTION, "report": report, "dedupe": dedupe}
    told = {**row, "tell": {"reporter": "comment"}, "at": "2026-11-02T01:00:00.000Z"}
    return citizen_messages.send(told, world.now)


def bounce(name: str, kind: str = "Permanent") -> dict[str, Any]:
    said = {"notificationType": "Bounce", "bounce": {"bounceType": kind}}
    text = json.dumps({**said, "mail": {"messageId": name}})
    found = bounces.parse_notice({"Type": "Notification", "Message": text})
    assert found is not None
    return found


def test_after_a_bounce_the_next_message_goes_by_telephone(world: World, posted: list[str]) -> None:
    report = world.file(contact={"email": MAIL, "phone": PHONE})["id"]
    tell(world, report, "a")
    assert bounces.handle_notice(bounce("m1"), world.now)
    tell(world, report, "b")
    assert posted == [MAIL, PHONE]
    assert world.head(report).contactable


def test_where_no_other_way_is_left_officials_see_that_nobody_can_be_asked(
    world: World, posted: list[str]
) -> None:
    report, other = (world.file(contact={"email": MAIL})["id"] for _ in range(2))
    tell(world, report, "a")
    for _ in range(2):
        assert bounces.handle_notice(bounce("m1"), world.now)
    assert queries.case(OFFICER, report)["contactable"] is False
    with pytest.raises(Problem):
        world.act(OFFICER, report, "ask", question="Which side?")
    assert world.head(report).version == 2
    assert MAIL not in str(world.links(report))
    public = queries.timeline(citizen("x"), report, 0)["events"]
    assert [one["action"] for one in public] == ["file", "inside"]
    # Their other report is marked at its next message.
    assert not tell(world, other, "b")
    assert not world.head(other).contactable
    assert posted == [MAIL]


def test_a_full_mailbox_is_not_a_dead_address(world: World, posted: list[str]) -> None:
    report = world.file(contact={"email": MAIL})["id"]
    tell(world, report, "a")
    assert not bounces.handle_notice(bounce("m1", "Transient"), world.now)
    assert not bounces.handle_notice(bounce("unknown"), world.now)
    tell(world, report, "b")
    assert posted == [MAIL, MAIL]


def test_a_complaint_ends_the_mails_to_a_follower_and_says_nothing_of_the_report(
    world: World, posted: list[str]
) -> None:
    report = world.file()["id"]
    engagement.follow(citizen("f"), report, True, world.now, {"email": MAIL}, ("en",))
    row = {"kind": "told", "jurisdiction": JURISDICTION, "report": report}
    for dedupe in ("a", "b"):
        told = {**row, "tell": {"follower": "comment"}, "at": "x", "dedupe": dedupe}
        citizen_messages.send(told, world.now)
        bounces.handle_notice({"eventType": "Complaint", "mail": {"messageId": "m1"}}, world.now)
    assert posted == [MAIL]
    assert world.head(report).version == 1
