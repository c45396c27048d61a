"""What merging writes on other reports: the original's count of duplicates, and reporters' rights.

A duplicate is closed and merged into the original. If the original is closed as not a matter of the
city, the oldest duplicate is opened again and the others are merged into it, one in each run of the
sweep (``services.sla.sweep``).

What people say of a duplicate afterwards belongs to the original (``continued_as``).

Tests: tests/integration/test_merging.py, tests/integration/test_stranded.py
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.actions.protection import TAKE
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.timeline_types import EventData
from chalicelib.errors import Problem
from chalicelib.services.platform.idempotency import KeyedOperation
from chalicelib.services.timeline.change import Change, change_writes
from chalicelib.storage import people, reports
from chalicelib.storage.transactions import Delete, Put, Write

ACTIONS = frozenset({"merge", "unmerge", "remerge", TAKE})
# The prefix of the labels of writes on another report.
OTHER = "other:"
# How many merged reports, each merged into the next, are followed.
DEPTH = 8


def writes_on_originals(
    op: KeyedOperation,
    actor: Principal,
    change: Change,
    judged: Report | None,
    now: datetime,
) -> list[Write]:
    """What a change of ``ACTIONS`` (merge, unmerge, …) writes on the report's originals.

    ``judged`` is the original that the rules were checked on: the write fails if it has changed
    since then.
    """
    before, after = change.before, change.after
    writes: list[Write] = []
    if before.merged_into and (left := _original(before, before.merged_into, judged)):
        opened = before.id if change.name == "unmerge" and actor.kind == "system" else None
        writes += _leave(op, actor, before, left, opened, now)
    if after.merged_into and (into := _original(before, after.merged_into, judged)):
        writes += _join(op, actor, before, into, now)
    return [replace(write, label=f"{OTHER}{write.label}") for write in writes]


def continued_as(report: Report) -> Report | None:
    """The report that continues a merged one: its original, or the original of that.

    ``None`` for a report that is not merged, and if not everybody may know of the original.
    """
    head = report
    for _ in range(DEPTH):
        if head.merged_into is None:
            break
        original = reports.get(head.jurisdiction, head.merged_into)
        if original is None or original.hidden:
            return None
        head = original
    return None if head is report or head.merged_into else head


def pointed_on(refusal: Problem, report: Report) -> Problem:
    """The refusal of an action on a merged report, with the report on which it is possible."""
    if refusal.slug != "wrong_state" or (original := continued_as(report)) is None:
        return refusal
    return Problem("report_merged", **{**refusal.members, "merged_into": original.id})


def oldest_duplicate(original: Report) -> Report | None:
    """The oldest report that is still merged into this one, also if it is proposed for protection:
    its original was rejected, so it cannot stay merged."""
    for duplicate in people.duplicates(original.jurisdiction, original.id):
        head = reports.get(original.jurisdiction, duplicate)
        if head is not None and head.merged_into == original.id:
            return head
    return None


def successor(original: Report) -> Report | None:
    """The report that the other duplicates are to be merged into, if it is still open. Never a
    private one: reporters of the others would see it."""
    if original.succeeded_by is None:
        return None
    head = reports.get(original.jurisdiction, original.succeeded_by)
    return head if head is not None and head.open and not head.hidden else None


def _original(report: Report, other: str, judged: Report | None) -> Report | None:
    if judged is not None and judged.id == other:
        return judged
    return reports.get(report.jurisdiction, other)


def _join(
    op: KeyedOperation, actor: Principal, duplicate: Report, into: Report, now: datetime
) -> list[Write]:
    grown = _next(into, now, merged=into.merged + 1)
    return [
        *_change_writes(Change("merge_in", into, grown), op, actor, duplicate, now),
        *_rights(duplicate, into.id, people.put_mark, people.put_trace),
    ]


def _leave(
    op: KeyedOperation,
    actor: Principal,
    duplicate: Report,
    original: Report,
    opened: str | None,
    now: datetime,
) -> list[Write]:
    shrunk = _next(
        original,
        now,
        merged=max(0, original.merged - 1),
        succeeded_by=opened or original.succeeded_by,
    )
    return [
        *_change_writes(Change("unmerge_from", original, shrunk), op, actor, duplicate, now),
        *_rights(duplicate, original.id, people.delete_mark, people.delete_trace),
    ]


def _change_writes(
    change: Change, op: KeyedOperation, actor: Principal, duplicate: Report, now: datetime
) -> list[Write]:
    # A private duplicate is named to officials alone: its exact place is that of this report.
    data: EventData = {"duplicate": duplicate.id}
    if duplicate.private:
        data["private"] = True
    return change_writes(replace(change, data=data), actor, op, now)


def _rights(
    duplicate: Report,
    original: str,
    mark: Callable[[str, str, str, str], Put | Delete],
    trace: Callable[[str, str, str, str, str], Put | Delete],
) -> list[Write]:
    """The rows that give reporters of the duplicate a reporter's rights on the original: its own
    reporter by uid, reporters of its own duplicates through it (``VIA``)."""
    jurisdiction = duplicate.jurisdiction
    writes: list[Write] = [mark(jurisdiction, original, people.DUPLICATE, duplicate.id)]
    if duplicate.reporter:
        right = people.right_name(duplicate.reporter, duplicate.id)
        writes.append(mark(jurisdiction, original, people.RIGHT, right))
        writes.append(trace(jurisdiction, duplicate.reporter, people.RIGHT, original, duplicate.id))
    elif duplicate.via and mark is people.delete_mark:
        # Channels have no rights, but rows of older versions may have given them one.
        right = people.right_name(duplicate.via, duplicate.id)
        writes.append(mark(jurisdiction, original, people.RIGHT, right))
    if duplicate.merged or duplicate.merged_into:
        writes.append(mark(jurisdiction, original, people.VIA, duplicate.id))
    return writes


def _next(report: Report, now: datetime, **changed: Any) -> Report:
    return replace(report, version=report.version + 1, changed_at=now, **changed)
