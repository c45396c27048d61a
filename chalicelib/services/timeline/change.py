"""The writes of one change of a report: its head over the version seen, its event, its texts."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.events import Words, link
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report, decided
from chalicelib.domain.sla import periods, timers
from chalicelib.domain.workflow import permissions
from chalicelib.domain.workflow.table import actions_of
from chalicelib.services.platform.idempotency import Operation
from chalicelib.services.timeline import traces
from chalicelib.storage import reports, secrecy
from chalicelib.storage.transactions import Write


def changes(
    op: Operation,
    actor: Principal,
    before: Report,
    after: Report,
    name: str,
    now: datetime,
    city: City,
    words: tuple[Words, ...] = (),
    data: dict[str, Any] | None = None,
    standing: frozenset[str] = frozenset(),
) -> list[Write]:
    """The writes of one change: head over the version seen, its event, the event's texts.

    ``city`` is the version under which the promise of ``after`` was made (``cities.promised``).
    """
    role = _role(actor, standing, name, before)
    score = periods.score_row(after, city)
    event = link(name, before, after, actor, op.id, now, words, data, role, score)
    head = replace(after, tail=event.hash, decided=decided(before, after, name))
    return [
        reports.put_head(head, timers.next_due(head, city), seen=before.version),
        reports.put_event(before.jurisdiction, before.id, event),
        *secrecy.proposal(before, head),
        *traces.texts(actor, before.id, after.version, words),
        *traces.late(actor, before, now),
    ]


def _role(actor: Principal, standing: frozenset[str], name: str, report: Report) -> str:
    if actor.kind != "staff":
        return "reporter" if "reporter" in standing else actor.kind
    # A relation, such as holder, is no role: the event names the role that gave the right.
    roles = permissions.over(actor, report).roles()
    action = actions_of(report).get(name)
    fitting = sorted(roles & action.who) if action else []
    return next(iter(fitting or sorted(roles)), "staff")
