"""The SLA sweep: does what is due, report by report, and reads only the sparse due index.

Each step is one transaction with its event, under an idempotency key made of the report, its
version and the step: sweeps that overlap, are killed or are repeated do nothing twice. Undone steps
stay in the index, so the next sweep catches up, after a minute or after a week.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from chalicelib import observability
from chalicelib.domain.body_types import ActionFields
from chalicelib.domain.city.city import City
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.domain.sla import timers
from chalicelib.domain.sla.timers import ClockStep
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform import set_aside
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome
from chalicelib.services.reports import actions, merging
from chalicelib.storage import report_lists, reports
from chalicelib.storage.transactions import Refused, Unavailable, Unknown, commit

PAGE = 100
# A report has at most two breaches, eight levels and an end; the rest is room for races.
STEPS_AT_MOST = 24
# Duplicates of one original that a sweep releases; the next sweep does the rest.
FREED_AT_MOST = 100
# After so many refusals of one version it is no race.
RACES = 3
STRIKES = set_aside.STRIKES
SOURCE = "sweep"


class Stuck(Exception):
    """A due step is refused although the report has not changed, or the steps do not end."""


def sweep(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Do what is due, earliest first, while ``may_go_on`` says so. Returns the steps of each kind.

    A report that fails is set aside (``set_aside``) and counted as ``failed``; the others go on.
    ``STRIKES`` reports in a row that cannot be written mean that AWS does not answer: the run ends
    with a line in the log, and the next run continues.
    """
    done: Counter[str] = Counter()
    run = set_aside.Run(SOURCE, now)
    try:
        _sweep(run, now, may_go_on, done)
    except (Unavailable, Unknown):
        observability.logger.warning("the sweep was broken off", extra={"steps": done.total()})
        observability.count("SweepsBrokenOff")
    done["failed"] = run.failed
    return dict(+done)


def _sweep(
    run: set_aside.Run, now: datetime, may_go_on: Callable[[], bool], done: Counter[str]
) -> None:
    after: str | None = None
    while may_go_on():
        page = report_lists.due(now, after, PAGE)
        for key, jurisdiction, report in page:
            if not may_go_on():
                return
            after = key
            with run.item(jurisdiction, report):
                _catch_up(jurisdiction, report, now, done)
        if len(page) < PAGE:
            return


def _catch_up(jurisdiction: str, report: str, now: datetime, done: Counter[str]) -> None:
    """Do all due steps of one report, and count them in ``done``."""
    refusals: Counter[int] = Counter()
    steps = freed = 0
    while steps < STEPS_AT_MOST:
        head = reports.get(jurisdiction, report)
        if head is None:
            return
        city = cities.promised(head)
        step = timers.due_step(head, city, now)
        if step is None:
            if steps == freed == 0:
                _correct_index(head, city, now)
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


def _correct_index(head: Report, city: City, now: datetime) -> None:
    """Write a head again that was due by the rules of an older version, and no longer is."""
    due = timers.next_due(head, city)
    if due is None or due > now:
        with suppress(Refused):
            commit([reports.put_head(head, due, seen=head.version)])


def _parameters(step: ClockStep) -> ActionFields:
    fields = ActionFields()
    if step.target is not None:
        fields["target"] = step.target
    if step.level is not None:
        fields["level"] = step.level
    return fields


def _step(head: Report, action: str, parameters: ActionFields, now: datetime) -> Outcome:
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
