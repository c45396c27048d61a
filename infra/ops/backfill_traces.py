"""Writes indexes for rows of an older version: personal data (``BY#<uid>``), and read contacts.

It reads the tables of reports, people and events by pages and stores its position after each page.
It changes no existing row, but tickets of unused photos get the expiry that older ones lack. An
event names no citizen, so it cannot know who wrote an old comment on another person's report: an
erasure finds such a text only on the author's own reports.
"""

from contextlib import suppress
from typing import Any

PAGE = 100
_REPORTS, _PEOPLE = "backfill-traces-reports", "backfill-traces-people"
_EVENTS = "backfill-traces-events"


def run() -> dict[str, int]:
    """Continue until done. Returns {"traces": number of rows written}."""
    return {"traces": _of_reports() + _of_people() + _of_events()}


def _of_reports() -> int:
    from chalicelib.storage import control, people, reports

    written, cursor = 0, control.stored_cursor(_REPORTS)
    while True:
        heads, tickets, cursor = reports.owners_page(cursor, PAGE)
        rows: list[Any] = [
            people.put_trace(jurisdiction, uid, people.FILED, report)
            for jurisdiction, report, uid in heads
            if people.is_person(uid)
        ]
        rows += [
            people.put_trace(jurisdiction, uid, people.PHOTO, "-", photo)
            for jurisdiction, photo, uid in tickets
            if people.is_person(uid)
        ]
        written += _write(rows)
        _let_expire(tickets)
        control.store_cursor(_REPORTS, cursor)
        if cursor is None:
            return written


def _let_expire(tickets: list[tuple[str, str, str]]) -> None:
    from chalicelib.storage import photo_tickets
    from chalicelib.storage.transactions import Refused, commit

    for jurisdiction, photo, _ in tickets:
        stored = photo_tickets.photo(jurisdiction, photo)
        if stored and "report" not in stored[1]:
            with suppress(Refused):  # It is used now.
                commit([photo_tickets.put_photo(jurisdiction, photo, stored[1], seen=stored[0])])


def _of_people() -> int:
    from chalicelib.storage import control, people

    written, cursor = 0, control.stored_cursor(_PEOPLE)
    while True:
        marks, cursor = people.marks_page(cursor, PAGE)
        rows: list[Any] = [
            people.put_trace(jurisdiction, uid, kind, report, detail)
            for jurisdiction, report, kind, uid, detail in marks
            if people.is_person(uid)
        ]
        written += _write(rows)
        control.store_cursor(_PEOPLE, cursor)
        if cursor is None:
            return written


def _of_events() -> int:
    """The contacts that officials have read, from the events of reading."""
    from chalicelib.domain.timestamps import parse
    from chalicelib.storage import access_index, control, timeline_rows

    written, cursor = 0, control.stored_cursor(_EVENTS)
    while True:
        events, cursor = timeline_rows.events_page(cursor, PAGE)
        rows: list[Any] = [
            access_index.put_contact_read(
                event["jurisdiction"], event["actor"]["uid"] or "", parse(event["at"]),
                event["report"], event["version"],
            )
            for event in events
            if event["action"] == "contact_read"
        ]  # fmt: skip
        written += _write(rows)
        control.store_cursor(_EVENTS, cursor)
        if cursor is None:
            return written


def _write(rows: list[Any]) -> int:
    from chalicelib.storage.transactions import commit

    for start in range(0, len(rows), PAGE):
        commit(rows[start : start + PAGE])
    return len(rows)
