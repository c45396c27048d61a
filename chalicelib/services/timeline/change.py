"""The writes of one change of a report: its head over the version seen, its event, its texts.

Tests: tests/integration/test_actions.py
"""

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib import ids
from chalicelib.domain.events import By, Contents, EventText, link
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import decided
from chalicelib.domain.sla import periods, timers
from chalicelib.domain.timeline_types import EventData
from chalicelib.domain.workflow import permissions
from chalicelib.domain.workflow.table import actions_of
from chalicelib.services.city import cities
from chalicelib.services.platform.idempotency import KeyedOperation
from chalicelib.services.timeline import traces
from chalicelib.storage import record_roots, reports, secrecy, timeline_rows
from chalicelib.storage.transactions import Write


@dataclass(frozen=True)
class Change:
    """One change of a report: the name of its event, the report before and after, and the texts
    and the data that the event carries."""

    name: str
    before: Report
    after: Report
    words: tuple[EventText, ...] = ()
    data: EventData | None = None


def change_writes(
    change: Change,
    actor: Principal,
    op: KeyedOperation,
    now: datetime,
    standing: frozenset[str] = frozenset(),
) -> list[Write]:
    """The writes of one change: the head over the version before, its event, the event's texts.

    Deadlines are those of the city version under which the SLA of the report was promised.
    """
    name, before, after, words = change.name, change.before, change.after, change.words
    city = cities.promised(after)
    role = _role(actor, standing, name, before)
    score = periods.score_row(after, city)
    contents = Contents(words, change.data, score)
    by = By(actor, role, op.id, now)
    event = link(name, before, after, by, contents, ids.token_bytes(SALT_BYTES))
    head = replace(after, tail=event.hash, decided=decided(before, after, name))
    return [
        reports.put_head(head, timers.next_due(head, city), seen=before.version),
        timeline_rows.put_event(before.jurisdiction, before.id, event),
        *secrecy.proposal(before, head),
        *traces.text_rows(actor, before.id, after.version, words),
        *traces.after_closing(actor, before, now),
        record_roots.put_tail(before.jurisdiction, before.id, event, now),
    ]


def _role(actor: Principal, standing: frozenset[str], name: str, report: Report) -> str:
    """The role that the event names: the one that gave an official the right to act."""
    if actor.kind != "staff":
        return "reporter" if "reporter" in standing else actor.kind
    # A standing such as holder is not a role.
    roles = permissions.over(actor, report).roles()
    action = actions_of(report).get(name)
    fitting = sorted(roles & action.who) if action else []
    return next(iter(fitting or sorted(roles)), "staff")
