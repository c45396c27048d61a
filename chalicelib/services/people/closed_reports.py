"""The closed reports of a city in the order of closing, for the retention schedule.

The walk goes by month of closing and by queue. Its cursor is stored by class, so the next run
continues an interrupted one, and a normal night reads one day's reports.

Tests: tests/integration/test_retention.py
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.people.retention import OF_REPORTS
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import FIRST_MONTH, iso, parse, shifted
from chalicelib.services.city import cities
from chalicelib.storage import city as store
from chalicelib.storage import control, people, report_lists, reports, secrecy, tallies

PAGE = 100
_CURSOR = "retention"
_CHAIN_AT_MOST = 20


@dataclass(frozen=True)
class Cursor:
    """The progress of a walk. Reports closed until ``done`` are finished. Of those closed after it,
    until ``until``, all before this row of this month and desk are finished."""

    done: str
    until: str
    month: str = ""
    desk: str = ""
    row: str = ""


def restart(jurisdiction: str) -> None:
    """Walk all closed reports again: after tables were restored or old reports imported."""
    for kind in OF_REPORTS:
        if control.stored_cursor(_cursor_name(jurisdiction, kind)):
            control.store_cursor(_cursor_name(jurisdiction, kind), None)


def resume_cursor(city: City, kind: str, until: datetime, first: Callable[[], str]) -> Cursor:
    """Where the walk of a class goes on, or starts. ``first`` gives the city's first moment."""
    held = control.stored_cursor(_cursor_name(city.jurisdiction, kind))
    start = Cursor(**json.loads(held)) if held else Cursor(first(), iso(until))
    # If the city now keeps data longer, or no walk is under way, the end is today's cutoff.
    starts_again = start.until > iso(until) or not start.month
    return Cursor(start.done, iso(until)) if starts_again else start


def store_cursor(jurisdiction: str, kind: str, cursor: Cursor) -> None:
    """Store the progress of a class's walk."""
    control.store_cursor(_cursor_name(jurisdiction, kind), json.dumps(vars(cursor)))


def _cursor_name(jurisdiction: str, kind: str) -> str:
    return f"{_CURSOR}:{jurisdiction}:{kind}"


def first_moment(city: City) -> str:
    """The first moment of the first month in which anything was filed."""
    since = store.first_since(city.jurisdiction)
    last = city.month(parse(since)) if since else FIRST_MONTH
    month = FIRST_MONTH
    while month < last and not tallies.has_month(city.jurisdiction, month):
        month = shifted(month, 1)
    return iso(city.bounds(month)[0])


def closed_after(city: City, start: Cursor) -> Iterator[tuple[list[Report], Cursor]]:
    """Pages of the reports closed after ``start``, each with the cursor after it."""
    month, last = city.month(parse(start.done)), city.month(parse(start.until))
    desks = _desks(city)
    while month <= last:
        for desk in desks:
            resume = (start.month, start.desk)
            if (month, desk) < resume:
                continue
            after = start.row if (month, desk) == resume else f"{start.done}~"
            for page in _pages(city.jurisdiction, desk, month, after, f"{start.until}~"):
                heads = secrecy.heads(city.jurisdiction, [card.id for _, card in page])
                page_heads = [heads[card.id] for _, card in page if card.id in heads]
                yield page_heads, replace(start, month=month, desk=desk, row=page[-1][0])
        month = shifted(month, 1)


def _pages(jurisdiction: str, desk: str, month: str, after: str, until: str) -> Iterator[list[Any]]:
    while page := report_lists.queue_page(jurisdiction, desk, month, after, until, PAGE):
        yield page
        if len(page) < PAGE:
            return
        after = page[-1][0]


def _desks(city: City) -> list[str]:
    """The queues of closed reports: of every district and unit of any city version."""
    jurisdiction = city.jurisdiction
    units = set(city.units)
    for version in set(store.history(jurisdiction)) - {city.version}:
        units |= set(cities.at(jurisdiction, version).units)
    districts = cities.districts(city)
    return sorted([*(f"S#{code}" for code in districts), *(f"XS#{code}" for code in units)])


def merge_chain(head: Report) -> Iterator[Report]:
    """A report, the original that it is merged into, and so on."""
    current: Report | None = head
    for _ in range(_CHAIN_AT_MOST):
        if current is None:
            return
        yield current
        if not current.merged_into:
            return
        current = reports.get(current.jurisdiction, current.merged_into)


def family(head: Report) -> Iterator[Report]:
    """A report and the duplicates merged into it, which expire together."""
    queue, seen = [head], {head.id}
    while queue:
        yield (report := queue.pop())
        if report.merged:
            for duplicate_id in people.duplicates(report.jurisdiction, report.id):
                duplicate = (
                    reports.get(report.jurisdiction, duplicate_id)
                    if duplicate_id not in seen
                    else None
                )
                seen.add(duplicate_id)
                if duplicate and duplicate.merged_into == report.id:
                    queue.append(duplicate)
