"""What follows from an event: counters and messages, in one transaction with a seen marker.

At least once and in any order between reports; a marker an event makes it exactly once. Counters
never read a head: the event holds what is counted, before and after
(docs/decisions/projections.md).
"""

import json
from datetime import datetime
from typing import Any

from chalicelib import clock
from chalicelib.domain import photos, tallies
from chalicelib.domain.map import changelog, heat_counters
from chalicelib.domain.map.pin import pack, pin_of
from chalicelib.domain.notifications import alerts
from chalicelib.domain.open311 import forwarding, updates
from chalicelib.domain.scorecards.statistics import RECHECKED, shifted
from chalicelib.domain.sla import periods
from chalicelib.domain.timestamps import iso
from chalicelib.services.city import cities
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


def apply(event: dict[str, Any], now: datetime | None = None) -> bool:
    """Count one event of the timeline; whether it was news. One transaction, whatever happens.

    Raises ``Unavailable`` or ``Unknown`` where it must be delivered again.
    """
    place, report, version = event["jurisdiction"], event["report"], event["version"]
    now = now or clock.now()
    writes: list[Write] = [control.put_seen(NAME, place, report, version)]
    for (month, area), moved in sorted(tallies.deltas(event).items()):
        writes.append(stored_tallies.add(place, month, area, moved))
    for (partition, cell), moved in sorted(heat_counters.deltas(event).items()):
        writes.append(heat_store.add(place, partition, cell, moved))
    for message in (*alerts.messages(event), *_jobs(event), *_forwards(event, now)):
        # The id sorts by time and is the same at every delivery of the event.
        name = f"{event['at']}#{message['dedupe']}"
        writes.append(control.put_outbox(name, message))
    if (told := updates.row_of(event)) is not None:
        writes.append(open311_requests.put_update(place, told))
    row, late = _score(event)
    writes += late
    if (event["before"] or {}).get("protected") is False and event["after"]["protected"]:
        month = event["after"]["filed_month"]
        writes.append(scorecards.hide(place, report, month, iso(now)))
    newest: list[Write] = [
        row,
        open311_requests.put_request(place, open311_requests.row_of(event), event),
    ]
    if (pin := changelog.change(event)) is not None:
        newest.append(map_changes.put_change(place, report, version, pin, now))
    try:
        commit([*writes, *newest])
    except Refused as refusal:
        if not refusal.labels <= {open311_requests.LABEL, row.label}:
            return False
        return _counted(event, writes, now)
    return True


def _jobs(event: dict[str, Any]) -> list[dict[str, Any]]:
    """What the event leaves to the function of photos, as messages."""
    place, report = event["jurisdiction"], event["report"]
    known = {"kind": "photo", "jurisdiction": place, "report": report}
    return [
        {
            **known,
            **job,
            "dedupe": f"{place}:{report}:{event['version']}:{job['task']}:{job['photo']}",
        }
        for job in photos.jobs(event)
    ]


def _forwards(event: dict[str, Any], now: datetime) -> list[dict[str, Any]]:
    """The message by which a report goes to the system of the unit that has it from now on."""
    place = event["jurisdiction"]
    job = forwarding.job(event, cities.current(place, now))
    if job is None:
        return []
    return [forwarding.message(place, event["report"], job["unit"], job["round"])]


def _counted(event: dict[str, Any], writes: list[Write], now: datetime) -> bool:
    # A later event of the report has been here before this one: its rows are the newer. What it
    # left on the map may not have been news to it, so whoever watches is told how things stand.
    place, report, version = event["jurisdiction"], event["report"], event["version"]
    if changelog.change(event) is not None and (head := reports.get(place, report)):
        shown = changelog.GONE if head.hidden or not head.open else pack(pin_of(head))
        writes = [*writes, map_changes.put_change(place, report, version, shown, now)]
    try:
        commit(writes)
    except Refused:
        return False
    return True


def _score(event: dict[str, Any]) -> tuple[Put, list[Write]]:
    """The report's row in the scorecards, and flags on the months that closed long before."""
    place, row = event["jurisdiction"], event.get("score")
    if row is None:
        return score_rows.put_score(place, event["report"], event["version"], None, None), []
    city = cities.at(place, event["rules"])
    last = periods.last_month(row, city)
    closed = shifted(city.month_of(event["at"]), -RECHECKED)
    late = sorted(month for month in periods.months(row, city) if month < closed)
    flags: list[Write] = [scorecards.flag(place, month, event["at"]) for month in late]
    return score_rows.put_score(place, event["report"], event["version"], row, last), flags


def event_of(record: dict[str, Any]) -> dict[str, Any] | None:
    """The event in a stream record's new image; ``None`` for what is no new event.

    Raises ``ValueError`` for an image that cannot be read, which belongs to the dead letters.
    """
    if record.get("eventName") != "INSERT":
        return None
    try:
        event: dict[str, Any] = json.loads(record["dynamodb"]["NewImage"]["event"]["S"])
        schema = event["schema"]
    except (KeyError, TypeError) as error:
        raise ValueError("a stream record without an event") from error
    if schema != 1:
        raise ValueError(f"an event of schema {schema}")
    return event
