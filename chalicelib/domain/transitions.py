"""What each action does to a report: pure functions from head to head, one an action.

``perform`` is the only way in. The table (workflow.py) has decided who and from where; here are
the rules that need the report's history: windows, limits, two persons, older originals.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

from chalicelib.domain import clocks, sla
from chalicelib.domain.actor import Principal
from chalicelib.domain.city import City, Target
from chalicelib.domain.geohash import distance_m
from chalicelib.domain.report import Report
from chalicelib.domain.times import parse
from chalicelib.domain.workflow import Action, allowed, check_fields, clock, holds, refuse
from chalicelib.errors import Problem

WORDS = ("note", "reason", "text", "question")
# An original that ends like this gives its duplicates back.
_DISOWNED = frozenset({"rejected", "not_ours", "withdrawn"})


@dataclass(frozen=True)
class Move:
    """One attempt at an action: who, on what, with what, when, by which city's rules."""

    action: Action
    report: Report
    actor: Principal
    standing: frozenset[str]
    given: dict[str, Any]
    now: datetime
    city: City
    target: Report | None = None

    def refuse(self, slug: str, **members: Any) -> NoReturn:
        """Refuse with the rule's name and what is open instead."""
        refuse(slug, self.action.name, self.report, self.standing, **members)


def perform(
    name: str,
    report: Report,
    actor: Principal,
    standing: frozenset[str],
    given: dict[str, Any],
    now: datetime,
    city: City,
    target: Report | None = None,
) -> Report:
    """The head after the action, its version one higher; ``Problem`` says why not."""
    action = allowed(name, report, standing)
    if actor.kind != "system":
        check_fields(action, given)
    move = Move(action, report, actor, standing, given, now, city, target)
    after = _EFFECTS[name](move, clocks.resume(report, now, city))
    if after.state == report.state == "closed":
        raise AssertionError(f"{name} left the report closed")
    return _acknowledged(move, replace(after, version=report.version + 1, changed_at=now))


def count(report: Report, measure: str, month: str, by: int = 1) -> Report:
    """The report with one more (or less) of a measure in a month."""
    months = dict(report.flow.get(measure, {}))
    months[month] = months.get(month, 0) + by
    if not months[month]:
        del months[month]
    flow = {**report.flow, measure: months}
    return replace(report, flow={name: kept for name, kept in flow.items() if kept})


def closed(move: Move, report: Report) -> Report:
    """Closed with the action's resolution."""
    return replace(
        _unoffered(report),
        state="closed",
        resolution=move.action.resolution,
        closed_at=move.now,
        closed_month=move.city.month(move.now),
    )


def _acknowledged(move: Move, report: Report) -> Report:
    ours = holds(move.actor, move.report)
    spoke = move.action.words == "public" and any(move.given.get(word) for word in WORDS)
    if report.acknowledged_at is None and ours and spoke:
        return replace(report, acknowledged_at=move.now)
    return report


def _assign(move: Move, report: Report) -> Report:
    unit = move.given.get("unit") or report.unit
    person = move.given.get("person")
    back = replace(
        report, state="assigned", assigned=True, agency=None, agency_due=None, back_to=None
    )
    if unit == report.unit:
        return _unoffered(replace(back, holder=person, held_by=_with(report, person)))
    if not _may_hold(move, unit):
        raise Problem("unknown_unit", field="unit")
    if person:
        raise Problem("person_after_acceptance", field="person")
    return replace(back, offered_to=unit, offered_at=move.now)


def _may_hold(move: Move, code: str) -> bool:
    # A protected report leaves its unit only by a protected service of another.
    unit = move.city.units.get(code)
    return (
        unit is not None
        and not move.report.protected
        and (unit.kind != "district" or move.report.district in unit.districts)
    )


def _unoffered(report: Report) -> Report:
    return replace(report, offered_to=None, offered_at=None)


def _accept(move: Move, report: Report) -> Report:
    unit, since = report.offered_to, report.offered_at
    if unit is None or since is None:
        move.refuse("nothing_offered")
    if "handed_to" not in move.standing:
        day = timedelta(hours=8)
        if move.city.calendar.add_working(since, day) > move.now:
            move.refuse("acceptance_pending")
    return _unoffered(replace(report, unit=unit, holder=None))


def _decline(move: Move, report: Report) -> Report:
    return _unoffered(replace(report, state="submitted", assigned=False, holder=None))


