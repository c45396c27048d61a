"""The clocks of one report: pauses, new deadlines, and the moments of its escalation ladder."""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.city.city import City
from chalicelib.domain.city.service import Target
from chalicelib.domain.report import Report
from chalicelib.domain.sla import deadlines
from chalicelib.domain.timestamps import iso, parse
from chalicelib.domain.workflow.table import clock


def pause(report: Report, now: datetime) -> Report:
    """Stop the clock from ``now`` on."""
    return replace(report, paused_at=now)


def resume(report: Report, now: datetime, city: City) -> Report:
    """The report with its clock running again; deadlines move by the time that counted as a pause.

    Questions pause a report for at most ``needs_info_days`` in all, a schedule until its date at
    most. The clock runs during the rest.
    """
    if clock(report.state) != "paused" or report.paused_at is None:
        return report
    end = min(now, pause_limit(report, city))
    question_seconds = (
        (end - report.paused_at).total_seconds() if report.state == "needs_info" else 0
    )
    pauses = (*report.pauses, (iso(report.paused_at), iso(end)))
    moved = _extended(report, report.paused_at, end, city)
    return replace(
        moved,
        pauses=pauses,
        paused_at=None,
        scheduled_until=None,
        info_seconds=report.info_seconds + int(question_seconds),
    )


def pause_limit(report: Report, city: City) -> datetime:
    """When the present pause ends without any action."""
    assert report.paused_at is not None
    if report.state == "scheduled" and report.scheduled_until is not None:
        return report.scheduled_until
    return report.paused_at + info_left(report, city)


def info_left(report: Report, city: City) -> timedelta:
    """How long questions to the reporter may still stop the clock."""
    whole = timedelta(days=city.rules["needs_info_days"])
    return max(whole - timedelta(seconds=report.info_seconds), timedelta())


def promised(report: Report, city: City, *, since: datetime | None = None) -> Report:
    """The report with new deadlines for its service and district, by the rules of ``city``.

    They count from filing (or from ``since``); pauses that began after that are added.
    """
    start = since or report.clock_from
    promise = deadlines.promise(city.services[report.service], report.district, start, city)
    fresh = replace(
        report,
        promise={},
        clock_from=start,
        acknowledge_due=promise.acknowledge_due,
        due_at=promise.due_at,
        city_acknowledge_due=promise.city_acknowledge_due,
        city_due_at=promise.city_due_at,
    )
    for began, ended in report.pauses:
        if parse(began) >= start:
            fresh = _extended(fresh, parse(began), parse(ended), city)
    return fresh


def level_at(report: Report, city: City, share: float) -> datetime:
    """When ``share`` of the resolve target has run since filing (or reopening), without pauses.

    No action on a report resets this.
    """
    service = city.services[report.promised_service]
    target = deadlines.resolve_target(service, report.promised_district, city)
    moment = deadlines.due(
        Target(target.hours * share, target.clock), report.clock_from, city.calendar
    )
    for began, ended in report.pauses:
        if report.clock_from <= parse(began) < moment:
            moment = deadlines.extend(
                moment, parse(began), parse(ended), target.clock, city.calendar
            )
    return moment


def _extended(report: Report, start: datetime, end: datetime, city: City) -> Report:
    # A pause extends only deadlines that were still in the future when it started.
    service, calendar = city.services[report.promised_service], city.calendar
    district = report.promised_district

    def moved(moment: datetime, target: Target) -> datetime:
        if moment <= start:
            return moment
        return deadlines.extend(moment, start, end, target.clock, calendar)

    later = replace(
        report,
        due_at=moved(report.due_at, deadlines.resolve_target(service, district, city)),
        city_due_at=moved(report.city_due_at, service.resolve),
    )
    if report.acknowledged_at is not None and report.acknowledged_at <= start:
        return later
    own = deadlines.acknowledge_target(service, district, city)
    city_due = report.city_acknowledge_due or report.acknowledge_due
    return replace(
        later,
        acknowledge_due=moved(report.acknowledge_due, own),
        city_acknowledge_due=moved(city_due, service.acknowledge),
    )
