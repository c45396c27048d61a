"""What one report adds to a month's scorecards, as rows that anybody can inspect.

A scorecard is the sum of these rows (``domain.scorecards.cards``); ``/rows`` shows the same
rows. All moments are texts of ``timestamps.iso``, which sort by time.

Tests: tests/integration/test_recompute.py
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeGuard

from chalicelib.domain.actions.context import STARS
from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.card_types import Closing
from chalicelib.domain.scorecards.measures import EARLIER
from chalicelib.domain.scorecards.statistics import DRAFT_DAY
from chalicelib.domain.sla.custody import WHOLE
from chalicelib.domain.timeline_types import Period, ScoreRow
from chalicelib.domain.timestamps import iso, parse, shifted

DISMISSED = frozenset({"rejected", "duplicate", "not_ours", "withdrawn"})
AUDITED = DISMISSED | {"unverified"}
_NO_REPORT = frozenset({"duplicate", "not_ours", "withdrawn"})
_REPAIRED = frozenset({"verified", "unverified"})
_ANSWERS = frozenset({"yes", "no"})
_AUDITS = {"audit_pass": "pass", "audit_fail": "fail"}
_WORK = frozenset({"finished", "refused", "reopened"})
_HOUR, _DAY = 3600, 86_400


@dataclass(frozen=True)
class Window:
    """A month as far as it is judged: from ``start`` to ``until``, its end once it is over.

    ``settled`` is when the month's draft is made: what happens to its reports later counts in
    another month. ``audits_from`` lies three months before that; ``trailing_from`` is the start of
    the months before, whose deadlines say whether there are enough for a score.
    """

    month: str
    start: str
    until: str
    audits_from: str
    settled: str
    trailing_from: str

    @classmethod
    def of(cls, month: str, city: City, now: datetime, trailing: int = 1) -> "Window":
        """The window of a month, as seen ``now``; ``trailing``: with how many months before it,
        itself counted."""
        start, end = city.bounds(month)
        audited = city.day(shifted(month, -2), DRAFT_DAY)
        settled = city.day(shifted(month, 1), DRAFT_DAY)
        until = min(end, max(now, start))
        before, _ = city.bounds(shifted(month, 1 - trailing))
        return cls(month, iso(start), iso(until), iso(audited), iso(settled), iso(before))

    def holds(self, moment: str | None) -> TypeGuard[str]:
        """Whether a moment lies in the month."""
        return moment is not None and self.start <= moment < self.until


class Contribution(NamedTuple):
    """One contribution: ``share`` (of ``WHOLE``) of one ``outcome`` of a ``measure``, and whose."""

    measure: str
    outcome: str
    service: str
    ward: str
    unit: str
    officer: str | None
    share: int
    value: float | None
    at: str


def closing_to_audit(row: ScoreRow, window: Window) -> Closing | None:
    """The closing of a month for which a report can be drawn for an audit; None if it has none."""
    # Only the last closing: an earlier one was undone by reopening, which is counted already.
    last = row["rounds"][-1]
    if row.get("anonymous"):
        return None
    if last["resolution"] not in AUDITED or not window.holds(last["closed_at"]):
        return None
    return {
        "report": row["report"],
        "resolution": last["resolution"],
        "closed_at": last["closed_at"],
    }


def contributions(row: ScoreRow, window: Window, old_factor: float) -> Iterator[Contribution]:
    """Everything that a report's row (``periods.score_row``) adds to the month."""
    yield from _received(row, window)
    yield from _heard(row, window)
    for period in row["rounds"]:
        if _imported(period):
            continue
        yield from _due(period, window)
        yield from _acknowledge_due(period, window)
        yield from _closed(row, period, window)
        yield from _open(row, period, window, old_factor)
    yield from _marks(row, window)


def held_at(row: ScoreRow, moment: str) -> list[Any]:
    """[ward, unit, officer] of the holder at a moment."""
    holder: list[Any] = row["holds"][0][1:]
    for since, *held in row["holds"]:
        if since <= moment:
            holder = held
    return holder


def outcome(period: Period) -> str:
    """The outcome of a period by its deadline: verified, unanswered, dismissed or late."""
    if period["stop"] is None or period["stop"] > period["due"]:
        return "late"
    if period["resolution"] in DISMISSED:
        return "dismissed"
    return "verified" if period["resolution"] == "verified" else "unanswered"


def hours(start: str, end: str) -> float:
    """Hours between two moments."""
    return (parse(end) - parse(start)).total_seconds() / _HOUR