def _start(move: Move, report: Report) -> Report:
    holder = report.holder or move.actor.uid
    held_by = _with(report, holder)
    return _unoffered(replace(report, state="in_progress", holder=holder, held_by=held_by))


def _coordinate(move: Move, report: Report) -> Report:
    agency = move.city.units.get(move.given["agency"])
    if agency is None or agency.kind == "district" or agency.code == report.unit:
        raise Problem("unknown_unit", field="agency")
    target = move.city.services[report.service].resolve
    until = sla.due(target, move.now, move.city.calendar)
    if move.given.get("until"):
        until = _moment(move, "until")
    if until <= move.now:
        raise Problem("moment_past", field="until")
    # The unit that coordinates goes on holding it, so that somebody can answer for it.
    return _unoffered(
        replace(report, state="coordinated", assigned=True, agency=agency.code, agency_due=until)
    )


def _schedule(move: Move, report: Report) -> Report:
    until = _moment(move, "until")
    if until <= move.now:
        raise Problem("moment_past", field="until")
    target = move.city.services[report.service].resolve
    twice = Target(2 * target.hours, target.clock)
    if until > sla.due(twice, move.now, move.city.calendar):
        raise Problem("schedule_too_far", field="until", hours=twice.hours)
    if report.schedules and "dispatcher" not in move.standing:
        move.refuse("schedule_once")
    return replace(
        clocks.pause(_unoffered(report), move.now),
        state="scheduled",
        scheduled_until=until,
        schedules=report.schedules + 1,
    )


def _ask(move: Move, report: Report) -> Report:
    if not report.contactable:
        move.refuse("reporter_unreachable")
    if clocks.info_left(report, move.city) <= timedelta():
        move.refuse("pause_spent")
    paused = clocks.pause(report, move.now)
    return replace(paused, state="needs_info", back_to=report.state)


def _answer(move: Move, report: Report) -> Report:
    if move.actor.kind == "system" and clocks.pause_limit(move.report, move.city) > move.now:
        move.refuse("too_early")
    return replace(report, state=report.back_to or "submitted", back_to=None)


def _finish(move: Move, report: Report) -> Report:
    month = move.city.month(move.now)
    return replace(
        count(_unoffered(report), "finished", month),
        state="work_done",
        assigned=True,
        finished_at=move.now,
        finished_by=move.actor.uid,
        held_by=_with(report, move.actor.uid),
        after_photos=tuple(move.given.get("photos") or ()),
        disputed=False,
        refused_month=None,
        ruled=False,
    )


def _verify(move: Move, report: Report) -> Report:
    staff = move.actor.kind == "staff"
    if report.disputed and report.refused_month and staff:
        # An overruled refusal leaves every measure.
        report = count(report, "refused", report.refused_month, -1)
    return closed(move, replace(report, ruled=staff, disputed=False, refused_month=None))


def _refuse(move: Move, report: Report) -> Report:
    citizen = "reporter" in move.standing
    assert report.finished_at is not None
    if citizen and report.citizen_refused:
        move.refuse("refused_once")
    if citizen and move.now > report.finished_at + timedelta(days=move.city.rules["refuse_days"]):
        move.refuse("window_over", days=move.city.rules["refuse_days"])
    month = move.city.month(move.now)
    counted = report if report.disputed else count(report, "refused", month)
    return replace(
        counted,
        state="in_progress",
        citizen_refused=report.citizen_refused or citizen,
        ruled=report.ruled or not citizen,
        refused_month=report.refused_month or month,
        disputed=False,
    )


def _dispute(move: Move, report: Report) -> Report:
    if report.refused_month is None:
        move.refuse("nothing_refused")
    if report.ruled:
        move.refuse("ruling_final")
    return replace(report, state="work_done", disputed=True)


def _resume(move: Move, report: Report) -> Report:
    until = move.report.scheduled_until
    if move.actor.kind == "system" and until is not None and until > move.now:
        move.refuse("too_early")
    return replace(report, state="in_progress")


def _lapse(move: Move, report: Report) -> Report:
    due = clocks.next_due(report, move.city)
    if due is None or due > move.now:
        move.refuse("too_early")
    return closed(move, report)


def _close(move: Move, report: Report) -> Report:
    return closed(move, report)


def _withdraw(move: Move, report: Report) -> Report:
    # Whoever reported the same may verify or refuse, but not take back another person's report.
    if move.actor.uid != report.reporter:
        raise Problem("role_not_allowed", action="withdraw", rule="withdraw.filer")
    return closed(move, report)


