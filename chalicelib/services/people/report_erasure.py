"""Erasure on one report: texts and photos of a person, and that they were its reporter.

The retention schedule (``services.people.retention``) does the same for everybody on a report, with
a ``reason`` in the events. What there is to erase: ``services.people.report_contents``.

Tests: tests/integration/test_erasure.py
"""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.photos import ERASED as GONE
from chalicelib.domain.photos import HIDDEN
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.services.people import preferences
from chalicelib.services.people.report_contents import (
    Contents,
    Ticket,
    is_erased,
    reporter_photos,
    reporter_texts,
)
from chalicelib.services.photos import storage_keys
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import control, people, photo_hashes, reports
from chalicelib.storage.transactions import Write, commit

ERASED = "erased"
# A text needs up to four rows of a transaction, which may have a hundred.
_TEXTS, _PHOTOS = 12, 8
_OF_A_TICKET = ("type", "issued", "report", "used")


@dataclass(frozen=True)
class Person:
    """The person to erase. ``nobody`` is the anonymous name that figures use instead; ``former``
    are the uids that had a report before. ``reason``: why, if the person did not ask for it; then
    a report that is open again is left alone."""

    jurisdiction: str
    uid: str | None
    nobody: str
    former: frozenset[str] = frozenset()
    reason: str | None = None

    def spares(self, head: Report) -> bool:
        """Whether to leave a report alone, because it was reopened in between."""
        return self.reason is not None and head.open

    def data(self, texts: list[Any]) -> dict[str, Any]:
        """The data of the event: which texts are erased, and the ``reason`` if there is one."""
        return {"texts": texts, **({"reason": self.reason} if self.reason else {})}


def erase(person: Person, report: str, former: frozenset[str], now: datetime) -> None:
    """Erase what the reporter of ``report`` left on it, and last that they were the reporter.

    ``former`` are the uids that had the report before.
    """
    head = reports.get(person.jurisdiction, report)
    if head is None:
        return
    person = replace(person, former=former)
    own = frozenset({person.uid or people.released_uid(report), *former})
    left = Contents(list(reporter_texts(head, own)), list(reporter_photos(head, own)))
    erase_contents(person, report, left, now)
    for uid in sorted(former):
        control.forget_rates(person.jurisdiction, f"report_comments#{uid}.{report}")
    remove_reporter(person, report, now)


def remove_reporter(person: Person, report: str, now: datetime) -> None:
    """Remove reporter, filer and contact from a report, and its index rows of ``former`` uids."""
    head = reports.get(person.jurisdiction, report)
    if head is None or (head.reporter, head.filer, head.contact) == (None, None, None):
        return

    def change(seen: Seen, city: City) -> Addition | None:
        current = seen.report
        if person.spares(current):
            return None
        after = replace(
            current, reporter=None, filer=None, contact=None, contactable=False, contact_since=None,
            former=None, former_until=None,
        )  # fmt: skip
        return Addition(after, {}, _anonymous_rows(person, current), person.data([]))

    _add(person.jurisdiction, report, change, now)


def erase_contents(person: Person, report: str, left: Contents, now: datetime) -> None:
    """Erase these texts and photos of one report, with events that name them."""
    texts, photos = _batched(left.texts, _TEXTS), _batched(left.photos, _PHOTOS)
    for text_batch, photo_batch in zip_longest(texts, photos):
        _erase_batch(person, report, text_batch or [], photo_batch or [], now)


