"""How people want to be told, which ways to them are dead, and messages that wait for their hour.

A person is known here by a pseudonym of their address (``services.notices.key``).
"""

import json
from datetime import datetime, timedelta
from typing import Any

from chalicelib import clock
from chalicelib.domain.times import iso
from chalicelib.storage import tables
from chalicelib.storage.control import KEEP
from chalicelib.storage.rows import dump
from chalicelib.storage.transactions import Delete, Put, read

CHOICE, DEAD = "choice", "dead"


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


def forget(jurisdiction: str, key: str) -> list[Delete]:
    """Forget both."""
    names = (CHOICE, f"{DEAD}#email", f"{DEAD}#phone")
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


def _held(jurisdiction: str) -> str:
    return f"{jurisdiction}#HELD"
