"""What follows from an event: counters and messages, in one transaction with a seen marker.

At least once and in any order between reports; a marker an event makes it exactly once. Nothing
here reads a head: the event holds what is counted, before and after
(docs/decisions/projections.md).
"""

import json
from typing import Any

from chalicelib.domain import alerts, tallies
from chalicelib.storage import control, figures
from chalicelib.storage.transactions import Refused, Write, commit

NAME = "live"


def apply(event: dict[str, Any]) -> bool:
    """Count one event of the timeline; whether it was news. One transaction, whatever happens.

    Raises ``Unavailable`` or ``Unknown`` where it must be delivered again.
    """
    place, report, version = event["jurisdiction"], event["report"], event["version"]
    writes: list[Write] = [control.put_seen(NAME, place, report, version)]
    for (month, area), changes in sorted(tallies.deltas(event).items()):
        writes.append(figures.add(place, month, area, changes))
    for message in alerts.messages(event):
        # The id sorts by time and is the same at every delivery of the event.
        name = f"{event['at']}#{message['dedupe']}"
        writes.append(control.put_outbox(name, message))
    try:
        commit(writes)
    except Refused:
        return False
    return True


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
