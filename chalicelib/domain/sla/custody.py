"""Who held a report, from when, and for what share of its running clock.

The holder is the unit that answers for the report, and an official of it once one is named;
while the report is coordinated, the holder is the agency. ``Report.holds`` keeps every change,
so that a missed deadline is shared among all who held the report until then.

Tests: tests/unit/test_perform.py
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from chalicelib.domain.city.city import City
from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks, deadlines
from chalicelib.domain.timestamps import iso, parse
from chalicelib.domain.workflow.table import clock

WHOLE = 1_000_000


class Holder(NamedTuple):
    """Who holds a report, and the ward in which it lies during that time."""

    ward: str
    unit: str
    officer: str | None


Share = tuple[str, str, str | None, int]


def holder(report: Report) -> Holder:
    """Who holds the report now."""
    if report.agency is not None:
        return Holder(report.ward, report.agency, None)
    return Holder(report.ward, report.unit, report.holder)


def with_holder(report: Report, now: datetime) -> Report:
    """The report with its present holder added to ``holds`` if the holder is new."""
    present = holder(report)
    if report.holds and Holder(*report.holds[-1][1:]) == present:
        return report
    return replace(report, holds=(*report.holds, (iso(now), *present)))


def holder_at(report: Report, moment: datetime) -> Holder:
    """Who held the report at a moment."""
    last = iso(moment)
    holders = [Holder(*hold[1:]) for hold in report.holds if hold[0] <= last]
    return holders[-1] if holders else holder(report)


def shares(report: Report, until: datetime, clock_name: str, city: City) -> list[Share]:
    """(ward, unit, officer, parts per million) of the clock that ran from ``clock_from`` on.

    The parts add up to ``WHOLE``. If no time has run at all, the last holder gets the whole.
    """
    start = report.clock_from
    running = list(_running(report, start, until, city))
    spent: dict[Holder, int] = {}
    for begin, end, held in _segments(report, start, until):
        for run_from, run_to in running:
            low, high = max(begin, run_from), min(end, run_to)
            if low < high:
                spent[held] = spent.get(held, 0) + _milliseconds(low, high, clock_name, city)
    total = sum(spent.values())
    if not total:
        return [(*holder_at(report, until), WHOLE)]
    return _parts(spent, total)


def _parts(spent: dict[Holder, int], total: int) -> list[Share]:
    # Largest remainder method: they get the parts that rounding down has left over.
    rows = [(held, *divmod(ms * WHOLE, total)) for held, ms in spent.items() if ms]
    left = WHOLE - sum(part for _, part, _ in rows)
    rows.sort(key=lambda row: (-row[2], row[0][:2], row[0].officer or ""))
    even = [(held, part + (number < left)) for number, (held, part, _) in enumerate(rows)]
    return [(*held, part) for held, part in sorted(even, key=lambda row: _order(row[0])) if part]


def _order(held: Holder) -> tuple[str, str, str]:
    return held.ward, held.unit, held.officer or ""


def _segments(
    report: Report, start: datetime, until: datetime
) -> Iterator[tuple[datetime, datetime, Holder]]:
    moments = [parse(held[0]) for held in report.holds]
    for number, held in enumerate(report.holds):
        begin = max(moments[number], start) if number else start
        end = moments[number + 1] if number + 1 < len(moments) else until
        end = min(end, until)
        if begin < end:
            yield begin, end, Holder(*held[1:])


def _running(
    report: Report, start: datetime, until: datetime, city: City
) -> Iterator[tuple[datetime, datetime]]:
    pauses = [(parse(began), parse(ended)) for began, ended in report.pauses]
    if clock(report.state) == "paused" and report.paused_at is not None:
        pauses.append((report.paused_at, clocks.pause_limit(report, city)))
    reached = start
    for began, ended in sorted(pauses):
        if ended <= reached or began >= until:
            continue
        if began > reached:
            yield reached, began
        reached = ended
    if reached < until:
        yield reached, until


def _milliseconds(start: datetime, end: datetime, clock_name: str, city: City) -> int:
    passed = deadlines.elapsed(start, end, clock_name, city.calendar)
    return round(passed.total_seconds() * 1000)
