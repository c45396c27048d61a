"""The public rows of GeoReport's lists: one a report, by its filing and by its last change.

A projection keeps them: partition ``REQ#<yyyymm>`` (UTC, of filing) / id, whose first characters
are the moment of filing; in the index ``UPD#<yyyymm>`` / ``<last change>#<id>``. Texts are not in
them: they stay in ``people`` alone and are read for the page that is asked for.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.report import hidden_in
from chalicelib.domain.timestamps import iso, parse
from chalicelib.storage import fast_query, tables
from chalicelib.storage.people import text_name
from chalicelib.storage.rows import dump, get, get_all
from chalicelib.storage.transactions import Put

LABEL = "request"
_SECOND = timedelta(seconds=1)
_EMPTY = {"S": "{}"}
_KEPT = (
    "state", "resolution", "service", "district", "ward", "unit", "agency", "due_at", "place",
    "closed_at", "picture",
)  # fmt: skip

Row = dict[str, Any]
Item = dict[str, Any]


def row_of(event: dict[str, Any]) -> Row | None:
    """What an event says of its report for everybody; ``None`` of a hidden one."""
    after = event["after"]
    if hidden_in(after):
        return None
    # What was closed is as old as its closing, whatever people added since.
    updated = after["closed_at"] or event["at"]
    updated = max(updated, after.get("shown_at") or updated)
    kept = {name: after[name] for name in _KEPT}
    return {"id": event["report"], "rules": event["rules"], "updated": updated, **kept}


def put_request(jurisdiction: str, row: Row | None, event: dict[str, Any]) -> Put:
    """Keep a report's row unless a newer one is there. Without ``row`` it is a change that has no
    contents: no list shows it, but what was written of the report before is out of date."""
    report, version = event["report"], event["version"]
    changed = row["updated"] if row else event["at"]
    item = tables.Figure(
        f"{jurisdiction}#REQ#{_month(ids.moment(report))}",
        report,
        doc=dump(row or {}),
        version=version,
        spk=f"{jurisdiction}#UPD#{_month(parse(changed))}",
        ssk=f"{changed}#{report}",
    )
    figure = tables.Figure
    return Put(LABEL, item, figure.pk.does_not_exist() | (figure.version < version))


def filed(jurisdiction: str, start: datetime, end: datetime, limit: int) -> list[Row]:
    """The rows of reports filed from ``start`` to ``end``, the newest first, at most ``limit``."""
    # Times are told without fractions: the last second belongs to the span.
    low, high = ids.floor(start), ids.floor(end + _SECOND)
    months = [f"{jurisdiction}#REQ#{month}" for month in _months(start, end)]
    return _docs(_over(months, low, high, limit, newest=True))


def updated(jurisdiction: str, start: datetime, end: datetime, limit: int) -> list[Row]:
    """The rows of reports that changed last from ``start`` to ``end``, the latest first."""
    low, high = iso(start), iso(end + _SECOND)
    months = [f"{jurisdiction}#UPD#{month}" for month in _months(start, end)]
    return _docs(_over(months, low, high, limit, index=True, newest=True))


def of_month(jurisdiction: str, month: str, size: int) -> Iterator[list[Row]]:
    """Every row filed in a month (``YYYYMM``, UTC), the oldest first, page by page."""
    after = ""
    while True:
        key = f"{jurisdiction}#REQ#{month}"
        page = _docs(_items(key, f"{after}~" if after else "0", "~", size))
        if page:
            yield page
        if len(page) < size:
            return
        after = page[-1]["id"]


def changed(jurisdiction: str, start: datetime, end: datetime, limit: int) -> list[str]:
    """The ids of reports that changed last from ``start`` to ``end``, or are public no more."""
    low, high = iso(start), iso(end + _SECOND)
    months = [f"{jurisdiction}#UPD#{month}" for month in _months(start, end)]
    items = _over(months, low, high, limit, index=True, newest=True, wanted="ssk")
    return [item["ssk"]["S"].rpartition("#")[2] for item in items]


def months_with_rows(jurisdiction: str, start: datetime, end: datetime) -> list[str]:
    """The months in which anything public was filed, the oldest first: a Query a month."""
    return [
        month
        for month in reversed(_months(start, end))
        if _items(f"{jurisdiction}#REQ#{month}", "0", "~", 1)
    ]


def put_update(jurisdiction: str, row: Row) -> Put:
    """Keep what an event tells other systems (``domain.open311.updates``)."""
    key = f"{jurisdiction}#UPDATES#{_month(parse(row['at']))}"
    name = f"{row['at']}#{row['report']}#{row['version']:08d}"
    return Put("update", tables.Figure(key, name, doc=dump(row)))


def updates(jurisdiction: str, start: datetime, end: datetime, limit: int) -> list[Row]:
    """What events from ``start`` to ``end`` told, the oldest first, at most ``limit``."""
    low, high = iso(start), iso(end + _SECOND)
    months = [f"{jurisdiction}#UPDATES#{month}" for month in reversed(_months(start, end))]
    return _docs(_over(months, low, high, limit))


def texts_of(jurisdiction: str, rows: list[Row]) -> dict[tuple[str, int], str]:
    """{(report, version): the public words of an update}."""
    wanted = [
        (row["report"], text_name(row["version"], field)) for row in rows for field in row["words"]
    ]
    found: dict[tuple[str, int], str] = {}
    for (report, name), text in _texts(jurisdiction, wanted).items():
        key = (report, int(name.partition("#")[0]))
        found[key] = f"{found[key]}\n{text}" if key in found else text
    return found


def is_listed(jurisdiction: str, report: str) -> bool:
    """Whether the lists know a report by now."""
    key = f"{jurisdiction}#REQ#{_month(ids.moment(report))}"
    return bool(get(tables.Figure, key, report))


def descriptions(jurisdiction: str, reports: list[str]) -> dict[str, str]:
    """{report: what its reporter wrote}, a hundred a call."""
    name = text_name(1, "description")
    found = _texts(jurisdiction, [(one, name) for one in reports])
    return {report: text for (report, _), text in found.items()}


def public(jurisdiction: str, reports: list[str]) -> set[str]:
    """Those of the reports that the lists show, a hundred a call."""
    keys = [
        {"pk": {"S": f"{jurisdiction}#REQ#{_month(ids.moment(one))}"}, "sk": {"S": one}}
        for one in reports
    ]
    rows = get_all(tables.Figure.Meta.table_name, keys)
    return {row["sk"]["S"] for row in rows if row["doc"] != _EMPTY}


def _texts(jurisdiction: str, wanted: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    keys = [
        {"pk": {"S": f"{jurisdiction}#T#{report}"}, "sk": {"S": name}} for report, name in wanted
    ]
    return {
        (row["pk"]["S"].rpartition("#")[2], row["sk"]["S"]): json.loads(row["doc"]["S"])["text"]
        for row in get_all(tables.Person.Meta.table_name, keys)
    }


def _docs(items: list[Item]) -> list[Row]:
    return [json.loads(item["doc"]["S"]) for item in items]


def _over(keys: list[str], low: str, high: str, limit: int, **more: Any) -> list[Item]:
    """``_items`` of several partitions, one after the other, until there are ``limit``."""
    found: list[Item] = []
    for key in keys:
        if len(found) < limit:
            found += _items(key, low, high, limit - len(found), **more)
    return found


def _items(
    key: str,
    low: str,
    high: str,
    limit: int,
    *,
    index: bool = False,
    newest: bool = False,
    wanted: str = "doc",
) -> list[Item]:
    """Rows of one partition between two sort keys, read packed: as models they cost twice."""
    asked: dict[str, Any] = {
        "TableName": tables.Figure.Meta.table_name,
        "KeyConditionExpression": f"{'spk' if index else 'pk'} = :p AND "
        f"{'ssk' if index else 'sk'} BETWEEN :a AND :z",
        "ProjectionExpression": wanted,
        "ExpressionAttributeValues": {":p": {"S": key}, ":a": {"S": low}, ":z": {"S": high}},
        "ScanIndexForward": not newest,
        **({"IndexName": "score"} if index else {}),
    }
    found: list[Item] = []
    while len(found) < limit:
        page = fast_query.query({**asked, "Limit": limit - len(found)})
        # A report that is hidden by now keeps a row without contents.
        found += [item for item in page["Items"] if item.get("doc") != _EMPTY]
        if "LastEvaluatedKey" not in page:
            break
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    return found


def _months(start: datetime, end: datetime) -> list[str]:
    """The months of a window, the latest first."""
    found, at = [], (end.year, end.month)
    while at >= (start.year, start.month):
        found.append(f"{at[0]:04d}{at[1]:02d}")
        at = (at[0] - (at[1] == 1), (at[1] - 2) % 12 + 1)
    return found


def _month(moment: datetime) -> str:
    return moment.strftime("%Y%m")
