"""What the clock and the audit note on a report without moving it on.

Pure functions from head to head, one an action; ``domain.actions.perform`` calls them.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.actions.context import Attempt, count, mark
from chalicelib.domain.city.city import City
from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks, custody, timers
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow.table import clock
from chalicelib.errors import Problem

_COUNTED = {"acknowledge": "acknowledge_breached", "resolve": "breached"}


def breach(attempt: Attempt, report: Report) -> Report:
    """A promise was broken: once a target and round, in the month in which it fell due."""
    step = _due_step(attempt, "breach")
    if step.target is None or step.target != attempt.given.get("target"):
        attempt.refuse("too_early")
    counted = count(report, _COUNTED[step.target], attempt.city.month(step.at))
    return replace(counted, breached=(*report.breached, step.target))


def escalate(attempt: Attempt, report: Report) -> Report:
    """One level higher on the ladder; nothing but reopening ever goes down."""
    step = _due_step(attempt, "escalate")
    if step.level is None or step.level != attempt.given.get("level"):
        attempt.refuse("too_early")
    counted = count(report, "escalated", attempt.city.month(step.at))
    return replace(counted, escalated=step.level)


def release(attempt: Attempt, report: Report) -> Report:
    """An original that was no report of the city's has no duplicate left to give back."""
    _due_step(attempt, "release")
    return replace(report, released=True)


def audit(attempt: Attempt, report: Report) -> Report:
    """A verifier's judgement of a closing in the sample; it changes no state."""
    if attempt.given["result"] not in ("pass", "fail"):
        raise Problem("invalid_field", field="result", rule="enum")
    if report.audit is not None:
        attempt.refuse("audited_once")
    result = attempt.given["result"]
    # The mark stays when the report is reopened; ``audit`` is of this closing alone.
    return replace(mark(report, f"audit_{result}", attempt.now), audit=result)


def about(name: str, report: Report, given: dict[str, Any], city: City) -> dict[str, Any]:
    """What the event of a step says beside ``given``: the deadline, and who held the report then.

    A sweep may come late; whoever has the report by then is not to blame for it.
    """
    if name == "breach":
        due = report.acknowledge_due if given["target"] == "acknowledge" else report.due_at
        tell, priority = ["holder"], "high"
        held = custody.holder_at(report, due)
        joins = _joins(report, city, due, held) if given["target"] == "resolve" else None
        if joins is not None:
            rung = city.ladder(report.group)[joins - 1]
            tell, priority = list(dict.fromkeys(["holder", *rung.tell])), rung.priority
    elif name == "escalate":
        rung = city.ladder(report.group)[given["level"] - 1]
        due = clocks.level_at(report, city, rung.share)
        tell, priority = list(rung.tell), rung.priority
        held = custody.holder(report)
        joins = None
    else:
        return {}
    return {
        **({"joins": joins} if joins is not None else {}),
        "due": iso(due),
        "ward": held.ward,
        "unit": held.unit,
        "person": held.officer,
        "code": report.code,
        "tell": tell,
        "priority": priority,
    }


def _joins(report: Report, city: City, due: datetime, held: custody.Holder) -> int | None:
    """The level of the ladder that falls due at the very moment of a broken promise, for the same
    holder: then one alert tells of both."""
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
