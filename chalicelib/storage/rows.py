"""Rows that hold one JSON document: how all tables but the heads are read and written."""

import json
from typing import Any

from pynamodb.models import Model

from chalicelib.storage.transactions import read


def get(model: type[Model], pk: str, sk: str, *, consistent: bool = True) -> dict[str, Any] | None:
    """The document of a row (empty if it has none), or ``None`` if there is no such row."""

    def action() -> dict[str, Any] | None:
        try:
            row: Any = model.get(pk, sk, consistent_read=consistent)
        except model.DoesNotExist:
            return None
        loaded: dict[str, Any] = json.loads(row.doc or "{}")
        return loaded

    found: dict[str, Any] | None = read(action)
    return found


def dump(doc: dict[str, Any]) -> str:
    """A document as it is kept."""
    return json.dumps(doc, separators=(",", ":"), ensure_ascii=False)
