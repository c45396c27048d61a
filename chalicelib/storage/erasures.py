"""The record of erasures, so that a restore from an older backup repeats them.

``ERASED`` / ``<who>`` of the city's table: ``at``, ``reports`` (ids), ``nobody`` (the anonymous
name in figures), ``done``. ``who`` is a hash of the person's uid, or the id of a report without a
reporter. The same record is in the bucket, ``erasures/<city>/<who>.json``, so that it survives a
restore of the tables.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import cast

from chalicelib.domain.row_types import Erasure, NamedErasure
from chalicelib.storage import files, tables
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Put, commit, read

FOLDER = "erasures"
_PAGE = 200


def hashed(jurisdiction: str, uid: str) -> str:
    """The hash of a uid: enough to find the uid in an old backup, too little to read it."""
    return hashlib.sha256(f"erased|{jurisdiction}|{uid}".encode()).hexdigest()[:40]


def get_record(jurisdiction: str, who: str) -> Erasure | None:
    """The erasure of one person."""
    doc: Erasure | None = get(tables.CityRow, f"{jurisdiction}#ERASED", who)
    return doc


def put_record(jurisdiction: str, who: str, doc: Erasure) -> None:
    """Record an erasure, before it begins and when it is done."""
    body = json.dumps({"jurisdiction": jurisdiction, "who": who, **doc}, sort_keys=True)
    files.put(f"{FOLDER}/{jurisdiction}/{who}.json", body.encode(), "application/json")
    commit([Put("erased", tables.CityRow(f"{jurisdiction}#ERASED", who, doc=dump(doc)))])


def in_table(jurisdiction: str) -> Iterator[NamedErasure]:
    """All erasures of a city, from the table: only for backups and restores."""
    after = ""
    while True:
        page = _page(f"{jurisdiction}#ERASED", after)
        for row in page:
            doc: Erasure = json.loads(row.doc)
            named = {**doc, "jurisdiction": jurisdiction, "who": row.sk}
            yield cast(NamedErasure, named)
        if len(page) < _PAGE:
            return
        after = page[-1].sk


def in_files(jurisdiction: str) -> Iterator[NamedErasure]:
    """All erasures of a city, from the bucket."""
    for key in files.keys(f"{FOLDER}/{jurisdiction}/"):
        if body := files.get(key):
            yield json.loads(body)


def cities_in_files() -> set[str]:
    """The cities with erasures in the bucket."""
    return {key.split("/")[1] for key in files.keys(f"{FOLDER}/")}


def _page(key: str, after: str) -> list[tables.CityRow]:
    beyond = tables.CityRow.sk > after if after else None
    rows: list[tables.CityRow] = read(
        lambda: list(tables.CityRow.query(key, beyond, limit=_PAGE, consistent_read=True))
    )
    return rows
