"""What ends on one report when the time of personal data is over: contacts, or all of its people.

As an erasure (``services.people.report_erasure``), but of everybody on the report, and what an
address chose is left where it may hold for other reports. The events "erased" say ``reason``:
retention. Every step may be repeated; what is gone already writes nothing.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chalicelib import ids
from chalicelib.domain.people.retention import REASON
from chalicelib.domain.report import Report
from chalicelib.services.people import erasure, preferences, report_erasure
from chalicelib.services.people.report_erasure import Left, Person
from chalicelib.services.platform import signing
from chalicelib.storage import people, reach, reports
from chalicelib.storage.transactions import Write, commit

PAGE = 200
_AT_ONCE = 20
_MARKS = (people.SUPPORT, people.FOLLOW, people.FLAG, people.RIGHT)
_NOBODY = "erased-"


def contacts(head: Report) -> list[tuple[str, str]]:
    """(uid, ref) of each contact that the report's reporters left."""
    own = _owner(head)
    found = {(own, head.contact)} if head.contact else set[tuple[str, str]]()
    for uid in {own, head.filer or own, *erasure.former(_person(head), head.id)}:
        refs = people.details(head.jurisdiction, uid, people.CONTACT, head.id)
        found |= {(uid, ref) for ref in refs}
    return sorted(found)


def followers(head: Report) -> Iterator[tuple[str, dict[str, Any]]]:
    """(uid, mark) of each follower who left a contact for news of the report."""
    for name, doc in _marked(head, people.FOLLOW):
        if "contact" in doc:
            yield name, doc


def reachable(head: Report) -> bool:
    """Whether anybody can be reached about a report."""
    return bool(contacts(head)) or any(True for _ in followers(head))


def holds(head: Report) -> bool:
    """Whether anything of people is left on a report: words, photos, marks, or whose it was."""
    if head.reporter or head.filer or contacts(head) or texts(head):
        return True
    marked = any(any(_marked(head, kind)) for kind in _MARKS)
    return marked or any(True for _ in photos(head))


def forget_contacts(head: Report, now: datetime) -> None:
    """Forget how people can be reached about a closed report."""
    place = head.jurisdiction
    for uid, ref in contacts(head):
        _note_address(place, ref, now)
        person = Person(place, uid, "", reason=REASON)
        report_erasure.forget_contact(person, head.id, ref, now)
    for uid, doc in followers(head):
        ref = doc["contact"]
        _note_address(place, ref, now)
        left = {name: value for name, value in doc.items() if name != "contact"}
        commit(
            [
                people.delete_contact(place, ref),
                people.delete_trace(place, uid, people.REACHED_BY, head.id, ref),
                people.put_mark(place, head.id, people.FOLLOW, uid, left),
            ]
        )


def forget_people(head: Report, now: datetime) -> None:
    """Forget everybody on a closed report: what they wrote, showed and marked, and whose it was.

    What the city's staff wrote and showed stays, and so does every number.
    """
    forget_contacts(head, now)
    person = _person(head)
    person = Person(
        person.place, person.uid, person.nobody, erasure.former(person, head.id), REASON
    )
    report_erasure.clear(person, head.id, Left(texts(head), list(photos(head))), now)
    _forget_marks(head, person.nobody)
    report_erasure.leave(person, head.id, now)
    for uid in sorted({head.reporter or "", head.filer or "", *person.former}):
        _forget_name(head.jurisdiction, uid)


def texts(head: Report) -> list[str]:
    """The names of what people wrote on a report: what was filed, and what citizens said since,
    with what was hidden of it."""
    place = head.jurisdiction
    hidden = people.originals(place, head.id, PAGE)
    found, after = list[str](), 0
    while links := reports.timeline(place, head.id, after, PAGE):
        events = [json.loads(text) for text, _ in links]
        last = events[-1]["version"]
        there = people.texts(place, head.id, after + 1, last)
        for event in events:
            filed = event["action"] in ("file", "import") or event["actor"]["kind"] == "citizen"
            for one in event["words"]:
                name = people.text_name(event["version"], one["field"])
                doc = there.get(name, {})
                theirs = filed or doc.get("filed") or people.is_person(str(doc.get("by")))
                if theirs and (name in there or name in hidden):
                    found.append(name)
        after = last
    return found


def photos(head: Report) -> Iterator[str]:
    """The photos of a report that were filed with it or that people added."""
    for photo in head.pictures:
        found = reports.photo(head.jurisdiction, photo)
        if found is None or report_erasure.is_gone(found):
            continue
        if photo in head.photos or people.is_person(str(found[1].get("owner"))):
            yield photo


def _person(head: Report) -> Person:
    # One name for all that one person filed in a month: figures still count it as one person's.
    who = head.filer or head.reporter or head.id
    name = signing.mac(REASON, f"{who}|{head.filed_month}", signing.lasting())[:16]
    return Person(head.jurisdiction, head.reporter, f"{_NOBODY}{name}", reason=REASON)


def _owner(head: Report) -> str:
    return head.reporter or people.released(head.id)


def _marked(head: Report, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The marks of a kind that name somebody, page by page."""
    after = None
    while page := reach.marks(head.jurisdiction, head.id, kind, after, PAGE):
        yield from ((name, doc) for name, doc in page if not name.startswith(_NOBODY))
        after = page[-1][0]


def _forget_marks(head: Report, nobody: str) -> None:
    """Nobody supports, follows or has flagged the report any more; the numbers stay. An original
    goes on knowing its duplicates."""
    place = head.jurisdiction
    for kind in _MARKS:
        gone: list[list[Write]] = []
        for name, _ in _marked(head, kind):
            uid, _, detail = name.partition("#")
            trace = people.delete_trace(place, uid, kind, head.id, detail or "-")
            writes: list[Write] = [people.delete_mark(place, head.id, kind, name), trace]
            if kind == people.RIGHT:
                right = people.right_name(nobody, detail)
                writes.append(people.put_mark(place, head.id, kind, right))
            gone.append(writes)
        for start in range(0, len(gone), _AT_ONCE):
            commit([one for several in gone[start : start + _AT_ONCE] for one in several])


def _forget_name(place: str, uid: str) -> None:
    """Count somebody of whom nothing is left among those who have filed, without their name."""
    if people.is_person(uid) and not people.traces(place, uid, "", 1):
        nobody = f"{_NOBODY}{ids.token_bytes(8).hex()}"
        writes: list[Write] = list(people.rename_filer(place, uid, nobody))
        if writes:
            commit(writes)


def _note_address(place: str, ref: str, now: datetime) -> None:
    """What is kept of a contact's address has its own time, from now on."""
    contact = people.contact(place, ref)
    if contact is None:
        return
    address = preferences.key(contact)
    if reach.kept(place, address):
        commit(reach.used(place, address, now))
