"""Erasure of personal data on one report at the end of its retention time.

Either contacts only, or all personal data. It works as an erasure
(``services.people.report_erasure``), but for everybody on the report; the preferences of an address
stay, because they may hold for other reports. The events "erased" have the ``reason`` retention.
Every step may be repeated; a repetition writes nothing.

Tests: tests/integration/test_retention.py
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chalicelib import ids
from chalicelib.domain.people.retention import REASON
from chalicelib.domain.report import Report, is_anonymous
from chalicelib.services.people import (
    erasure,
    preferences,
    report_contents,
    report_erasure,
    reporter_erasure,
)
from chalicelib.services.people.erasure_events import Person
from chalicelib.services.people.report_contents import Contents
from chalicelib.services.platform import signing
from chalicelib.storage import (
    people,
    photo_tickets,
    reach,
    report_filers,
    report_texts,
    timeline_rows,
)
from chalicelib.storage.transactions import Write, commit

PAGE = 200
_AT_ONCE = 20
_MARKS = (people.SUPPORT, people.FOLLOW, people.FLAG, people.RIGHT)
_NOBODY = "erased-"


def contacts(head: Report) -> list[tuple[str, str]]:
    """(uid, contact reference) of each contact that the report's reporters left."""
    own = _owner(head)
    pairs = {(own, head.contact)} if head.contact else set[tuple[str, str]]()
    for uid in {own, head.filer or own, *erasure.former_uids(_person(head), head.id)}:
        refs = people.details(head.jurisdiction, uid, people.CONTACT, head.id)
        pairs |= {(uid, ref) for ref in refs}
    return sorted(pairs)


def followers(head: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    """(uid, mark) of each follower who left a contact."""
    for name, doc in _marked(head, people.FOLLOW):
        if "contact" in doc:
            yield name, doc


def has_contacts(head: Report) -> bool:
    """Whether any contact is stored for a report."""
    return bool(contacts(head)) or any(True for _ in followers(head))


def has_personal_data(head: Report) -> bool:
    """Whether a report has any personal data: texts, photos, marks, reporter or filer."""
    if not is_anonymous(head) or contacts(head) or texts(head):
        return True
    marked = any(any(_marked(head, kind)) for kind in _MARKS)
    return marked or any(True for _ in photos(head))


def forget_contacts(head: Report, now: datetime) -> None:
    """Erase all contacts of a closed report."""
    jurisdiction = head.jurisdiction
    for uid, ref in contacts(head):
        _note_address(jurisdiction, ref, now)
        person = Person(jurisdiction, uid, "", reason=REASON)
        report_erasure.forget_contact(person, head.id, ref, now)
    for uid, doc in followers(head):
        ref = doc["contact"]
        _note_address(jurisdiction, ref, now)
        left = {name: value for name, value in doc.items() if name != "contact"}
        commit(
            [
                people.delete_contact(jurisdiction, ref),
                people.delete_trace(jurisdiction, uid, people.REACHED_BY, head.id, ref),
                people.put_mark(jurisdiction, head.id, people.FOLLOW, uid, left),
            ]
        )


def forget_people(head: Report, now: datetime) -> None:
    """Erase all personal data of citizens on a closed report: texts, photos, marks, reporter.

    Texts and photos of officials stay, and so do all counters.
    """
    forget_contacts(head, now)
    person = _person(head)
    person = Person(
        person.jurisdiction, person.uid, person.nobody, erasure.former_uids(person, head.id), REASON
    )
    report_erasure.erase_contents(person, head.id, Contents(texts(head), list(photos(head))), now)
    _forget_marks(head, person.nobody)
    reporter_erasure.remove_reporter(person, head.id, now)
    for uid in sorted({head.reporter or "", head.filer or "", *person.former}):
        _anonymise_filer(head.jurisdiction, uid)


def texts(head: Report) -> list[str]:
    """The names of texts that people wrote: filed with the report or added by citizens later,
    masked ones too."""
    jurisdiction = head.jurisdiction
    hidden = report_texts.originals(jurisdiction, head.id, PAGE)
    names, after = list[str](), 0
    while links := timeline_rows.timeline(jurisdiction, head.id, after, PAGE):
        events = [json.loads(text) for text, _ in links]
        last = events[-1]["version"]
        stored = report_texts.texts(jurisdiction, head.id, after + 1, last)
        for event in events:
            filed = event["action"] in ("file", "import") or event["actor"]["kind"] == "citizen"
            for committed in event["words"]:
                name = report_texts.text_name(event["version"], committed["field"])
                doc = stored.get(name)
                author = doc is not None and people.is_person(str(doc.get("by")))
                theirs = filed or author or bool(doc and doc.get("filed"))
                if theirs and (name in stored or name in hidden):
                    names.append(name)
        after = last
    return names


def photos(head: Report) -> Iterator[str]:
    """The photos of a report that were filed with it or that people added."""
    for photo in head.pictures:
        ticket = photo_tickets.photo(head.jurisdiction, photo)
        if ticket is None or report_contents.is_erased(ticket):
            continue
        if photo in head.photos or people.is_of_people(str(ticket[1].get("owner"))):
            yield photo


def _person(head: Report) -> Person:
    # One anonymous name for all that a person filed in a month: figures still count one person.
    who = head.filer or head.reporter or head.id
    name = signing.mac(REASON, f"{who}|{head.filed_month}", signing.pseudonym_key())[:16]
    return Person(head.jurisdiction, head.reporter, f"{_NOBODY}{name}", reason=REASON)


def _owner(head: Report) -> str:
    return head.reporter or people.released_uid(head.id)


def _marked(head: Report, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The marks of a kind that still name a person, page by page."""
    after = None
    while page := reach.marks(head.jurisdiction, head.id, kind, after, PAGE):
        yield from ((name, doc) for name, doc in page if not name.startswith(_NOBODY))
        after = page[-1][0]


def _forget_marks(head: Report, nobody: str) -> None:
    """Erase who supports, follows or flagged the report; the counters stay. An original keeps the
    rows that name its duplicates."""
    jurisdiction = head.jurisdiction
    for kind in _MARKS:
        batches: list[list[Write]] = []
        for name, _ in _marked(head, kind):
            uid, _, detail = name.partition("#")
            trace = people.delete_trace(jurisdiction, uid, kind, head.id, detail or "-")
            writes: list[Write] = [people.delete_mark(jurisdiction, head.id, kind, name), trace]
            if kind == people.RIGHT:
                right = people.right_name(nobody, detail)
                writes.append(people.put_mark(jurisdiction, head.id, kind, right))
            batches.append(writes)
        for start in range(0, len(batches), _AT_ONCE):
            commit([write for several in batches[start : start + _AT_ONCE] for write in several])


def _anonymise_filer(jurisdiction: str, uid: str) -> None:
    """Rename a filer without any data left, so that the count of filers stays but not the uid."""
    if people.is_person(uid) and not people.traces(jurisdiction, uid, "", 1):
        nobody = f"{_NOBODY}{ids.token_bytes(8).hex()}"
        writes: list[Write] = list(report_filers.rename_filer(jurisdiction, uid, nobody))
        if writes:
            commit(writes)


def _note_address(jurisdiction: str, ref: str, now: datetime) -> None:
    """Start the retention time of the address's own rows (preferences, bounces) now."""
    contact = people.contact(jurisdiction, ref)
    if contact is None:
        return
    address = preferences.key(contact)
    if reach.address_rows(jurisdiction, address):
        commit(reach.put_used(jurisdiction, address, now))
