"""Notification preferences, dead channels, and messages held back during quiet hours.

A person is known here by a pseudonym of their address (``services.people.preferences.key``).
"""

import json
from datetime import datetime, timedelta
from typing import Any

from chalicelib import clock
from chalicelib.domain.message_types import PersonMessage
from chalicelib.domain.row_types import Choice
from chalicelib.domain.timestamps import iso
from chalicelib.storage import tables
from chalicelib.storage.control import KEEP
from chalicelib.storage.rows import dump
from chalicelib.storage.transactions import Delete, Put, read

CHOICE, DEAD, USED = "choice", "dead", "used"


def person(jurisdiction: str, key: str) -> tuple[Choice, frozenset[str]]:
    """(preferences, channels that bounced) of a person, in one Query."""
    rows = read(lambda: list(tables.Person.query(_person(jurisdiction, key), limit=10)))
    docs = {row.sk: json.loads(row.doc or "{}") for row in rows}
    dead = frozenset(name.split("#")[1] for name in docs if name.startswith(f"{DEAD}#"))
    return docs.get(CHOICE, {}), dead


def put_choice(jurisdiction: str, key: str, choice: Choice) -> Put:
    """Store a person's preferences."""
    return Put("choice", tables.Person(_person(jurisdiction, key), CHOICE, doc=dump(choice)))


def put_dead(jurisdiction: str, key: str, way: str, at: str) -> Put:
    """Record that a channel to a person bounced."""
    row = tables.Person(_person(jurisdiction, key), f"{DEAD}#{way}", doc=dump({"at": at}))
    return Put("dead", row)


def put_used(jurisdiction: str, key: str, at: datetime) -> list[Put]:
    """The writes of an address's last use and of its entry for the retention schedule."""
    row = tables.Person(_person(jurisdiction, key), USED, doc=dump({"at": iso(at)}))
    return [Put("used", row), put_address_entry(jurisdiction, key, at)]


def put_address_entry(jurisdiction: str, key: str, at: datetime) -> Put:
    """An entry of an address for the retention schedule, ordered by time."""
    return Put("note", tables.Person(_notes(jurisdiction), f"{iso(at)}#{key}"))


def address_entries(
    jurisdiction: str, after: str, until: datetime, limit: int
) -> list[tuple[str, str]]:
    """A page of those entries after a name (``<at>#<key>``), oldest first: (at, key)."""
    condition = tables.Person.sk.between(f"{after}~" if after else " ", f"{iso(until)}~")
    rows = read(lambda: list(tables.Person.query(_notes(jurisdiction), condition, limit=limit)))
    return [(at, key) for row in rows for at, key in [row.sk.split("#", 1)]]


def delete_address_entry(jurisdiction: str, at: str, key: str) -> Delete:
    """Delete an entry, because the schedule has looked at the address."""
    return Delete("note", tables.Person(_notes(jurisdiction), f"{at}#{key}"))


def address_rows(jurisdiction: str, key: str) -> dict[str, dict[str, Any]]:
    """All rows of an address, {name: doc}. ``at`` in a doc: when it was written or last used; older
    rows lack it."""
    query = tables.Person.query
    rows = read(lambda: list(query(_person(jurisdiction, key), limit=10, consistent_read=True)))
    return {row.sk: json.loads(row.doc or "{}") for row in rows}


def delete_unchanged(jurisdiction: str, key: str, name: str, seen: dict[str, Any]) -> Delete:
    """Delete one row of an address, if it is unchanged since ``seen``."""
    row = tables.Person(_person(jurisdiction, key), name)
    return Delete(f"reach:{name}", row, tables.Person.doc == dump(seen))


def delete_address(jurisdiction: str, key: str) -> list[Delete]:
    """Delete all rows of an address."""
    names = (CHOICE, f"{DEAD}#email", f"{DEAD}#phone", USED)
    return [Delete("reach", tables.Person(_person(jurisdiction, key), name)) for name in names]


def marks(
    jurisdiction: str, report: str, kind: str, after: str | None, limit: int
) -> list[tuple[str, dict[str, Any]]]:
    """A page of a report's marks of a kind, ordered by name: [(name, doc)]."""
    first = f"{kind}#{after}~" if after else f"{kind}#"
    condition = tables.Person.sk.between(first, f"{kind}#~~~")
    rows = read(
        lambda: list(
            tables.Person.query(
                f"{jurisdiction}#R#{report}", condition, limit=limit, consistent_read=True
            )
        )
    )
    return [(row.sk.split("#", 1)[1], json.loads(row.doc or "{}")) for row in rows]


def hold(
    jurisdiction: str, until: datetime, key: str, dedupe: str, doc: PersonMessage
) -> list[Put]:
    """The writes that hold a message back until a moment, once."""
    expiry = int((clock.wall() + KEEP + timedelta(days=1)).timestamp())
    marker = tables.Control(f"{jurisdiction}#KEPT#{dedupe}#{key}", "-", ttl=expiry)
    name = f"{iso(until)}#{key}#{dedupe}"
    row = tables.Control(_held(jurisdiction), name, doc=dump(doc), ttl=expiry)
    return [Put("kept", marker, tables.Control.pk.does_not_exist()), Put("held", row)]


def due(jurisdiction: str, now: datetime, after: str, limit: int) -> list[str]:
    """A page of the names of held messages that are due, earliest first."""
    condition = tables.Control.sk.between(f"{after}~" if after else " ", f"{iso(now)}#~")
    rows = read(lambda: list(tables.Control.query(_held(jurisdiction), condition, limit=limit)))
    return [row.sk for row in rows]


def held_messages(
    jurisdiction: str, until: str, key: str, limit: int
) -> list[tuple[str, PersonMessage]]:
    """The messages held for one person until one moment: [(name, doc)]."""
    condition = tables.Control.sk.startswith(f"{until}#{key}#")
    rows = read(
        lambda: list(
            tables.Control.query(_held(jurisdiction), condition, limit=limit, consistent_read=True)
        )
    )
    return [(row.sk, json.loads(row.doc)) for row in rows]


def delete_held(jurisdiction: str, names: list[str]) -> list[Delete]:
    """Delete held messages."""
    return [Delete("held", tables.Control(_held(jurisdiction), name)) for name in names]


def _person(jurisdiction: str, key: str) -> str:
    return f"{jurisdiction}#N#{key}"


def _notes(jurisdiction: str) -> str:
    return f"{jurisdiction}#ADR#ALL"


def _held(jurisdiction: str) -> str:
    return f"{jurisdiction}#HELD"
