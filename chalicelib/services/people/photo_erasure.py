"""Erasure of photos: their files, hashes, metadata, tickets and index rows.

Tests: tests/integration/test_erasure.py
"""

from typing import cast

from chalicelib.domain.photos import ERASED
from chalicelib.domain.row_types import Ticket
from chalicelib.services.people.erasure_events import Person
from chalicelib.services.people.report_contents import SeenTicket
from chalicelib.services.photos import storage_keys
from chalicelib.storage import people, photo_hashes, photo_tickets
from chalicelib.storage.transactions import Write, commit

_OF_A_TICKET = ("type", "issued", "report", "used")


def erase_unused_uploads(person: Person, photos: list[str]) -> None:
    """Erase uploads that no report uses."""
    for photo in photos:
        tickets = forget_files(person.jurisdiction, [photo])
        commit(erased_tickets(person, tickets) or delete_photo_trace(person, photo))
        forget_files(person.jurisdiction, [photo], tickets)


def tickets_of(jurisdiction: str, photos: list[str]) -> dict[str, SeenTicket]:
    """{photo: ticket} of the photos that have one."""
    tickets: dict[str, SeenTicket] = {}
    for photo in photos:
        if ticket := photo_tickets.photo(jurisdiction, photo):
            tickets[photo] = ticket
    return tickets


def forget_files(
    jurisdiction: str, photos: list[str], tickets: dict[str, SeenTicket] | None = None
) -> dict[str, SeenTicket]:
    """Delete the files and hashes of photos. Returns their tickets."""
    if tickets is None:
        tickets = tickets_of(jurisdiction, photos)
    for photo in photos:
        storage_keys.forget(jurisdiction, photo)
        ticket = tickets[photo][1] if photo in tickets else None
        if ticket and (sha256 := ticket.get("sha256")):
            photo_hashes.forget(jurisdiction, photo, sha256, ticket.get("likeness"))
    return tickets


def erased_tickets(person: Person, tickets: dict[str, SeenTicket]) -> list[Write]:
    """The writes that empty the tickets and delete the metadata of the photos."""
    writes: list[Write] = []
    for photo, (seen, doc) in sorted(tickets.items()):
        kept = {name: value for name, value in doc.items() if name in _OF_A_TICKET}
        erased = cast(Ticket, {**kept, "owner": person.nobody, "state": ERASED})
        writes.append(photo_tickets.put_photo(person.jurisdiction, photo, erased, seen=seen))
        writes.append(people.delete_photo_facts(person.jurisdiction, photo))
        for owner in sorted({doc.get("owner") or "", person.uid or "", *person.former} - {""}):
            writes.append(people.delete_trace(person.jurisdiction, owner, people.PHOTO, "-", photo))
    return writes


def delete_photo_trace(person: Person, photo: str) -> list[Write]:
    """The deletion of the index row that names the person as a photo's owner."""
    return [people.delete_trace(person.jurisdiction, person.uid or "", people.PHOTO, "-", photo)]
