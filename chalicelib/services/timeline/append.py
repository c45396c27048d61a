"""Changes that carry no version: each is applied to the newest head, and retried on a conflict.

Many people may support a report at the same moment, and a photo may become ready while an official
acts. Such changes do not depend on each other, so a conflict is no reason to refuse one.

Tests: tests/integration/test_engagement.py
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.events import EventText
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.timeline_types import EventData
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import rate_limits
from chalicelib.services.platform.idempotency import (
    KeyedOperation,
    Outcome,
    earlier_outcome,
    run_once,
    write_with_key,
)
from chalicelib.services.timeline import access
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.change import Change, change_writes
from chalicelib.storage import people, reports
from chalicelib.storage.transactions import Refused, Unavailable, Write, wait

# If many people change one report at once, each round of attempts lets at least one through.
ATTEMPTS = 40
# How often to try again after a write that was not done because storage was unavailable.
UNAVAILABLE_RETRIES = 3


@dataclass(frozen=True)
class Addition:
    """The changed report and what belongs to the change.

    ``answer``: fields of the answer besides the report's id and version. ``writes``: more writes of
    the same transaction. ``data``: the event's data. ``name``: the event's name, if it is another
    than the caller asked for.
    """

    report: Report
    answer: dict[str, Any]
    writes: list[Write] = field(default_factory=list)
    data: EventData | None = None
    name: str | None = None


MakeAddition = Callable[[Seen, City], Addition | None]


def add(  # noqa: PLR0913 (the last three are for a few callers only)
    actor: Principal,
    op: KeyedOperation,
    report_id: str,
    name: str,
    change: MakeAddition,
    now: datetime,
    words: tuple[EventText, ...] = (),
    *,
    skip_access: bool = False,
    usage: rate_limits.Usage = rate_limits.UNLIMITED,
) -> Outcome:
    """Apply a change to the newest head and write it with its event, once per idempotency key.

    ``change`` is called with the newest report at each attempt; if it returns ``None``, nothing is
    written and the answer is empty. ``skip_access``: do not check whether the actor may see the
    report. ``usage``: rate limits that this counts against, given back if nothing is written.
    """
    request = _Request(actor, op, report_id, name, change, now, words, skip_access)

    def attempt() -> Outcome:
        failures = 0
        for number in range(ATTEMPTS):
            wait(number)
            try:
                outcome = _try(request)
            except Unavailable:
                failures += 1
                if failures > UNAVAILABLE_RETRIES:
                    raise
                continue
            if outcome is not None:
                return outcome
        raise Unavailable

    return run_once(op, lambda: rate_limits.run_limited(actor.jurisdiction, usage, now, attempt))


@dataclass(frozen=True)
class _Request:
    """The parameters of ``add`` that each attempt needs."""

    actor: Principal
    op: KeyedOperation
    report_id: str
    name: str
    change: MakeAddition
    now: datetime
    words: tuple[EventText, ...]
    skip_access: bool


def _try(request: _Request) -> Outcome | None:
    """One attempt on the newest head; ``None`` if another change was written first."""
    actor, op, now = request.actor, request.op, request.now
    seen = _load(actor, request.report_id, request.skip_access)
    added = request.change(seen, cities.promised(seen.report))
    if added is None:
        return Outcome({}, wrote=False)
    after = replace(added.report, version=seen.report.version + 1, changed_at=now)
    change = Change(added.name or request.name, seen.report, after, request.words, added.data)
    writes = change_writes(change, actor, op, now, seen.standing)
    answer = {"id": request.report_id, "version": after.version, **added.answer}
    try:
        return write_with_key(op, [*writes, *added.writes], answer)
    except Refused as refusal:
        if refusal.labels & people.ONCE:
            return _already_done(actor, seen.report, added.answer)
        return earlier_outcome(op)


def _already_done(actor: Principal, report: Report, answer: dict[str, Any]) -> Outcome:
    """The answer for something that this person did before under another key: present numbers."""
    newest = reports.get(actor.jurisdiction, report.id) or report
    present = {name: getattr(newest, name, value) for name, value in answer.items()}
    return Outcome({"id": report.id, "version": newest.version, **present}, wrote=False)


def _load(actor: Principal, report_id: str, skip_access: bool) -> Seen:
    if not skip_access:
        return access.load(actor, report_id)
    report = reports.get(actor.jurisdiction, report_id)
    if report is None:
        raise Problem("not_found")
    return Seen(report, frozenset({"reporter"}), is_reporter=True)
