"""Actions on open reports: assign, work, pause, and move to another unit, service or ward.

Pure functions from head to head, one an action; ``domain.actions.perform`` calls them.

Tests: tests/unit/test_perform.py
"""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.actions.context import Attempt, PinLocation, count, mark, unoffered
from chalicelib.domain.city.city import Target
from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks, deadlines, timers
from chalicelib.domain.timestamps import parse
from chalicelib.errors import Problem

PINS_OF_A_REPORTER = 3


def assign(attempt: Attempt, report: Report) -> Report:
    """Give the report to a unit or a person; another unit holds it once it has accepted."""
    unit = attempt.given.get("unit") or report.unit
    person = attempt.given.get("person")
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
    """Work begins; whoever starts a report without a holder becomes its holder."""
    holder = report.holder or attempt.actor.uid
    held_by = _with(report, holder)
    return unoffered(replace(report, state="in_progress", holder=holder, held_by=held_by))


def coordinate(attempt: Attempt, report: Report) -> Report:
    """Hand the work to another agency, by name, with a due time of its own."""
    agency = attempt.present.units.get(attempt.given["agency"])
    if agency is None or agency.kind == "district" or agency.code == report.unit:
        raise Problem("unknown_unit", field="agency")
    target = attempt.present.services[report.service].resolve
    until = deadlines.due(target, attempt.now, attempt.present.calendar)
    if attempt.given.get("until"):
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
        after_photos=tuple(attempt.given.get("photos") or ()),
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


def reclassify(attempt: Attempt, report: Report) -> Report:
    """Another service, by workers or dispatchers of the report.

    Only an officer of the protected unit can move a report out of protection; its texts then stay
    private until its reporter opens it. The way into protection is ``protection.protect``.
    """
    service = attempt.present.services.get(attempt.given["service"])
    if service is None or not service.active or service.code == report.service:
        raise Problem("unknown_service", field="service")
    if not service.protected and not attempt.standing & {"officer", "dispatcher"}:
        raise Problem("only_into_protected", field="service")
    leaves = report.protected and not service.protected
    if leaves and "officer" not in attempt.standing:
        raise Problem("stays_protected", field="service")
    if leaves:
        report = replace(report, private=True, counted={})
    changed = replace(
        report,
        service=service.code,
        group=service.group,
        protected=service.protected,
        public_decimals=service.public_decimals,
    )
    return rerouted(attempt, changed)


def transfer(attempt: Attempt, report: Report) -> Report:
    """Another ward, with a better pin if one is given; another district needs a dispatcher."""
    ward = attempt.given["ward"]
    area = attempt.present.areas.get(ward)
    if area is None or area.level != attempt.present.levels[-1] or ward == report.ward:
        raise Problem("unknown_ward", field="ward")
    if attempt.spot is not None:
        if attempt.spot.ward != ward:
            raise Problem("pin_not_in_ward", field="lat", ward=attempt.spot.ward)
        report = _pinned(report, attempt.spot)
    district, _ = attempt.present.district_and_path(ward)
    if district != report.district and "dispatcher" not in attempt.standing:
        attempt.refuse("dispatcher_needed")
    return rerouted(attempt, replace(report, ward=ward, district=district))


def move_pin(attempt: Attempt, report: Report) -> Report:
    """Correct the pin; ward, district and unit follow it.

    An official must give a reason, and needs to be a dispatcher for another district. A reporter
    may do it a few times while no official has taken the report.
    """
    assert attempt.spot is not None
    by_reporter = "reporter" in attempt.standing
    if by_reporter and report.pins >= PINS_OF_A_REPORTER:
        attempt.refuse("pins_spent")
    if not by_reporter and not attempt.given.get("reason"):
        raise Problem("action_field_missing", field="reason", action=attempt.action.name)
    if (attempt.spot.lat7, attempt.spot.long7) == (report.lat7, report.long7):
        raise Problem("pin_unmoved", field="lat")
    ward = attempt.spot.ward
    district, _ = attempt.present.district_and_path(ward)
    if district != report.district and not by_reporter and "dispatcher" not in attempt.standing:
        attempt.refuse("dispatcher_needed")
    moved = replace(_pinned(report, attempt.spot), pins=report.pins + by_reporter)
    if ward == report.ward:
        return moved
    moved = replace(moved, ward=ward, district=district)
    unit = _unit_there(attempt, moved)
    if unit != report.unit:
        moved = unoffered(replace(moved, unit=unit, holder=None, entrusted=False))
    offered = attempt.present.units.get(moved.offered_to or "")
    if offered and offered.kind == "district" and district not in offered.districts:
        moved = unoffered(moved)
    if district == report.district:
        return moved
    return _promised_there(attempt, report, moved, by_reporter)


def _may_hold(attempt: Attempt, code: str) -> bool:
    # A protected report changes units only with its service. A proposed one must not be shown to
    # more units.
    unit = attempt.present.units.get(code)
    return (
        unit is not None
        and not attempt.report.secret
        and (unit.kind != "district" or attempt.report.district in unit.districts)
    )


def rerouted(attempt: Attempt, report: Report) -> Report:
    """The report with the unit of its service and that service's promise from filing.

    All pauses still count.
    """
    routed = replace(
        unoffered(report),
        state="assigned",
        assigned=True,
        unit=attempt.present.unit_for(report.service, report.district),
        holder=None,
        entrusted=False,
        agency=None,
        agency_due=None,
        back_to=None,
        disputed=False,
        refused_month=None,
    )
    return _promised_there(attempt, report, routed)


def _promised_there(
    attempt: Attempt, report: Report, routed: Report, by_reporter: bool = False
) -> Report:
    routed = clocks.promised(routed, attempt.present)
    protected = report.protected or attempt.report.protected
    longer = routed.due_at > report.due_at and not protected
    if longer and not by_reporter and "dispatcher" not in attempt.standing:
        attempt.refuse("dispatcher_needed")
    return _still_missed(attempt, report, routed)


def _unit_there(attempt: Attempt, report: Report) -> str:
    # Its unit keeps the report, except a district's own unit outside its districts.
    unit = attempt.present.units.get(report.unit)
    if unit is not None and (unit.kind != "district" or report.district in unit.districts):
        return report.unit
    return attempt.present.unit_for(report.service, report.district)


def _pinned(report: Report, spot: PinLocation) -> Report:
    return replace(report, lat7=spot.lat7, long7=spot.long7, outside_m=spot.outside_m)


def _still_missed(attempt: Attempt, report: Report, routed: Report) -> Report:
    # A deadline that the city has missed stays missed after the report moves.
    kept = routed
    if timers.missed(report, report.city_due_at, attempt.now):
        kept = replace(
            kept,
            city_due_at=report.city_due_at,
            missed_service=report.missed_service or report.service,
        )
    due = report.city_acknowledge_due
    if due and (report.acknowledged_at or attempt.now) > due:
        kept = replace(kept, city_acknowledge_due=due)
    return kept


def _moment(attempt: Attempt, field: str) -> datetime:
    try:
        return parse(attempt.given[field])
    except (ValueError, OverflowError):
        raise Problem("moment_unreadable", field=field) from None


def _with(report: Report, uid: str | None) -> tuple[str, ...]:
    return report.held_by if uid is None or uid in report.held_by else (*report.held_by, uid)
