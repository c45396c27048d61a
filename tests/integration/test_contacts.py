"""Confirming a contact: the code sent to it makes a device the reporter of what was filed for
it."""

import json
from typing import Any

import pytest

from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.services.identity import filers
from chalicelib.services.notifications import citizen_messages, outbox
from chalicelib.services.people import claiming, contacts
from chalicelib.services.platform import signing
from chalicelib.services.platform.idempotency import Outcome
from chalicelib.services.reports import queues as reports_queues
from chalicelib.services.reports import text_correction
from chalicelib.storage import mail, queues, report_filers, topics
from tests.integration.test_filers import a_key, post
from tests.support import aws
from tests.support.world import JURISDICTION, World, citizen, faults, official

ANI, BUDI = citizen("ani"), citizen("budi")
MAIL = {"email": "Ani@Example.org"}
OFFICER = official("officer1")


@pytest.fixture(name="sent")
def fixture_sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What goes out to citizens: (to, text); queued messages are worked off at once."""
    out: list[tuple[str, str]] = []
    monkeypatch.setattr(queues, "send_message", lambda one: citizen_messages.send(one))
    monkeypatch.setattr(mail, "send", lambda to, subject, text, *_: out.append((to, text)))
    monkeypatch.setattr(topics, "send_sms", lambda to, text: out.append((to, text)))
    monkeypatch.setattr(topics, "publish", lambda *args, **named: None)
    return out


def ask(world: World, actor: Principal = ANI, given: dict[str, str] | None = None) -> Outcome:
    """Ask for a code, and let it go out."""
    given = given or MAIL
    op = world.operation(actor, "sendContactCode", given)
    outcome = contacts.send_code(actor, op, given, "192.0.2.1", world.now, ("en",))
    outbox.drain(now=world.now)
    return outcome


def confirm(
    world: World, code: str, actor: Principal = ANI, given: dict[str, str] | None = None
) -> dict[str, Any]:
    """Confirm a contact by a code."""
    given = given or MAIL
    op = world.operation(actor, "confirmContact", [given, code])
    answer: dict[str, Any] = contacts.confirm(actor, op, given, code, world.now).answer
    return answer


def code_in(sent: list[tuple[str, str]]) -> str:
    """The code of the newest message."""
    return next(word.strip(".") for word in sent[-1][1].split() if word.strip(".").isdigit())


def other(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_the_code_sent_to_a_contact_gives_every_report_filed_for_it(
    world: World, sent: list[tuple[str, str]]
) -> None:
    key = a_key(world)
    theirs = [post(world, key, 1, email="ani@example.org")]
    theirs.append(world.file(OFFICER, contact={"email": "ANI@example.org"})["id"])
    strangers = post(world, key, 2, email="budi@example.org")
    # Somebody who writes a victim's address into a report of their own keeps it.
    own = world.file(BUDI, contact=MAIL)["id"]
    ask(world)
    assert sent[-1][0] == "Ani@Example.org"
    assert confirm(world, code_in(sent)) == {"claimed": 2, "more": False}
    assert {one["id"] for one in reports_queues.mine(ANI, 10, None, world.now)["reports"]} == set(
        theirs
    )
    for one in theirs:
        assert [event["action"] for event in world.events(one)] == ["file", "claim"]
        assert faults(world.head(one), world.links(one)) == []
    assert (world.head(strangers).reporter, world.head(own).reporter) == (None, BUDI.uid)
    # Figures go on counting the contact.
    assert world.head(theirs[0]).filer == filers.pseudonym(JURISDICTION, MAIL)


def test_confirming_again_changes_nothing(world: World, sent: list[tuple[str, str]]) -> None:
    report = post(world, a_key(world), email="ani@example.org")
    ask(world)
    for claimed in (1, 0):
        assert confirm(world, code_in(sent)) == {"claimed": claimed, "more": False}
    assert world.head(report).version == 2


def test_many_reports_are_taken_a_page_a_call(
    world: World, sent: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contacts, "PAGE", 2)
    key = a_key(world)
    for number in range(5):
        post(world, key, number, phone="+62 811-000-0001")
    phone = {"phone": "+628110000001"}
    ask(world, ANI, phone)
    found = [confirm(world, code_in(sent), ANI, phone) for _ in range(3)]
    assert [one["claimed"] for one in found] == [2, 2, 1]
    assert [one["more"] for one in found] == [True, True, False]


def test_a_code_is_good_for_five_tries(world: World, sent: list[tuple[str, str]]) -> None:
    ask(world)
    code = code_in(sent)
    for _ in range(contacts.TRIES):
        with pytest.raises(Problem, match="code_invalid"):
            confirm(world, other(code))
    with pytest.raises(Problem, match="code_invalid"):
        confirm(world, code)


def test_a_code_lapses_after_fifteen_minutes(world: World, sent: list[tuple[str, str]]) -> None:
    ask(world)
    world.advance(minutes=15)
    with pytest.raises(Problem, match="code_invalid"):
        confirm(world, code_in(sent))


def test_a_code_is_for_the_device_and_the_contact_that_asked(
    world: World, sent: list[tuple[str, str]]
) -> None:
    report = post(world, a_key(world), email="ani@example.org")
    ask(world)
    for actor, given in ((BUDI, MAIL), (ANI, {"email": "budi@example.org"})):
        with pytest.raises(Problem, match="code_invalid"):
            confirm(world, code_in(sent), actor, given)
    assert world.head(report).reporter is None


def test_asking_tells_nobody_whether_something_was_filed_for_the_contact(
    world: World, sent: list[tuple[str, str]]
) -> None:
    post(world, a_key(world), email="ani@example.org")
    known = ask(world).answer
    unknown = ask(world, BUDI, {"email": "nobody@example.org"}).answer
    assert known == unknown
    assert len(sent) == 2


@pytest.mark.parametrize("same", ["device", "contact"])
def test_codes_are_limited_by_device_and_by_contact(
    world: World, sent: list[tuple[str, str]], same: str
) -> None:
    def once_more(number: int) -> None:
        actor = ANI if same == "device" else citizen(f"device{number}")
        given = MAIL if same == "contact" else {"email": f"a{number}@example.org"}
        ask(world, actor, given)

    for number in range(5):
        once_more(number)
    with pytest.raises(Problem, match="too_many"):
        once_more(5)
    assert len(sent) == 5


def test_the_same_request_again_sends_no_second_code(
    world: World, sent: list[tuple[str, str]]
) -> None:
    for _ in range(2):
        op = world.operation(ANI, "sendContactCode", MAIL, key="k")
        contacts.send_code(ANI, op, MAIL, "192.0.2.1", world.now, ("id",))
        outbox.drain(now=world.now)
    assert len(sent) == 1
    assert "Kode Anda" in sent[0][1]


def test_a_code_and_its_address_are_in_no_outbox_no_queue_and_no_control_row(
    world: World, sent: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    queued: list[dict[str, Any]] = []

    def keep(one: dict[str, Any]) -> None:
        queued.append(one)
        citizen_messages.send(one)

    monkeypatch.setattr(queues, "send_message", keep)
    ask(world)
    code = code_in(sent)
    for stored in (queued, aws.rows("control"), aws.rows("reports"), aws.rows("timeline")):
        text = json.dumps(stored, default=str).casefold()
        assert "ani@example" not in text
        assert f'"{code}"' not in text
    assert f'"{code}"' not in json.dumps(aws.rows("people"), default=str)
    confirm(world, code)
    assert "ani@example" not in json.dumps(aws.rows("people"), default=str).casefold()


def test_a_caller_is_told_of_the_report_that_an_official_filed_for_them(
    world: World, sent: list[tuple[str, str]]
) -> None:
    receipt = world.file(OFFICER, contact={"phone": "+628110000001"}, language="en")
    # Not the device that files by itself, nor whoever used another system, nor of a secret one.
    world.file(ANI, contact=MAIL)
    post(world, a_key(world), email="budi@example.org")
    world.file(OFFICER, service="violence", contact={"phone": "+628110000002"})
    world.project()
    outbox.drain(now=world.now)
    assert [to for to, _ in sent] == ["+628110000001"]
    assert receipt["code"] in sent[0][1]
    assert "/v1/track/" in sent[0][1]
    assert "code" in sent[0][1]


def correct(world: World, actor: Principal, report: str, contact: dict[str, str]) -> None:
    """Correct the contact of one's report."""
    body = {"contact": contact}
    text_correction.correct(actor, world.operation(actor, "correct", body), report, body, world.now)


