"""Personal data by person and report: contacts, supports, reporters' rights, what a person left."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from chalicelib import clock
from chalicelib.domain.row_types import Contact, PhotoFacts
from chalicelib.storage import tables
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Delete, Put, read

SUPPORT, FOLLOW, RIGHT, VIA, FLAG, DUPLICATE = "SUP", "FOL", "REP", "VIA", "FLG", "DUP"
# Further kinds in the index of a person's traces: a report that they filed or claimed, a text, an
# uploaded photo, the previous reporter of a claimed report, a contact, and a contact of a follower.
FILED, TEXT, PHOTO, CLAIMED_FROM, CONTACT = "FILED", "TXT", "PIC", "WAS", "CON"
REACHED_BY = "NEWS"
# Marks that a person can set only once, with any idempotency key.
ONCE = frozenset({SUPPORT, FLAG})
WAYS_LIMIT = 50
FACTS_KEPT = timedelta(days=2)


def put_trace(jurisdiction: str, uid: str, kind: str, report: str, detail: str = "-") -> Put:
    """Record that a person left data: its ``kind``, the report, and ``detail``, its name.

    An erasure reads these rows to find everything that a person left.
    """
    return Put(f"trace:{kind}", _trace(jurisdiction, uid, kind, report, detail))


def delete_trace(jurisdiction: str, uid: str, kind: str, report: str, detail: str = "-") -> Delete:
    """Delete such a row, because the data were withdrawn or erased."""
    return Delete(f"trace:{kind}", _trace(jurisdiction, uid, kind, report, detail))


def traces(jurisdiction: str, uid: str, after: str, limit: int) -> list[tuple[str, str, str]]:
    """A page of what a person left, (kind, report, detail) in the order of ``trace_name``."""
    key, beyond = f"{jurisdiction}#BY#{uid}", tables.Person.sk > after if after else None
    rows = read(lambda: list(tables.Person.query(key, beyond, limit=limit, consistent_read=True)))
    return [_named(row.sk) for row in rows]


def filed(jurisdiction: str, uid: str, limit: int) -> list[str]:
    """The newest reports of a person, by the index of traces."""
    key, condition = f"{jurisdiction}#BY#{uid}", tables.Person.sk.startswith(f"{FILED}#")

    def action() -> list[tables.Person]:
        return list(tables.Person.query(key, condition, limit=limit, scan_index_forward=False))

    return [_named(row.sk)[1] for row in read(action)]


def details(jurisdiction: str, uid: str, kind: str, report: str) -> list[str]:
    """The details of one kind and report in the index of a person, at most a hundred."""
    key, start = f"{jurisdiction}#BY#{uid}", trace_name(kind, report, "")
    condition = tables.Person.sk.startswith(start)
    rows = read(lambda: list(tables.Person.query(key, condition, limit=100, consistent_read=True)))
    return [row.sk.removeprefix(start) for row in rows]


def released_uid(report: str) -> str:
    """The placeholder uid of a report that nobody has claimed, or whose claim was ended. Also the
    author of what another system passed on from the person who filed it."""
    return f"released-{report}"


def is_person(uid: str) -> bool:
    """Whether a uid is of a person (an account, a device, a contact), not of a key or official."""
    return uid.startswith(("p_", "d_", "c_"))


def is_of_people(uid: str) -> bool:
    """Whether what a uid left is of citizens: of a person, or passed on by another system's key."""
    return is_person(uid) or uid.startswith(("k_", "released-"))


def trace_name(kind: str, report: str, detail: str = "-") -> str:
    """The sort key of a trace."""
    return f"{kind}#{report}#{detail}"


def _named(name: str) -> tuple[str, str, str]:
    kind, report, detail = name.split("#", 2)
    return kind, report, detail


def _trace(jurisdiction: str, uid: str, kind: str, report: str, detail: str) -> tables.Person:
    return tables.Person(f"{jurisdiction}#BY#{uid}", trace_name(kind, report, detail))


def put_contact(
    jurisdiction: str, ref: str, contact: Contact, kept: timedelta | None = None
) -> Put:
    """Store a contact, for a time or until it is deleted; the head has only ``ref``."""
    ttl = int((clock.wall() + kept).timestamp()) if kept else None
    row = tables.Person(f"{jurisdiction}#C#{ref}", "contact", doc=dump(contact), ttl=ttl)
    return Put("contact", row)


def contact(jurisdiction: str, ref: str) -> Contact | None:
    """A reporter's contact data; every caller records that it was read."""
    doc: dict[str, Any] | None = get(tables.Person, f"{jurisdiction}#C#{ref}", "contact")
    return doc


def delete_contact(jurisdiction: str, ref: str) -> Delete:
    """Delete a contact."""
    return Delete("contact", tables.Person(f"{jurisdiction}#C#{ref}", "contact"))


