"""Scorecard rows: one for each report, found by district and by the last month it matters in.

They are read without models: 60,000 models would cost a minute of CPU.
"""

import json
from collections.abc import Iterator
from typing import Any

from chalicelib.domain.timeline_types import ScoreRow
from chalicelib.storage import tables
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Put, read

_MARK = "-"


def put_score(
    jurisdiction: str,
    report: str,
    version: int,
    row: ScoreRow | None,
    last_month: str | None,
) -> Put:
    """Write a report's row unless a newer one is there; without ``row`` no district finds it."""
    district_key = f"{jurisdiction}#SCORE#{row['district']}" if row else None
    item = tables.Figure(
        f"{jurisdiction}#ROW#{report}",
        _MARK,
        doc=dump(row or {}),
        version=version,
        spk=district_key,
        ssk=f"{last_month}#{report}" if row else None,
    )
    figure = tables.Figure
    return Put("score", item, figure.pk.does_not_exist() | (figure.version < version))


def score(jurisdiction: str, report: str) -> ScoreRow | None:
    """A report's row."""
    doc: ScoreRow | None = get(tables.Figure, f"{jurisdiction}#ROW#{report}", _MARK)
    return doc


def scores(jurisdiction: str, district: str, month: str) -> Iterator[ScoreRow]:
    """Every row of a district that matters in ``month`` (``YYYYMM``) or later, page by page."""
    values = {":p": {"S": f"{jurisdiction}#SCORE#{district}"}, ":m": {"S": month}}
    query_input: dict[str, Any] = {
        "TableName": tables.Figure.Meta.table_name,
        "IndexName": "score",
        "KeyConditionExpression": "spk = :p AND ssk >= :m",
        "ProjectionExpression": "doc",
        "ExpressionAttributeValues": values,
    }
    while True:
        page = read(lambda: tables.client().query(**query_input))
        for item in page["Items"]:
            yield json.loads(item["doc"]["S"])
        if "LastEvaluatedKey" not in page:
            return
        query_input["ExclusiveStartKey"] = page["LastEvaluatedKey"]
