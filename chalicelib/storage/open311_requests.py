"""The public rows of GeoReport's lists: one for each report, by filing and by last change.

The projection writes them: partition ``REQ#<yyyymm>`` (UTC, of filing) / id, whose first characters
are the moment of filing; in the index ``UPD#<yyyymm>`` / ``<last change>#<id>``. They have no
texts: texts stay in ``people`` and are read for each page of an answer.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict

from chalicelib import ids
from chalicelib.domain.open311.updates import UpdateRow
from chalicelib.domain.report_facts import hidden_in, promised_in
from chalicelib.domain.timeline_types import Event, Facts
from chalicelib.domain.timestamps import iso, months, parse
from chalicelib.storage import fast_query, tables
from chalicelib.storage.report_texts import text_name
from chalicelib.storage.rows import dump, get, get_all
from chalicelib.storage.transactions import Put

LABEL = "request"
# The calls that read rows for one answer: at least one a month of its window.
CALLS_AT_MOST = 40
_SECOND = timedelta(seconds=1)
_EMPTY = {"S": "{}"}


class Row(TypedDict):
    """What the lists show of a public report. ``updated`` is its last public change."""

    id: str
    rules: str
    updated: str
    state: str
    resolution: str | None
    service: str
    district: str
    ward: str
    unit: str
    agency: str | None
    due_at: str | None
    place: list[int]
    closed_at: str | None
    picture: str | None


Item = dict[str, Any]


def row_of(event: Event) -> Row | None:
    """The public row of a report after an event; ``None`` if the report is hidden."""
    return row(event["report"], event["rules"], event["at"], event["after"])


def row(report: str, rules: str, at: str, facts: Facts) -> Row | None:
    """The public row of a report with these facts, last changed ``at``; ``None`` if hidden.

    ``rules`` is the city version under which the report is.
    """
    if hidden_in(facts):
        return None
    # A closed report counts as changed at its closing, even if people added something later.
    updated = facts["closed_at"] or at
    return {
        "id": report,
        "rules": rules,
        "updated": max(updated, facts.get("shown_at") or updated),
        "state": facts["state"],
        "resolution": facts["resolution"],
        "service": facts["service"],
        "district": facts["district"],
        "ward": facts["ward"],
        "unit": facts["unit"],
        "agency": facts["agency"],
        "due_at": promised_in(facts),
        "place": facts["place"],
        "closed_at": facts["closed_at"],
        "picture": facts["picture"],
    }


def put_request(jurisdiction: str, row: Row | None, event: Event) -> Put:
    """Write a report's row unless a newer one is there.

    Without ``row`` the report is hidden: an empty row, which no list shows, replaces the older one.
    """
    version, changed = event["version"], row["updated"] if row else event["at"]
    item = _item(jurisdiction, event["report"], row, version, changed)
    figure = tables.Figure
    return Put(LABEL, item, figure.pk.does_not_exist() | (figure.version < version))


def put_known(jurisdiction: str, row: Row, version: int) -> Put:
    """Write the row of a report's head again, unless a newer one is there."""
    item, figure = _item(jurisdiction, row["id"], row, version, row["updated"]), tables.Figure
    return Put(LABEL, item, figure.pk.does_not_exist() | (figure.version <= version))


def _item(
    jurisdiction: str, report: str, row: Row | None, version: int, changed: str
) -> tables.Figure:
    return tables.Figure(
        f"{jurisdiction}#REQ#{_month(ids.moment(report))}",
        report,
        doc=dump(row or {}),
        version=version,
        spk=f"{jurisdiction}#UPD#{_month(parse(changed))}",
        ssk=f"{changed}#{report}",
    )


def filed(jurisdiction: str, start: datetime, end: datetime, limit: int) -> tuple[list[Row], bool]:
    """(rows of reports filed from ``start`` to ``end``, newest first, at most ``limit``; whether
    these are all)."""
    # Times are published without fractions, so the whole last second belongs to the window.
    low, high = ids.floor(start), ids.floor(end + _SECOND)
    months = [f"{jurisdiction}#REQ#{month}" for month in _months(start, end)]
    items, whole = _over(months, low, high, limit, newest=True)
    return _docs(items), whole


def updated(
    jurisdiction: str, start: datetime, end: datetime, limit: int
) -> tuple[list[Row], bool]:
    """As ``filed``, of the reports whose last change is from ``start`` to ``end``, latest first."""
    low, high = iso(start), iso(end + _SECOND)
    months = [f"{jurisdiction}#UPD#{month}" for month in _months(start, end)]
    items, whole = _over(months, low, high, limit, index=True, newest=True)
    return _docs(items), whole


def of_month(jurisdiction: str, month: str, size: int) -> Iterator[list[Row]]:
    """Every row filed in a month (``YYYYMM``, UTC), oldest first, page by page."""
    after = ""
    while True:
        key = f"{jurisdiction}#REQ#{month}"
        items, whole = _over([key], f"{after}~" if after else "0", "~", size, pages=size)
        page = _docs(items)
        if page:
            yield page
        if whole or not page:
            return
        after = page[-1]["id"]


def changed(jurisdiction: str, start: datetime, end: datetime, limit: int) -> list[str]:
    """The ids of reports whose last change is from ``start`` to ``end``, hidden ones too."""
    low, high = iso(start), iso(end + _SECOND)
    months = [f"{jurisdiction}#UPD#{month}" for month in _months(start, end)]
    items, _ = _over(
        months, low, high, limit, index=True, newest=True, attribute="ssk", pages=limit
    )
    return [item["ssk"]["S"].rpartition("#")[2] for item in items]


