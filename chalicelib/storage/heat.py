"""Counters of the heat map (``domain.map.heat_counters``), changed by additions in any order."""

from collections.abc import Iterator
from typing import Any

from pynamodb.attributes import NumberAttribute

from chalicelib.domain.map.heat_counters import Span
from chalicelib.storage import fast_query, tables
from chalicelib.storage.transactions import Update

# Sort key -> attribute -> n.
Documents = dict[str, dict[str, int]]
_PAGES = 8


def add(jurisdiction: str, partition: str, sort_key: str, changes: dict[str, int]) -> Update:
    """Add to the counters of a document."""
    row = tables.Figure(f"{jurisdiction}#{partition}", sort_key)
    actions = [NumberAttribute(attr_name=name).add(n) for name, n in sorted(changes.items())]
    return Update(f"heat:{partition}:{sort_key}", row, actions)


def documents(jurisdiction: str, spans: list[Span]) -> tuple[list[Documents], bool]:
    """(documents of each span, whether they are complete).

    One Query for each span, in parallel, then at most ``_PAGES`` further pages of 1 MB in all.
    """
    queries = [_query(jurisdiction, span) for span in spans]
    pages = fast_query.query_all(queries)
    documents = [_read(page) for page in pages]
    pages_left = _PAGES
    for number, page in enumerate(pages):
        while "LastEvaluatedKey" in page and pages_left > 0:
            pages_left -= 1
            page = fast_query.query(
                {**queries[number], "ExclusiveStartKey": page["LastEvaluatedKey"]}
            )
            documents[number] |= _read(page)
        if "LastEvaluatedKey" in page:
            return documents, False
    return documents, True


def scan_all() -> Iterator[tuple[str, str, str, dict[str, int]]]:
    """(jurisdiction, partition, place, counts) of every document, by a Scan: only for
    ``make rebuild``."""
    request: dict[str, Any] = {"TableName": tables.Figure.Meta.table_name}
    while True:
        page = tables.client().scan(**request)
        for item in page["Items"]:
            jurisdiction, partition = item["pk"]["S"].split("#", 1)
            if partition.startswith(("CELLS#", "DAYS#")):
                yield jurisdiction, partition, item["sk"]["S"], _counts(item)
        if "LastEvaluatedKey" not in page:
            return
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _query(jurisdiction: str, span: Span) -> dict[str, Any]:
    values = {":p": {"S": f"{jurisdiction}#{span.partition}"}}
    condition = "pk = :p"
    if span.first:
        condition += " AND sk BETWEEN :a AND :z"
        values |= {":a": {"S": span.first}, ":z": {"S": span.last}}
    return {
        "TableName": tables.Figure.Meta.table_name,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
    }


def _read(page: dict[str, Any]) -> Documents:
    return {item["sk"]["S"]: _counts(item) for item in page["Items"]}


def _counts(item: dict[str, Any]) -> dict[str, int]:
    return {name: int(value["N"]) for name, value in item.items() if "N" in value}
