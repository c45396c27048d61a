"""The steps that fall due on a report by time alone: breaches, escalations, lapses, pause ends.

``next_due`` is the key of the sparse due index, ``due_step`` is what a sweep does there. Both
come from ``next_step``, so the index holds a report exactly when there is work to do.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.city.city import City
from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks
from chalicelib.domain.timestamps import parse
from chalicelib.domain.workflow.table import clock

# If an original ends like this, its oldest duplicate is opened again.
DISOWNED = frozenset({"rejected", "not_ours", "withdrawn"})


@dataclass(frozen=True)
class ClockStep:
    """A step of the clock: the system's ``action``, due ``at``; ``target`` is of a breach."""

    at: datetime
    action: str
    target: str | None = None
    level: int | None = None


def due_step(report: Report, city: City, now: datetime) -> ClockStep | None:
    """The earliest step that has fallen due by ``now``.

    A deadline is still met at its own moment: a breach is due only after it.
    """
    step = next_step(report, city)
    if step is None or step.at > now:
        return None
    return None if step.at == now and step.action in ("breach", "escalate") else step


def next_due(report: Report, city: City) -> datetime | None:
    """When the sweep must look at the report next; ``None`` if never as things stand."""
    step = next_step(report, city)
    return step.at if step is not None else None


def next_step(report: Report, city: City) -> ClockStep | None:
    """The next step of the clock, due or not; of several at one moment, breaches first."""
    steps = [*_breaches(report), *_level(report, city), *_end(report, city), *_proposal(report)]
    return min(steps, key=lambda step: step.at, default=None)


def stopped_at(report: Report) -> datetime | None:
    """When the running clock stopped for good, as things stand; ``None`` while it has not.

    A finish stops it, unless the finish is refused: then the work and the clock went on.
    """
    if report.state == "work_done":
        return report.finished_at
    if report.state != "closed":
        return None
    done = report.resolution in ("verified", "unverified") or report.back_to == "work_done"
    return report.finished_at if done else report.closed_at


def missed(report: Report, due: datetime, now: datetime) -> bool:
    """Whether ``due`` passed while the report's clock was running."""
    stop = stopped_at(report) or report.paused_at
    return (min(stop, now) if stop else now) > due


def _breaches(report: Report) -> list[ClockStep]:
    if report.history:
        return []
    stop = stopped_at(report) or report.paused_at
    steps = []
    if "acknowledge" not in report.breached:
        stopped = report.acknowledged_at or stop
        if stopped is None or stopped > report.acknowledge_due:
            steps.append(ClockStep(report.acknowledge_due, "breach", target="acknowledge"))
    # While a refusal is disputed, the report is work_done, so its clock does not run.
    if "resolve" not in report.breached and (stop is None or stop > report.due_at):
        steps.append(ClockStep(report.due_at, "breach", target="resolve"))
    return steps


def _level(report: Report, city: City) -> list[ClockStep]:
    ladder = city.ladder(report.group)
    if report.history or clock(report.state) != "running" or report.escalated >= len(ladder):
        return []
    at = clocks.level_at(report, city, ladder[report.escalated].share)
    return [ClockStep(at, "escalate", level=report.escalated + 1)]


def _end(report: Report, city: City) -> list[ClockStep]:
    if clock(report.state) == "paused":
        action = "resume" if report.state == "scheduled" else "answer"
        return [ClockStep(clocks.pause_limit(report, city), action)]
    if report.state == "work_done" and not report.disputed and report.finished_at:
        return [ClockStep(lapses_at(report, city), "lapse")]
    has_duplicates_to_release = (
        report.merged and report.resolution in DISOWNED and not report.released
    )
    if has_duplicates_to_release and report.closed_at is not None:
        return [ClockStep(report.closed_at, "release")]
    return []


def _proposal(report: Report) -> list[ClockStep]:
    until = report.protection.get("until")
    return [ClockStep(parse(until), "protect_lapse")] if until else []


def lapses_at(report: Report, city: City) -> datetime:
    """When a finished report closes because nobody has answered."""
    assert report.finished_at is not None
    return report.finished_at + timedelta(days=city.rules["lapse_days"])