def _batched(rows: list[str], size: int) -> list[list[str]]:
    """The rows in batches of at most ``size``."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def forget_contact(person: Person, report: str, ref: str, now: datetime) -> None:
    """Erase a contact that a person left on a report, even if somebody else has the report now.

    The preferences of the address are erased too if the person asked for the erasure; otherwise
    they may hold for other reports.
    """
    jurisdiction, uid = person.jurisdiction, person.uid or ""
    on_request = person.reason is None
    deletions: list[Write] = [
        *(
            preferences.deletions(jurisdiction, ref)
            if on_request
            else [people.delete_contact(jurisdiction, ref)]
        ),
        people.delete_trace(jurisdiction, uid, people.CONTACT, report, ref),
    ]

    def change(seen: Seen, city: City) -> Addition | None:
        if person.spares(seen.report):
            return None
        if seen.report.contact != ref:
            commit(deletions)
            return None
        after = replace(seen.report, contact=None, contactable=False)
        return Addition(after, {}, deletions, person.data([]))

    _add(jurisdiction, report, change, now)


def former_reporter_writes(person: Person, report: str) -> list[Write]:
    """The writes that remove a person from the rows of a report that somebody else has claimed."""
    jurisdiction, uid = person.jurisdiction, person.uid or ""
    head = reports.get(jurisdiction, report)
    if head is None or head.reporter == uid:
        return []
    writes: list[Write] = []
    if people.filer(jurisdiction, head.filed_month, report) == uid:
        writes.append(people.put_filer(jurisdiction, head.filed_month, report, person.nobody))
    before = people.details(jurisdiction, uid, people.CLAIMED_FROM, report)
    holder: str | None = head.reporter or people.released_uid(report)
    visited = set[str]()
    while holder and holder not in visited:
        visited.add(holder)
        former = people.details(jurisdiction, holder, people.CLAIMED_FROM, report)
        if uid in former:
            writes.append(
                people.delete_trace(jurisdiction, holder, people.CLAIMED_FROM, report, uid)
            )
            for uid_before in sorted({*before} - {*former, holder}):
                writes.append(
                    people.put_trace(jurisdiction, holder, people.CLAIMED_FROM, report, uid_before)
                )
            break
        holder = next((uid_before for uid_before in former if uid_before not in visited), None)
    return writes


def erase_unused_uploads(person: Person, photos: list[str]) -> None:
    """Erase uploads that no report uses."""
    for photo in photos:
        tickets = _forget_files(person.jurisdiction, [photo])
        commit(_erased_tickets(person, tickets) or _delete_photo_trace(person, photo))
        _forget_files(person.jurisdiction, [photo], tickets)


def _erase_batch(
    person: Person, report: str, texts: list[str], photos: list[str], now: datetime
) -> None:
    jurisdiction = person.jurisdiction
    if person.reason and (
        (head := reports.get(jurisdiction, report)) is None or person.spares(head)
    ):
        return
    stored = people.named_texts(jurisdiction, report, texts)
    tickets = _forget_files(jurisdiction, photos)

    def change(seen: Seen, city: City) -> Addition | None:
        head = seen.report
        if person.spares(head):
            return None
        tickets_now = _tickets_of(jurisdiction, photos)
        present = {photo: ticket for photo, ticket in tickets_now.items() if not is_erased(ticket)}
        shown = [photo for photo in present if photo in head.pictures]
        hidden = {photo: {**head.pictures[photo], "state": HIDDEN} for photo in shown}
        writes = _erased_tickets(person, present)
        for photo in photos:
            # A later device of the report may have been erased before: only the trace is left.
            writes += _delete_photo_trace(person, photo) if photo not in present else []
        for name in texts:
            by = stored.get(name, {}).get("by") or person.uid
            if name in stored:
                writes.append(people.delete_text(jurisdiction, report, name))
            writes.append(people.delete_original(jurisdiction, report, name))
            if by:
                writes.append(people.delete_trace(jurisdiction, by, people.TEXT, report, name))
        writes += _blank_operations(
            jurisdiction, report, {_version_and_field(name)[0] for name in stored}
        )
        if not stored and not present:
            if writes:
                commit(writes)
            return None
        after = replace(head, pictures={**head.pictures, **hidden})
        if present or any(doc["audience"] == "public" for doc in stored.values()):
            # Open data files and lists of a report closed long ago must be made again.
            after = replace(after, shown_at=now)
        data = person.data([_version_and_field(name) for name in sorted(stored)])
        if present:
            data["photos"] = sorted(present)
        return Addition(after, {}, writes, data)

    _add(jurisdiction, report, change, now)
    # Photo processing may have written files in between. It checks the ticket itself after this.
    _forget_files(jurisdiction, photos, tickets)


def _add(jurisdiction: str, report: str, change: Any, now: datetime) -> None:
    # A new idempotency key each time: the data say whether there is anything to do.
    op = keyed_operation(system(jurisdiction), ERASED, report, "")
    op = replace(op, id=ids.token_bytes(20).hex())
    add(system(jurisdiction), op, report, ERASED, change, now)


def _anonymous_rows(person: Person, head: Report) -> list[Write]:
    """The writes that make all rows of a report's reporter anonymous."""
    jurisdiction, writes = person.jurisdiction, list[Write]()
    if head.contact:
        writes += preferences.deletions(jurisdiction, head.contact)
    if head.former:
        # If both contacts have the same address, its preferences are erased with the other one.
        both = [people.contact(jurisdiction, ref) for ref in (head.former, head.contact or "")]
        same = len({preferences.key(contact) for contact in both if contact}) < len(
            [contact for contact in both if contact]
        )
        deletion = [people.delete_contact(jurisdiction, head.former)]
        writes += deletion if same else preferences.deletions(jurisdiction, head.former)
    if people.filer(jurisdiction, head.filed_month, head.id):
        # Stays as one anonymous filer of the month, because figures count filers.
        writes.append(people.put_filer(jurisdiction, head.filed_month, head.id, person.nobody))
    if (
        head.filer
        and head.filer != person.uid
        and not _filed_others(jurisdiction, head.filer, head.id)
    ):
        writes += people.rename_filer(jurisdiction, head.filer, person.nobody)
    if head.merged_into and head.reporter:
        # The original keeps a row that names its duplicate.
        old = people.right_name(head.reporter, head.id)
        new = people.right_name(person.nobody, head.id)
        writes.append(people.delete_mark(jurisdiction, head.merged_into, people.RIGHT, old))
        writes.append(people.put_mark(jurisdiction, head.merged_into, people.RIGHT, new))
    reporter = head.reporter or people.released_uid(head.id)
    names = {name for name in (reporter, head.filer, person.uid) if name}
    for uid in sorted(names):
        writes += _index_deletions(jurisdiction, uid, head.id)
    for uid in sorted(person.former - names):
        writes += _index_deletions(jurisdiction, uid, head.id)
    return writes


