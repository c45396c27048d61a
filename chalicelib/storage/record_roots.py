"""What the daily root of the record is made from, and the roots.

``TAILS#<day>`` / ``<report>`` (control)  the last event of a report on a day (UTC), 30 days
``ROOTS#ALL`` / ``<day>``      (figures)  the day's document, and its hash
``record/<city>/days/<day>.json``         the same document, locked
``record/<city>/months/…``                the tails of a month's reports, named by its root
"""

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib import clock, ids
from chalicelib.domain.events import Link
from chalicelib.domain.record_days import HIDDEN, Tail, pack, unpack
from chalicelib.storage import files, tables
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Put, read

KEPT = timedelta(days=30)


def day_of(moment: datetime) -> str:
    """The day of a moment, in UTC: ``YYYYMMDD``."""
    return moment.astimezone(UTC).strftime("%Y%m%d")


def put_tail(jurisdiction: str, report: str, link: Link, now: datetime) -> Put:
    """Note the last event of a report on a day, in the transaction that writes the event."""
    tail = Tail(report, link.version, link.hash)
    return put_known_tail(jurisdiction, tail, link.secret, now)


def put_known_tail(jurisdiction: str, tail: Tail, secret: bool, now: datetime) -> Put:
    """The same for an event that is there already. ``secret``: see ``Report.secret``."""
    note = {"v": tail.version, "h": tail.hash, **({"secret": True} if secret else {})}
    row = tables.Control(
        f"{jurisdiction}#TAILS#{day_of(now)}",
        tail.report,
        doc=dump(note),
        ttl=int((clock.wall() + KEPT).timestamp()),
    )
    return Put("tail", row)


def tails(jurisdiction: str, day: str, after: str, limit: int) -> list[tuple[str, str]]:
    """A page of a day's notes, (report, note) in the order of the reports; see ``tail_of``."""
    key, beyond = f"{jurisdiction}#TAILS#{day}", tables.Control.sk > after if after else None
    rows = read(lambda: list(tables.Control.query(key, beyond, limit=limit, consistent_read=True)))
    return [(row.sk, row.doc) for row in rows]


def tail_of(report: str, note: str) -> Tail:
    """The tail that a note names."""
    doc = json.loads(note)
    return Tail(report, int(doc["v"]), str(doc["h"]))


def tree_of(report: str, note: str) -> str:
    """The tree to which a note belongs: the report's month, or the one of secret reports."""
    return HIDDEN if json.loads(note).get("secret") else month_of(report)


def month_of(report: str) -> str:
    """The month of a report's id: ``YYYYMM``."""
    return ids.moment(report).strftime("%Y%m")


def put_root(jurisdiction: str, day: str, text: str, stamp: str) -> Put:
    """Keep a day's document, once."""
    row = tables.Figure(
        f"{jurisdiction}#ROOTS#ALL", day, doc=dump({"day": day, "document": text, "hash": stamp})
    )
    return Put("root", row, tables.Figure.pk.does_not_exist())


def root(jurisdiction: str, day: str) -> dict[str, Any] | None:
    """{"day", "document", "hash"} of a day."""
    doc: dict[str, Any] | None = get(tables.Figure, f"{jurisdiction}#ROOTS#ALL", day)
    return doc


def roots(jurisdiction: str, before: str | None, limit: int) -> list[dict[str, Any]]:
    """The roots before a day, newest first."""
    key, condition = f"{jurisdiction}#ROOTS#ALL", tables.Figure.sk < before if before else None
    rows = read(
        lambda: list(
            tables.Figure.query(
                key, condition, scan_index_forward=False, limit=limit, consistent_read=True
            )
        )
    )
    return [json.loads(row.doc) for row in rows]


def day_key(jurisdiction: str, day: str) -> str:
    """The key of a day's document in the bucket."""
    return f"record/{jurisdiction}/days/{day}.json"


def put_day(jurisdiction: str, day: str, text: str) -> None:
    """Write a day's document to the bucket, where nobody can change it for ``LockDays``.

    The first document of a day stays: after a restore, or if a row was deleted, it names what is
    lost.
    """
    if files.head(day_key(jurisdiction, day)) is None:
        files.put(day_key(jurisdiction, day), text.encode(), "application/json", locked=True)


def replaced_days(jurisdiction: str) -> list[str]:
    """The days whose file has several versions that differ, or was deleted: for administration."""
    prefix = day_key(jurisdiction, "")[: -len(".json")]
    return [key.removeprefix(prefix).removesuffix(".json") for key in files.replaced(prefix)]


def put_month(jurisdiction: str, month: str, root: str, tails: list[Tail]) -> None:
    """Write the tails of a month's reports under the name of their root."""
    body = gzip.compress(pack(tails), mtime=0)
    files.put(_month_key(jurisdiction, month, root), body, "application/gzip", locked=True)


def month(jurisdiction: str, month: str, root: str) -> list[Tail] | None:
    """The tails of a month's reports, or ``None`` if the file is missing."""
    body = files.get(_month_key(jurisdiction, month, root))
    return None if body is None else unpack(gzip.decompress(body))


def _month_key(jurisdiction: str, month: str, root: str) -> str:
    return f"record/{jurisdiction}/months/{month}-{root}.jsonl.gz"
