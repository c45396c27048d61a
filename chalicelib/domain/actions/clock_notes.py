"""Actions of the clock and of the audit that add to a report without changing its state.

Pure functions from head to head, one an action; ``domain.actions.perform`` calls them.

Tests: tests/integration/test_state_machine.py
"""

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.actions.context import Attempt, count, mark
from chalicelib.domain.body_types import ActionFields
from chalicelib.domain.city.city import City
from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks, custody, timers
from chalicelib.domain.timeline_types import EventData
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow.table import clock
from chalicelib.errors import Problem

_COUNTED = {"acknowledge": "acknowledge_breached", "resolve": "breached"}


def breach(attempt: Attempt, report: Report) -> Report:
    """A deadline was missed: counted once a target and period, in the month of the deadline."""
    step = _due_step(attempt, "breach")
    if step.target is None or step.target != attempt.fields.get("target"):
        attempt.refuse("too_early")
    counted = count(report, _COUNTED[step.target], attempt.city.month(step.at))
    return replace(counted, breached=(*report.breached, step.target))


def escalate(attempt: Attempt, report: Report) -> Report:
    """One level higher on the ladder; only reopening resets the level."""
    step = _due_step(attempt, "escalate")
    if step.level is None or step.level != attempt.fields.get("level"):
        attempt.refuse("too_early")
    counted = count(report, "escalated", attempt.city.month(step.at))
    return replace(counted, escalated=step.level)


def release(attempt: Attempt, report: Report) -> Report:
    """An original that was no valid report has no more duplicates to open again."""
    _due_step(attempt, "release")
    return replace(report, released=True)


def audit(attempt: Attempt, report: Report) -> Report:
    """A verifier's judgement of a closed report in the sample; the state stays."""
    if attempt.fields["result"] not in ("pass", "fail"):
        raise Problem("invalid_field", field="result", rule="enum")
    if report.audit is not None:
        attempt.refuse("audited_once")
    result = attempt.fields["result"]
    # The mark stays when the report is reopened; ``audit`` is only about this closing.
    return replace(mark(report, f"audit_{result}", attempt.now), audit=result)


def about(name: str, report: Report, fields: ActionFields, city: City) -> EventData:
    """What the event of a step says beside ``fields``: the deadline, and who held the report then.

    A sweep may run late; the holder at the time of the sweep is not to blame.
    """
    if name == "breach":
        due = report.acknowledge_due if fields["target"] == "acknowledge" else report.due_at
        tell, priority = ["holder"], "high"
        held = custody.holder_at(report, due)
        joins = _joins(report, city, due, held) if fields["target"] == "resolve" else None
        if joins is not None:
            rung = city.ladder(report.group)[joins - 1]
            tell, priority = list(dict.fromkeys(["holder", *rung.tell])), rung.priority
    elif name == "escalate":
        rung = city.ladder(report.group)[fields["level"] - 1]
        due = clocks.level_at(report, city, rung.share)
        tell, priority = list(rung.tell), rung.priority
        held = custody.holder(report)
        joins = None
    else:
        return {}
    data: EventData = {
        "due": iso(due),
        "ward": held.ward,
        "unit": held.unit,
        "person": held.officer,
        "code": report.code,
        "tell": tell,
        "priority": priority,
    }
    if joins is not None:
        data["joins"] = joins
    return data


def _joins(report: Report, city: City, due: datetime, held: custody.Holder) -> int | None:
    """The ladder level that falls due at the same moment as a missed deadline, for the same holder.

    Then one alert is enough for both; ``None`` otherwise.
    """
    ladder, level = city.ladder(report.group), report.escalated
    if clock(report.state) != "running" or level >= len(ladder) or custody.holder(report) != held:
        return None
    same = clocks.level_at(report, city, ladder[level].share) == due
    return level + 1 if same else None


def _due_step(attempt: Attempt, action: str) -> timers.ClockStep:
    step = timers.due_step(attempt.report, attempt.city, attempt.now)
    if step is None or step.action != action:
        attempt.refuse("too_early")
    return step
