"""Erasure on one report: texts and photos of a person, and that they were its reporter.

The retention schedule (``services.people.retention``) does the same for everybody on a report, with
a ``reason`` in the events. What there is to erase: ``services.people.report_contents``.

Tests: tests/integration/test_erasure.py
"""

from dataclasses import replace
from datetime import datetime
from itertools import zip_longest
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.photos import HIDDEN
from chalicelib.domain.row_types import Picture
from chalicelib.services.people import preferences
from chalicelib.services.people.erasure_events import Person, add_erasure
from chalicelib.services.people.photo_erasure import (
    delete_photo_trace,
    erased_tickets,
    forget_files,
    tickets_of,
)
from chalicelib.services.people.report_contents import (
    Contents,
    is_erased,
    passed_on,
    reporter_photos,
    reporter_texts,
)
from chalicelib.services.people.reporter_erasure import remove_reporter
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition
from chalicelib.storage import control, people, report_texts, reports, timeline_rows
from chalicelib.storage.transactions import Write, commit

# A text needs up to four rows of a transaction, which may have a hundred.
_TEXTS, _PHOTOS = 12, 8


def erase(person: Person, report: str, former: frozenset[str], now: datetime) -> None:
    """Erase what the reporter of ``report`` left on it, what another system passed on from them,
    and last that they were the reporter.

    ``former`` are the uids that had the report before.
    """
    head = reports.get(person.jurisdiction, report)
    if head is None:
        return
    person = replace(person, former=former)
    own = frozenset({person.uid or people.released_uid(report), *former})
    left = Contents(list(reporter_texts(head, own)), list(reporter_photos(head, own)))
    erase_contents(person, report, left, now)
    author = replace(person, uid=people.released_uid(report))
    for other, contents in passed_on(person.jurisdiction, report):
        erase_contents(author, other, contents, now)
    for uid in sorted(former):
        control.forget_rates(person.jurisdiction, f"report_comments#{uid}.{report}")
    remove_reporter(person, report, now)


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

    add_erasure(jurisdiction, report, change, now)


def _erase_batch(
    person: Person, report: str, texts: list[str], photos: list[str], now: datetime
) -> None:
    jurisdiction = person.jurisdiction
    if person.reason and (
        (head := reports.get(jurisdiction, report)) is None or person.spares(head)
    ):
        return
    stored = report_texts.named_texts(jurisdiction, report, texts)
    tickets = forget_files(jurisdiction, photos)

    def change(seen: Seen, city: City) -> Addition | None:
        head = seen.report
        if person.spares(head):
            return None
        tickets_now = tickets_of(jurisdiction, photos)
        present = {photo: ticket for photo, ticket in tickets_now.items() if not is_erased(ticket)}
        shown = [photo for photo in present if photo in head.pictures]
        hidden: dict[str, Picture] = {
            photo: {**head.pictures[photo], "state": HIDDEN} for photo in shown
        }
        writes = erased_tickets(person, present)
        for photo in photos:
            # A later device of the report may have been erased before: only the trace is left.
            writes += delete_photo_trace(person, photo) if photo not in present else []
        for name in texts:
            by = (stored[name].get("by") if name in stored else None) or person.uid
            if name in stored:
                writes.append(report_texts.delete_text(jurisdiction, report, name))
            writes.append(report_texts.delete_original(jurisdiction, report, name))
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

    add_erasure(jurisdiction, report, change, now)
    # Photo processing may have written files in between. It checks the ticket itself after this.
    forget_files(jurisdiction, photos, tickets)


def _blank_operations(jurisdiction: str, report: str, versions: set[int]) -> list[Write]:
    """The writes that remove the body's digest from the idempotency rows that brought texts."""
    events = [timeline_rows.event(jurisdiction, report, version) for version in sorted(versions)]
    operations = {event["op"] for event in events if event and event["action"] != "import"}
    return [
        control.blank_operation(jurisdiction, operation_id) for operation_id in sorted(operations)
    ]


def _version_and_field(name: str) -> list[Any]:
    version, text_field = name.split("#", 1)
    return [int(version), text_field]
