"""moto's DynamoDB without the work that only large or odd rows need.

moto sorts and compares a whole table for each query, a ``Decimal`` at a time, weighs every
attribute of a row again with each one that is added, reads a row again for each attribute of a
projection, and copies what nothing changes. ``methods`` are methods that answer the same for less;
``test_engine`` compares both over random requests.
"""

import threading
from collections.abc import Iterable
from typing import Any

from moto.dynamodb.models import dynamo_type
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

# A row of plain attributes below this is far from DynamoDB's limit.
_PLAIN = frozenset({"S", "N", "BOOL", "NULL"})
_SMALL = 2_000
_asked = threading.local()


def methods() -> dict[tuple[type, str], Any]:
    """{(class, name): what stands there instead of moto's}."""
    cast, size, put = DynamoType.cast_value.fget, DynamoType.size, LimitedSizeDict.__setitem__
    less, digest = DynamoType.__lt__, DynamoType.__hash__
    project, query = Item.project, Table.query
    copied, regular = DynamoType.__deepcopy__, DynamoType.to_regular_json
    assert cast is not None

    def cast_value(self: DynamoType) -> Any:
        return self.value if self.type == "S" else cast(self)

    def equal(self: DynamoType, other: DynamoType) -> bool:
        if self.type != other.type:
            return False
        if self.value == other.value:
            return True
        return self.type != "S" and bool(cast(self) == cast(other))

    def unequal(self: DynamoType, other: DynamoType) -> bool:
        return not equal(self, other)

    def less_than(self: DynamoType, other: DynamoType) -> bool:
        if self.type == other.type == "S":
            return bool(self.value < other.value)
        return less(self, other)

    def hashed(self: DynamoType) -> int:
        return hash(("S", self.value)) if self.type == "S" else digest(self)

    def sized(self: DynamoType) -> int:
        return dynamo_type.bytesize(self.value) if self.type == "S" else size(self)

    def copy_of(self: DynamoType, memo: dict[int, Any]) -> DynamoType:
        return self if self.type in _PLAIN else copied(self, memo)

    def as_json(self: DynamoType) -> dict[str, Any]:
        return {self.type: self.value} if self.type in _PLAIN else regular(self)

    def add(self: LimitedSizeDict, key: str, value: Any) -> None:
        plain = type(value) is DynamoType and value.type in _PLAIN
        if plain and len(str(value.value)) < _SMALL:
            dict.__setitem__(self, key, value)
        else:
            put(self, key, value)

    def projected(self: Item, expressions: list[list[str]]) -> Item:
        if any(len(path) > 1 or path[0].endswith("]") for path in expressions):
            return project(self, expressions)
        wanted = [path[0] for path in expressions if path[0] in self.attrs]
        attributes = {name: self.attrs[name].to_regular_json() for name in wanted}
        return Item(self.hash_key, self.range_key, attributes)

    def all_items(self: Table) -> list[Item]:
        rows = getattr(_asked, "rows", None)
        found = _rows(self) if rows is None else rows
        return sorted(found, key=_place)

    def queried(self: Table, hash_key: Any, *given: Any, **more: Any) -> Any:
        # The seventh is the index; without one, a query is of one partition.
        index = given[6] if len(given) > 6 else more.get("index_name")
        if index is None:
            held = self.items.get(hash_key, {})
            rows: Iterable[Any] = held.values() if self.range_key_attr else [held] * bool(held)
        else:
            wanted = [(name, value.value) for name, value in more.get("hash_key_conditions") or ()]
            rows = [row for row in _rows(self) if _has(row, wanted)]
        _asked.rows = rows
        try:
            return query(self, hash_key, *given, **more)
        finally:
            _asked.rows = None

    return {
        (DynamoType, "cast_value"): property(cast_value),
        (DynamoType, "__eq__"): equal,
        (DynamoType, "__ne__"): unequal,
        (DynamoType, "__lt__"): less_than,
        (DynamoType, "__hash__"): hashed,
        (DynamoType, "size"): sized,
        (DynamoType, "__deepcopy__"): copy_of,
        (DynamoType, "to_regular_json"): as_json,
        (LimitedSizeDict, "__setitem__"): add,
        (Item, "project"): projected,
        (Table, "all_items"): all_items,
        (Table, "query"): queried,
    }


def _rows(table: Table) -> Iterable[Item]:
    if not table.range_key_attr:
        return table.items.values()  # type: ignore[return-value]
    return [row for part in table.items.values() for row in part.values()]


def _place(row: Item) -> Any:
    place = row.hash_key.cast_value
    return (place, row.range_key.cast_value) if row.range_key else place


def _has(row: Item, wanted: list[tuple[str, Any]]) -> bool:
    return all((held := row.attrs.get(name)) and held.value == value for name, value in wanted)