def _received(row: ScoreRow, window: Window) -> Iterator[Contribution]:
    if not window.holds(row["filed_at"]):
        return
    last = row["rounds"][-1]
    closed = last["closed_at"]
    if closed is not None and last["resolution"] in _NO_REPORT and closed < window.settled:
        return
    ward, unit, _ = held_at(row, window.settled)
    filed = row["filed_at"]
    yield _whole("received", "received", row["service"], [ward, unit, None], filed)


def _due(period: Period, window: Window) -> Iterator[Contribution]:
    if window.holds(period["due"]) and not _void(period, period["due"]):
        for share in period["shares"]:
            yield _shared("on_time", outcome(period), period["service"], share, period["due"])
    elif window.trailing_from <= period["due"] < window.start and not _void(period, period["due"]):
        for share in period["shares"]:
            yield _shared(EARLIER, "due", period["service"], share, period["due"])


def _imported(period: Period) -> bool:
    # An older version wrote rows of imported reports. A repair here has a moment of finishing.
    return period["resolution"] in _REPAIRED and period["stop"] is None


def _void(period: Period, due: str) -> bool:
    # The report became protected before this deadline.
    return "ended" in period and due >= period["ended"]


def _acknowledge_due(period: Period, window: Window) -> Iterator[Contribution]:
    due, heard, stop = period["acknowledge_due"], period["acknowledged_at"], period["stop"]
    if not window.holds(due) or _void(period, due):
        return
    if heard is None and stop is not None and stop <= due and period["resolution"] in DISMISSED:
        return  # Dismissed before the acknowledgement was due.
    first = min((moment for moment in (heard, stop) if moment), default=None)
    result = "in_time" if first is not None and first <= due else "late"
    for share in period["acknowledge_shares"]:
        yield _shared("acknowledged_on_time", result, period["service"], share, due)


def _closed(row: ScoreRow, period: Period, window: Window) -> Iterator[Contribution]:
    closed, resolution, service = period["closed_at"], period["resolution"], period["service"]
    if window.holds(closed) and resolution in _REPAIRED:
        yield _whole("verified", resolution, service, period["held"], closed)
        assert period["stop"] is not None
        taken = hours(row["filed_at"], period["stop"])
        yield _whole("to_resolve", "resolved", service, period["held"], closed, taken)


def _heard(row: ScoreRow, window: Window) -> Iterator[Contribution]:
    # Once a report: an answer after a reopening is not the first answer.
    period = row["rounds"][0]
    heard = period["acknowledged_at"]
    if window.holds(heard):
        taken = hours(row["filed_at"], heard)
        held = held_at(row, heard)
        yield _whole("to_acknowledge", "acknowledged", period["service"], held, heard, taken)


def _open(
    row: ScoreRow, period: Period, window: Window, old_factor: float
) -> Iterator[Contribution]:
    until = window.until
    if period["from"] >= until or (period["closed_at"] is not None and period["closed_at"] < until):
        return
    held = held_at(row, until)
    age = hours(period["from"], until)
    old = age > old_factor * hours(period["from"], period["due"])
    days = age * _HOUR / _DAY
    age_group = "old" if old else "open"
    yield _whole("backlog", age_group, period["service"], held, period["from"], days)
    unfinished = period["stop"] is None or period["stop"] >= until
    if period["due"] < window.start and unfinished:
        # Charged to the holder at the deadline; a later transfer changes nothing.
        for share in period["shares"]:
            yield _shared("overdue_carried", "carried", period["service"], share, period["due"])


def _marks(row: ScoreRow, window: Window) -> Iterator[Contribution]:
    service = row["service"]
    for kind, at, *held in row["marks"]:
        if kind in _AUDITS:
            if window.audits_from <= at < window.settled:
                yield _whole("audit", _AUDITS[kind], service, held, at)
        elif window.holds(at):
            if kind in _WORK:
                yield _whole("reopened_or_refused", kind, service, held, at)
            elif kind in _ANSWERS:
                yield _whole("repaired_yes", kind, service, held, at)
            elif kind in STARS:
                stars = float(STARS.index(kind) + 1)
                yield _whole("satisfaction", "rated", service, held, at, stars)


def _whole(
    measure: str, result: str, service: str, held: Any, at: str, value: float | None = None
) -> Contribution:
    ward, unit, officer = held
    return Contribution(measure, result, service, ward, unit, officer, WHOLE, value, at)


def _shared(measure: str, result: str, service: str, share: Any, at: str) -> Contribution:
    ward, unit, officer, contribution = share
    return Contribution(measure, result, service, ward, unit, officer, contribution, None, at)
