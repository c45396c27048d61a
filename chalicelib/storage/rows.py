"""Rows that hold one JSON document: how all tables but the heads are read and written."""

import json
from typing import Any

from pynamodb.models import Model

from chalicelib.storage import tables
from chalicelib.storage.transactions import Unavailable, read

_BATCH, _TRIES = 100, 5


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


def get_all(
    table: str, keys: list[dict[str, Any]], *, consistent: bool = False
) -> list[dict[str, Any]]:
    """The items under many keys, a hundred a call, in no order; those that there are."""
    found: list[dict[str, Any]] = []
    for start in range(0, len(keys), _BATCH):
        some = {"Keys": keys[start : start + _BATCH], "ConsistentRead": consistent}
        asked: dict[str, Any] = {table: some}
        for _ in range(_TRIES):
            answer = _batch(asked)
            found += answer["Responses"].get(table, ())
            asked = answer.get("UnprocessedKeys") or {}
            if not asked:
                break
        else:
            raise Unavailable
    return found


def _batch(asked: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = read(lambda: tables.client().batch_get_item(RequestItems=asked))
    return answer


def dump(doc: dict[str, Any]) -> str:
    """A document as it is kept."""
    return json.dumps(doc, separators=(",", ":"), ensure_ascii=False)
