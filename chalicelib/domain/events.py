"""Builds the event of one change: what happened, by whom, before and after.

Tests: tests/unit/test_report.py
"""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain import event_parts, hash_chain
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import changes, facts
from chalicelib.domain.timeline_types import Event, EventData, ScoreRow
from chalicelib.domain.timestamps import iso


@dataclass(frozen=True)
class EventText:
    """A text from a person, kept apart from its event. ``audience``: ``public`` or ``inside``.

    ``more`` is stored beside it: the author, and the text that it replaces.
    """

    field: str
    audience: str
    text: str
    salt: bytes
    more: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """An event ready to append: its version, and its entry of the chain."""

    version: int
    entry: hash_chain.Entry
    # Whether only those involved may know of the report after the event.
    secret: bool = False

    @property
    def hash(self) -> str:
        """The event's hash."""
        return self.entry.hash


@dataclass(frozen=True)
class By:
    """Who changes a report, in which role, by which operation, and when."""

    actor: Principal
    role: str | None
    op: str
    now: datetime


@dataclass(frozen=True)
class Contents:
    """What an event holds besides the change.

    ``data``: codes and ids only. ``score``: the report's scorecard row after the change.
    """

    words: tuple[EventText, ...] = ()
    data: EventData | None = None
    score: ScoreRow | None = None


def link(
    action: str,
    before: Report | None,
    after: Report,
    by: By,
    contents: Contents,
    salt: bytes,
) -> Link:
    """The event of the change ``before`` → ``after``, chained to the last event.

    It holds no free text, no personal data and no floats. A citizen appears without an id.
    ``salt``: random bytes for the commitment to the inside part.
    """
    actor = by.actor
    event: Event = {
        "schema": event_parts.SCHEMA,
        "jurisdiction": after.jurisdiction,
        "report": after.id,
        "version": after.version,
        "action": action,
        "op": by.op,
        "at": iso(by.now),
        "rules": after.city_version,
        "actor": {
            "kind": actor.kind,
            "role": by.role,
            "uid": actor.uid if actor.kind in ("staff", "system") else None,
            "unit": actor.unit,
        },
        "before": facts(before) if before else None,
        "after": facts(after),
        "set": changes(before, after),
        "score": contents.score,
        "data": contents.data or {},
        "words": [
            {
                "field": word.field,
                "audience": word.audience,
                "commitment": hash_chain.commitment(word.text, word.salt),
            }
            for word in contents.words
        ],
    }
    previous = before.tail if before else hash_chain.GENESIS
    entry = hash_chain.seal(*event_parts.split(event), salt, previous)
    return Link(after.version, entry, after.secret)
