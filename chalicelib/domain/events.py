"""Building the event of one change: what happened, by whom, before and after."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain import hash_chain
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report, changes, facts
from chalicelib.domain.timestamps import iso


@dataclass(frozen=True)
class Words:
    """A text from a person: shown to ``public`` or ``inside``, kept apart from the event.

    ``more`` is what else is kept beside it: whose it is, and which text it stands for.
    """

    field: str
    audience: str
    text: str
    salt: bytes
    more: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """An event ready to append: canonical JSON and its hash."""

    version: int
    text: str
    hash: str


def link(
    action: str,
    before: Report | None,
    after: Report,
    actor: Principal,
    op: str,
    now: datetime,
    words: tuple[Words, ...] = (),
    data: dict[str, Any] | None = None,
    role: str | None = None,
    score: dict[str, Any] | None = None,
) -> Link:
    """The event of the change ``before`` → ``after`` by operation ``op``, chained to the last.

    ``data`` holds codes and ids only: no free text, no personal data, no floats. A citizen
    appears without an id. ``score`` is the report's row in the scorecards after the change.
    """
    event = {
        "schema": 1,
        "jurisdiction": after.jurisdiction,
        "report": after.id,
        "version": after.version,
        "action": action,
        "op": op,
        "at": iso(now),
        "rules": after.city_version,
        "actor": {
            "kind": actor.kind,
            "role": role,
            "uid": actor.uid if actor.kind in ("staff", "system") else None,
            "unit": actor.unit,
        },
        "before": facts(before) if before else None,
        "after": facts(after),
        "set": changes(before, after),
        "score": score,
        "data": data or {},
        "words": [
            {
                "field": one.field,
                "audience": one.audience,
                "commitment": hash_chain.commitment(one.text, one.salt),
            }
            for one in words
        ],
    }
    text, stamp = hash_chain.chain(event, before.tail if before else hash_chain.GENESIS)
    return Link(after.version, text, stamp)