def claimed(world: World, actor: Principal, report: str) -> None:
    """Claim with the newest secret."""
    secret = signing.claim_secret(report, world.head(report).claims)
    claiming.claim(actor, world.operation(actor, "claim", secret), report, secret, world.now)


def unclaimed(world: World, report: str) -> None:
    """End the newest claim by the link in the letter about it."""
    link = claiming.undo_link(JURISDICTION, report, world.head(report).claims, world.now)
    assert claiming.undo(link.rsplit("/", 1)[1], world.now)


WRONG, RIGHT = {"email": "nai@example.org"}, {"email": "ani@example.org"}


@pytest.mark.parametrize("way", ["key", "official"])
def test_a_code_to_the_corrected_contact_gives_the_report_and_one_to_the_old_does_not(
    world: World, sent: list[tuple[str, str]], way: str
) -> None:
    """Filed for somebody with a slip in the address, claimed and corrected; then the phone is
    stolen, and the claim of the thief is ended by the letter."""
    if way == "key":
        report = post(world, a_key(world), email=WRONG["email"])
    else:
        report = world.file(OFFICER, contact=WRONG)["id"]
    claimed(world, ANI, report)
    correct(world, ANI, report, RIGHT)
    right = filers.pseudonym(JURISDICTION, RIGHT)
    assert world.head(report).filer == right
    assert report_filers.filers(JURISDICTION, "202611") == {report: right}
    assert report_filers.reporters(JURISDICTION, "202611") == 1
    claimed(world, citizen("thief"), report)
    unclaimed(world, report)
    for who, address, number in ((BUDI, WRONG, 0), (citizen("anew"), RIGHT, 1)):
        ask(world, who, address)
        assert confirm(world, code_in(sent), who, address)["claimed"] == number
    assert world.head(report).reporter == "d_anew"
    assert faults(world.head(report), world.links(report)) == []


