"""What people left on a report: the names of their texts, and their photos.

Tests: tests/integration/test_erasure.py
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from chalicelib.domain.photos import ERASED
from chalicelib.domain.report import Report
from chalicelib.domain.row_types import Ticket
from chalicelib.storage import photo_tickets, report_texts, timeline_rows

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
    wrote, and, for older texts without an author, what was written in the role of reporter.

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
            for committed in event["words"]:
                name = report_texts.text_name(event["version"], committed["field"])
                if name in stored:
                    by = stored[name].get("by")
                    theirs = filed or stored[name].get("filed") or reporters
                    if filed or (by in own if by else theirs):
                        yield name
        after = last


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
