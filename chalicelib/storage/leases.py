"""Leases: who publishes an outbox row, or sends a citizen's message, and until when.

Several runs of a function see the same row. The one with the lease publishes it; the others skip
it. A lease outlasts the run that took it, so when it expires its holder has ended and the row goes
to another. Only then, or if AWS's answer was lost, can a message leave twice.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pynamodb.expressions.condition import Condition

from chalicelib import clock, ids
from chalicelib.domain.message_types import OutboxMessage
from chalicelib.storage import control, tables
from chalicelib.storage.control import KEEP, LEASE_SECONDS, OUTBOX
from chalicelib.storage.transactions import (
    Delete,
    Put,
    Refused,
    Unavailable,
    Unknown,
    Update,
    commit,
    read,
)

_MARK = "-"


class Held(Unavailable):
    """Somebody else is sending this message. A repetition finds it sent, or may send it."""


@dataclass(frozen=True)
class Row:
    """A row of the outbox; ``holder`` has its lease until ``until`` (seconds of the epoch)."""

    name: str
    message: OutboxMessage
    holder: str | None = None
    until: int = 0

    def belongs_to(self, holder: str) -> bool:
        """Whether the holder's lease lasts long enough to publish the row now."""
        return (
            self.holder == holder and 0 <= self.until - now() - LEASE_SECONDS // 2 <= LEASE_SECONDS
        )

    @property
    def held(self) -> bool:
        """Whether somebody has a lease of the row. A wrong clock cannot hold a row for long."""
        return self.holder is not None and now() <= self.until <= now() + 2 * LEASE_SECONDS


def new_holder() -> str:
    """A name for one run of a function."""
    return ids.token_bytes(8).hex()


def outbox_page(limit: int, after: str = "") -> list[Row]:
    """A page of unpublished messages after a name, oldest first; deferred ones come last."""
    return _rows(tables.Control.sk > after if after else None, limit)


def group_of(name: str, limit: int) -> list[Row]:
    """The deferred rows with the same time and group, oldest first."""
    return _rows(tables.Control.sk.startswith(control.group(name)), limit)


def _rows(condition: Condition | None, limit: int) -> list[Row]:
    query = tables.Control.query
    rows = read(lambda: list(query(OUTBOX, condition, limit=limit, consistent_read=True)))
    return [Row(row.sk, json.loads(row.doc), row.holder, int(row.until or 0)) for row in rows]


def take(row: Row, holder: str) -> bool:
    """Take the lease of an outbox row. Returns whether the holder may publish the row."""
    if row.belongs_to(holder):
        return True
    if row.held and row.holder != holder:
        return False
    actions = [tables.Control.holder.set(holder), tables.Control.until.set(now() + LEASE_SECONDS)]
    condition = tables.Control.doc.exists() & free(holder)
    try:
        commit([Update("lease", tables.Control(OUTBOX, row.name), actions, condition)])
    except Refused:
        return False
    return True


def give_back(holder: str, name: str) -> None:
    """End the lease of an outbox row, so that the next run need not wait. Never fails."""
    with suppress(Refused, Unavailable, Unknown):
        actions = [tables.Control.holder.remove(), tables.Control.until.remove()]
        row, mine = tables.Control(OUTBOX, name), tables.Control.holder == holder
        commit([Update("lease", row, actions, mine)])


@contextmanager
def given_back(holder: str, *names: str) -> Iterator[None]:
    """Give the leases of these outbox rows back if the work fails."""
    try:
        yield
    except Exception:
        for name in names:
            give_back(holder, name)
        raise


def begin(jurisdiction: str, dedupe: str, holder: str) -> bool:
    """Claim the sending of a citizen's message; ``control.put_sent`` ends it. Returns ``False`` if
    it was sent already.

    Raises ``Held`` if somebody else is sending it now.
    """
    pk = f"{jurisdiction}#SENT#{dedupe}"
    expiry = int((clock.wall() + KEEP).timestamp())
    row = tables.Control(pk, _MARK, holder=holder, until=now() + LEASE_SECONDS, ttl=expiry)
    try:
        commit([Put("sending", row, tables.Control.pk.does_not_exist() | _lapsed(holder))])
    except Refused:
        rows = read(lambda: list(tables.Control.query(pk, limit=1, consistent_read=True)))
        if rows and rows[0].until is None:
            return False
        raise Held from None
    return True


def end(jurisdiction: str, dedupe: str, holder: str) -> None:
    """End a claim without a record that anything was sent. Never fails."""
    row = tables.Control(f"{jurisdiction}#SENT#{dedupe}", _MARK)
    with suppress(Refused, Unavailable, Unknown):
        commit([Delete("sending", row, tables.Control.holder == holder)])


@contextmanager
def sending(jurisdiction: str, dedupe: str, holder: str) -> Iterator[None]:
    """End the claim if sending fails, so that the next delivery may send."""
    try:
        yield
    except Exception:
        end(jurisdiction, dedupe, holder)
        raise


def free(holder: str) -> Condition:
    """The condition that nobody else has the lease of a row. A wrong clock cannot hold a row for
    long."""
    unheld: Condition = tables.Control.holder.does_not_exist()
    unheld |= _lapsed(holder)
    return unheld


def now() -> int:
    """The present second of the epoch, in which leases are counted."""
    return int(clock.wall().timestamp())


def _lapsed(holder: str) -> Condition:
    present, until = now(), tables.Control.until
    lapsed: Condition = (until < present) | (until > present + 2 * LEASE_SECONDS)
    lapsed |= tables.Control.holder == holder
    return lapsed
