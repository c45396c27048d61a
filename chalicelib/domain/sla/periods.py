"""What a scorecard counts of a report: its periods, holders and marks, in one row.

A period is one promise, from filing or reopening to its end (``rounds`` in stored rows).
``score_row`` is the report's row: an event carries it, the projection keeps the newest, and
every figure is computed from such rows alone. It holds whole numbers, codes and moments: no
text, and no person except officials.

Tests: tests/integration/test_recompute.py
"""

from datetime import datetime
from typing import Any, cast

from chalicelib.domain.city.city import City
from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks, custody, timers
from chalicelib.domain.timeline_types import Period, ScoreRow
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow.table import clock

OPEN = "999999"


def score_row(report: Report, city: City) -> ScoreRow | None:
    """The report's row: where it lies, its periods (oldest first), changes of holder, marks.

    ``None`` for a protected report, which is in no scorecard. If it counted before it became
    protected: what it had added by that moment (``ended_row``). ``None`` also for an old system's
    report; if it is opened again here, the row begins with that period.
    """
    if report.protected:
        counted = {**report.counted, "version": report.version}
        return cast(ScoreRow, counted) if report.counted else None
    if report.history:
        return None
    periods = [*report.past_rounds, current(report, city)]
    filed_at, marks = iso(report.filed_at), report.marks
    if report.from_old_system:
        filed_at = periods[0]["from"]
        # The reopening itself blames the old system's repair.
        marks = tuple(mark for mark in marks if mark[1] > filed_at)
    lat7, long7 = report.public_place
    row: ScoreRow = {
        "report": report.id,
        "version": report.version,
        "service": report.service,
        "ward": report.ward,
        "district": report.district,
        "unit": report.unit,
        "lat7": lat7,
        "long7": long7,
        "filed_at": filed_at,
        "filed_month": city.month_of(filed_at) if report.from_old_system else report.filed_month,
        "state": report.state,
        "rounds": periods,
        "holds": [list(held) for held in report.holds],
        "marks": [list(mark) for mark in marks],
    }
    if report.private:
        # The place is rounded too much to compute recurrence.
        row["private"] = True
    return row


def past(report: Report, city: City) -> tuple[Period, ...]:
    """The periods of a report whose present period ends; an old system's period is none."""
    return report.past_rounds if report.history else (*report.past_rounds, current(report, city))


def ended_row(report: Report, city: City, now: datetime) -> ScoreRow | None:
    """The row of a report that becomes protected ``now``: what it has added until then.

    Every later computation shows it without id, place, holder and time (``anonymous``). An open
    period ends without a result; a deadline after ``now`` no longer counts. ``None`` for an old
    system's report, which has added nothing.
    """
    row = score_row(report, city)
    if row is None:
        return None
    moment = iso(now)
    periods = [_ended(period, moment) for period in row["rounds"]]
    return {**row, "rounds": periods, "state": "closed", "anonymous": True}


def _ended(period: Period, moment: str) -> Period:
    if period["closed_at"]:
        return period
    return {**period, "closed_at": moment, "ended": moment}


def current(report: Report, city: City) -> Period:
    """The period that the report is in, as things stand.

    ``stop`` is when its clock stopped for good. ``shares`` and ``acknowledge_shares`` say who held
    the report for which part of the clock, until then or until the deadline, whichever is first.
    """
    if clock(report.state) == "paused":
        # Assume the longest pause; if it ends earlier, that event makes a new row.
        report = clocks.resume(report, clocks.pause_limit(report, city), city)
    service = city.services[report.promised_service]
    stop = timers.stopped_at(report)
    heard = min((at for at in (report.acknowledged_at, stop) if at), default=None)
    acknowledge_due = report.city_acknowledge_due or report.acknowledge_due
    return {
        "service": report.missed_service or report.service,
        "from": iso(report.clock_from),
        "acknowledge_due": iso(acknowledge_due),
        "acknowledged_at": iso(report.acknowledged_at) if report.acknowledged_at else None,
        "due": iso(report.city_due_at),
        "stop": iso(stop) if stop else None,
        "closed_at": iso(report.closed_at) if report.closed_at else None,
        "resolution": report.resolution,
        "held": list(custody.holder(report)),
        "shares": _shares(report, report.city_due_at, stop, service.resolve.clock, city),
        "acknowledge_shares": _shares(
            report, acknowledge_due, heard, service.acknowledge.clock, city
        ),
    }


def last_month(row: ScoreRow, city: City) -> str:
    """The last month (``YYYYMM``, local) to which the row can add; ``OPEN`` until closed."""
    return OPEN if row["state"] != "closed" else city.month_of(max(_moments(row)))


def months(row: ScoreRow, city: City) -> set[str]:
    """Every month (``YYYYMM``, local) in which a moment of the row lies."""
    return {city.month_of(moment) for moment in _moments(row)}


def _moments(row: ScoreRow) -> list[str]:
    moments: list[str | None] = [row["filed_at"], *(mark[1] for mark in row["marks"])]
    for period in row["rounds"]:
        moments += [period["acknowledge_due"], period["due"], period["closed_at"]]
    return [moment for moment in moments if moment]


def _shares(report: Report, due: Any, stop: Any, clock_name: str, city: City) -> list[list[Any]]:
    until = min(stop, due) if stop else due
    return [list(share) for share in custody.shares(report, until, clock_name, city)]