def put_photo_facts(jurisdiction: str, photo: str, facts: PhotoFacts) -> Put:
    """Store a photo's metadata until the photo is used, at most ``FACTS_KEPT``."""
    expiry = int((clock.wall() + FACTS_KEPT).timestamp())
    return Put(
        "facts", tables.Person(f"{jurisdiction}#PH#{photo}", "facts", doc=dump(facts), ttl=expiry)
    )


def photo_facts(jurisdiction: str, photo: str) -> PhotoFacts | None:
    """A photo's metadata (``imaging.metadata``); for its owner and for ``photos.proof`` only."""
    doc: PhotoFacts | None = get(tables.Person, f"{jurisdiction}#PH#{photo}", "facts")
    return doc


def delete_photo_facts(jurisdiction: str, photo: str) -> Delete:
    """Delete a photo's metadata."""
    return Delete("facts", tables.Person(f"{jurisdiction}#PH#{photo}", "facts"))


def put_mark(
    jurisdiction: str,
    report: str,
    kind: str,
    uid: str,
    doc: dict[str, Any] | None = None,
) -> Put:
    """Record that a person supports, follows, flags or has a reporter's rights in a report."""
    row = tables.Person(f"{jurisdiction}#R#{report}", f"{kind}#{uid}", doc=dump(doc or {}))
    condition = tables.Person.pk.does_not_exist() if kind in ONCE else None
    return Put(kind, row, condition)


def delete_mark(jurisdiction: str, report: str, kind: str, uid: str) -> Delete:
    """Delete a mark."""
    return Delete(kind, tables.Person(f"{jurisdiction}#R#{report}", f"{kind}#{uid}"))


def marks(jurisdiction: str, report: str, kind: str, limit: int) -> list[str]:
    """The names of a report's marks of a kind; they begin with the uid."""
    rows = read(
        lambda: list(
            tables.Person.query(
                f"{jurisdiction}#R#{report}",
                tables.Person.sk.startswith(f"{kind}#"),
                limit=limit,
                consistent_read=True,
            )
        )
    )
    return [row.sk.split("#", 1)[1] for row in rows]


def marks_page(
    after: str | None, limit: int
) -> tuple[list[tuple[str, str, str, str, str]], str | None]:
    """(marks after a key, next key), by a Scan: only for ``infra.ops.backfill_traces``.

    A mark is (city, report, kind, uid, detail).
    """
    start = None
    if after:
        pk, sk = json.loads(after)
        start = {"pk": {"S": pk}, "sk": {"S": sk}}
    rows = tables.Person.scan(limit=limit, page_size=limit, last_evaluated_key=start)
    page = []
    for row in rows:
        jurisdiction, kind, report = row.pk.split("#", 2)
        name, *rest = row.sk.split("#", 2)
        if kind == "R" and name in (SUPPORT, FOLLOW, FLAG, RIGHT):
            uid, detail = (*rest, "-")[:2]
            page.append((jurisdiction, report, name, uid, detail))
    last_key = rows.last_evaluated_key
    return page, json.dumps([last_key["pk"]["S"], last_key["sk"]["S"]]) if last_key else None


def all_traced() -> Iterator[tuple[str, str]]:
    """(city, uid) of everybody in the index, by a Scan: only for a restore."""
    for row in tables.Person.scan(attributes_to_get=["pk", "sk"]):
        jurisdiction, kind, uid = row.pk.split("#", 2)
        if kind == "BY":
            yield jurisdiction, uid


def duplicates(jurisdiction: str, original: str) -> list[str]:
    """The reports that are merged into ``original``, oldest first; every page."""
    key = f"{jurisdiction}#R#{original}"

    def of(kind: str) -> list[tables.Person]:
        condition = tables.Person.sk.startswith(f"{kind}#")
        return list(tables.Person.query(key, condition, consistent_read=True))

    # Merges by older code left no row of their own, only the reporter's right.
    rows = read(lambda: of(DUPLICATE) + of(RIGHT))
    # Ids sort by the time of filing.
    return sorted({row.sk.rsplit("#", 1)[1] for row in rows})


def right_name(uid: str, duplicate: str) -> str:
    """The name of a person's right in a report whose duplicate they filed."""
    return f"{uid}#{duplicate}"


def has_right(jurisdiction: str, report: str, uid: str) -> bool:
    """Whether a person has a reporter's rights by a duplicate, or by a duplicate's duplicate."""
    if marks(jurisdiction, report, f"{RIGHT}#{uid}", 1):
        return True
    ways = marks(jurisdiction, report, VIA, WAYS_LIMIT)
    return any(has_right(jurisdiction, way, uid) for way in ways)