def months_with_rows(jurisdiction: str, start: datetime, end: datetime) -> list[str]:
    """The months in which a public report was filed, oldest first: one Query a month."""
    return [
        month
        for month in reversed(_months(start, end))
        if _over([f"{jurisdiction}#REQ#{month}"], "0", "~", 1, pages=CALLS_AT_MOST)[0]
    ]


def put_update(jurisdiction: str, row: UpdateRow) -> Put:
    """Write an event's update for other systems (``domain.open311.updates``)."""
    key = f"{jurisdiction}#UPDATES#{_month(parse(row['at']))}"
    name = f"{row['at']}#{row['report']}#{row['version']:08d}"
    return Put("update", tables.Figure(key, name, doc=dump(row)))


def updates(
    jurisdiction: str, start: datetime, end: datetime, limit: int
) -> tuple[list[UpdateRow], bool]:
    """(updates from ``start`` to ``end``, oldest first, at most ``limit``; whether these are
    all)."""
    low, high = iso(start), iso(end + _SECOND)
    months = [f"{jurisdiction}#UPDATES#{month}" for month in reversed(_months(start, end))]
    items, whole = _over(months, low, high, limit)
    return _docs(items), whole


def update_texts(jurisdiction: str, rows: list[UpdateRow]) -> dict[tuple[str, int], str]:
    """{(report, version): public text of the update}."""
    names = [
        (row["report"], text_name(row["version"], field)) for row in rows for field in row["words"]
    ]
    texts: dict[tuple[str, int], str] = {}
    for (report, name), text in _texts(jurisdiction, names).items():
        key = (report, int(name.partition("#")[0]))
        texts[key] = f"{texts[key]}\n{text}" if key in texts else text
    return texts


def is_listed(jurisdiction: str, report: str) -> bool:
    """Whether the lists contain a report by now."""
    key = f"{jurisdiction}#REQ#{_month(ids.moment(report))}"
    return bool(get(tables.Figure, key, report))


def descriptions(jurisdiction: str, reports: list[str]) -> dict[str, str]:
    """{report: its description}, by one BatchGetItem a hundred."""
    name = text_name(1, "description")
    texts = _texts(jurisdiction, [(report, name) for report in reports])
    return {report: text for (report, _), text in texts.items()}


def listed_ids(jurisdiction: str, reports: list[str]) -> set[str]:
    """The ids of those reports that the lists show, by one BatchGetItem a hundred."""
    keys = [
        {"pk": {"S": f"{jurisdiction}#REQ#{_month(ids.moment(report))}"}, "sk": {"S": report}}
        for report in reports
    ]
    rows = get_all(tables.Figure.Meta.table_name, keys)
    return {row["sk"]["S"] for row in rows if row["doc"] != _EMPTY}


def _texts(jurisdiction: str, names: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    keys = [
        {"pk": {"S": f"{jurisdiction}#T#{report}"}, "sk": {"S": name}} for report, name in names
    ]
    return {
        (row["pk"]["S"].rpartition("#")[2], row["sk"]["S"]): json.loads(row["doc"]["S"])["text"]
        for row in get_all(tables.Person.Meta.table_name, keys)
    }


def _docs(items: list[Item]) -> list[Any]:
    return [json.loads(item["doc"]["S"]) for item in items]


def _over(
    keys: list[str],
    low: str,
    high: str,
    limit: int,
    *,
    pages: int = CALLS_AT_MOST,
    **options: Any,
) -> tuple[list[Item], bool]:
    """(rows of several partitions, one after another, between two sort keys, at most ``limit``;
    whether these are all). It makes at most ``pages`` calls."""
    items: list[Item] = []
    for key in keys:
        start: Item | None = None
        size = limit - len(items)
        while True:
            if len(items) >= limit or pages == 0:
                return items[:limit], False
            query_input = _query(_Rows(key, low, high), size, **options)
            if start is not None:
                query_input["ExclusiveStartKey"] = start
            page = fast_query.query(query_input)
            # A hidden report has an empty row. Larger pages pass many of them in few calls.
            items += [item for item in page["Items"] if item.get("doc") != _EMPTY]
            start, size, pages = page.get("LastEvaluatedKey"), size * 2, pages - 1
            if start is None:
                break
    return items[:limit], len(items) <= limit


class _Rows(NamedTuple):
    """The rows of one partition between two sort keys."""

    key: str
    low: str
    high: str


def _query(
    rows: _Rows,
    limit: int,
    *,
    index: bool = False,
    newest: bool = False,
    attribute: str = "doc",
) -> dict[str, Any]:
    """The Query of at most ``limit`` rows. Sent without models, which cost twice."""
    key, low, high = rows
    return {
        "TableName": tables.Figure.Meta.table_name,
        "KeyConditionExpression": f"{'spk' if index else 'pk'} = :p AND "
        f"{'ssk' if index else 'sk'} BETWEEN :a AND :z",
        "ProjectionExpression": attribute,
        "ExpressionAttributeValues": {":p": {"S": key}, ":a": {"S": low}, ":z": {"S": high}},
        "ScanIndexForward": not newest,
        "Limit": limit,
        **({"IndexName": "score"} if index else {}),
    }


def _months(start: datetime, end: datetime) -> list[str]:
    """The months of a window (``YYYYMM``), latest first."""
    return months(_month(start), _month(end))[::-1]


def _month(moment: datetime) -> str:
    return moment.strftime("%Y%m")
