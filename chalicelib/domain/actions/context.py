"""One attempt at an action, and what every effect on a report may use."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NoReturn

from chalicelib.domain.city.city import City
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.sla import custody
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow.table import Action, refuse

STARS = ("stars_1", "stars_2", "stars_3", "stars_4", "stars_5")


@dataclass(frozen=True)
class PinLocation:
    """A pin: where (1e-7 degrees), in which ward, how many metres outside the city's border."""

    lat7: int
    long7: int
    ward: str
    outside_m: int = 0


@dataclass(frozen=True)
class Attempt:
    """One attempt at an action: who, on what, with what, when, by which city's rules.

    ``city`` holds what was promised: the version under which the report's promise was made.
    ``present`` is the city as it is: where a report may go, and what is promised anew. ``spot`` is
    where a pin that is given lies.
    """

    action: Action
    report: Report
    actor: Principal
    standing: frozenset[str]
    given: dict[str, Any]
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
        """Refuse with the rule's name and what is open instead."""
        refuse(slug, self.action.name, self.report, self.standing, **members)


def count(report: Report, measure: str, month: str, by: int = 1) -> Report:
    """The report with one more (or less) of a measure in a month."""
    months = dict(report.flow.get(measure, {}))
    months[month] = months.get(month, 0) + by
    if not months[month]:
        del months[month]
    flow = {**report.flow, measure: months}
    return replace(report, flow={name: kept for name, kept in flow.items() if kept})


def mark(report: Report, kind: str, now: datetime) -> Report:
    """The report with one more mark (finished, refused, reopened, yes, no) of who holds it."""
    return replace(report, marks=(*report.marks, (kind, iso(now), *custody.holder(report))))


def rated(report: Report, stars: int, now: datetime, month: str) -> Report:
    """Rated 1–5, for who finished it: the last rating of a month is the month's."""
    before = report
    if report.rating is not None and report.rating_month == month:
        before = unmarked(report, STARS[report.rating - 1])
    done = [one[2:] for one in report.marks if one[0] == "finished"]
    held = done[-1] if done else custody.holder(report)
    marks = (*before.marks, (STARS[stars - 1], iso(now), *held))
    return replace(before, rating=stars, rated_at=now, rating_month=month, marks=marks)


def unmarked(report: Report, *kinds: str) -> Report:
    """The report without its last mark of each kind."""
    marks = list(report.marks)
    for kind in kinds:
        last = max((n for n, one in enumerate(marks) if one[0] == kind), default=None)
        if last is not None:
            del marks[last]
    return replace(report, marks=tuple(marks))


def closed(attempt: Attempt, report: Report) -> Report:
    """Closed with the action's resolution."""
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
    """The report, handed to nobody else."""
    return replace(report, offered_to=None, offered_at=None)
