"""Forgetting a person: contact, words and pictures, in every report that they filed.

The reports stay, with place, service and what the city did: they are the city's history. The
timeline stays whole, because it holds only commitments to texts (``domain.ledger``): what was
committed to is gone, and nothing else can be put in its place.
"""

import json
from dataclasses import replace
from datetime import datetime

from chalicelib import ids
from chalicelib.domain.actor import system
from chalicelib.domain.city import City
from chalicelib.domain.pictures import HIDDEN
from chalicelib.domain.report import Report
from chalicelib.errors import Problem
from chalicelib.services import photo_files
from chalicelib.services.access import Seen
from chalicelib.services.adding import Addition, add
from chalicelib.services.operations import operation
from chalicelib.services.photo_files import Files
from chalicelib.storage import files, people, reports
from chalicelib.storage.transactions import Write, commit

ERASED = "erased"
PAGE = 200
_AT_ONCE = 50


def erase(jurisdiction: str, report: str, now: datetime) -> list[str]:
    """Forget whoever filed ``report``; the ids of their reports. Repeating it finishes what broke
    off. Raises ``Problem``: not_found."""
    head = reports.get(jurisdiction, report)
    if head is None:
        raise Problem("not_found", field="report")
    theirs = _reports_of(head)
    nobody = f"erased-{ids.token_bytes(8).hex()}"
    # The one that was named is the last to lose its reporter, so that it leads to the others.
    for one in [*(one for one in theirs if one != report), report]:
        _erase(jurisdiction, one, nobody, now)
    return sorted({*theirs, report})


def _reports_of(head: Report) -> list[str]:
    if head.reporter is None:
        return [head.id]
    found: list[str] = []
    after = None
    while True:
        page = reports.of_reporter(head.jurisdiction, head.reporter, after, PAGE)
        found += [card.id for _, card in page]
        if len(page) < PAGE:
            return found
        after = page[-1][0]


def _erase(jurisdiction: str, report: str, nobody: str, now: datetime) -> None:
    head = reports.get(jurisdiction, report)
    if head is None:
        return
    texts = [people.delete_text(jurisdiction, report, name) for name in _words(head)]
    for start in range(0, len(texts), _AT_ONCE):
        commit(texts[start : start + _AT_ONCE])
    _delete_pictures(head)
    actor = system(jurisdiction)

    def change(seen: Seen, city: City) -> Addition | None:
        found = seen.report
        mine = {
            photo: {**picture, "state": HIDDEN} for photo, picture in found.pictures.items()
            if photo in found.photos
        }  # fmt: skip
        after = replace(
            found,
            reporter=None,
            contact=None,
            contactable=False,
            pictures={**found.pictures, **mine},
        )
        writes = _tickets(found, nobody)
        if found.contact:
            writes.append(people.delete_contact(jurisdiction, found.contact))
        if found.reporter:
            # As one nobody among the month's filers, of whom figures want to know how many.
            month = found.filed_month
            writes.append(people.put_filer(jurisdiction, month, report, nobody))
            writes.append(people.forget_filer(jurisdiction, found.reporter))
        return Addition(after, {}, writes)

    op = operation(actor, ERASED, report, "")
    add(actor, op, report, ERASED, change, now)


def _tickets(head: Report, nobody: str) -> list[Write]:
    """The tickets of the reporter's photos, without whose they were."""
    found: list[Write] = []
    for photo in head.pictures:
        ticket = reports.photo(head.jurisdiction, photo)
        if ticket and ticket[1].get("owner") == head.reporter:
            seen, doc = ticket
            owned = {**doc, "owner": nobody}
            found.append(reports.put_photo(head.jurisdiction, photo, owned, seen=seen))
    return found


def _words(head: Report) -> list[str]:
    """The names of the texts that the reporter wrote."""
    found, after = list[str](), 0
    while links := reports.timeline(head.jurisdiction, head.id, after, PAGE):
        for text, _ in links:
            event = json.loads(text)
            wrote = event["actor"]["kind"] == "citizen" and event["actor"]["role"] == "reporter"
            if wrote or event["action"] in ("file", "import"):
                names = (people.text_name(event["version"], one["field"]) for one in event["words"])
                found += names
            after = event["version"]
    return found


def _delete_pictures(head: Report) -> None:
    place, gone = head.jurisdiction, list[str]()
    for photo in head.photos:
        gone += [photo_files.quarantined(place, photo), photo_files.original(place, photo)]
        picture = head.pictures.get(photo, {})
        if cut := picture.get("cut"):
            held = Files(place, photo, cut)
            for rev in range(1, picture["rev"] + 1):
                gone += held.by_name(rev).values()
    files.delete(gone)
