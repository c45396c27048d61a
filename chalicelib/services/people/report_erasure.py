"""What an erasure does on one report: texts and photos of a person, and the person's name.

The schedule that ends the time of personal data (``services.people.retention``) does the same, of
everybody on a report, with a ``reason`` in the events.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
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
from chalicelib.services.photos import storage_keys
from chalicelib.services.platform.idempotency import operation
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import control, people, photo_hashes, reports
from chalicelib.storage.transactions import Write, commit

ERASED = "erased"
PAGE = 200
# A text is up to four rows of a transaction, which takes a hundred.
_TEXTS, _PHOTOS = 12, 8
_FILING = ("file", "import")
_OF_A_TICKET = ("type", "issued", "report", "used")
Ticket = tuple[int, dict[str, Any]]


@dataclass(frozen=True)
class Person:
    """Who is forgotten, where; ``nobody`` is the name that figures have instead, ``former`` are
    the uids that had a report before them. ``reason``: why, where nobody asked for it; then a
    report that is open again is left alone."""

    place: str
    uid: str | None
    nobody: str
    former: frozenset[str] = frozenset()
    reason: str | None = None

    def spares(self, head: Report) -> bool:
        """Whether a report is left alone, because it was opened meanwhile."""
        return self.reason is not None and head.open

    def data(self, texts: list[Any]) -> dict[str, Any]:
        """What an event says of it: which texts are gone, and why if nobody asked."""
        return {"texts": texts, **({"reason": self.reason} if self.reason else {})}


@dataclass
class Left:
    """What there is of a person on one report: names of texts, and photos."""

    texts: list[str] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)


def report_of(jurisdiction: str, photo: str) -> str | None:
    """Which report uses a photo."""
    found = reports.photo(jurisdiction, photo)
    report = found[1].get("report") if found else None
    return str(report) if report else None


def erase(person: Person, report: str, former: frozenset[str], now: datetime) -> None:
    """Forget what the reporter of ``report`` left on it, and at last that it was them.

    ``former`` are the uids under which it was theirs before.
    """
    head = reports.get(person.place, report)
    if head is None:
        return
    person = replace(person, former=former)
    own = frozenset({person.uid or people.released(report), *former})
    left = Left(list(words(head, own)), list(photos_of(head, own)))
    clear(person, report, left, now)
    for uid in sorted(former):
        control.forget_rates(person.place, f"report_comments#{uid}.{report}")
    leave(person, report, now)


def leave(person: Person, report: str, now: datetime) -> None:
    """Make a report nobody's: of its reporter, and of those who had it before (``former``)."""
    found = reports.get(person.place, report)
    if found is None or (found.reporter, found.filer, found.contact) == (None, None, None):
        return

    def change(seen: Seen, city: City) -> Addition | None:
        mine = seen.report
        if person.spares(mine):
            return None
        after = replace(
            mine, reporter=None, filer=None, contact=None, contactable=False, contact_since=None,
            former=None, former_until=None,
        )  # fmt: skip
        return Addition(after, {}, _nobodys(person, mine), person.data([]))

    _add(person.place, report, change, now)


def clear(person: Person, report: str, left: Left, now: datetime) -> None:
    """Forget these texts and photos of one report, with events that name them."""
    texts, photos = _batched(left.texts, _TEXTS), _batched(left.photos, _PHOTOS)
    for some, shots in zip_longest(texts, photos):
        _clear(person, report, some or [], shots or [], now)