def _merge(move: Move, report: Report) -> Report:
    original = move.target
    if original is None or original.protected or original.id == report.id:
        raise Problem("original_unknown", field="into")
    if not original.open:
        raise Problem("original_closed", field="into")
    if original.group != report.group or original.filed_at > report.filed_at:
        raise Problem("original_unfit", field="into")
    reach = move.city.rules["duplicate_m"]
    away = distance_m(report.lat, report.long, original.lat, original.long)
    if away > reach and "outside_verifier" not in move.standing:
        raise Problem("original_far", field="into", metres=round(away), reach=reach)
    back = report.state if clock(move.report.state) != "paused" else _unpaused(report)
    return closed(move, replace(report, merged_into=original.id, back_to=back))


def _unmerge(move: Move, report: Report) -> Report:
    original = move.target
    if move.actor.kind == "system" and original and original.resolution not in _DISOWNED:
        move.refuse("too_early")
    return replace(
        report,
        state=report.back_to or _unpaused(report),
        back_to=None,
        resolution=None,
        merged_into=None,
        closed_at=None,
        closed_month=None,
    )


def _reclassify(move: Move, report: Report) -> Report:
    service = move.city.services.get(move.given["service"])
    if service is None or not service.active or service.code == report.service:
        raise Problem("unknown_service", field="service")
    if not service.protected and not move.standing & {"officer", "dispatcher"}:
        raise Problem("only_into_protected", field="service")
    if report.protected and not service.protected:
        raise Problem("stays_protected", field="service")
    changed = replace(
        report, service=service.code, group=service.group, protected=service.protected
    )
    return _rerouted(move, changed)


def _transfer(move: Move, report: Report) -> Report:
    ward = move.given["ward"]
    area = move.city.areas.get(ward)
    if area is None or area.level != move.city.levels[-1] or ward == report.ward:
        raise Problem("unknown_ward", field="ward")
    district, _ = move.city.place(ward)
    if district != report.district and "dispatcher" not in move.standing:
        move.refuse("dispatcher_needed")
    return _rerouted(move, replace(report, ward=ward, district=district))


def _rerouted(move: Move, report: Report) -> Report:
    # The promise counts from filing again, and the calendar of pauses is kept.
    routed = clocks.promised(
        replace(
            _unoffered(report),
            state="assigned",
            assigned=True,
            unit=move.city.unit_for(report.service, report.district),
            holder=None,
            agency=None,
            agency_due=None,
            back_to=None,
            disputed=False,
            refused_month=None,
        ),
        move.city,
    )
    longer = routed.due_at > report.due_at and not report.protected
    if longer and "dispatcher" not in move.standing:
        move.refuse("dispatcher_needed")
    return routed


def _reopen(move: Move, report: Report) -> Report:
    assert report.closed_at is not None
    if "reporter" in move.standing:
        if report.ruled:
            move.refuse("ruling_final")
        if move.now > report.closed_at + timedelta(days=move.city.rules["reopen_days"]):
            move.refuse("window_over", days=move.city.rules["reopen_days"])
    reopened = replace(
        count(report, "reopened", move.city.month(move.now)),
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
    )
    return clocks.promised(reopened, move.city, since=move.now)


def _moment(move: Move, field: str) -> datetime:
    try:
        return parse(move.given[field])
    except (ValueError, OverflowError):
        raise Problem("moment_unreadable", field=field) from None


def _unpaused(report: Report) -> str:
    return "assigned" if report.assigned else "submitted"


def _with(report: Report, uid: str | None) -> tuple[str, ...]:
    return report.held_by if uid is None or uid in report.held_by else (*report.held_by, uid)


_EFFECTS: dict[str, Callable[[Move, Report], Report]] = {
    "assign": _assign,
    "accept": _accept,
    "decline": _decline,
    "start": _start,
    "coordinate": _coordinate,
    "schedule": _schedule,
    "ask": _ask,
    "answer": _answer,
    "finish": _finish,
    "verify": _verify,
    "refuse": _refuse,
    "dispute": _dispute,
    "resume": _resume,
    "lapse": _lapse,
    "reject": _close,
    "merge": _merge,
    "unmerge": _unmerge,
    "reclassify": _reclassify,
    "transfer": _transfer,
    "disown": _close,
    "withdraw": _withdraw,
    "reopen": _reopen,
}
