"""What people left on a report: the names of their texts, and their photos.

Tests: tests/integration/test_erasure.py
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from chalicelib.domain.photos import ERASED
from chalicelib.domain.report import Report
from chalicelib.domain.row_types import Ticket
from chalicelib.domain.timeline_types import Event
from chalicelib.storage import people, photo_tickets, report_texts, timeline_rows

PAGE = 200
_FILING = ("file", "import")
SeenTicket = tuple[int, Ticket]


@dataclass
class Contents:
    """What a person left on one report: names of texts, and ids of photos."""

    texts: list[str] = field(default_factory=list)
    photos: list[str] = field(default_factory=list)


def report_of(jurisdiction: str, photo: str) -> str | None:
    """The report that uses a photo, if any."""
    ticket = photo_tickets.photo(jurisdiction, photo)
    report = ticket[1].get("report") if ticket else None
    return str(report) if report else None


def reporter_texts(head: Report, own: frozenset[str], pages: int | None = None) -> Iterator[str]:
    """The names of the reporter's texts that still exist: what was filed, what the uids ``own``
    wrote, and, for older texts without an author, what was written in the role of reporter or
    passed on as said by the person who filed.

    ``pages``: read only so many pages of the timeline.
    """
    after = 0
    while pages is None or after < pages * PAGE:
        links = timeline_rows.timeline(head.jurisdiction, head.id, after, PAGE)
        if not links:
            return
        events = [json.loads(text) for text, _ in links]
        last = events[-1]["version"]
        stored = report_texts.texts(head.jurisdiction, head.id, after + 1, last)
        for event in events:
            actor, filed = event["actor"], event["action"] in _FILING
            reporters = actor["kind"] == "citizen" and actor["role"] == "reporter"
            reporters = reporters or _said_by_filer(event)
            for committed in event["words"]:
                name = report_texts.text_name(event["version"], committed["field"])
                if name in stored:
                    by = stored[name].get("by")
                    theirs = filed or stored[name].get("filed") or reporters
                    if filed or (by in own if by else theirs):
                        yield name
        after = last


def _said_by_filer(event: Event) -> bool:
    # What is said of a duplicate belongs to the duplicate.
    data = event["data"]
    return data.get("said_by") == "filer" and "duplicate" not in data


def passed_on(jurisdiction: str, report: str) -> Iterator[tuple[str, Contents]]:
    """(report, contents): what another system passed on from the person who filed ``report``. It is
    on that report, or on the original into which it was merged."""
    author, after = people.released_uid(report), ""
    while page := people.traces(jurisdiction, author, after, PAGE):
        after = people.trace_name(*page[-1])
        by_report: dict[str, Contents] = defaultdict(Contents)
        for kind, other, detail in page:
            if kind == people.TEXT:
                by_report[other].texts.append(detail)
            elif kind == people.PHOTO and (used := report_of(jurisdiction, detail)):
                by_report[used].photos.append(detail)
        yield from sorted(by_report.items())


def reporter_photos(head: Report, own: frozenset[str]) -> Iterator[str]:
    """The photos that were filed with the report or that its reporter added."""
    tickets = photo_tickets.photos(head.jurisdiction, head.pictures)
    for photo in head.pictures:
        ticket = tickets.get(photo)
        theirs = photo in head.photos or (ticket and ticket[1].get("owner") in own)
        if ticket and theirs and not is_erased(ticket):
            yield photo


def is_erased(ticket: SeenTicket) -> bool:
    return bool(ticket[1]["state"] == ERASED)
