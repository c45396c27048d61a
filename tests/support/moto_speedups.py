"""Where moto 5.2 is too slow for thousands of requests; ``test_engine`` compares the answers.

moto copies every table of a transaction, once an action, so a put costs as much as the table is
large. ``install`` keeps only the items concerned, and puts them back when the transaction is
cancelled. It also installs the methods of ``moto_rows`` and ``moto_expressions``. ``respond`` asks
moto without the HTTP that moto pretends, and of the other services without looking for the
service's patterns in all of moto.
"""

import copy
import json
import re
from functools import cache
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.useragent import UserAgentString
from moto.backends import get_backend
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.botocore_stubber import MockRawResponse
from moto.core.exceptions import HTTPException
from moto.core.models import botocore_stubber
from moto.core.request import normalize_request
from moto.core.utils import camelcase_to_underscores, get_equivalent_url_in_aws_domain
from moto.dynamodb import models
from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.responses import DynamoHandler

from tests.support import moto_expressions, moto_rows

# Operations whose answers are only items, without dates.
_OF_ITEMS = frozenset(
    {
        "BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "Scan",
        "TransactGetItems", "TransactWriteItems", "UpdateItem",
    }
)  # fmt: skip

_BETWEEN = re.compile(r"BETWEEN (:\w+) AND (:\w+)")
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
    if service == "dynamodb" and operation in _OF_ITEMS:
        handler = DynamoHandler()
        handler.region, handler.current_account = "us-east-1", DEFAULT_ACCOUNT_ID
        handler.body = handler.params = json.loads(request.body)
        if _is_reversed(handler.params):
            why = {"__type": "com.amazon.coral.validate#ValidationException",
                   "message": "BETWEEN: the upper bound is below the lower one"}  # fmt: skip
            return answer(request, 400, json.dumps(why).encode())
        try:
            result = getattr(handler, camelcase_to_underscores(operation))().result
        except DynamodbException as error:
            return answer(request, error.code, error.description.encode())
        except Exception:
            # Nothing was written; moto makes the answer in the right form.
            return _long_way(service, request)
        found = {name: value for name, value in (result or {}).items() if value is not None}
        return answer(request, 200, json.dumps(found).encode())
    return _long_way(service, request)


def _is_reversed(asked: dict[str, Any]) -> bool:
    """Whether a Query asks for keys between two texts in the wrong order, which moto accepts and
    DynamoDB refuses."""
    bounds = _BETWEEN.search(asked.get("KeyConditionExpression") or "")
    if bounds is None:
        return False
    low, high = (asked["ExpressionAttributeValues"][name].get("S") for name in bounds.groups())
    return low is not None and high is not None and low.encode() > high.encode()


def _long_way(service: str, request: Any) -> AWSResponse | None:
    """What ``botocore_stubber`` answers, whose search costs more than most of moto's answers."""
    parsed, _ = get_equivalent_url_in_aws_domain(request.url)
    address = f"{parsed.scheme}://{parsed.netloc}{parsed.path}"
    for pattern, handle in _patterns(service):
        if pattern.match(address):
            asked = normalize_request(request)
            try:
                status, headers, body = handle(asked, asked.raw_url, asked.headers)
            except HTTPException as error:
                status, headers, body = error.code, error.get_headers(), error.get_body()
            return AWSResponse(request.url, status, headers, MockRawResponse(body))  # type: ignore[arg-type]
    return botocore_stubber(f"before-send.{service}", request)


@cache
def _patterns(service: str) -> list[tuple[re.Pattern[str], Any]]:
    regions = get_backend(service)[DEFAULT_ACCOUNT_ID]  # type: ignore[call-overload]
    backend = regions["us-east-1"] if "us-east-1" in regions else regions["aws"]
    return [(re.compile(pattern), handle) for pattern, handle in backend.urls.items()]


def answer(request: Any, status: int, body: bytes) -> AWSResponse:
    """An answer of AWS to a request of botocore."""
    headers = {"content-type": "application/x-amz-json-1.0", "content-length": str(len(body))}
    return AWSResponse(request.url, status, headers, MockRawResponse(body))  # type: ignore[arg-type]


def lighten(client: Any) -> None:
    """Let a client of DynamoDB neither sign its requests nor look its one endpoint up again."""
    signer, resolve = client._request_signer, client._resolve_endpoint_ruleset
    client.meta.events.unregister("request-created.dynamodb", signer.handler)
    endpoint: list[Any] = []

    def resolved(*given: Any, **more: Any) -> Any:
        if not endpoint:
            endpoint.append(resolve(*given, **more))
        return endpoint[0]

    client._resolve_endpoint_ruleset = resolved


def stub(event_name: str, request: Any, **_: Any) -> AWSResponse | None:
    """What stands at ``before-send`` for moto's own stubber, while that is enabled."""
    return respond(event_name, request) if botocore_stubber.enabled else None


@cache
def install() -> None:
    """Replace moto's transaction for the life of the process."""
    DynamoDBBackend.transact_write_items = _transact  # type: ignore[method-assign]
    use_methods()
    # Otherwise a twentieth of the time makes the name of the agent for each call.
    UserAgentString.to_string = lambda self: "tests"  # type: ignore[method-assign]


@cache
def _both() -> tuple[dict[tuple[type, str], Any], dict[tuple[type, str], Any]]:
    ours = {**moto_rows.methods(), **moto_expressions.methods()}
    return {place: place[0].__dict__[place[1]] for place in ours}, ours


def use_methods(*, ours: bool = True) -> None:
    """Put our methods of rows and expressions, or moto's own, in place."""
    for (owner, name), method in _both()[ours].items():
        setattr(owner, name, method)
