"""One effect an idempotency key: begin, write with the key's row, replay.

The row is part of the same transaction as what it stands for, so a key without its effect, or
an effect without its key, cannot exist (docs/decisions/idempotency.md).
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import observability
from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.storage import control
from chalicelib.storage.transactions import Refused, Unavailable, Unknown, Write, commit


@dataclass(frozen=True)
class KeyedOperation:
    """An attempt that carries a key: ``id`` is scoped to the person and the route."""

    jurisdiction: str
    id: str
    body_hash: str


@dataclass(frozen=True)
class Outcome:
    """What to answer, whether it was answered before, and whether anything was written for it."""

    answer: dict[str, Any]
    replayed: bool = False
    wrote: bool = True


def keyed_operation(actor: Principal, route: str, key: str, body_hash: str) -> KeyedOperation:
    """The operation of this person, route and key."""
    scope = f"{actor.kind}|{actor.uid}|{route}|{key}"
    return KeyedOperation(
        actor.jurisdiction, hashlib.sha256(scope.encode()).hexdigest()[:40], body_hash
    )


def earlier_outcome(op: KeyedOperation) -> Outcome | None:
    """The outcome of an earlier attempt; ``key_reused`` if that had another body."""
    row = control.operation(op.jurisdiction, op.id)
    if row is None:
        return None
    if row["body"] != op.body_hash:
        raise Problem("key_reused", field="Idempotency-Key")
    return Outcome(row["answer"], replayed=True, wrote=False)


def run_once(op: KeyedOperation, attempt: Callable[[], Outcome]) -> Outcome:
    """The earlier outcome, or that of ``attempt``.

    A refusal is believed only after another look at the key: the same request, sent twice at
    once, may have succeeded meanwhile and be the very reason for it. Where the key cannot be
    read, nobody knows: 503.
    """
    if found := earlier_outcome(op):
        return found
    try:
        return attempt()
    except (Unavailable, Unknown):
        raise
    except Problem:
        if found := earlier_outcome(op):
            return found
        raise


def write_with_key(op: KeyedOperation, writes: Sequence[Write], answer: dict[str, Any]) -> Outcome:
    """Write all with the key's row. A lost acknowledgement is resolved by reading back.

    Raises ``Refused`` where another condition than the key's failed.
    """
    row = control.put_operation(op.jurisdiction, op.id, {"body": op.body_hash, "answer": answer})
    try:
        commit([row, *writes])
    except Refused as refusal:
        if row.label in refusal.labels and (found := earlier_outcome(op)):
            return found
        raise
    except Unknown:
        if found := _read_back(op):
            return Outcome(found.answer)
        raise
    observability.note("written", report=answer.get("id"), version=answer.get("version"), op=op.id)
    return Outcome(answer)


def _read_back(op: KeyedOperation) -> Outcome | None:
    try:
        return earlier_outcome(op)
    except Unavailable:
        return None
