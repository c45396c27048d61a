"""The SLA sweep: does what is due, report by report, and reads only the sparse due index.

Each step is one transaction with its event, under an idempotency key made of the report, its
version and the step: sweeps that overlap, are killed or are repeated do nothing twice. Undone steps
stay in the index, so the next sweep catches up, after a minute or after a week.
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
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome
from chalicelib.services.reports import actions, merging
from chalicelib.storage import control, reports
from chalicelib.storage.transactions import Unavailable, Unknown

PAGE = 100
# A report has at most two breaches, eight levels and an end; the rest is room for races.
STEPS_AT_MOST = 24
# Duplicates of one original that a sweep releases; the next sweep does the rest.
FREED_AT_MOST = 100
# RACES: after so many refusals of one version it is no race. STRIKES: the sweep ends after so many
# reports in a row for which AWS did not answer.
RACES = 3
STRIKES = 3


class Stuck(Exception):
    """A due step is refused although the report has not changed, or the steps do not end."""


def sweep(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Do what is due, earliest first, while ``may_go_on`` says so. Returns the steps of each kind.

    A report that fails is noted among the dead letters, counted (``failed``), and does not stop the
    others. ``STRIKES`` reports in a row that cannot be written mean that AWS does not answer: the
    run ends with a line in the log, and the next run continues.
    """
    done: Counter[str] = Counter()
    after: str | None = None
    strikes = 0
    while may_go_on():
        try:
            page = reports.due(now, after, PAGE)
        except Unavailable:
            return _stop_early(done)
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
                    return _stop_early(done)
            except Exception as error:  # noqa: BLE001  (a poison report, of whatever kind)
                # It stays due and is tried again. The others do not wait for it.
                observability.unhandled(error, "sweep")
                note = {"error": type(error).__name__, "at": key.split("#")[0]}
                try:
                    control.put_dead(jurisdiction, "sweep", report, note)
                except (Unavailable, Unknown):
                    return _stop_early(done)
                done["failed"] += 1
        if len(page) < PAGE:
            break
    return dict(+done)


def _catch_up(jurisdiction: str, report: str, now: datetime, done: Counter[str]) -> None:
    """Do all due steps of one report, and count them in ``done``."""
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
            return  # The next sweep continues.
        try:
            if duplicate is not None:
                action, outcome = _release_duplicate(duplicate, head, now)
                freed += 1
            else:
                action, outcome = step.action, _step(head, step.action, _parameters(step), now)
                steps += 1
        except (Unavailable, Unknown):
            raise
        except Problem as problem:
            # Usually another write came first: read the report again. If its version does not
            # change, it was no race.
            refusals[head.version] += 1
            steps += 1
            if refusals[head.version] >= RACES:
                raise Stuck(step.action) from problem
            continue
        done[action] += not outcome.replayed
        if duplicate is not None and action == "release":
            # Its deadline passed while it was merged, so in the index it is before this cursor.
            _catch_up(jurisdiction, duplicate.id, now, done)
    raise Stuck("no end of steps")


def _parameters(step: ClockStep) -> dict[str, Any]:
    values = {"target": step.target, "level": step.level}
    return {name: value for name, value in values.items() if value is not None}


def _step(head: Report, action: str, parameters: dict[str, Any], now: datetime) -> Outcome:
    actor = system(head.jurisdiction)
    scope = f"clock|{head.id}|{head.version}|{action}"
    name = hashlib.sha256(scope.encode()).hexdigest()[:40]
    op = KeyedOperation(head.jurisdiction, name, "")
    return actions.act_by_clock(actor, op, head, action, parameters, now)


def _release_duplicate(duplicate: Report, original: Report, now: datetime) -> tuple[str, Outcome]:
    """Reopen the oldest duplicate; merge each later duplicate into that one."""
    into = merging.successor(original)
    if into is None:
        return "release", _step(duplicate, "unmerge", {}, now)
    return "remerge", _step(duplicate, "remerge", {"into": into.id}, now)


def _stop_early(done: Counter[str]) -> dict[str, int]:
    observability.logger.warning("the sweep was broken off", extra={"steps": done.total()})
    observability.count("SweepsBrokenOff")
    return dict(+done)