def test_a_report_whose_contact_is_removed_counts_by_itself(world: World) -> None:
    report = world.file(OFFICER, contact=RIGHT)["id"]
    claimed(world, ANI, report)
    correct(world, ANI, report, {})
    assert world.head(report).filer == f"r_{report}"
    assert report_filers.filers(JURISDICTION, "202611") == {report: f"r_{report}"}
    # Whoever files themselves is counted as themselves, whatever contact they leave.
    own = world.file(BUDI, contact=WRONG)["id"]
    correct(world, BUDI, own, RIGHT)
    assert world.head(own).filer == BUDI.uid


def test_a_contact_that_a_thief_wrote_in_opens_nothing_once_the_claim_is_ended(
    world: World, sent: list[tuple[str, str]]
) -> None:
    report = world.file(OFFICER, contact=RIGHT)["id"]
    thief, theirs = citizen("thief"), {"email": "thief@example.org"}
    claimed(world, thief, report)
    correct(world, thief, report, theirs)
    unclaimed(world, report)
    ask(world, thief, theirs)
    assert confirm(world, code_in(sent), thief, theirs)["claimed"] == 0
    # The secret on the page of the letter does.
    claimed(world, ANI, report)
    assert world.head(report).reporter == ANI.uid


def test_addresses_that_mail_servers_tell_apart_are_two_people(
    world: World, sent: list[tuple[str, str]]
) -> None:
    theirs, other_s = {"email": "jo@straße.example"}, {"email": "jo@strasse.example"}
    report = world.file(OFFICER, contact=theirs)["id"]
    ask(world, BUDI, other_s)
    assert confirm(world, code_in(sent), BUDI, other_s)["claimed"] == 0
    in_ascii = {"email": "Jo@xn--strae-oqa.EXAMPLE"}
    ask(world, ANI, in_ascii)
    assert confirm(world, code_in(sent), ANI, in_ascii)["claimed"] == 1
    assert world.head(report).reporter == ANI.uid
