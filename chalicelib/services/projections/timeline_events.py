"""Projects an event: counters, rows and messages, in one transaction with a seen marker.

Events arrive at least once, and in any order between reports; the marker makes each count exactly
once. Counters never read a head: the event has the state before and after
(docs/decisions/projections.md).

Tests: tests/integration/test_state_machine.py
"""

import json
from datetime import datetime
from typing import Any

from chalicelib import clock
from chalicelib.domain import event_parts, photos, tallies, webhooks
from chalicelib.domain.map import changelog, heat_counters
from chalicelib.domain.map.pin import pack, pin_of
from chalicelib.domain.message_types import ForwardMessage, PhotoMessage, WebhookMessage
from chalicelib.domain.notifications import alerts
from chalicelib.domain.open311 import forwarding, updates
from chalicelib.domain.scorecards.statistics import RECHECKED
from chalicelib.domain.sla import periods
from chalicelib.domain.timeline_types import Event
from chalicelib.domain.timestamps import iso, shifted
from chalicelib.services.city import cities
from chalicelib.settings import settings
from chalicelib.storage import (
    control,
    map_changes,
    open311_requests,
    reports,
    score_rows,
    scorecards,
)
from chalicelib.storage import heat as heat_store
from chalicelib.storage import tallies as stored_tallies
from chalicelib.storage.transactions import Put, Refused, Write, commit

NAME = "live"
_SCHEMAS = (1, event_parts.SCHEMA)
SOURCE = "projection"


def apply(event: Event, now: datetime | None = None, holder: str | None = None) -> bool:
    """Project one event of the timeline, in one transaction. Returns whether it was new.

    ``holder``: the run that publishes the event's messages next (``storage.leases``).
    Raises ``Unavailable`` or ``Unknown`` if the event must be delivered again.
    """
    jurisdiction, report, version = event["jurisdiction"], event["report"], event["version"]
    now = now or clock.now()
    writes: list[Write] = [control.put_seen(NAME, jurisdiction, report, version)]
    for (month, area), deltas in sorted(tallies.deltas(event).items()):
        writes.append(stored_tallies.add(jurisdiction, month, area, deltas))
    for (partition, cell), deltas in sorted(heat_counters.deltas(event).items()):
        writes.append(heat_store.add(jurisdiction, partition, cell, deltas))
    for message in (*alerts.messages(event), *_photo_jobs(event), *_outside_messages(event, now)):
        # The name sorts by time and is the same at every delivery of the event.
        name = f"{event['at']}#{message['dedupe']}"
        writes.append(control.put_outbox(name, message, holder))
    if (update := updates.row_of(event)) is not None:
        writes.append(open311_requests.put_update(jurisdiction, update))
    row, late = _score_writes(event)
    writes += late
    before = event["before"]
    if before and not before["protected"] and event["after"]["protected"]:
        month = event["after"]["filed_month"]
        writes.append(scorecards.put_to_anonymise(jurisdiction, report, month, iso(now)))
    row_writes: list[Write] = [
        row,
        open311_requests.put_request(jurisdiction, open311_requests.row_of(event), event),
    ]
    if (pin := changelog.change(event)) is not None:
        row_writes.append(map_changes.put_change(jurisdiction, report, version, pin, now))
    try:
        commit([*writes, *row_writes])
    except Refused as refusal:
        if not refusal.labels <= {open311_requests.LABEL, row.label}:
            return False
        return _commit_without_rows(event, writes, now)
    return True


def _photo_jobs(event: Event) -> list[PhotoMessage]:
    """The messages to the photo function that follow from the event."""
    jurisdiction, report = event["jurisdiction"], event["report"]
    return [
        {
            "kind": "photo",
            "jurisdiction": jurisdiction,
            "report": report,
            **job,
            "dedupe": f"{jurisdiction}:{report}:{event['version']}:{job['task']}:{job['photo']}",
        }
        for job in photos.jobs(event)
    ]


def _outside_messages(event: Event, now: datetime) -> list[ForwardMessage | WebhookMessage]:
    """The messages to other systems: the new unit's own, if it has one, and the city's webhooks."""
    jurisdiction = event["jurisdiction"]
    city = cities.current(jurisdiction, now)
    messages: list[ForwardMessage | WebhookMessage] = [*webhooks.messages(event, city)]
    if (job := forwarding.job(event, city)) is not None:
        forward = forwarding.message(jurisdiction, event["report"], job["unit"], job["round"])
        messages.append(forward)
    return messages


def _commit_without_rows(event: Event, writes: list[Write], now: datetime) -> bool:
    # A later event of the report was projected first, so its rows stay. For the map, log the
    # present state: the later event may have seen no change of the pin.
    jurisdiction, report, version = event["jurisdiction"], event["report"], event["version"]
    if changelog.change(event) is not None and (head := reports.get(jurisdiction, report)):
        shown = changelog.GONE if head.hidden or not head.open else pack(pin_of(head))
        writes = [*writes, map_changes.put_change(jurisdiction, report, version, shown, now)]
    try:
        commit(writes)
    except Refused:
        return False
    return True


def _score_writes(event: Event) -> tuple[Put, list[Write]]:
    """The write of the report's scorecard row, and flags on months that closed long before."""
    jurisdiction, row = event["jurisdiction"], event.get("score")
    if row is None:
        return score_rows.put_score(jurisdiction, event["report"], event["version"], None, None), []
    city = cities.at(jurisdiction, event["rules"])
    last = periods.last_month(row, city)
    closed = shifted(city.month_of(event["at"]), -RECHECKED)
    late = sorted(month for month in periods.months(row, city) if month < closed)
    flags: list[Write] = [scorecards.flag(jurisdiction, month, event["at"]) for month in late]
    return score_rows.put_score(jurisdiction, event["report"], event["version"], row, last), flags


def name_of(record: dict[str, Any]) -> tuple[str, str]:
    """(jurisdiction, "report#version") of a stream record, for the note of one that fails."""
    keys = record.get("dynamodb", {}).get("Keys", {})
    jurisdiction, _, report = str(keys.get("pk", {}).get("S", "")).partition("#R#")
    return (
        jurisdiction or settings().jurisdiction,
        f"{report or '?'}#{keys.get('version', {}).get('N', '?')}",
    )


def event_of(record: dict[str, Any]) -> Event | None:
    """The event in a stream record's new image; ``None`` if the record is not an insert.

    Raises ``ValueError`` for an image that cannot be read, which belongs to the dead letters.
    """
    if record.get("eventName") != "INSERT":
        return None
    try:
        image = record["dynamodb"]["NewImage"]
        text, inside = image["event"]["S"], image.get("inside", {}).get("S")
        event: Event = json.loads(event_parts.whole(text, inside))
        schema = event["schema"]
    except (KeyError, TypeError) as error:
        raise ValueError("a stream record without an event") from error
    if schema not in _SCHEMAS or (inside is None) != (schema == 1):
        raise ValueError(f"an event of schema {schema}")
    return event
