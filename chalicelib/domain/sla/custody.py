"""Who held a report, from when, and for what share of its running clock.

A report is held by the unit that answers for it, and by an official of it once one is named;
while it is coordinated, by the agency. ``Report.holds`` keeps every change of hands, so that a
deadline that is missed is shared among all who held the report until then, whoever has it now.
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
    """Who holds a report, and in which ward it lies meanwhile."""

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
    """The report, with its present holder remembered from ``now`` on if that is news."""
    held = holder(report)
    if report.holds and Holder(*report.holds[-1][1:]) == held:
        return report
    return replace(report, holds=(*report.holds, (iso(now), *held)))


def holder_at(report: Report, moment: datetime) -> Holder:
    """Who held the report at a moment."""
    last = iso(moment)
    known = [Holder(*held[1:]) for held in report.holds if held[0] <= last]
    return known[-1] if known else holder(report)


def shares(report: Report, until: datetime, clock_name: str, city: City) -> list[Share]:
    """(ward, unit, officer, parts per million) of the clock that ran from ``clock_from`` on.

    Parts add up to ``WHOLE``. Where no time has run at all, who held it last has the whole.
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
    # The largest remainders get what rounding down has left over.
    found = [(held, *divmod(ms * WHOLE, total)) for held, ms in spent.items() if ms]
    left = WHOLE - sum(part for _, part, _ in found)
    found.sort(key=lambda one: (-one[2], one[0][:2], one[0].officer or ""))
    even = [(held, part + (number < left)) for number, (held, part, _) in enumerate(found)]
    return [(*held, part) for held, part in sorted(even, key=lambda one: _order(one[0])) if part]


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
    place = start
    for began, ended in sorted(pauses):
        if ended <= place or began >= until:
            continue
        if began > place:
            yield place, began
        place = ended
    if place < until:
        yield place, until


def _milliseconds(start: datetime, end: datetime, clock_name: str, city: City) -> int:
    passed = deadlines.elapsed(start, end, clock_name, city.calendar)
    return round(passed.total_seconds() * 1000)
