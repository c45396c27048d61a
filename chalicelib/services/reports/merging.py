"""What merging writes on the other reports: the original that grows, the rights of reporters.

A duplicate is closed and named among the original's. Where the original turns out to be no report
of the city's, the oldest duplicate is opened again and the others are merged into it, one a step
of the clock (``services.sla.sweep``).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.actions.protection import TAKE
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.services.platform.idempotency import KeyedOperation
from chalicelib.services.timeline.change import Change, change_writes
from chalicelib.storage import people, reports
from chalicelib.storage.transactions import Delete, Put, Write

ACTIONS = frozenset({"merge", "unmerge", "remerge", TAKE})
# What the labels of writes on another report begin with.
OTHER = "other:"


def writes_on_originals(
    op: KeyedOperation,
    actor: Principal,
    name: str,
    before: Report,
    after: Report,
    judged: Report | None,
    now: datetime,
) -> list[Write]:
    """What ``merge``, ``unmerge``, ``remerge`` or ``take`` of ``before`` writes on its originals.

    ``judged`` is the original as the rules have seen it: the write fails if it has changed since.
    """
    writes: list[Write] = []
    if before.merged_into and (left := _as_judged(before, before.merged_into, judged)):
        opened = before.id if name == "unmerge" and actor.kind == "system" else None
        writes += _left(op, actor, before, left, opened, now)
    if after.merged_into and (into := _as_judged(before, after.merged_into, judged)):
        writes += _joined(op, actor, before, into, now)
    return [replace(one, label=f"{OTHER}{one.label}") for one in writes]


def oldest_duplicate(original: Report) -> Report | None:
    """The oldest report that is still merged into this one.

    One that is proposed for protection is freed like any other: whatever is decided about it, it
    would be left with an original that was put aside.
    """
    place = original.jurisdiction
    for one in people.duplicates(place, original.id):
        head = reports.get(place, one)
        if head is not None and head.merged_into == original.id:
            return head
    return None


def successor(original: Report) -> Report | None:
    """The report that the others were told to follow, if it is still open; never a private one,
    which the reporters of the others would get to see."""
    if original.succeeded_by is None:
        return None
    head = reports.get(original.jurisdiction, original.succeeded_by)
    return head if head is not None and head.open and not head.hidden else None


def _as_judged(report: Report, other: str, judged: Report | None) -> Report | None:
    if judged is not None and judged.id == other:
        return judged
    return reports.get(report.jurisdiction, other)


def _joined(
    op: KeyedOperation, actor: Principal, duplicate: Report, into: Report, now: datetime
) -> list[Write]:
    grown = _next(into, now, merged=into.merged + 1)
    return [
        *_change_writes(Change("merge_in", into, grown), op, actor, duplicate, now),
        *_rights(duplicate, into.id, people.put_mark, people.put_trace),
    ]


def _left(
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
    data = {"duplicate": duplicate.id, **({"private": True} if duplicate.private else {})}
    return change_writes(replace(change, data=data), actor, op, now)


def _rights(
    duplicate: Report,
    original: str,
    mark: Callable[[str, str, str, str], Put | Delete],
    trace: Callable[[str, str, str, str, str], Put | Delete],
) -> list[Write]:
    # Every reporter of the duplicate keeps a reporter's rights in what it is merged into: its own
    # by name, those of duplicates of its own by way of it.
    place = duplicate.jurisdiction
    writes: list[Write] = [mark(place, original, people.DUPLICATE, duplicate.id)]
    if duplicate.reporter:
        right = people.right_name(duplicate.reporter, duplicate.id)
        writes.append(mark(place, original, people.RIGHT, right))
        writes.append(trace(place, duplicate.reporter, people.RIGHT, original, duplicate.id))
    elif duplicate.via and mark is people.delete_mark:
        # A channel gets no right; one of before channels were told from people goes.
        right = people.right_name(duplicate.via, duplicate.id)
        writes.append(mark(place, original, people.RIGHT, right))
    if duplicate.merged or duplicate.merged_into:
        writes.append(mark(place, original, people.VIA, duplicate.id))
    return writes


def _next(report: Report, now: datetime, **changed: Any) -> Report:
    return replace(report, version=report.version + 1, changed_at=now, **changed)
