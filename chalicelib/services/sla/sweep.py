"""The SLA clock: does what has fallen due, report by report, from the sparse due index alone.

Each step is one transaction with its event, under a key made of the report, its version and the
step: sweeps that overlap, are killed or are run again do nothing twice. What a sweep leaves
undone stays in the index, so a run that was missed, for a minute or a week, is caught up.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from chalicelib import observability
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.domain.sla import timers
from chalicelib.domain.sla.timers import ClockStep
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform.idempotency import Operation, Outcome
from chalicelib.services.reports import actions, merging
from chalicelib.storage import control, reports
from chalicelib.storage.transactions import Unavailable, Unknown

PAGE = 100
# Two breaches, eight levels, an end: no report owes more, but for its rivals.
STEPS_AT_MOST = 24
# Duplicates of one original that a sweep frees; the rest is the next one's.
FREED_AT_MOST = 100
# Refusals of one version that are no race any more; reports in a row without an answer of AWS.
RACES = 3
STRIKES = 3


class Stuck(Exception):
    """A step that is owed is refused although nothing has moved, or the steps have no end."""


def sweep(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Do what is due, earliest first, while ``may_go_on`` says so; how many steps of each kind.

    A report that fails is noted among the dead letters and holds up no other (``failed``). One
    that cannot be written ends nothing; several in a row mean that AWS is away: then the run
    ends with a line in the log, and the next one goes on.
    """
    done: Counter[str] = Counter()
    after: str | None = None
    strikes = 0
    while may_go_on():
        try:
            page = reports.due(now, after, PAGE)
        except Unavailable:
            return _broken_off(done)
        for key, jurisdiction, report in page:
            if not may_go_on():
                return dict(+done)
            after = key
            try:
                _catch_up(jurisdiction, report, now, done)
                strikes = 0
            except (Unavailable, Unknown):
                strikes += 1
                if strikes == STRIKES:
                    return _broken_off(done)
            except Exception as error:  # noqa: BLE001  (a poison report, of whatever kind)
                # It stays due and is tried again; the others must not wait for it.
                observability.unhandled(error, "sweep")
                note = {"error": type(error).__name__, "at": key.split("#")[0]}
                try:
                    control.put_dead(jurisdiction, "sweep", report, note)
                except (Unavailable, Unknown):
                    return _broken_off(done)
                done["failed"] += 1
        if len(page) < PAGE:
            break
    return dict(+done)


def _catch_up(jurisdiction: str, report: str, now: datetime, done: Counter[str]) -> None:
    """Everything that one report owes by now; what was done is counted in ``done``."""
    refusals: Counter[int] = Counter()
    steps = freed = 0
    while steps < STEPS_AT_MOST:
        head = reports.get(jurisdiction, report)
        if head is None:
            return
        step = timers.due_step(head, cities.promised(head), now)
        if step is None:
            return
        duplicate = merging.oldest_duplicate(head) if step.action == "release" else None
        if duplicate is not None and freed >= FREED_AT_MOST:
            return  # The next sweep goes on.
        try:
            if duplicate is not None:
                action, taken = _free(duplicate, head, now)
                freed += 1
            else:
                action, taken = step.action, _step(head, step.action, _given(step), now)
                steps += 1
        except (Unavailable, Unknown):
            raise
        except Problem as problem:
            # Somebody was quicker, and what the report owes now is another question; but a head
            # that does not move on was not raced for.
            refusals[head.version] += 1
            steps += 1
            if refusals[head.version] >= RACES:
                raise Stuck(step.action) from problem
            continue
        done[action] += not taken.replayed
        if duplicate is not None and action == "release":
            # Its clock ran while it was merged: it stands behind the place that is being read.
            _catch_up(jurisdiction, duplicate.id, now, done)
    raise Stuck("no end of steps")


def _given(step: ClockStep) -> dict[str, Any]:
    given = {"target": step.target, "level": step.level}
    return {name: value for name, value in given.items() if value is not None}


def _step(head: Report, action: str, given: dict[str, Any], now: datetime) -> Outcome:
    actor = system(head.jurisdiction)
    scope = f"clock|{head.id}|{head.version}|{action}"
    name = hashlib.sha256(scope.encode()).hexdigest()[:40]
    op = Operation(head.jurisdiction, name, "")
    return actions.step(actor, op, head, action, given, now)


def _free(duplicate: Report, original: Report, now: datetime) -> tuple[str, Outcome]:
    """The oldest duplicate opens again, and each one after it is merged into that."""
    into = merging.successor(original)
    if into is None:
        return "release", _step(duplicate, "unmerge", {}, now)
    return "remerge", _step(duplicate, "remerge", {"into": into.id}, now)


def _broken_off(done: Counter[str]) -> dict[str, int]:
    observability.logger.warning("the sweep was broken off", extra={"steps": done.total()})
    observability.count("SweepsBrokenOff")
    return dict(+done)
