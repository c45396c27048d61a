"""The events of reports: appended, read by version, and read as a whole by commands."""

import json
from collections.abc import Iterator

from chalicelib.domain import event_parts
from chalicelib.domain.events import Link
from chalicelib.domain.hash_chain import Entry
from chalicelib.domain.timeline_types import Event
from chalicelib.storage import tables
from chalicelib.storage.transactions import Put, read


def put_event(jurisdiction: str, report: str, link: Link) -> Put:
    """Append an event; it never replaces another."""
    text, stamp, inside, salt = link.entry
    row = tables.Event(
        _key(jurisdiction, report), link.version, event=text, hash=stamp, inside=inside, salt=salt
    )
    return Put("event", row, tables.Event.pk.does_not_exist())


def event(jurisdiction: str, report: str, version: int) -> Event | None:
    """One event, read consistently."""
    key = _key(jurisdiction, report)

    def action() -> Event | None:
        try:
            row = tables.Event.get(key, version, consistent_read=True)
        except tables.Event.DoesNotExist:
            return None
        event_doc: Event = json.loads(event_parts.whole(row.event, row.inside))
        return event_doc

    event_doc: Event | None = read(action)
    return event_doc


def timeline(jurisdiction: str, report: str, after: int, limit: int) -> list[tuple[str, str]]:
    """(whole event as JSON, hash) pairs after a version, oldest first."""
    entries = chain(jurisdiction, report, after, limit)
    return [(event_parts.whole(entry.text, entry.inside), entry.hash) for entry in entries]


def chain(jurisdiction: str, report: str, after: int, limit: int) -> list[Entry]:
    """The events after a version as they are stored and hashed, oldest first."""
    key = _key(jurisdiction, report)
    rows: list[tables.Event] = read(
        lambda: list(
            tables.Event.query(key, tables.Event.version > after, limit=limit, consistent_read=True)
        )
    )
    return [Entry(row.event, row.hash, row.inside, row.salt) for row in rows]


def whole_timeline() -> Iterator[tuple[str, str]]:
    """Every event of every report, by a Scan: only for ``make rebuild``."""
    for row in tables.Event.scan():
        yield event_parts.whole(row.event, row.inside), row.hash


def events_page(after: str | None, limit: int) -> tuple[list[Event], str | None]:
    """(events after a key, next key), by a Scan: only for ``infra.ops.backfill_traces``."""
    start = None
    if after:
        pk, version = json.loads(after)
        start = {"pk": {"S": pk}, "version": {"N": version}}
    rows = tables.Event.scan(limit=limit, page_size=limit, last_evaluated_key=start)
    events = [json.loads(event_parts.whole(row.event, row.inside)) for row in rows]
    last_key = rows.last_evaluated_key
    return events, json.dumps([last_key["pk"]["S"], last_key["version"]["N"]]) if last_key else None


def _key(jurisdiction: str, report: str) -> str:
    return f"{jurisdiction}#R#{report}"
