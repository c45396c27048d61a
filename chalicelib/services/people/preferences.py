"""What a person wants to hear, and how: chosen by the link in every message, honoured by all.

The link stands for an address, not for a report, so that one choice holds for everything that the
city sends there. It never lapses; what was chosen is kept as long as there is something to write
(``services.people.retention``).
"""

from datetime import datetime, timedelta
from typing import Any

from chalicelib import clock
from chalicelib.domain.notifications.reachability import CHOICES, WAYS
from chalicelib.domain.timestamps import iso, parse
from chalicelib.errors import Problem
from chalicelib.services.platform import signing, urls
from chalicelib.storage import people, reach
from chalicelib.storage.transactions import Write, commit

_PURPOSE = "notifications"
USED_EVERY = timedelta(days=30)


def key(contact: dict[str, Any]) -> str:
    """The pseudonym of a person's address: their e-mail's, else their telephone number's."""
    address = contact.get("email") or contact.get("phone") or ""
    return signing.mac("recipient", address.strip().casefold(), signing.lasting())[:32]


def link(jurisdiction: str, recipient: str) -> str:
    """The link in a message to this person."""
    token = signing.seal(_PURPOSE, jurisdiction, recipient)
    return urls.to(jurisdiction, f"/v1/notifications/{token}")


def choice(jurisdiction: str, token: str) -> dict[str, Any]:
    """{"notify", "way"} as chosen so far. Raises ``Problem``: invalid_token."""
    recipient = signing.unseal(_PURPOSE, jurisdiction, token)
    chosen, _ = reach.person(jurisdiction, recipient)
    return {"notify": chosen.get("notify", "all"), "way": chosen.get("way")}


def choose(jurisdiction: str, token: str, wish: str) -> dict[str, Any]:
    """Keep one wish, of ``CHOICES`` or of ``WAYS``; both as they are then."""
    recipient = signing.unseal(_PURPOSE, jurisdiction, token)
    if wish not in (*CHOICES, *WAYS):
        raise Problem("not_found")
    found = choice(jurisdiction, token)
    found["notify" if wish in CHOICES else "way"] = wish
    now = clock.now()
    doc = {**found, "at": iso(now)}
    commit([reach.put_choice(jurisdiction, recipient, doc),
            reach.note_address(jurisdiction, recipient, now)])  # fmt: skip
    return found


def unsubscribe(jurisdiction: str, token: str) -> None:
    """Send nothing more to this address: what a mail program asks for, in one click, any number of
    times (RFC 8058). Raises ``Problem``: invalid_token."""
    choose(jurisdiction, token, "nothing")


def forgotten(jurisdiction: str, ref: str) -> list[Write]:
    """The rows to commit where a contact is erased: it, what was chosen for it, what bounced."""
    contact = people.contact(jurisdiction, ref)
    gone: list[Write] = [people.delete_contact(jurisdiction, ref)]
    return [*gone, *reach.forget(jurisdiction, key(contact))] if contact else gone


def bounced(jurisdiction: str, contact: dict[str, Any], way: str, now: datetime) -> None:
    """Remember that a way to a person does not work: the next message asks by another."""
    address = key(contact)
    commit([reach.put_dead(jurisdiction, address, way, iso(now)),
            reach.note_address(jurisdiction, address, now)])  # fmt: skip


def used(jurisdiction: str, address: str, now: datetime) -> None:
    """Keep what an address chose and what bounced for as long as there is something to write to
    it: once in ``USED_EVERY``, where anything is kept at all."""
    docs = reach.kept(jurisdiction, address)
    known = [parse(one["at"]) for one in docs.values() if "at" in one]
    if docs and (not known or now - max(known) >= USED_EVERY):
        commit(reach.used(jurisdiction, address, now))
