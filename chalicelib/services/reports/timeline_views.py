"""What each audience sees of a report's timeline.

Tests: tests/integration/test_protection.py
"""

import json
from collections.abc import Mapping
from typing import cast

from chalicelib.domain import event_parts
from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import promised_in
from chalicelib.domain.row_types import StoredText
from chalicelib.domain.timeline_types import Event, EventData
from chalicelib.services.platform.answer_types import By, TimelineRow
from chalicelib.storage.report_texts import text_name

# Fields of an event's data that only officials see.
_OFFICIAL_DATA = frozenset({"person", "proof", "former"})
IMPORT = "import"
# What everybody sees of every event, so that the hash chain can be checked.
_CHAIN = ("version", "at", "action", "hash", "prev")


def event_rows(
    links: list[tuple[str, str]],
    texts: Mapping[str, StoredText],
    *,
    inside: bool,
    whole: bool = False,
) -> list[TimelineRow]:
    """The events for the public, or for officials (``inside``), with the texts of that audience.

    ``links``: (event as JSON, its hash). ``whole``: for the reporter, with the events of a time
    when the report was protected. An event that the audience may not see shows only its chain.
    """
    rows: list[TimelineRow] = []
    for text, digest in links:
        event: Event = json.loads(text)
        official = event["action"] in event_parts.officials_only()
        official = official or (while_protected(event) and not whole)
        if official and not inside:
            rows.append(_chain_row(event, digest))
            continue
        words = {
            word["field"]: texts[name]["text"]
            for word in event["words"]
            if (inside or word["audience"] == "public")
            and (name := text_name(event["version"], word["field"])) in texts
        }
        actor = event["actor"]
        by: By = {"kind": actor["kind"], "role": actor["role"], "unit": actor["unit"]}
        if inside:
            by["uid"] = actor["uid"]
        data = {
            key: value
            for key, value in event["data"].items()
            if inside or not _for_officials(key, event["data"])
        }
        row = _chain_row(event, digest)
        row["action"] = event["action"]
        row["by"] = by
        row["state"] = event["after"]["state"]
        row["resolution"] = event["after"]["resolution"]
        row["unit"] = event["after"]["unit"]
        # Older imports have no mark of history.
        imported = event["action"] == IMPORT
        row["due_at"] = None if imported else promised_in(event["after"])
        row["data"] = cast(EventData, data)
        row["words"] = words
        rows.append(row)
    return rows


def private_event_rows(links: list[tuple[str, str]]) -> list[TimelineRow]:
    """The events of a private report for everybody: what was done and by whom, without texts,
    reasons, pictures or ids of other reports."""
    kept = (*_CHAIN, "by", "state", "resolution", "unit", "due_at")
    rows = event_rows(links, {}, inside=False)
    return [
        cast(TimelineRow, {name: value for name, value in row.items() if name in kept})
        for row in rows
    ]


def without_other_reports(report: Report, rows: list[TimelineRow]) -> list[TimelineRow]:
    """The rows without the id of another report that has the same photo of the reporter: it would
    show that both reports are of one person. For photos of officials the id stays."""
    return [
        {**row, "data": {**row["data"], "of": None}} if _names_other(report, row) else row
        for row in rows
    ]


def while_protected(event: Event) -> bool:
    """Whether the report was protected before or after this event."""
    before = event["before"]
    return event["after"]["protected"] or bool(before and before["protected"])


def _names_other(report: Report, row: TimelineRow) -> bool:
    data = row.get("data", EventData())
    of = data.get("of")
    return bool(of and of.get("report") != report.id and data.get("photo") in report.photos)


def _for_officials(key: str, data: EventData) -> bool:
    private_duplicate = bool(data.get("private")) and key in ("duplicate", "private")
    return key in _OFFICIAL_DATA or private_duplicate


def _chain_row(event: Event, digest: str) -> TimelineRow:
    return {
        "version": event["version"],
        "at": event["at"],
        "action": "inside",
        "hash": digest,
        "prev": event["prev"],
    }
