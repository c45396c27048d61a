"""Counts a client's calls to DynamoDB and their units."""

import json
from collections import Counter
from math import ceil
from typing import Any, Self

_READS = frozenset({"GetItem", "Query", "BatchGetItem"})
# What ``chalicelib.storage.fast_query`` tells, because it does not pass botocore's client.
_FAST = "read-lean.dynamodb.Query"


class Counting:
    """Counts within a ``with`` block: ``calls`` by operation, items, units read and written."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.items = 0
        self.read_units = self.write_units = 0.0

    @property
    def reads(self) -> int:
        """The number of reading calls and of the items that they returned."""
        return sum(n for name, n in self.calls.items() if name in _READS) + self.items

    def __enter__(self) -> Self:
        from chalicelib.storage import tables

        self._events = tables.client().meta.events
        self._events.register("before-parameter-build.dynamodb", self._asked)
        self._events.register("after-call.dynamodb", self._answered)
        self._events.register(_FAST, self._answered_fast)
        return self

    def __exit__(self, *_: object) -> None:
        self._events.unregister("before-parameter-build.dynamodb", self._asked)
        self._events.unregister("after-call.dynamodb", self._answered)
        self._events.unregister(_FAST, self._answered_fast)

    def _asked(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.calls[model.name] += 1
        if model.name == "BatchWriteItem":
            for items in params["RequestItems"].values():
                self.write_units += sum(ceil(_size(item) / 1024) for item in items)
        elif model.name == "TransactWriteItems":
            # A write in a transaction costs twice.
            self.write_units += sum(
                2 * ceil(_size(item) / 1024) for item in params["TransactItems"]
            )

    def _answered_fast(self, parsed: dict[str, Any], **_: Any) -> None:
        self.calls["Query"] += 1
        self._took(parsed)

    def _took(self, parsed: dict[str, Any]) -> None:
        self.items += len(parsed.get("Items", ()))
        self.read_units += max(1, ceil(_size(parsed.get("Items", [])) / 4096)) / 2

    def _answered(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name == "Query":
            self._took(parsed)
        elif model.name == "GetItem":
            self.items += "Item" in parsed
            self.read_units += max(1, ceil(_size(parsed.get("Item", {})) / 4096))


def _size(item: Any) -> int:
    return len(json.dumps(item, separators=(",", ":"), default=str))
