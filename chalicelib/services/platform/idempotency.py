"""A request takes effect once per idempotency key; a repeat gets the stored answer.

The key's row is written in the same transaction as the change. So there is never a key without its
change, or a change without its key (docs/decisions/idempotency.md).

Tests: tests/integration/test_intake.py
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib import observability
from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.storage import control
from chalicelib.storage.transactions import Refused, Unavailable, Unknown, Write, commit


@dataclass(frozen=True)
class KeyedOperation:
    """A request with an idempotency key.

    ``id`` is a hash of the person, the route and the key. ``body_hash`` tells whether a repeat has
    the same body.
    """

    jurisdiction: str
    id: str
    body_hash: str


@dataclass(frozen=True)
class Outcome:
    """The answer, whether it is a stored one (``replayed``), and whether anything was written."""

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
    """The stored outcome of this key, or ``None``. Raises ``Problem``: key_reused, if the earlier
    request had another body."""
    row = control.operation(op.jurisdiction, op.id)
    if row is None:
        return None
    if row["body"] != op.body_hash:
        raise Problem("key_reused", field="Idempotency-Key")
    return Outcome(row["answer"], replayed=True, wrote=False)


def run_once(op: KeyedOperation, attempt: Callable[[], Outcome]) -> Outcome:
    """The stored outcome of the key, or that of ``attempt``.

    If ``attempt`` is refused, the key is read again: the same request, sent twice at once, may have
    succeeded in between and be the cause of the refusal. If the key cannot be read, the answer is
    503.
    """
    if outcome := earlier_outcome(op):
        return outcome
    try:
        return attempt()
    except (Unavailable, Unknown):
        raise
    except Problem:
        if outcome := earlier_outcome(op):
            return outcome
        raise


def write_with_key(
    op: KeyedOperation, writes: Sequence[Write], answer: Mapping[str, Any]
) -> Outcome:
    """Write all with the key's row, in one transaction.

    If the acknowledgement is lost, the key's row is read back to see whether the write happened.
    Raises ``Refused`` if a condition other than the key's failed.
    """
    row = control.put_operation(op.jurisdiction, op.id, {"body": op.body_hash, "answer": answer})
    try:
        commit([row, *writes])
    except Refused as refusal:
        if row.label in refusal.labels and (outcome := earlier_outcome(op)):
            return outcome
        raise
    except Unknown:
        if outcome := _read_back(op):
            return Outcome(outcome.answer)
        raise
    observability.note("written", report=answer.get("id"), version=answer.get("version"), op=op.id)
    return Outcome(dict(answer))


def _read_back(op: KeyedOperation) -> Outcome | None:
    try:
        return earlier_outcome(op)
    except Unavailable:
        return None