def _batched(rows: list[str], size: int) -> list[list[str]]:
    """The rows, at most ``size`` together."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def forget_contact(person: Person, report: str, ref: str, now: datetime) -> None:
    """Forget how a person can be reached about a report, whoever has it now. What they chose for
    that address is forgotten too if they ask; otherwise it may hold for other reports."""
    place, uid = person.place, person.uid or ""
    asked = person.reason is None
    gone: list[Write] = [
        *(preferences.forgotten(place, ref) if asked else [people.delete_contact(place, ref)]),
        people.delete_trace(place, uid, people.CONTACT, report, ref),
    ]

    def change(seen: Seen, city: City) -> Addition | None:
        if person.spares(seen.report):
            return None
        if seen.report.contact != ref:
            commit(gone)
            return None
        after = replace(seen.report, contact=None, contactable=False)
        return Addition(after, {}, gone, person.data([]))

    _add(place, report, change, now)


def given_away(person: Person, report: str) -> list[Write]:
    """The rows by which a report that somebody else has claimed since is known as theirs."""
    place, uid = person.place, person.uid or ""
    head = reports.get(place, report)
    if head is None or head.reporter == uid:
        return []
    writes: list[Write] = []
    if people.filer(place, head.filed_month, report) == uid:
        writes.append(people.put_filer(place, head.filed_month, report, person.nobody))
    before = people.details(place, uid, people.CLAIMED_FROM, report)
    holder: str | None = head.reporter or people.released(report)
    looked = set[str]()
    while holder and holder not in looked:
        looked.add(holder)
        former = people.details(place, holder, people.CLAIMED_FROM, report)
        if uid in former:
            writes.append(people.delete_trace(place, holder, people.CLAIMED_FROM, report, uid))
            for one in sorted({*before} - {*former, holder}):
                writes.append(people.put_trace(place, holder, people.CLAIMED_FROM, report, one))
            break
        holder = next((one for one in former if one not in looked), None)
    return writes


def unused(person: Person, photos: list[str]) -> None:
    """Forget uploads that no report uses."""
    for photo in photos:
        tickets = _forget_files(person.place, [photo])
        commit(_tickets(person, tickets) or _untraced(person, photo))
        _forget_files(person.place, [photo], tickets)


def _clear(person: Person, report: str, texts: list[str], photos: list[str], now: datetime) -> None:
    place = person.place
    if person.reason and ((head := reports.get(place, report)) is None or person.spares(head)):
        return
    there = people.some_texts(place, report, texts)
    tickets = _forget_files(place, photos)

    def change(seen: Seen, city: City) -> Addition | None:
        head = seen.report
        if person.spares(head):
            return None
        held = _held(place, photos)
        present = {one: found for one, found in held.items() if not is_gone(found)}
        shown = [one for one in present if one in head.pictures]
        hidden = {one: {**head.pictures[one], "state": HIDDEN} for one in shown}
        writes = _tickets(person, present)
        for one in photos:
            # A device that had the report after this person may have been erased before.
            writes += _untraced(person, one) if one not in present else []
        for name in texts:
            by = there.get(name, {}).get("by") or person.uid
            if name in there:
                writes.append(people.delete_text(place, report, name))
            writes.append(people.delete_original(place, report, name))
            if by:
                writes.append(people.delete_trace(place, by, people.TEXT, report, name))
        writes += _blanks(place, report, {_pair(name)[0] for name in there})
        if not there and not present:
            if writes:
                commit(writes)
            return None
        after = replace(head, pictures={**head.pictures, **hidden})
        if present or any(doc["audience"] == "public" for doc in there.values()):
            # Files and lists of a report that was closed long ago are older than this.
            after = replace(after, shown_at=now)
        data = person.data([_pair(name) for name in sorted(there)])
        if present:
            data["photos"] = sorted(present)
        return Addition(after, {}, writes, data)

    _add(place, report, change, now)
    # What the function of photos was at, meanwhile, it has seen through: it looks again itself.
    _forget_files(place, photos, tickets)


def _add(place: str, report: str, change: Any, now: datetime) -> None:
    # A key of its own each time: whether there is anything to do is seen in the data.
    op = operation(system(place), ERASED, report, "")
    op = replace(op, id=ids.token_bytes(20).hex())
    add(system(place), op, report, ERASED, change, now)


def _nobodys(person: Person, head: Report) -> list[Write]:
    """The rows that say whose a report was, so that they say nobody's."""
    place, writes = person.place, list[Write]()
    if head.contact:
        writes += preferences.forgotten(place, head.contact)
    if head.former:
        # What was chosen for an address that both have goes with the other.
        both = [people.contact(place, ref) for ref in (head.former, head.contact or "")]
        same = len({preferences.key(one) for one in both if one}) < len(
            [one for one in both if one]
        )
        gone = [people.delete_contact(place, head.former)]
        writes += gone if same else preferences.forgotten(place, head.former)
    if people.filer(place, head.filed_month, head.id):
        # As one nobody among the month's filers, of whom figures want to know how many.
        writes.append(people.put_filer(place, head.filed_month, head.id, person.nobody))
    if head.filer and head.filer != person.uid and not _files_more(place, head.filer, head.id):
        writes += people.rename_filer(place, head.filer, person.nobody)
    if head.merged_into and head.reporter:
        # The original goes on knowing its duplicate.
        old = people.right_name(head.reporter, head.id)
        new = people.right_name(person.nobody, head.id)
        writes.append(people.delete_mark(place, head.merged_into, people.RIGHT, old))
        writes.append(people.put_mark(place, head.merged_into, people.RIGHT, new))
    names = {head.reporter or people.released(head.id), head.filer or "", person.uid or ""} - {""}
    for uid in sorted(names):
        writes += _index_of(place, uid, head.id)
    for uid in sorted(person.former - names):
        writes += _index_of(place, uid, head.id)
    return writes


