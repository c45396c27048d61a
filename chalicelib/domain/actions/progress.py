"""Actions on open reports: assign, accept, work, coordinate and pause.

Pure functions from head to head, one an action; ``domain.actions.perform`` calls them.

Tests: tests/unit/test_perform.py
"""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.actions.context import Attempt, count, mark, unoffered
from chalicelib.domain.city.service import Target
from chalicelib.domain.input import moments
from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks, deadlines
from chalicelib.errors import Problem


def assign(attempt: Attempt, report: Report) -> Report:
    """Give the report to a unit or a person; another unit holds it once it has accepted."""
    unit = attempt.fields.get("unit") or report.unit
    person = attempt.fields.get("person")
    back = replace(
        report, state="assigned", assigned=True, agency=None, agency_due=None, back_to=None
    )
    if unit == report.unit:
        return unoffered(replace(back, holder=person, held_by=_with(report, person)))
    if not _may_hold(attempt, unit):
        raise Problem("unknown_unit", field="unit")
    if person:
        raise Problem("person_after_acceptance", field="person")
    return replace(back, offered_to=unit, offered_at=attempt.now)


def accept(attempt: Attempt, report: Report) -> Report:
    """The offered unit holds the report now; after a working day a dispatcher may decide this."""
    unit, since = report.offered_to, report.offered_at
    if unit is None or since is None:
        attempt.refuse("nothing_offered")
    if "handed_to" not in attempt.standing:
        day = timedelta(hours=8)
        if attempt.city.calendar.add_working(since, day) > attempt.now:
            attempt.refuse("acceptance_pending")
    return unoffered(replace(report, unit=unit, holder=None, entrusted=True))


def decline(attempt: Attempt, report: Report) -> Report:
    """Back to be assigned; a unit that was offered the report gives it back to its holder."""
    return unoffered(replace(report, state="submitted", assigned=False, holder=None))


def start(attempt: Attempt, report: Report) -> Report:
    """Work begins; a person who starts a report without a holder becomes its holder."""
    holder = report.holder or attempt.actor.uid
    held_by = _with(report, holder)
    return unoffered(replace(report, state="in_progress", holder=holder, held_by=held_by))


def coordinate(attempt: Attempt, report: Report) -> Report:
    """Hand the work to another agency, by name, with a due time of its own."""
    agency = attempt.present.units.get(attempt.fields["agency"])
    if agency is None or agency.kind == "district" or agency.code == report.unit:
        raise Problem("unknown_unit", field="agency")
    target = attempt.present.services[report.service].resolve
    until = deadlines.due(target, attempt.now, attempt.present.calendar)
    if attempt.fields.get("until"):
        until = _moment(attempt, "until")
    if until <= attempt.now:
        raise Problem("moment_past", field="until")
    # The unit that coordinates keeps the report and answers for it.
    return unoffered(
        replace(report, state="coordinated", assigned=True, agency=agency.code, agency_due=until)
    )


def schedule(attempt: Attempt, report: Report) -> Report:
    """A public date stops the clock until then.

    The date must be near enough; a second schedule needs a dispatcher.
    """
    until = _moment(attempt, "until")
    if until <= attempt.now:
        raise Problem("moment_past", field="until")
    target = attempt.present.services[report.service].resolve
    twice = Target(2 * target.hours, target.clock)
    if until > deadlines.due(twice, attempt.now, attempt.present.calendar):
        raise Problem("schedule_too_far", field="until", hours=twice.hours)
    if report.schedules and "dispatcher" not in attempt.standing:
        attempt.refuse("schedule_once")
    return replace(
        clocks.pause(unoffered(report), attempt.now),
        state="scheduled",
        scheduled_until=until,
        schedules=report.schedules + 1,
    )


def ask(attempt: Attempt, report: Report) -> Report:
    """A question to a reporter who can be reached stops the clock while pause time is left."""
    if not report.contactable:
        attempt.refuse("reporter_unreachable")
    if clocks.info_left(report, attempt.city) <= timedelta():
        attempt.refuse("pause_spent")
    paused = clocks.pause(report, attempt.now)
    return replace(paused, state="needs_info", back_to=report.state)


def answer(attempt: Attempt, report: Report) -> Report:
    """The reporter answered, or the time for an answer is over."""
    if (
        attempt.actor.kind == "system"
        and clocks.pause_limit(attempt.report, attempt.city) > attempt.now
    ):
        attempt.refuse("too_early")
    return replace(report, state=report.back_to or "submitted", back_to=None)


def finish(attempt: Attempt, report: Report) -> Report:
    """The worker says that it is repaired."""
    month = attempt.city.month(attempt.now)
    done = mark(unoffered(report), "finished", attempt.now)
    return replace(
        count(done, "finished", month),
        state="work_done",
        assigned=True,
        finished_at=attempt.now,
        finished_by=attempt.actor.uid,
        held_by=_with(report, attempt.actor.uid),
        after_photos=tuple(attempt.fields.get("photos") or ()),
        disputed=False,
        refused_month=None,
        ruled=False,
    )


def finish_outside(attempt: Attempt, report: Report) -> Report:
    """The system of the unit or agency says that it is repaired.

    The repair is still to be verified. This acknowledges the report if nothing has before.
    """
    heard = report.acknowledged_at or attempt.now
    return replace(finish(attempt, report), acknowledged_at=heard, back_to=None)


def resume(attempt: Attempt, report: Report) -> Report:
    """The scheduled date has come, or the holder begins earlier."""
    until = attempt.report.scheduled_until
    if attempt.actor.kind == "system" and until is not None and until > attempt.now:
        attempt.refuse("too_early")
    return replace(report, state="in_progress")


def _may_hold(attempt: Attempt, code: str) -> bool:
    # A protected report changes units only with its service. A proposed one must not be shown to
    # more units.
    unit = attempt.present.units.get(code)
    return (
        unit is not None
        and not attempt.report.secret
        and (unit.kind != "district" or attempt.report.district in unit.districts)
    )


def _moment(attempt: Attempt, field: str) -> datetime:
    try:
        return moments.read(str(attempt.fields.get(field)))
    except ValueError:
        raise Problem("moment_unreadable", field=field) from None


def _with(report: Report, uid: str | None) -> tuple[str, ...]:
    return report.held_by if uid is None or uid in report.held_by else (*report.held_by, uid)
