"""Control rows: idempotency keys, seen markers, the outbox, rate buckets, dead-letter notes.

Most rows expire 30 days of wall clock after they are written. A stream keeps 24 hours and a
dead-letter queue 14 days, so the marker is there for every retry.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib import clock
from chalicelib.domain.message_types import Notice, OutboxMessage
from chalicelib.domain.timestamps import iso, parse
from chalicelib.storage import tables
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Delete, Put, Refused, Update, commit, read

KEEP = timedelta(days=30)
# For how long one run has an outbox row or a citizen's message for itself (``storage.leases``).
# Longer than the functions that publish may run; shorter than a queue waits before it delivers a
# message again.
LEASE_SECONDS = 45
DEAD_SOURCES = (
    "follow_forwards", "forwards", "hide_rows", "keep_scorecards", "outbox", "photos", "projection",
    "retention", "seal_record", "sweep", "texts", "warn_units", "webhooks", "write_open_data",
)  # fmt: skip
_MARK = "-"
OUTBOX = "*#OUT#0"
_LATER = "~"
_TOGETHER = 50


@dataclass(frozen=True)
class Bucket:
    """A window of a rate limit: at most ``limit`` in the ``seconds`` from ``start`` (epoch)."""

    scope: str
    limit: int
    seconds: int
    start: int


def put_operation(jurisdiction: str, operation: str, doc: dict[str, Any]) -> Put:
    """Claim an idempotency key; ``doc`` has the body's hash and the answer."""
    row = _row(f"{jurisdiction}#IDEM#{operation}", _MARK, doc)
    return Put("operation", row, tables.Control.pk.does_not_exist())


def operation(jurisdiction: str, operation: str) -> dict[str, Any] | None:
    """The row of an idempotency key."""
    doc: dict[str, Any] | None = get(tables.Control, f"{jurisdiction}#IDEM#{operation}", _MARK)
    return doc


def blank_operation(jurisdiction: str, operation: str) -> Put:
    """Erase hash and answer of an idempotency key, but keep the key as used.

    A repetition of the key is then refused, as with a different body.
    """
    doc = {"body": "erased", "answer": {}}
    return Put("blank", _row(f"{jurisdiction}#IDEM#{operation}", _MARK, doc))


def put_seen(projection: str, jurisdiction: str, report: str, version: int) -> Put:
    """Mark an event as counted by a projection: once."""
    row = _row(f"{jurisdiction}#SEEN#{projection}#{report}#{version}", _MARK, None)
    return Put("seen", row, tables.Control.pk.does_not_exist())


def put_outbox(message: str, doc: OutboxMessage, holder: str | None = None) -> Put:
    """A message to publish; ``message`` is its stable, sortable id.

    ``holder``: the run that will publish it at once and has its lease (``storage.leases``).
    One partition for all cities, so that an idle relay costs one Query. A row has no expiry:
    only the relay removes it.
    """
    row = tables.Control(OUTBOX, message, doc=dump(doc))
    if holder is not None:
        row.holder, row.until = holder, int(clock.wall().timestamp()) + LEASE_SECONDS
    return Put(f"out:{message}", row)


def outbox(limit: int) -> list[tuple[str, OutboxMessage]]:
    """Unpublished messages, oldest first."""
    rows = read(lambda: list(tables.Control.query(OUTBOX, limit=limit, consistent_read=True)))
    return [(row.sk, json.loads(row.doc)) for row in rows]


def defer(message: str, doc: OutboxMessage, until: datetime, group: str) -> list[Delete | Put]:
    """The writes that defer a message until ``until``, together with others of its ``group``.

    It stays in the outbox, behind all rows that are ready ("~" sorts after every digit), so that
    one Query still shows everything.
    """
    return [take_outbox(message), put_deferred(message, doc, until, group)]


def take_outbox(message: str) -> Delete:
    """Remove a message if it is still there: to commit with the rows that replace it."""
    return Delete("out", tables.Control(OUTBOX, message), tables.Control.pk.exists())


def put_deferred(message: str, doc: OutboxMessage, until: datetime, group: str) -> Put:
    """A message that waits until ``until``, together with others of its ``group``."""
    name = f"{_LATER}{iso(until)}#{doc['jurisdiction']}#{group}#{message}"
    return Put(f"later:{group}", tables.Control(OUTBOX, name, doc=dump(doc)))


def is_deferred(message: str) -> bool:
    """Whether an outbox row is deferred."""
    return message.startswith(_LATER)


def deferred_until(message: str) -> datetime:
    """When a deferred row's group goes out."""
    return parse(message.removeprefix(_LATER).split("#")[0])


def group(message: str) -> str:
    """The beginning of the names of all deferred rows with the same time and group."""
    until, jurisdiction, group, _ = message.split("#", 3)
    return f"{until}#{jurisdiction}#{group}#"


def end_of_group(message: str) -> str:
    """A name that sorts after all deferred rows with the same time and group."""
    return f"{group(message)}{_LATER}"


def remove_outbox(message: str) -> None:
    """Delete a published message; a repetition is harmless."""
    commit([Delete("out", tables.Control(OUTBOX, message))])


def sent(jurisdiction: str, dedupe: str) -> bool:
    """Whether a message to a citizen was sent. (A row with a lease only says that it is tried.)"""
    key = f"{jurisdiction}#SENT#{dedupe}"
    rows = read(lambda: list(tables.Control.query(key, limit=1, consistent_read=True)))
    return bool(rows) and rows[0].until is None


