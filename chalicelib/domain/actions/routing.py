"""Actions that send an open report elsewhere: another service, another ward or a corrected pin.

Pure functions from head to head, one an action; ``domain.actions.perform`` calls them. The unit and
the promise follow from the new service and ward.

Tests: tests/unit/test_perform.py
"""

from dataclasses import replace

from chalicelib.domain.actions.context import Attempt, PinLocation, unoffered
from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks, timers
from chalicelib.errors import Problem

PINS_OF_A_REPORTER = 3


def reclassify(attempt: Attempt, report: Report) -> Report:
    """Another service, by workers or dispatchers of the report.

    Only an officer of the protected unit can move a report out of protection; its texts then stay
    private until its reporter opens it. The way into protection is ``protection.protect``.
    """
    service = attempt.present.services.get(attempt.fields["service"])
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
    ward = attempt.fields["ward"]
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
    if not by_reporter and not attempt.fields.get("reason"):
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
