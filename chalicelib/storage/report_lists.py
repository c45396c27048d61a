"""Lists of reports by their indexes: queues, a reporter's own, what is due, pins on the map."""

import json
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.domain.map.cover import Range
from chalicelib.domain.map.pin import Pin, unpack
from chalicelib.domain.photos import shown
from chalicelib.domain.report import Report as Head
from chalicelib.domain.timestamps import iso
from chalicelib.storage import fast_query, tables
from chalicelib.storage.transactions import read

# One partition for all cities, so that a sweep with nothing due is one Query.
DUE = "*#DUE#0"
# Nobody here has promised anything for an old system's report: it comes last in a queue.
NO_DEADLINE = "9999-12-31T00:00:00.000Z"
_UNIT, _CALLED = "W#", "A#"


class Card(NamedTuple):
    """The packed row of a list: what a queue or a list of duplicates shows without the head."""

    id: str
    version: int
    state: str
    service: str
    group: str
    ward: str
    unit: str
    holder: str | None
    due_at: str | None
    filed_at: str
    lat7: int
    long7: int
    priority: int
    photo: bool
    called_unit: str | None = None
    entrusted: bool = False


def queue_page(
    jurisdiction: str,
    desk: str,
    state: str,
    after: str | None,
    until: str | None,
    limit: int,
) -> list[tuple[str, Card]]:
    """One page of a queue in a state, next deadline first: (sort key, card).

    A desk is ``district_desk``, ``protected_desk``, ``unit_desk`` or ``called_desk``.
    """
    index: Any = tables.Report.queue
    order: Any = tables.QueueIndex.qsk
    if desk.startswith(_UNIT):
        index, order = tables.Report.unit, tables.UnitIndex.wsk
    elif desk.startswith(_CALLED):
        index, order = tables.Report.called, tables.CalledIndex.ask
    key = f"{jurisdiction}#{desk}#{state}"
    condition = _between(order, after, until)
    rows = read(lambda: list(index.query(key, condition, limit=limit, page_size=limit)))
    return [_in_queue(getattr(row, order.attr_name), _card(row)) for row in rows]


def district_desk(district: str) -> str:
    """The queue of a district: all its reports but the protected ones."""
    return f"Q#{district}"


def protected_desk(unit: str) -> str:
    """The queue of a unit's protected reports."""
    return f"XQ#{unit}"


def unit_desk(unit: str) -> str:
    """The queue of the reports that a unit holds, in all districts, but the protected ones."""
    return f"{_UNIT}{unit}"


def called_desk(unit: str) -> str:
    """The queue of the reports to which a unit is called in: as agency, or because of an offer."""
    return f"{_CALLED}{unit}"


def of_reporter(
    jurisdiction: str, uid: str, before: str | None, limit: int
) -> list[tuple[str, Card]]:
    """A reporter's reports, newest first: (sort key, card)."""
    condition = tables.ReporterIndex.usk < before if before else None
    key = f"{jurisdiction}#U#{uid}"
    index = tables.Report.reporter
    rows = read(lambda: list(index.query(key, condition, scan_index_forward=False, limit=limit)))
    return [(row.usk, _card(row)) for row in rows]


def open_area(jurisdiction: str) -> str:
    """The area of the open public reports, for ``pins``."""
    return f"{jurisdiction}#O"


def closed_area(jurisdiction: str, month: str) -> str:
    """The area of the public reports closed in a month (``YYYYMM``), for ``pins``."""
    return f"{jurisdiction}#C#{month}"


def pins(areas: list[str], ranges: list[Range], limit: int) -> tuple[list[Pin], bool]:
    """(pins of areas in ranges of the place index, whether they are complete).

    One Query for each range and area, in parallel, of at most ``limit`` rows each.
    """
    queries = [_range_query(area, geo_range, limit) for area in areas for geo_range in ranges]
    pages = fast_query.query_all(queries)
    complete = not any("LastEvaluatedKey" in page for page in pages)
    # A row written by older code has no pin until the report changes.
    return [
        unpack(item["gsk"]["S"][11:], item["g"]["S"])
        for page in pages
        for item in page["Items"]
        if "g" in item
    ], complete


def _range_query(area: str, geo_range: Range, limit: int) -> dict[str, Any]:
    city, kind, *month = area.split("#")
    partition = "#".join([city, kind, geo_range.cell, *month])
    return {
        "TableName": tables.Report.Meta.table_name,
        "IndexName": "geo",
        "KeyConditionExpression": "gpk = :p AND gsk BETWEEN :a AND :z",
        "ProjectionExpression": "gsk, g",
        "ExpressionAttributeValues": {
            ":p": {"S": partition}, ":a": {"S": geo_range.low}, ":z": {"S": geo_range.high},
        },
        "Limit": limit,
    }  # fmt: skip


def due(until: datetime, after: str | None, limit: int) -> list[tuple[str, str, str]]:
    """(key, jurisdiction, report) of the reports due by ``until``, earliest first."""
    condition = _between(tables.DueIndex.dsk, after, iso(until) + "~")
    rows = read(lambda: list(tables.Report.due.query(DUE, condition, limit=limit, page_size=limit)))
    return [(row.dsk, *row.dsk.split("#")[1:]) for row in rows]


def packed(head: Head, service: str | None = None) -> str:
    """The packed row of a head for lists; ``service`` replaces the report's own if it is given."""
    card = Card(
        head.id, head.version, head.state, service or head.service, head.group, head.ward,
        head.unit, head.holder, _promise(head), iso(head.filed_at), head.lat7, head.long7,
        head.supports, shown(head, head.photos) > 0, head.called_unit, head.entrusted,
    )  # fmt: skip
    # In the older form if possible, for older code that still runs during a release.
    return json.dumps(
        card if card.called_unit or card.entrusted else card[:-2], separators=(",", ":")
    )


def _promise(head: Head) -> str | None:
    return iso(head.shown_due) if head.shown_due else None


def _in_queue(key: str, card: Card) -> tuple[str, Card]:
    # Older rows of such reports have a deadline.
    return key, card._replace(due_at=None) if key.startswith(NO_DEADLINE) else card


def _card(row: Any) -> Card:
    return Card(*json.loads(row.m))


def _between(attribute: Any, after: str | None, until: str | None) -> Any:
    if after is not None and until is not None:
        return attribute.between(after + "\x00", until) if after < until else attribute == "none"
    if until is not None:
        return attribute <= until
    return attribute > after if after is not None else None