def put_sent(jurisdiction: str, dedupe: str, mail: dict[str, Any] | None = None) -> None:
    """Record that a message was sent, and end its lease.

    ``mail``: {"id", ...} of an e-mail, for its bounces.
    """
    writes = [Put("sent", _row(f"{jurisdiction}#SENT#{dedupe}", _MARK, None))]
    if mail is not None:
        writes.append(Put("mail", _row(f"*#MAIL#{mail['id']}", _MARK, mail)))
    commit(writes)


def mail(name: str) -> dict[str, Any] | None:
    """The record of a sent e-mail, kept for 30 days: its contact and its report."""
    doc: dict[str, Any] | None = get(tables.Control, f"*#MAIL#{name}", _MARK)
    return doc


def put_page(jurisdiction: str, name: str) -> Put:
    """Mark a page of a message to many people as queued: once."""
    row = _row(f"{jurisdiction}#PAGED#{name}", _MARK, None)
    return Put("page", row, tables.Control.pk.does_not_exist())


def take(jurisdiction: str, buckets: list[Bucket]) -> Bucket | None:
    """Count one in every bucket, or in none if one is full. Returns the full bucket, if any."""
    writes = [
        Update(
            str(number),
            tables.Control(
                f"{jurisdiction}#RATE#{bucket.scope}", f"{bucket.seconds}#{bucket.start}"
            ),
            [
                tables.Control.used.add(1),
                tables.Control.ttl.set(_expiry(timedelta(days=2))),
            ],
            tables.Control.used.does_not_exist() | (tables.Control.used < bucket.limit),
        )
        for number, bucket in enumerate(buckets)
    ]
    try:
        commit(writes)
    except Refused as refusal:
        return max(
            (buckets[int(label)] for label in refusal.labels),
            key=lambda bucket: bucket.seconds,
        )
    return None


def forget_rates(jurisdiction: str, scope: str) -> None:
    """Delete the rate buckets of a scope ("device#d_…")."""
    key = f"{jurisdiction}#RATE#{scope}"
    rows = read(lambda: list(tables.Control.query(key, limit=100)))
    for start in range(0, len(rows), _TOGETHER):
        page = rows[start : start + _TOGETHER]
        commit([Delete(row.sk, tables.Control(key, row.sk)) for row in page])


def give_back(jurisdiction: str, buckets: list[Bucket]) -> None:
    """Count one less in every bucket. Raises ``Refused`` if a bucket is at zero."""
    commit(
        [
            Update(
                str(number),
                tables.Control(
                    f"{jurisdiction}#RATE#{bucket.scope}", f"{bucket.seconds}#{bucket.start}"
                ),
                [tables.Control.used.add(-1)],
                tables.Control.used > 0,
            )
            for number, bucket in enumerate(buckets)
        ]
    )


def put_notice(jurisdiction: str, name: str, at: str, message: Notice) -> list[Put]:
    """The writes of a day's notice and its outbox row: once a name."""
    return [
        *put_notice_marker(jurisdiction, name),
        put_outbox(f"{at}#{jurisdiction}:{name}", message),
    ]


def put_notice_marker(jurisdiction: str, name: str) -> list[Put]:
    """The write that marks a notice, or all notices of a day, as made: once a name."""
    marker = _row(f"{jurisdiction}#NOTICE#{name}", _MARK, None)
    return [Put("notice", marker, tables.Control.pk.does_not_exist())]


def noticed(jurisdiction: str, name: str) -> bool:
    """Whether a notice was made."""
    return get(tables.Control, f"{jurisdiction}#NOTICE#{name}", _MARK) is not None


def stored_cursor(work: str) -> str | None:
    """The stored cursor of a long task; ``None`` if it has not begun or is done."""
    row = get(tables.Control, f"*#PLACE#{work}", _MARK)
    return row["place"] if row else None


def store_cursor(work: str, cursor: str | None) -> None:
    """Store the cursor of a long task, or that it is done (``None``)."""
    commit([Put("place", tables.Control(f"*#PLACE#{work}", _MARK, doc=dump({"place": cursor})))])


def put_dead(
    jurisdiction: str, source: str, name: str, doc: dict[str, Any], keep: timedelta | None = None
) -> None:
    """Record what could not be processed, so that an administrator sees it.

    ``keep``: for how long, unless it is recorded again; without it until ``forget_dead``.
    """
    row = tables.Control(f"{jurisdiction}#DEAD#{source}", name, doc=dump(doc))
    if keep is not None:
        row.ttl = _expiry(keep)
    commit([Put("dead", row)])


def forget_dead(jurisdiction: str, source: str, name: str) -> None:
    """Delete a note: its work is done."""
    commit([Delete("dead", tables.Control(f"{jurisdiction}#DEAD#{source}", name))])


def dead(jurisdiction: str, source: str, limit: int) -> list[dict[str, Any]]:
    """The notes of a source (one of ``DEAD_SOURCES``), at most ``limit``, with their names."""
    key, ttl = f"{jurisdiction}#DEAD#{source}", tables.Control.ttl
    # DynamoDB deletes expired rows only after a while.
    lasting = ttl.does_not_exist() | (ttl > int(clock.wall().timestamp()))
    query = tables.Control.query
    rows = read(
        lambda: list(query(key, filter_condition=lasting, limit=limit, scan_index_forward=False))
    )
    return [{"name": row.sk, **json.loads(row.doc)} for row in rows]


def _row(pk: str, sk: str, doc: dict[str, Any] | None) -> tables.Control:
    return tables.Control(pk, sk, doc=dump(doc) if doc is not None else None, ttl=_expiry(KEEP))


def _expiry(keep: timedelta) -> int:
    return int((clock.wall() + keep).timestamp())
