"""Notification preferences: what a person wants to be told, and by which channel.

They are chosen by the link in every message. The link stands for an address, not for a report: one
choice holds for everything that the city sends there. The link never expires; the choice is kept
as long as there is something to write (``services.people.retention``).

Tests: tests/integration/test_citizen_messages.py
"""

from datetime import datetime, timedelta

from chalicelib import clock
from chalicelib.domain.input import contact_methods
from chalicelib.domain.notifications.reachability import CHOICES, WAYS
from chalicelib.domain.row_types import Choice, Contact
from chalicelib.domain.timestamps import iso, parse
from chalicelib.errors import Problem
from chalicelib.services.platform import signing, urls
from chalicelib.storage import people, reach
from chalicelib.storage.transactions import Write, commit

_PURPOSE = "notifications"
USED_EVERY = timedelta(days=30)


def key(contact: Contact) -> str:
    """The pseudonym of a person's first address."""
    _, address = contact_methods.first_address(contact) or ("", "")
    return signing.mac("recipient", address.strip().casefold(), signing.pseudonym_key())[:32]


def link(jurisdiction: str, recipient: str) -> str:
    """The link to the preferences page, for a message to this person."""
    token = signing.sign_text(_PURPOSE, jurisdiction, recipient)
    return urls.in_city(jurisdiction, f"/v1/notifications/{token}")


def choice(jurisdiction: str, token: str) -> Choice:
    """The present choice, {"notify", "way"}. Raises ``Problem``: invalid_token."""
    recipient = signing.unsign_text(_PURPOSE, jurisdiction, token)
    chosen, _ = reach.person(jurisdiction, recipient)
    return {"notify": chosen.get("notify", "all"), "way": chosen.get("way")}


def choose(jurisdiction: str, token: str, wish: str) -> Choice:
    """Store one choice, of ``CHOICES`` or of ``WAYS``. Returns the choice afterwards.

    Raises ``Problem``: invalid_token, not_found.
    """
    recipient = signing.unsign_text(_PURPOSE, jurisdiction, token)
    if wish not in (*CHOICES, *WAYS):
        raise Problem("not_found")
    chosen = choice(jurisdiction, token)
    if wish in CHOICES:
        chosen["notify"] = wish
    else:
        chosen["way"] = wish
    now = clock.now()
    doc: Choice = {**chosen, "at": iso(now)}
    commit([reach.put_choice(jurisdiction, recipient, doc),
            reach.put_address_entry(jurisdiction, recipient, now)])  # fmt: skip
    return chosen


def unsubscribe(jurisdiction: str, token: str) -> None:
    """Send nothing more to this address: one-click unsubscribe of mail programs (RFC 8058).

    It may be repeated. Raises ``Problem``: invalid_token.
    """
    choose(jurisdiction, token, "nothing")


def deletions(jurisdiction: str, ref: str) -> list[Write]:
    """The writes that erase a contact, the choice for its address, and its bounces."""
    contact = people.contact(jurisdiction, ref)
    writes: list[Write] = [people.delete_contact(jurisdiction, ref)]
    return [*writes, *reach.delete_address(jurisdiction, key(contact))] if contact else writes


def mark_bounced(jurisdiction: str, contact: Contact, way: str, now: datetime) -> None:
    """Record that a channel to a person does not work, so that the next message takes another."""
    address = key(contact)
    commit([reach.put_dead(jurisdiction, address, way, iso(now)),
            reach.put_address_entry(jurisdiction, address, now)])  # fmt: skip


def extend_retention(jurisdiction: str, address: str, now: datetime) -> None:
    """Restart the retention time of an address's choice and bounces, because a message goes there.

    Written at most once in ``USED_EVERY``, and only if anything is kept.
    """
    docs = reach.address_rows(jurisdiction, address)
    moments = [parse(doc["at"]) for doc in docs.values() if "at" in doc]
    if docs and (not moments or now - max(moments) >= USED_EVERY):
        commit(reach.put_used(jurisdiction, address, now))