def _index_deletions(jurisdiction: str, uid: str, report: str) -> list[Write]:
    """The deletions of the index rows that say that somebody had this report."""
    writes: list[Write] = [people.delete_trace(jurisdiction, uid, people.FILED, report)]
    for kind in (people.CLAIMED_FROM, people.CONTACT):
        for detail in people.details(jurisdiction, uid, kind, report):
            writes.append(people.delete_trace(jurisdiction, uid, kind, report, detail))
    return writes


def _filed_others(jurisdiction: str, filer: str, report: str) -> bool:
    """Whether the index names other reports of a pseudonym."""
    rows = people.traces(jurisdiction, filer, people.FILED, 2)
    return any(kind == people.FILED and other != report for kind, other, _ in rows)


def _tickets_of(jurisdiction: str, photos: list[str]) -> dict[str, Ticket]:
    """{photo: ticket} of the photos that have one."""
    tickets: dict[str, Ticket] = {}
    for photo in photos:
        if ticket := reports.photo(jurisdiction, photo):
            tickets[photo] = ticket
    return tickets


def _forget_files(
    jurisdiction: str, photos: list[str], tickets: dict[str, Ticket] | None = None
) -> dict[str, Ticket]:
    """Delete the files and hashes of photos. Returns their tickets."""
    if tickets is None:
        tickets = _tickets_of(jurisdiction, photos)
    for photo in photos:
        storage_keys.forget(jurisdiction, photo)
        ticket: dict[str, Any] = tickets[photo][1] if photo in tickets else {}
        if sha256 := ticket.get("sha256"):
            photo_hashes.forget(jurisdiction, photo, sha256, ticket.get("likeness"))
    return tickets


def _erased_tickets(person: Person, tickets: dict[str, Ticket]) -> list[Write]:
    """The writes that empty the tickets and delete the metadata of the photos."""
    writes: list[Write] = []
    for photo, (seen, doc) in sorted(tickets.items()):
        erased: dict[str, Any] = {name: doc[name] for name in _OF_A_TICKET if name in doc}
        erased |= {"owner": person.nobody, "state": GONE}
        writes.append(reports.put_photo(person.jurisdiction, photo, erased, seen=seen))
        writes.append(people.delete_photo_facts(person.jurisdiction, photo))
        for owner in sorted({doc.get("owner") or "", person.uid or "", *person.former} - {""}):
            writes.append(people.delete_trace(person.jurisdiction, owner, people.PHOTO, "-", photo))
    return writes


def _delete_photo_trace(person: Person, photo: str) -> list[Write]:
    return [people.delete_trace(person.jurisdiction, person.uid or "", people.PHOTO, "-", photo)]


def _blank_operations(jurisdiction: str, report: str, versions: set[int]) -> list[Write]:
    """The writes that remove the body's digest from the idempotency rows that brought texts."""
    events = [reports.event(jurisdiction, report, version) for version in sorted(versions)]
    operations = {event["op"] for event in events if event and event["action"] != "import"}
    return [
        control.blank_operation(jurisdiction, operation_id) for operation_id in sorted(operations)
    ]


def _version_and_field(name: str) -> list[Any]:
    version, text_field = name.split("#", 1)
    return [int(version), text_field]
