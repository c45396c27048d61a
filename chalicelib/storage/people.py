"""Personal data, each kind in a partition of its own: texts, contacts, supports, reporters' rights.

The event of a report commits to a text by its salted hash; the text itself is here alone, so
that it can be erased.
"""

import json
from typing import Any

from chalicelib.domain.events import Words
from chalicelib.storage import tables
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Delete, Put, read

SUPPORT, FOLLOW, RIGHT, VIA = "SUP", "FOL", "REP", "VIA"

WAYS_LIMIT = 50


def text_name(version: int, field: str) -> str:
    """The sort key of a text: the event's version and the field."""
    return f"{version:08d}#{field}"


def put_text(jurisdiction: str, report: str, version: int, words: Words) -> Put:
    """Keep a text beside the event that commits to it."""
    doc = {"text": words.text, "salt": words.salt.hex(), "audience": words.audience}
    name = text_name(version, words.field)
    row = tables.Person(f"{jurisdiction}#T#{report}", name, doc=dump(doc))
    return Put(f"text:{words.field}", row)


def texts(jurisdiction: str, report: str, first: int, last: int) -> dict[str, dict[str, Any]]:
    """The texts of events ``first`` to ``last``: name -> {text, salt, audience}."""
    condition = tables.Person.sk.between(f"{first:08d}#", f"{last:08d}#~")
    rows = read(
        lambda: list(tables.Person.query(f"{jurisdiction}#T#{report}", condition, limit=1000))
    )
    return {row.sk: json.loads(row.doc) for row in rows}


def put_contact(jurisdiction: str, ref: str, contact: dict[str, Any]) -> Put:
    """Keep how a reporter can be reached; the head knows only ``ref``."""
    return Put(
        "contact",
        tables.Person(f"{jurisdiction}#C#{ref}", "contact", doc=dump(contact)),
    )


def contact(jurisdiction: str, ref: str) -> dict[str, Any] | None:
    """A reporter's contact data; every caller records that it was read."""
    return get(tables.Person, f"{jurisdiction}#C#{ref}", "contact")


def put_mark(
    jurisdiction: str,
    report: str,
    kind: str,
    uid: str,
    doc: dict[str, Any] | None = None,
) -> Put:
    """That a person supports, follows or has a reporter's rights in a report: once."""
    row = tables.Person(f"{jurisdiction}#R#{report}", f"{kind}#{uid}", doc=dump(doc or {}))
    condition = tables.Person.pk.does_not_exist() if kind == SUPPORT else None
    return Put(kind, row, condition)


def delete_mark(jurisdiction: str, report: str, kind: str, uid: str) -> Delete:
    """Take such a mark back."""
    return Delete(kind, tables.Person(f"{jurisdiction}#R#{report}", f"{kind}#{uid}"))


def marks(jurisdiction: str, report: str, kind: str, limit: int) -> list[str]:
    """Who supports, follows or has rights: uids."""
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


def right_name(uid: str, duplicate: str) -> str:
    """The name of the right that a person has in a report by having filed its duplicate."""
    return f"{uid}#{duplicate}"


def has_right(jurisdiction: str, report: str, uid: str) -> bool:
    """Whether this person has a reporter's rights by a duplicate, or by a duplicate's duplicate."""
    if marks(jurisdiction, report, f"{RIGHT}#{uid}", 1):
        return True
    ways = marks(jurisdiction, report, VIA, WAYS_LIMIT)
    return any(has_right(jurisdiction, way, uid) for way in ways)
