"""The map's log of changes, one partition a city, in the order of the projection's clock."""

from datetime import datetime, timedelta
from typing import Any

from chalicelib import clock
from chalicelib.domain.map.changelog import Row
from chalicelib.domain.timestamps import iso, parse
from chalicelib.storage import fast_query, tables
from chalicelib.storage.transactions import Put

# By the machine's clock, which need not be the city's: longer than a cursor may live.
_EXPIRE = timedelta(hours=48)


def put_change(jurisdiction: str, report: str, version: int, pin: str, now: datetime) -> Put:
    """Log what a report's version left on the map: a packed pin, or nothing."""
    ttl = int((clock.wall() + _EXPIRE).timestamp())
    key = f"{iso(now)}#{report}#{version}"
    return Put("change", tables.Figure(f"{jurisdiction}#CHANGES#0", key, doc=pin, ttl=ttl))


def changes(jurisdiction: str, since: datetime, limit: int) -> tuple[list[Row], bool]:
    """The rows stamped at ``since`` or later, oldest first, and whether that is all: one Query."""
    asked: dict[str, Any] = {
        "TableName": tables.Figure.Meta.table_name,
        "KeyConditionExpression": "pk = :p AND sk >= :s",
        "ExpressionAttributeValues": {
            ":p": {"S": f"{jurisdiction}#CHANGES#0"}, ":s": {"S": iso(since)},
        },
        "Limit": limit,
    }  # fmt: skip
    page = fast_query.query(asked)
    return [_row(item) for item in page["Items"]], "LastEvaluatedKey" not in page


def _row(item: dict[str, Any]) -> Row:
    key = item["sk"]["S"]
    stamp, report, _ = key.split("#")
    return Row(key, parse(stamp), report, item["doc"]["S"])
