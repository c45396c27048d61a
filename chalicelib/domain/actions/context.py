"""One attempt at an action, and the helpers that all effects on a report share.

Tests: tests/unit/test_perform.py
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NoReturn

from chalicelib.domain.body_types import ActionFields
from chalicelib.domain.city.city import City
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.sla import custody
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow.table import Action, refuse

STARS = ("stars_1", "stars_2", "stars_3", "stars_4", "stars_5")


@dataclass(frozen=True)
class PinLocation:
    """A pin: place (1e-7 degrees, WGS84), ward, metres outside the city's border."""

    lat7: int
    long7: int
    ward: str
    outside_m: int = 0


@dataclass(frozen=True)
class Context:
    """When an action is taken, and by which rules.

    ``city`` is the version under which the report's promise was made, ``present`` the city as it is
    now (if another), ``target`` the other report of a merge, ``spot`` the location of a pin in the
    fields of the action.
    """

    now: datetime
    city: City
    target: Report | None = None
    present: City | None = None
    spot: PinLocation | None = None


@dataclass(frozen=True)
class Attempt:
    """One attempt at an action: by whom, on which report, with which fields, when, by which rules.

    ``city`` is the version under which the report's promise was made. ``present`` is the city as
    it is now: it decides where a report may go and makes new promises. ``fields`` are the fields of
    the action, ``spot`` the location of a pin in them, ``target`` the other report of a merge.
    """

    action: Action
    report: Report
    actor: Principal
    standing: frozenset[str]
    fields: ActionFields
    now: datetime
    city: City
    target: Report | None = None
    now_city: City | None = None
    spot: PinLocation | None = None

    @property
    def present(self) -> City:
        """The city as it is now."""
        return self.now_city or self.city

    def refuse(self, slug: str, **members: Any) -> NoReturn:
        """Raise the refusal ``slug`` with the broken rule and the actions that are open."""
        refuse(slug, self.action.name, self.report, self.standing, **members)


def count(report: Report, measure: str, month: str, by: int = 1) -> Report:
    """The report with ``by`` more of a measure in a month."""
    months = dict(report.flow.get(measure, {}))
    months[month] = months.get(month, 0) + by
    if not months[month]:
        del months[month]
    flow = {**report.flow, measure: months}
    return replace(report, flow={name: kept for name, kept in flow.items() if kept})


def mark(report: Report, kind: str, now: datetime) -> Report:
    """The report with one more mark (finished, refused, reopened, yes, no) for its holder."""
    return replace(report, marks=(*report.marks, (kind, iso(now), *custody.holder(report))))


def rated(report: Report, stars: int, now: datetime, month: str) -> Report:
    """The report rated 1–5; the rating counts for the person who finished it.

    The last rating of a month replaces earlier ratings of that month.
    """
    before = report
    if report.rating is not None and report.rating_month == month:
        before = unmarked(report, STARS[report.rating - 1])
    finished = [mark[2:] for mark in report.marks if mark[0] == "finished"]
    held = finished[-1] if finished else custody.holder(report)
    marks = (*before.marks, (STARS[stars - 1], iso(now), *held))
    return replace(before, rating=stars, rated_at=now, rating_month=month, marks=marks)


def unmarked(report: Report, *kinds: str) -> Report:
    """The report without its last mark of each kind."""
    marks = list(report.marks)
    for kind in kinds:
        last = max((n for n, mark in enumerate(marks) if mark[0] == kind), default=None)
        if last is not None:
            del marks[last]
    return replace(report, marks=tuple(marks))


def closed(attempt: Attempt, report: Report) -> Report:
    """The report closed, with the action's resolution."""
    return replace(
        unoffered(report),
        state="closed",
        resolution=attempt.action.resolution,
        closed_at=attempt.now,
        closed_month=attempt.city.month(attempt.now),
    )


def unpaused(report: Report) -> str:
    """The state of a report whose pause is over and whose work has not begun."""
    return "assigned" if report.assigned else "submitted"


def unoffered(report: Report) -> Report:
    """The report without an open offer to another unit."""
    return replace(report, offered_to=None, offered_at=None)
