"""The imports of a city, and the reports that each brought, so that an import can be undone.

Tests: tests/integration/test_import_undo.py
"""

import json
from typing import Any

from chalicelib.storage import tables
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Delete, Put, commit, read


def save(jurisdiction: str, run: str, doc: dict[str, Any]) -> None:
    """Write what is known of an import: {source, input, at, imported}, later {undone}."""
    commit([Put("import", tables.Control(_runs(jurisdiction), run, doc=dump(doc)))])


def load(jurisdiction: str, run: str) -> dict[str, Any] | None:
    """What is known of an import."""
    doc: dict[str, Any] | None = get(tables.Control, _runs(jurisdiction), run)
    return doc


def runs(jurisdiction: str, limit: int) -> list[dict[str, Any]]:
    """The newest imports, each with its ``id``."""
    key = _runs(jurisdiction)
    rows = read(lambda: list(tables.Control.query(key, limit=limit, scan_index_forward=False)))
    return [{"id": row.sk, **json.loads(row.doc)} for row in rows]


def put_report(jurisdiction: str, run: str, report: str) -> Put:
    """Note that an import brought a report."""
    return Put("imported", tables.Control(_reports(jurisdiction, run), report))


def delete_report(jurisdiction: str, run: str, report: str) -> Delete:
    """Remove that note: the report's import is undone."""
    return Delete("imported", tables.Control(_reports(jurisdiction, run), report))


def reports(jurisdiction: str, run: str, after: str, limit: int) -> list[str]:
    """A page of the ids of an import's reports that are not undone."""
    key, later = _reports(jurisdiction, run), tables.Control.sk > after if after else None
    rows = read(lambda: list(tables.Control.query(key, later, limit=limit, consistent_read=True)))
    return [row.sk for row in rows]


def put_old(jurisdiction: str, source: str, name: str, report: str) -> Put:
    """Note the id that an old system's report has here; it never changes."""
    row = tables.Control(_old(jurisdiction, source), name, doc=dump({"report": report}))
    return Put("old", row, tables.Control.pk.does_not_exist())


def delete_old(jurisdiction: str, source: str, name: str) -> Delete:
    """Remove that note: the report's import is undone."""
    return Delete("old", tables.Control(_old(jurisdiction, source), name))


def is_known(jurisdiction: str, source: str, name: str) -> bool:
    """Whether an old system's report is here."""
    return get(tables.Control, _old(jurisdiction, source), name) is not None


def _old(jurisdiction: str, source: str) -> str:
    return f"{jurisdiction}#OLD#{source}"


def _runs(jurisdiction: str) -> str:
    return f"{jurisdiction}#IMPORTS"


def _reports(jurisdiction: str, run: str) -> str:
    return f"{jurisdiction}#IMPORT#{run}"
