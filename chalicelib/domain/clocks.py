"""The clocks of one report: pauses, recomputed promises, and when somebody must look next."""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain import sla
from chalicelib.domain.city import City
from chalicelib.domain.report import Report
from chalicelib.domain.times import iso, parse
from chalicelib.domain.workflow import clock


def pause(report: Report, now: datetime) -> Report:
    """Stop the clock from ``now`` on."""
    return replace(report, paused_at=now)


def resume(report: Report, now: datetime, city: City) -> Report:
    """Let the clock run again: every deadline moves by the time that counted as a pause.

    A question pauses at most ``needs_info_days`` in a report's life, a schedule at most until
    its date; what lies beyond has run.
    """
    if clock(report.state) != "paused" or report.paused_at is None:
        return report
    end = min(now, pause_limit(report, city))
    asked = (end - report.paused_at).total_seconds() if report.state == "needs_info" else 0
    pauses = (*report.pauses, (iso(report.paused_at), iso(end)))
    moved = _extended(report, report.paused_at, end, city)
    return replace(
        moved,
        pauses=pauses,
        paused_at=None,
        scheduled_until=None,
        info_seconds=report.info_seconds + int(asked),
    )


def pause_limit(report: Report, city: City) -> datetime:
    """When the present pause ends by itself."""
    assert report.paused_at is not None
    if report.state == "scheduled" and report.scheduled_until is not None:
        return report.scheduled_until
    return report.paused_at + info_left(report, city)


def info_left(report: Report, city: City) -> timedelta:
    """How long a question to the reporter may still stop the clock."""
    whole = timedelta(days=city.rules["needs_info_days"])
    return max(whole - timedelta(seconds=report.info_seconds), timedelta())


def promised(report: Report, city: City, *, since: datetime | None = None) -> Report:
    """The deadlines of the report's service and district, from filing (or ``since``), with
    every pause it has had since counted."""
    start = since or report.clock_from
    promise = sla.promise(city.services[report.service], report.district, start, city)
    fresh = replace(
        report,
        clock_from=start,
        acknowledge_due=promise.acknowledge_due,
        due_at=promise.due_at,
        city_due_at=promise.city_due_at,
    )
    for began, ended in report.pauses:
        if parse(began) >= start:
            fresh = _extended(fresh, parse(began), parse(ended), city)
    return fresh


def next_due(report: Report, city: City) -> datetime | None:
    """When a clock must look at the report next, or ``None`` once it is closed."""
    if report.state == "work_done":
        if report.disputed or report.finished_at is None:
            return None
        return report.finished_at + timedelta(days=city.rules["lapse_days"])
    if clock(report.state) == "paused":
        return pause_limit(report, city)
    if not report.open:
        return None
    if report.acknowledged_at is None:
        return min(report.acknowledge_due, report.due_at)
    return report.due_at


def _extended(report: Report, start: datetime, end: datetime, city: City) -> Report:
    service = city.services[report.service]
    calendar = city.calendar
    resolve, acknowledge = service.resolve.clock, service.acknowledge.clock
    moved = replace(
        report,
        due_at=sla.extend(report.due_at, start, end, resolve, calendar),
        city_due_at=sla.extend(report.city_due_at, start, end, resolve, calendar),
    )
    if report.acknowledged_at is not None and report.acknowledged_at <= start:
        return moved
    due = sla.extend(report.acknowledge_due, start, end, acknowledge, calendar)
    return replace(moved, acknowledge_due=due)
