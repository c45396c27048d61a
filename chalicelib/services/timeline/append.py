"""Changes that carry no version: each is tried again on the newest head until it fits.

A hundred neighbours may support a report at once, and a photo becomes ready while an officer
acts; none of them decides by what the others change.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.events import Words
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import rate_limits
from chalicelib.services.platform.idempotency import Operation, Outcome, earlier, once, write
from chalicelib.services.timeline import access
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.change import changes
from chalicelib.storage import people, reports
from chalicelib.storage.transactions import Refused, Unavailable, Write, wait

# Of a crowd that supports one report at once, each round of attempts lets at least one through.
ATTEMPTS = 40
# Nothing was written and trying again at once did not help: how often it may help later.
RESTS = 3


@dataclass(frozen=True)
class Addition:
    """The report as changed, what to answer besides its id and version, what else to write, and
    the event's data; ``name`` is an event of another name than was asked for."""

    report: Report
    answer: dict[str, Any]
    writes: list[Write] = field(default_factory=list)
    data: dict[str, Any] | None = None
    name: str | None = None


Change = Callable[[Seen, City], Addition | None]


def add(
    actor: Principal,
    op: Operation,
    report_id: str,
    name: str,
    change: Change,
    now: datetime,
    words: tuple[Words, ...] = (),
    *,
    blind: bool = False,
    spend: rate_limits.Spend = rate_limits.NOTHING,
) -> Outcome:
    """Make a change on the newest head, with its event, once a key.

    ``change`` gets the report anew at each attempt; where it answers ``None`` nothing is written
    and the answer is empty. ``blind`` passes over whether the actor may see the report; ``spend``
    is what it counts against, once, and given back where nothing is written.
    """

    def attempt() -> Outcome:
        rests = 0
        for number in range(ATTEMPTS):
            wait(number)
            try:
                outcome = _try(actor, op, report_id, name, change, now, words, blind)
            except Unavailable:
                rests += 1
                if rests > RESTS:
                    raise
                continue
            if outcome is not None:
                return outcome
        raise Unavailable

    return once(op, lambda: rate_limits.spending(actor.jurisdiction, spend, now, attempt))


def _try(
    actor: Principal,
    op: Operation,
    report_id: str,
    name: str,
    change: Change,
    now: datetime,
    words: tuple[Words, ...],
    blind: bool,
) -> Outcome | None:
    """One attempt on the newest head; ``None`` if that moved on meanwhile."""
    seen = _load(actor, report_id, blind)
    city = cities.promised(seen.report)
    added = change(seen, city)
    if added is None:
        return Outcome({}, wrote=False)
    after = replace(added.report, version=seen.report.version + 1, changed_at=now)
    writes = changes(
        op,
        actor,
        seen.report,
        after,
        added.name or name,
        now,
        city,
        words,
        added.data,
        seen.standing,
    )
    answer = {"id": report_id, "version": after.version, **added.answer}
    try:
        return write(op, [*writes, *added.writes], answer)
    except Refused as refusal:
        if refusal.labels & people.ONCE:
            return _again(actor, seen.report, added.answer)
        return earlier(op)


def _again(actor: Principal, report: Report, answer: dict[str, Any]) -> Outcome:
    # Said before under another key: the numbers are those of the report as it is.
    newest = reports.get(actor.jurisdiction, report.id) or report
    held = {name: getattr(newest, name, value) for name, value in answer.items()}
    return Outcome({"id": report.id, "version": newest.version, **held}, wrote=False)


def _load(actor: Principal, report_id: str, blind: bool) -> Seen:
    if not blind:
        return access.load(actor, report_id)
    report = reports.get(actor.jurisdiction, report_id)
    if report is None:
        raise Problem("not_found")
    return Seen(report, frozenset({"reporter"}), is_reporter=True)
