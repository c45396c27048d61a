"""How people want to be told, which ways to them are dead, and messages that wait for their hour.

A person is known here by a pseudonym of their address (``services.people.preferences.key``).
"""

import json
from datetime import datetime, timedelta
from typing import Any

from chalicelib import clock
from chalicelib.domain.timestamps import iso
from chalicelib.storage import tables
from chalicelib.storage.control import KEEP
from chalicelib.storage.rows import dump
from chalicelib.storage.transactions import Delete, Put, read

CHOICE, DEAD, USED = "choice", "dead", "used"


def person(jurisdiction: str, key: str) -> tuple[dict[str, Any], frozenset[str]]:
    """(what they chose, the ways that bounced), in one Query."""
    rows = read(lambda: list(tables.Person.query(_person(jurisdiction, key), limit=10)))
    docs = {row.sk: json.loads(row.doc or "{}") for row in rows}
    dead = frozenset(name.split("#")[1] for name in docs if name.startswith(f"{DEAD}#"))
    return docs.get(CHOICE, {}), dead


def put_choice(jurisdiction: str, key: str, choice: dict[str, Any]) -> Put:
    """Keep what a person chose."""
    return Put("choice", tables.Person(_person(jurisdiction, key), CHOICE, doc=dump(choice)))


def put_dead(jurisdiction: str, key: str, way: str, at: str) -> Put:
    """Remember that a way to a person bounced."""
    row = tables.Person(_person(jurisdiction, key), f"{DEAD}#{way}", doc=dump({"at": at}))
    return Put("dead", row)


def used(jurisdiction: str, key: str, at: datetime) -> list[Put]:
    """Remember that something was to be written to an address of which something is kept; and a
    note for the schedule that forgets addresses."""
    row = tables.Person(_person(jurisdiction, key), USED, doc=dump({"at": iso(at)}))
    return [Put("used", row), note_address(jurisdiction, key, at)]


def note_address(jurisdiction: str, key: str, at: datetime) -> Put:
    """Note for that schedule what is kept of an address, in the order of time."""
    return Put("note", tables.Person(_notes(jurisdiction), f"{iso(at)}#{key}"))


def noted(jurisdiction: str, after: str, until: datetime, limit: int) -> list[tuple[str, str]]:
    """A page of those notes after a name (``<at>#<key>``), the oldest first: (at, key)."""
    condition = tables.Person.sk.between(f"{after}~" if after else " ", f"{iso(until)}~")
    rows = read(lambda: list(tables.Person.query(_notes(jurisdiction), condition, limit=limit)))
    return [(at, key) for row in rows for at, key in [row.sk.split("#", 1)]]


def delete_note(jurisdiction: str, at: str, key: str) -> Delete:
    """The schedule has looked at an address."""
    return Delete("note", tables.Person(_notes(jurisdiction), f"{at}#{key}"))


def kept(jurisdiction: str, key: str) -> dict[str, dict[str, Any]]:
    """All that is kept of an address, {name: doc}; ``at`` in it is since when, or of the last use.
    Rows of before lack it."""
    query = tables.Person.query
    rows = read(lambda: list(query(_person(jurisdiction, key), limit=10, consistent_read=True)))
    return {row.sk: json.loads(row.doc or "{}") for row in rows}


def drop(jurisdiction: str, key: str, name: str, seen: dict[str, Any]) -> Delete:
    """Forget one row of an address, if it is as ``seen``."""
    row = tables.Person(_person(jurisdiction, key), name)
    return Delete(f"reach:{name}", row, tables.Person.doc == dump(seen))


def forget(jurisdiction: str, key: str) -> list[Delete]:
    """Forget all of it."""
    names = (CHOICE, f"{DEAD}#email", f"{DEAD}#phone", USED)
    return [Delete("reach", tables.Person(_person(jurisdiction, key), name)) for name in names]


def marks(
    jurisdiction: str, report: str, kind: str, after: str | None, limit: int
) -> list[tuple[str, dict[str, Any]]]:
    """A page of a report's marks of a kind, by name: [(name, what is kept there)]."""
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
    jurisdiction: str, until: datetime, key: str, dedupe: str, doc: dict[str, Any]
) -> list[Put]:
    """Let a message wait for a person's hour, once: the rows to commit."""
    expiry = int((clock.wall() + KEEP + timedelta(days=1)).timestamp())
    marker = tables.Control(f"{jurisdiction}#KEPT#{dedupe}#{key}", "-", ttl=expiry)
    name = f"{iso(until)}#{key}#{dedupe}"
    row = tables.Control(_held(jurisdiction), name, doc=dump(doc), ttl=expiry)
    return [Put("kept", marker, tables.Control.pk.does_not_exist()), Put("held", row)]


def due(jurisdiction: str, now: datetime, after: str, limit: int) -> list[str]:
    """A page of the names of messages whose hour has come, the earliest first."""
    condition = tables.Control.sk.between(f"{after}~" if after else " ", f"{iso(now)}#~")
    rows = read(lambda: list(tables.Control.query(_held(jurisdiction), condition, limit=limit)))
    return [row.sk for row in rows]


def held(jurisdiction: str, until: str, key: str, limit: int) -> list[tuple[str, dict[str, Any]]]:
    """What waits for one person's hour: [(name, doc)]."""
    condition = tables.Control.sk.startswith(f"{until}#{key}#")
    rows = read(
        lambda: list(
            tables.Control.query(_held(jurisdiction), condition, limit=limit, consistent_read=True)
        )
    )
    return [(row.sk, json.loads(row.doc)) for row in rows]


def release(jurisdiction: str, names: list[str]) -> list[Delete]:
    """Forget what has gone out."""
    return [Delete("held", tables.Control(_held(jurisdiction), name)) for name in names]


def _person(jurisdiction: str, key: str) -> str:
    return f"{jurisdiction}#N#{key}"


def _notes(jurisdiction: str) -> str:
    return f"{jurisdiction}#ADR#ALL"


def _held(jurisdiction: str) -> str:
    return f"{jurisdiction}#HELD"
