"""The map's log of changes, one partition a city, ordered by the time of projection."""

from datetime import datetime, timedelta
from typing import Any

from chalicelib import clock
from chalicelib.domain.map.changelog import Row
from chalicelib.domain.timestamps import iso, parse
from chalicelib.storage import fast_query, tables
from chalicelib.storage.transactions import Put

# By the machine's clock, because DynamoDB expires rows by it. Longer than a cursor is valid.
_EXPIRE = timedelta(hours=48)


def put_change(jurisdiction: str, report: str, version: int, pin: str, now: datetime) -> Put:
    """Log how a report's version changed the map: ``pin`` is packed, or says that it is gone."""
    ttl = int((clock.wall() + _EXPIRE).timestamp())
    key = f"{iso(now)}#{report}#{version}"
    return Put("change", tables.Figure(f"{jurisdiction}#CHANGES#0", key, doc=pin, ttl=ttl))


def changes(jurisdiction: str, since: datetime, limit: int) -> tuple[list[Row], bool]:
    """(rows at ``since`` or later, oldest first; whether they are complete), by one Query."""
    query_input: dict[str, Any] = {
        "TableName": tables.Figure.Meta.table_name,
        "KeyConditionExpression": "pk = :p AND sk >= :s",
        "ExpressionAttributeValues": {
            ":p": {"S": f"{jurisdiction}#CHANGES#0"}, ":s": {"S": iso(since)},
        },
        "Limit": limit,
    }  # fmt: skip
    page = fast_query.query(query_input)
    return [_row(item) for item in page["Items"]], "LastEvaluatedKey" not in page


def _row(item: dict[str, Any]) -> Row:
    key = item["sk"]["S"]
    stamp, report, _ = key.split("#")
    return Row(key, parse(stamp), report, item["doc"]["S"])
