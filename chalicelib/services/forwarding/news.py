"""What a unit's system says about a request, as an event: the work is done, or a comment.

Tests: tests/integration/test_forwarding.py
"""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from chalicelib import ids
from chalicelib.domain.body_types import ActionFields
from chalicelib.domain.city.city import City
from chalicelib.domain.events import EventText
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.input.redaction import redact
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.domain.workflow.table import actions_of
from chalicelib.errors import Problem
from chalicelib.services.platform.catalogue import official_text
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.reports import actions
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage.transactions import Unavailable, Unknown

FINISHED = "finish_outside"


class News(NamedTuple):
    """News of a unit's system about a request; repeated news has the same ``id``."""

    request: str
    text: str
    id: str


def can_finish(head: Report) -> bool:
    """Whether the report is in a state that ends when the work is done."""
    return head.state in actions_of(head)[FINISHED].sources


def finish(city: City, head: Report, news: News, now: datetime) -> bool:
    """Record that the work is done there. Returns ``False`` if another write came first."""
    actor = system(city.jurisdiction)
    text = redact(news.text, city.patterns)
    parameters: ActionFields = {
        "note": text or official_text(city, "outside.closed"),
        "request": news.request,
    }
    op = keyed_operation(actor, FINISHED, f"{head.id}:{news.id}", "")
    try:
        actions.act_by_clock(actor, op, head, FINISHED, parameters, now)
    except (Unavailable, Unknown):
        raise
    except Problem:
        return False
    return True


def add_comment(city: City, unit: str, head: Report, kind: str, news: News, now: datetime) -> None:
    """Add what the system says to the timeline, as an event of this kind."""
    actor = system(city.jurisdiction)
    text = redact(news.text, city.patterns)

    def change(seen: Seen, city: City) -> Addition:
        report = seen.report
        after = replace(
            report,
            comments=report.comments + bool(text),
            acknowledged_at=report.acknowledged_at or now,
        )
        return Addition(after, {}, [], {"unit": unit, "request": news.request})

    words = (EventText("comment", "public", text, ids.token_bytes(SALT_BYTES)),) if text else ()
    op = keyed_operation(actor, kind, f"{head.id}:{news.id}", "")
    add(actor, op, head.id, kind, change, now, words)
