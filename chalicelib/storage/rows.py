"""Reading and writing rows with one JSON document; all tables but the heads use it."""

import json
from collections.abc import Mapping
from typing import Any

from pynamodb.models import Model

from chalicelib.storage import tables
from chalicelib.storage.transactions import Unavailable, read

_BATCH, _TRIES = 100, 5


def get(model: type[Model], pk: str, sk: str, *, consistent: bool = True) -> Any:
    """The document of a row (empty if it has none), or ``None`` if there is no such row.

    The caller states its type, as each kind of row has its own.
    """

    def action() -> dict[str, Any] | None:
        try:
            row: Any = model.get(pk, sk, consistent_read=consistent)
        except model.DoesNotExist:
            return None
        loaded: dict[str, Any] = json.loads(row.doc or "{}")
        return loaded

    return read(action)


def get_all(
    table: str, keys: list[dict[str, Any]], *, consistent: bool = False
) -> list[dict[str, Any]]:
    """The existing items of many keys, a hundred a call, in no order. Raises ``Unavailable``."""
    items: list[dict[str, Any]] = []
    for start in range(0, len(keys), _BATCH):
        table_request = {"Keys": keys[start : start + _BATCH], "ConsistentRead": consistent}
        request: dict[str, Any] = {table: table_request}
        for _ in range(_TRIES):
            answer = _batch(request)
            items += answer["Responses"].get(table, ())
            request = answer.get("UnprocessedKeys") or {}
            if not request:
                break
        else:
            raise Unavailable
    return items


def _batch(request: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = read(lambda: tables.client().batch_get_item(RequestItems=request))
    return answer


def dump(doc: Mapping[str, Any]) -> str:
    """A document as it is stored."""
    return json.dumps(doc, separators=(",", ":"), ensure_ascii=False)
