"""Every declared way to reach a person works for news, for codes and as a chosen way."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.input.contact_methods import METHODS
from chalicelib.services.notifications import citizen_messages, outbox
from chalicelib.services.people import contacts, preferences
from chalicelib.services.platform import senders
from chalicelib.storage import queues, topics
from tests.support.world import JURISDICTION, World, citizen, official

OFFICER = official("officer1")
Sent = list[tuple[str, str, str]]


@pytest.fixture(name="sent")
def fixture_sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What goes out to citizens: (method, address, text)."""
    out: Sent = []

    def record(method: str) -> Callable[[str, senders.Message], None]:
        return lambda address, message: out.append((method, address, message.text))

    for method in METHODS:
        monkeypatch.setitem(senders.SENDERS, method, record(method))
    monkeypatch.setattr(queues, "send_message", lambda row: citizen_messages.send(row))
    monkeypatch.setattr(topics, "publish", lambda *args, **named: None)
    return out


def follow_up(world: World, contact: dict[str, Any]) -> None:
    """File a report with a contact, let an official ask a question, and send what follows."""
    report = world.file(contact=contact)["id"]
    world.act(OFFICER, report, "ask", question="Which side?")
    world.project()
    outbox.drain(now=world.now)


@pytest.mark.parametrize("method", METHODS)
def test_a_person_with_one_address_hears_of_their_report_by_it(
    world: World, sent: Sent, method: str
) -> None:
    address = METHODS[method].example
    follow_up(world, {method: address})
    assert [(way, to) for way, to, _ in sent] == [(method, address)]
    assert "/v1/notifications/" in sent[0][2]


@pytest.mark.parametrize("method", METHODS)
def test_a_person_with_every_address_hears_by_the_one_that_they_chose(
    world: World, sent: Sent, method: str
) -> None:
    contact = {name: declared.example for name, declared in METHODS.items()}
    link = preferences.link(JURISDICTION, preferences.key(contact))
    preferences.choose(JURISDICTION, link.rpartition("/")[2].partition("?")[0], method)
    follow_up(world, contact)
    assert [(way, to) for way, to, _ in sent] == [(method, METHODS[method].example)]


@pytest.mark.parametrize("method", METHODS)
def test_a_code_sent_to_an_address_proves_it(world: World, sent: Sent, method: str) -> None:
    ani, contact = citizen("ani"), {method: METHODS[method].example}
    report = world.file(official("dispatcher"), contact=contact)["id"]
    op = world.operation(ani, "sendContactCode", contact)
    contacts.send_code(ani, op, contact, "192.0.2.1", world.now, ("en",))
    outbox.drain(now=world.now)
    [(way, to, text)] = [row for row in sent if "code" in row[2]]
    assert (way, to) == (method, contact[method])
    code = next(word.strip(".") for word in text.split() if word.strip(".").isdigit())
    op = world.operation(ani, "confirmContact", [contact, code])
    assert contacts.confirm(ani, op, contact, code, world.now).answer["claimed"] == 1
    assert world.head(report).reporter == ani.uid