def _index_of(place: str, uid: str, report: str) -> list[Write]:
    """The index rows that say that somebody had this report, without those rows."""
    writes: list[Write] = [people.delete_trace(place, uid, people.FILED, report)]
    for kind in (people.CLAIMED_FROM, people.CONTACT):
        for one in people.details(place, uid, kind, report):
            writes.append(people.delete_trace(place, uid, kind, report, one))
    return writes


def _files_more(place: str, filer: str, report: str) -> bool:
    """Whether a pseudonym has filed other reports, as the index says."""
    found = people.traces(place, filer, people.FILED, 2)
    return any(kind == people.FILED and other != report for kind, other, _ in found)


def words(head: Report, own: frozenset[str]) -> Iterator[str]:
    """The names of the texts of the reporter's that are still there: what was filed, what they are
    known to have written, and, where an older version did not say who wrote a text, what a reporter
    wrote."""
    after = 0
    while links := reports.timeline(head.jurisdiction, head.id, after, PAGE):
        events = [json.loads(text) for text, _ in links]
        last = events[-1]["version"]
        there = people.texts(head.jurisdiction, head.id, after + 1, last)
        for event in events:
            actor, filed = event["actor"], event["action"] in _FILING
            reporters = actor["kind"] == "citizen" and actor["role"] == "reporter"
            for one in event["words"]:
                name = people.text_name(event["version"], one["field"])
                if name in there:
                    by = there[name].get("by")
                    theirs = filed or there[name].get("filed") or reporters
                    if filed or (by in own if by else theirs):
                        yield name
        after = last


def photos_of(head: Report, own: frozenset[str]) -> Iterator[str]:
    """The photos of the report that were filed with it, or that its reporter added."""
    for photo in head.pictures:
        found = reports.photo(head.jurisdiction, photo)
        theirs = photo in head.photos or (found and found[1].get("owner") in own)
        if found and theirs and not is_gone(found):
            yield photo


def is_gone(found: Ticket) -> bool:
    return bool(found[1]["state"] == GONE)


def _held(place: str, photos: list[str]) -> dict[str, Ticket]:
    """The tickets that there are."""
    found: dict[str, Ticket] = {}
    for photo in photos:
        if ticket := reports.photo(place, photo):
            found[photo] = ticket
    return found


def _forget_files(
    place: str, photos: list[str], known: dict[str, Ticket] | None = None
) -> dict[str, Ticket]:
    """Delete the files of photos and where they were used; the tickets, as they are now."""
    if known is None:
        known = _held(place, photos)
    for photo in photos:
        storage_keys.forget(place, photo)
        ticket: dict[str, Any] = known[photo][1] if photo in known else {}
        if sha256 := ticket.get("sha256"):
            photo_hashes.forget(place, photo, sha256, ticket.get("likeness"))
    return known


def _tickets(person: Person, tickets: dict[str, Ticket]) -> list[Write]:
    """The tickets without whose they were and what was on them; what their metadata told."""
    writes: list[Write] = []
    for photo, (seen, doc) in sorted(tickets.items()):
        erased: dict[str, Any] = {name: doc[name] for name in _OF_A_TICKET if name in doc}
        erased |= {"owner": person.nobody, "state": GONE}
        writes.append(reports.put_photo(person.place, photo, erased, seen=seen))
        writes.append(people.delete_photo_facts(person.place, photo))
        for owner in sorted({doc.get("owner") or "", person.uid or "", *person.former} - {""}):
            writes.append(people.delete_trace(person.place, owner, people.PHOTO, "-", photo))
    return writes


def _untraced(person: Person, photo: str) -> list[Write]:
    return [people.delete_trace(person.place, person.uid or "", people.PHOTO, "-", photo)]


def _blanks(place: str, report: str, versions: set[int]) -> list[Write]:
    """The rows of the keys by which texts came, without the digest of the words."""
    events = [reports.event(place, report, version) for version in sorted(versions)]
    came = {event["op"] for event in events if event and event["action"] != "import"}
    return [control.blank_operation(place, one) for one in sorted(came)]


def _pair(name: str) -> list[Any]:
    version, text_field = name.split("#", 1)
    return [int(version), text_field]
