"""Where moto 5.2 is too slow for thousands of histories; ``test_engine`` compares the answers.

moto copies every table of a transaction, once an action, so a put costs as much as the table is
large. ``install`` keeps only the items concerned, and puts them back when the transaction is
cancelled. ``respond`` asks moto's DynamoDB without the HTTP that moto pretends.
"""

import copy
import json
from functools import cache
from typing import Any

from botocore.awsrequest import AWSResponse
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.botocore_stubber import MockRawResponse
from moto.core.models import botocore_stubber
from moto.core.utils import camelcase_to_underscores
from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.responses import DynamoHandler

_original = DynamoDBBackend.transact_write_items


class _CopiesNoTable:
    """Stands for the module ``copy`` in moto's backend during a transaction."""

    def __getattr__(self, name: str) -> Any:
        return getattr(copy, name)

    @staticmethod
    def deepcopy(value: Any, memo: Any = None) -> Any:
        return value if isinstance(value, models.Table) else copy.deepcopy(value, memo)


class _Before:
    """One item as it was, and how long its table's stream was."""

    def __init__(self, table: Any, kind: str, operation: dict[str, Any]) -> None:
        key = operation.get("Key") or operation["Item"]
        self.table = table
        self.hash = DynamoType(key[table.hash_key_attr])
        self.range = DynamoType(key[table.range_key_attr]) if table.range_key_attr else None
        item = table.get_item(self.hash, self.range)
        # Only an update changes an item in place.
        self.item = copy.deepcopy(item) if kind == "Update" else item
        self.streamed = len(table.stream_shard.items) if table.stream_shard else 0

    def restore(self) -> None:
        rows, key = self.table.items, self.hash
        if self.range is not None:
            rows, key = rows[self.hash], self.range
        if self.item is None:
            rows.pop(key, None)
        else:
            rows[key] = self.item
        if self.table.stream_shard:
            del self.table.stream_shard.items[self.streamed :]


def _transact(self: Any, transact_items: list[dict[str, Any]]) -> None:
    kept = []
    for action in transact_items:
        kind, operation = next(iter(action.items()))
        table = self.tables.get(operation.get("TableName"))
        if table is not None:
            kept.append(_Before(table, kind, operation))
    models.copy = _CopiesNoTable()  # type: ignore[attr-defined]
    try:
        _original(self, transact_items)
    except BaseException:
        for before in reversed(kept):
            before.restore()
        raise
    finally:
        models.copy = copy  # type: ignore[attr-defined]


def respond(event_name: str, request: Any) -> AWSResponse | None:
    """What moto answers to a request of botocore, as its own handler would."""
    _, service, operation = event_name.split(".")
    if service == "dynamodb":
        handler = DynamoHandler()
        handler.region, handler.current_account = "us-east-1", DEFAULT_ACCOUNT_ID
        handler.body = handler.params = json.loads(request.body)
        try:
            result = getattr(handler, camelcase_to_underscores(operation))().result
        except Exception:
            # Nothing was written; moto shall say it in the proper form.
            return botocore_stubber(event_name, request)
        found = {name: value for name, value in (result or {}).items() if value is not None}
        return answer(request, 200, json.dumps(found).encode())
    return botocore_stubber(event_name, request)


def answer(request: Any, status: int, body: bytes) -> AWSResponse:
    """An answer of AWS to a request of botocore."""
    headers = {"content-type": "application/x-amz-json-1.0", "content-length": str(len(body))}
    return AWSResponse(request.url, status, headers, MockRawResponse(body))  # type: ignore[arg-type]


@cache
def install() -> None:
    """Replace moto's transaction for the life of the process."""
    DynamoDBBackend.transact_write_items = _transact  # type: ignore[method-assign]
