"""What each action does to a report; ``perform`` is the only entry.

The table (``domain.workflow.table``) has decided who may act and from which state.
``progress``, ``routing``, ``closure``, ``protection`` and ``clock_notes`` hold the rules that need
the report's history: time limits, counts, the second person, the age of an original.
"""

from collections.abc import Callable
from dataclasses import replace

from chalicelib.domain.actions import clock_notes, closure, progress, protection, routing
from chalicelib.domain.actions.context import Attempt, Context
from chalicelib.domain.body_types import ActionFields
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.sla import clocks, custody
from chalicelib.domain.workflow.table import allowed, check_fields, holds

WORDS = ("note", "reason", "text", "question")


def perform(
    name: str,
    report: Report,
    actor: Principal,
    standing: frozenset[str],
    fields: ActionFields,
    context: Context,
) -> Report:
    """The head after the action, its version one higher. Raises ``Problem`` with the reason.

    ``fields``: the fields of the action.
    """
    now, city, present = context.now, context.city, context.present
    name = protection.actual_action(name, report, fields.get("service"), present or city)
    action = allowed(name, report, standing)
    if actor.kind != "system":
        check_fields(action, fields)
    attempt = Attempt(
        action, report, actor, standing, fields, now, city, context.target, present, context.spot
    )
    stays = action.to == "same"
    after = _EFFECTS[name](attempt, report if stays else clocks.resume(report, now, city))
    if after.state == report.state == "closed" and not stays:
        raise AssertionError(f"{name} left the report closed")
    after = replace(_worked(attempt, after), version=report.version + 1, changed_at=now)
    return custody.with_holder(_acknowledged(attempt, after), now)


def _worked(attempt: Attempt, report: Report) -> Report:
    """The report with the actor's unit among those that have worked on it.

    A unit's own system has no account here; it works for the agency or the unit of the report.
    """
    before = attempt.report
    unit = attempt.actor.unit if attempt.actor.kind == "staff" else before.agency or before.unit
    if not attempt.action.work or unit is None or unit in report.worked:
        return report
    if attempt.actor.kind == "system" and attempt.action.name != "finish_outside":
        return report
    return replace(report, worked=(*report.worked, unit))


def _acknowledged(attempt: Attempt, report: Report) -> Report:
    ours = holds(attempt.actor, attempt.report)
    spoke = attempt.action.words == "public" and any(attempt.fields.get(word) for word in WORDS)
    if report.acknowledged_at is None and ours and spoke:
        return replace(report, acknowledged_at=attempt.now)
    return report


_EFFECTS: dict[str, Callable[[Attempt, Report], Report]] = {
    "assign": progress.assign,
    "accept": progress.accept,
    "decline": progress.decline,
    "start": progress.start,
    "coordinate": progress.coordinate,
    "schedule": progress.schedule,
    "ask": progress.ask,
    "answer": progress.answer,
    "finish": progress.finish,
    "finish_outside": progress.finish_outside,
    "verify": closure.verify,
    "refuse": closure.refuse,
    "dispute": closure.dispute,
    "resume": progress.resume,
    "lapse": closure.lapse,
    "reject": closure.close,
    "merge": closure.merge,
    "unmerge": closure.unmerge,
    "remerge": closure.remerge,
    "reclassify": routing.reclassify,
    "transfer": routing.transfer,
    "move_pin": routing.move_pin,
    "disown": closure.close,
    "withdraw": closure.withdraw,
    "reopen": closure.reopen,
    "breach": clock_notes.breach,
    "escalate": clock_notes.escalate,
    "release": clock_notes.release,
    "audit": clock_notes.audit,
    "protect": protection.protect,
    "take": protection.take,
    "return": protection.give_back,
    "protect_lapse": protection.lapse,
}
