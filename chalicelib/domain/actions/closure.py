"""Actions that close a report or open it again: verify, refuse, merge, withdraw, reopen.

Pure functions from head to head, one an action; ``domain.actions.perform`` calls them.

Tests: tests/unit/test_perform.py
"""

from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.actions.context import Attempt, closed, count, mark, unmarked, unpaused
from chalicelib.domain.map.geohash import distance_m
from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks, periods, timers
from chalicelib.domain.workflow.table import clock
from chalicelib.errors import Problem


def verify(attempt: Attempt, report: Report) -> Report:
    """Confirmed by the reporter, or by a verifier, whose ruling is final."""
    staff = attempt.actor.kind == "staff"
    if report.disputed and report.refused_month and staff:
        # A refusal that is overruled counts in no measure.
        report = _in_time_after_all(attempt, count(report, "refused", report.refused_month, -1))
        report = unmarked(report, "refused", *(["no"] if report.citizen_refused else []))
    if not staff:
        report = mark(report, "yes", attempt.now)
    return closed(attempt, replace(report, ruled=staff, disputed=False, refused_month=None))


def _in_time_after_all(attempt: Attempt, report: Report) -> Report:
    in_time = report.finished_at is not None and report.finished_at <= report.due_at
    if not in_time or "resolve" not in report.breached:
        return report
    left = tuple(target for target in report.breached if target != "resolve")
    month = attempt.city.month(report.due_at)
    return replace(count(report, "breached", month, -1), breached=left)


def refuse(attempt: Attempt, report: Report) -> Report:
    """Not repaired: said by the reporter, once and in time, or by a verifier."""
    citizen = "reporter" in attempt.standing
    assert report.finished_at is not None
    if citizen and report.citizen_refused:
        attempt.refuse("refused_once")
    if citizen and attempt.now > report.finished_at + timedelta(
        days=attempt.city.rules["refuse_days"]
    ):
        attempt.refuse("window_over", days=attempt.city.rules["refuse_days"])
    month = attempt.city.month(attempt.now)
    counted = report
    if not report.disputed:
        counted = mark(count(report, "refused", month), "refused", attempt.now)
    if citizen:
        counted = mark(counted, "no", attempt.now)
    return replace(
        counted,
        state="in_progress",
        citizen_refused=report.citizen_refused or citizen,
        ruled=report.ruled or not citizen,
        refused_month=report.refused_month or month,
        disputed=False,
    )


def dispute(attempt: Attempt, report: Report) -> Report:
    """The holder asks a verifier to rule on a refusal."""
    if report.refused_month is None:
        attempt.refuse("nothing_refused")
    if report.ruled:
        attempt.refuse("ruling_final")
    return replace(report, state="work_done", disputed=True)


def lapse(attempt: Attempt, report: Report) -> Report:
    """Closed because nobody answered in time."""
    if report.disputed or timers.lapses_at(report, attempt.city) > attempt.now:
        attempt.refuse("too_early")
    return closed(attempt, report)


def close(attempt: Attempt, report: Report) -> Report:
    """Closed with the action's resolution."""
    return closed(attempt, report)


def withdraw(attempt: Attempt, report: Report) -> Report:
    """The person who filed the report takes it back."""
    # Reporters of duplicates may verify or refuse, but may not withdraw another person's report.
    if attempt.actor.uid != report.reporter:
        raise Problem("role_not_allowed", action="withdraw", rule="withdraw.filer")
    return closed(attempt, report)


def merge(attempt: Attempt, report: Report) -> Report:
    """A duplicate of an older open report close by."""
    original = attempt.target
    if original is None or original.secret or original.id == report.id:
        raise Problem("original_unknown", field="into")
    if original.private:
        # The person who filed the duplicate would see another reporter's private report.
        raise Problem("original_private", field="into")
    if not original.open:
        raise Problem("original_closed", field="into")
    if original.group != report.group or original.filed_at > report.filed_at:
        raise Problem("original_unfit", field="into")
    reach = attempt.city.rules["duplicate_m"]
    away = distance_m(report.lat, report.long, original.lat, original.long)
    if away > reach and "outside_verifier" not in attempt.standing:
        raise Problem("original_far", field="into", metres=round(away), reach=reach)
    back = report.state if clock(attempt.report.state) != "paused" else unpaused(report)
    return closed(attempt, replace(report, merged_into=original.id, back_to=back))


def unmerge(attempt: Attempt, report: Report) -> Report:
    """Back to the state before it was merged."""
    original = attempt.target
    if attempt.actor.kind == "system" and original and original.resolution not in timers.DISOWNED:
        attempt.refuse("too_early")
    return replace(
        report,
        state=report.back_to or unpaused(report),
        back_to=None,
        resolution=None,
        merged_into=None,
        audit=None,
        closed_at=None,
        closed_month=None,
    )


def remerge(attempt: Attempt, report: Report) -> Report:
    """Merged into the report that has replaced the original."""
    into = attempt.target
    if into is None or not into.open or into.hidden or into.id == report.id:
        raise Problem("original_closed", field="into")
    return replace(report, merged_into=into.id)


def reopen(attempt: Attempt, report: Report) -> Report:
    """Not repaired after all: a new period with a new promise from now."""
    assert report.closed_at is not None
    if "reporter" in attempt.standing:
        if report.ruled:
            attempt.refuse("ruling_final")
        if attempt.now > report.closed_at + timedelta(days=attempt.city.rules["reopen_days"]):
            attempt.refuse("window_over", days=attempt.city.rules["reopen_days"])
    marked = mark(report, "reopened", attempt.now)
    reopened = replace(
        count(marked, "reopened", attempt.city.month(attempt.now)),
        state="assigned" if report.assigned else "submitted",
        resolution=None,
        closed_at=None,
        closed_month=None,
        citizen_refused=False,
        refused_month=None,
        disputed=False,
        ruled=False,
        agency=None,
        agency_due=None,
        acknowledged_at=None,
        breached=(),
        escalated=0,
        past_rounds=periods.past(report, attempt.city),
        audit=None,
        missed_service=None,
        released=False,
        succeeded_by=None,
    )
    return clocks.promised(reopened, attempt.present, since=attempt.now)
