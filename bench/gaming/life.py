"""The life of a report: its acts through the workflow's own rules, with the clock between them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from bench.gaming.cases import Act, Case
from bench.gaming.place import city, official
from chalicelib.domain.actions.context import Context, PinLocation, rated
from chalicelib.domain.actions.perform import perform
from chalicelib.domain.body_types import ActionFields
from chalicelib.domain.principal import Principal, system
from chalicelib.domain.report import Report
from chalicelib.domain.sla import custody, deadlines, periods, timers
from chalicelib.domain.timeline_types import ScoreRow
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow.table import standing
from chalicelib.errors import Problem

_RATED = ("work_done", "closed")
# The clock acts by these alone; a breach alerts people and changes nothing that is counted.
_NOTED = ("acknowledge", "resolve")


@dataclass(frozen=True)
class Life:
    """How a report ended. ``tried``: acts of a trick; ``refused``: the rules that refused some."""

    report: Report
    tried: int
    refused: tuple[str, ...]

    @property
    def row(self) -> ScoreRow | None:
        """The row that scorecards count."""
        return periods.score_row(self.report, city())


def life_of(case: Case, end: datetime) -> Life:
    """The case's life until ``end``."""
    report, tried, refused = filed(case), 0, list[str]()
    for act in sorted(case.acts, key=lambda act: act.at):
        if act.at >= end:
            break
        report = _clock(report, act.at)
        tried += act.trick
        try:
            report = _done(report, case, act)
        except Problem as problem:
            # What is no longer possible is left out; a trick that is refused is told.
            if act.trick:
                refused.append(str(problem.members.get("rule", problem.slug)))
    return Life(_clock(report, end), tried, tuple(refused))


def audited(report: Report, passed: bool, at: datetime) -> Report:
    """The report after a verifier from elsewhere has looked at its closing."""
    actor = official("verifier", report.district)
    fields = {"result": "pass" if passed else "fail", "reason": "Seen."}
    return _performed(report, actor, "audit", fields, Context(at, city()), is_reporter=False)


def filed(case: Case) -> Report:
    """The head of a report that was just filed."""
    here = city()
    service = here.services[case.service]
    promise = deadlines.promise(service, case.district, case.filed_at, here)
    head = Report(
        id=case.id, code=case.id[-8:], jurisdiction=here.jurisdiction, city_version=here.version,
        service=service.code, group=service.group, protected=service.protected, ward=case.ward,
        district=case.district, unit=here.unit_for(service.code, case.district), lat7=case.lat7,
        long7=case.long7, channel="api", language="id", filed_at=case.filed_at,
        changed_at=case.filed_at, clock_from=case.filed_at,
        acknowledge_due=promise.acknowledge_due, due_at=promise.due_at,
        city_acknowledge_due=promise.city_acknowledge_due, city_due_at=promise.city_due_at,
        filed_month=here.month(case.filed_at), contactable=case.contactable, reporter=case.filer,
        filer=case.filer, breached=_NOTED,
    )  # fmt: skip
    return custody.with_holder(head, case.filed_at)


def _done(report: Report, case: Case, act: Act) -> Report:
    now, here = act.at, city()
    citizen = act.who in ("reporter", "friend")
    if act.name == "rate":
        if report.state not in _RATED or report.finished_at is None or report.protected:
            raise Problem("not_yet_rated")
        after = rated(report, act.fields["stars"], now, here.month(now))
        return replace(after, version=report.version + 1)
    if act.who == "system":
        actor = system(here.jurisdiction)
    elif citizen:
        uid = case.filer if act.who == "reporter" else f"{case.filer}-friend"
        actor = Principal("citizen", here.jurisdiction, uid=uid)
    else:
        actor = official(act.who, case.district)
    fields = {
        name: iso(value) if isinstance(value, datetime) else value
        for name, value in act.fields.items()
    }
    spot = PinLocation(*act.spot) if act.spot else None
    target = filed(act.target) if act.target else None
    return _performed(
        report, actor, act.name, fields, Context(now, here, target, spot=spot), is_reporter=citizen
    )


def _performed(
    report: Report,
    actor: Principal,
    name: str,
    fields: dict[str, Any],
    context: Context,
    *,
    is_reporter: bool,
) -> Report:
    stands = standing(actor, report, is_reporter=is_reporter)
    return perform(name, report, actor, stands, cast(ActionFields, fields), context)


def _clock(report: Report, now: datetime) -> Report:
    here = city()
    clock = system(here.jurisdiction)
    while (step := timers.due_step(report, here, now)) is not None:
        if step.action == "breach" and step.target is not None:
            report = replace(report, breached=(*report.breached, step.target))
            continue
        context = Context(step.at, here)
        report = _performed(report, clock, step.action, {}, context, is_reporter=False)
    return report
