"""The local emulator's data, written to one SQLite file with every change.

A row is a state (an item, a stream record, a queued message), not a request: reading it after a
crash cannot apply a change twice. SQLite's write-ahead log goes to the operating system with every
commit, so ``kill -9`` loses no answered change. ``checkpoint`` also flushes it to the disk; the
emulator calls it every second, so a power cut loses at most one second.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

_SCHEMA = """
CREATE TABLE IF NOT EXISTS item (
    place TEXT, pk TEXT, sk TEXT, body TEXT, PRIMARY KEY (place, pk, sk)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS record (
    place TEXT, position INTEGER, body TEXT, PRIMARY KEY (place, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message (
    queue TEXT, id TEXT, body TEXT, PRIMARY KEY (queue, id));
CREATE TABLE IF NOT EXISTS mail (number INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT);
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID;
"""


class Item(NamedTuple):
    """A DynamoDB item at a place ("account/region/table"); ``body`` None means it is gone."""

    place: str
    pk: str
    sk: str
    body: dict[str, Any] | None


class Record(NamedTuple):
    """A stream record and its absolute position in its table's stream."""

    place: str
    position: int
    body: dict[str, Any]


class Message(NamedTuple):
    """A queued message; ``body`` None means it was received and deleted."""

    queue: str
    id: str
    body: dict[str, Any] | None


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class Store:
    """One file, one connection, one writer at a time."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._path = path
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.executescript(_SCHEMA)

    def write(
        self,
        items: Iterable[Item] = (),
        records: Iterable[Record] = (),
        messages: Iterable[Message] = (),
        mail: Iterable[dict[str, Any]] = (),
    ) -> None:
        """Write all of these changes in one transaction."""
        run = self._database.execute
        with self._lock:
            run("BEGIN")
            try:
                for place, pk, sk, item in items:
                    if item is None:
                        run("DELETE FROM item WHERE place=? AND pk=? AND sk=?", (place, pk, sk))
                    else:
                        run("REPLACE INTO item VALUES (?,?,?,?)", (place, pk, sk, _text(item)))
                for record in records:
                    row = (record.place, record.position, _text(record.body))
                    run("REPLACE INTO record VALUES (?,?,?)", row)
                for queue, identity, message in messages:
                    if message is None:
                        run("DELETE FROM message WHERE queue=? AND id=?", (queue, identity))
                    else:
                        run(
                            "REPLACE INTO message VALUES (?,?,?)", (queue, identity, _text(message))
                        )
                for letter in mail:
                    run("INSERT INTO mail (body) VALUES (?)", (_text(letter),))
            except BaseException:
                run("ROLLBACK")
                raise
            run("COMMIT")

    def items(self) -> Iterator[Item]:
        """Every item."""
        for place, pk, sk, body in self._rows("SELECT place, pk, sk, body FROM item"):
            yield Item(place, pk, sk, json.loads(body))

    def records(self) -> Iterator[Record]:
        """Every stream record, oldest first within its table."""
        for place, position, body in self._rows("SELECT * FROM record ORDER BY place, position"):
            yield Record(place, position, json.loads(body))

    def messages(self) -> Iterator[Message]:
        """Every queued message, in the order in which they came."""
        for queue, identity, body in self._rows("SELECT * FROM message ORDER BY rowid"):
            yield Message(queue, identity, json.loads(body))

    def mail(self) -> list[dict[str, Any]]:
        """Every letter, oldest first."""
        return [json.loads(body) for (body,) in self._rows("SELECT body FROM mail ORDER BY number")]

    def forget_records(self, place: str, before: int) -> None:
        """Drop the stream records of ``place`` whose position is below ``before``."""
        with self._lock:
            self._database.execute(
                "DELETE FROM record WHERE place=? AND position<?", (place, before)
            )

    def forget_items(self, place: str) -> None:
        """Drop every item of ``place`` (its table is gone or was replaced whole)."""
        with self._lock:
            self._database.execute("DELETE FROM item WHERE place=?", (place,))

    def note(self, name: str) -> str | None:
        """The text kept under ``name``."""
        rows = self._rows("SELECT body FROM note WHERE name=?", (name,))
        return rows[0][0] if rows else None

    def set_note(self, name: str, body: str) -> None:
        """Keep ``body`` under ``name``."""
        with self._lock:
            self._database.execute("REPLACE INTO note VALUES (?,?)", (name, body))

    def checkpoint(self) -> None:
        """Flush every commit to the disk."""
        side = sqlite3.connect(self._path)
        try:
            side.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            side.close()

    def close(self) -> None:
        """Write the log into the file and close it."""
        with self._lock:
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._database.close()

    def _rows(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        with self._lock:
            return self._database.execute(query, values).fetchall()
