"""Undoing an import: its reports leave every list, map, count and file; their timelines stay.

A timeline is never deleted: each report gets one more event, ``import_undone``, after which only
the system knows of it. Reports on which somebody has worked here stay as they are. Each step is one
transaction that also removes the report from the import's list, so an undoing that was interrupted
continues where it stopped.

Tests: tests/integration/test_import_undo.py
"""

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.city.city import City
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.errors import Problem
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import imports, reports, timeline_rows
from chalicelib.storage.transactions import Write

UNDONE = "import_undone"
PAGE = 100
_EVENTS_AT_MOST = 50


def undo(city: City, run: str, now: datetime, *, dry: bool = False) -> Counter[str]:
    """Undo an import. Returns how many reports were ``undone``, and how many ``kept`` because
    somebody has worked on them. ``dry``: only count.

    Raises ``Problem``: not_found, if there is no such import.
    """
    jurisdiction, counts, after = city.jurisdiction, Counter[str](), ""
    known = imports.load(jurisdiction, run)
    if known is None:
        raise Problem("not_found", field="import")
    while page := imports.reports(jurisdiction, run, after, PAGE):
        for report in page:
            head = reports.get(jurisdiction, report)
            if head is not None and not head.undone:
                done = _untouched(head) if dry else _undo(city, head, run, now)
                counts["undone" if done else "kept"] += 1
        after = page[-1]
    if not dry:
        undone = known.get("undone", 0) + counts["undone"]
        imports.save(jurisdiction, run, {**known, "undone": undone, "kept": counts["kept"]})
    return counts


def _undo(city: City, head: Report, run: str, now: datetime) -> bool:
    actor, done = system(city.jurisdiction), list[bool]()
    ((imported, _),) = timeline_rows.timeline(city.jurisdiction, head.id, 0, 1)
    origin = json.loads(imported)["data"]
    forget: list[Write] = [
        imports.delete_report(city.jurisdiction, run, head.id),
        imports.delete_old(city.jurisdiction, origin["source"], origin["old"]),
    ]

    def change(seen: Seen, present: City) -> Addition | None:
        report = seen.report
        done.clear()
        if report.undone or not _untouched(report):
            return None
        after = replace(report, undone=True)
        if report.open:
            after = replace(
                after,
                state="closed",
                resolution="withdrawn",
                closed_at=now,
                closed_month=city.month(now),
            )
        done.append(True)
        return Addition(after, {}, forget, {"run": run})

    op = keyed_operation(actor, UNDONE, f"{run}:{head.id}", "")
    add(actor, op, head.id, UNDONE, change, now)
    return bool(done)


def _untouched(head: Report) -> bool:
    """Whether only the system has changed the report since it was imported."""
    if head.version == 1:
        return True
    if head.supports or head.merged or head.merged_into:
        return False
    events = timeline_rows.timeline(head.jurisdiction, head.id, 0, _EVENTS_AT_MOST + 1)
    kinds = {json.loads(text)["actor"]["kind"] for text, _ in events}
    return kinds == {"system"} and len(events) <= _EVENTS_AT_MOST
