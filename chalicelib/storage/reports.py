"""Report heads, events, tracking codes and photo tickets: keys, reads, writes to commit."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.domain import event_parts
from chalicelib.domain.events import Link
from chalicelib.domain.hash_chain import Entry
from chalicelib.domain.map.cover import Range
from chalicelib.domain.map.geohash import encode
from chalicelib.domain.map.pin import Pin, pack, pin_of, unpack
from chalicelib.domain.photos import shown
from chalicelib.domain.report import Report as Head
from chalicelib.domain.timeline_types import Event
from chalicelib.domain.timestamps import iso
from chalicelib.storage import fast_query, tables
from chalicelib.storage.rows import get_all
from chalicelib.storage.transactions import Put, read

PAGE = 200
_DUE = "*#DUE#0"
_NO_DEADLINE = "9999-12-31T00:00:00.000Z"
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
    due_at: str
    filed_at: str
    lat7: int
    long7: int
    priority: int
    photo: bool
    called: str | None = None
    entrusted: bool = False


def put_head(head: Head, next_due: datetime | None, *, seen: int | None) -> Put:
    """Write the head: as new if ``seen`` is ``None``, else only over version ``seen``."""
    condition = tables.Report.pk.does_not_exist() if seen is None else tables.Report.version == seen
    return Put("head", _row(head, next_due), condition)


def put_event(jurisdiction: str, report: str, link: Link) -> Put:
    """Append an event; it never replaces another."""
    text, stamp, inside, salt = link.entry
    row = tables.Event(
        _key(jurisdiction, report), link.version, event=text, hash=stamp, inside=inside, salt=salt
    )
    return Put("event", row, tables.Event.pk.does_not_exist())


def put_code(jurisdiction: str, code: str, report: str) -> Put:
    """Store a tracking code, if it is not in use."""
    row = tables.Report(f"{jurisdiction}#K#{code}", doc=report)
    return Put("code", row, tables.Report.pk.does_not_exist())


def get(jurisdiction: str, report: str) -> Head | None:
    """The head, read consistently."""
    row = _get(_key(jurisdiction, report))
    return Head.from_doc(json.loads(row.doc)) if row else None


def get_many(jurisdiction: str, reports: list[str]) -> dict[str, Head]:
    """{id: head} of those that exist, by one BatchGetItem a hundred."""
    keys = [{"pk": {"S": _key(jurisdiction, report)}} for report in reports]
    rows = get_all(tables.Report.Meta.table_name, keys)
    heads = [Head.from_doc(json.loads(row["doc"]["S"])) for row in rows]
    return {head.id: head for head in heads}


def by_code(jurisdiction: str, code: str) -> str | None:
    """The id of the report with a tracking code."""
    row = _get(f"{jurisdiction}#K#{code}")
    return row.doc if row else None


def with_texts(jurisdiction: str, report: str, *texts: str) -> tuple[Head | None, dict[str, str]]:
    """Head and named texts (``<version>#<field>``) in one BatchGetItem."""
    heads, people = tables.Report.Meta.table_name, tables.Person.Meta.table_name
    request: dict[str, Any] = {
        heads: {
            "Keys": [{"pk": {"S": _key(jurisdiction, report)}}],
            "ConsistentRead": True,
        }
    }
    if texts:
        text_key = {"S": f"{jurisdiction}#T#{report}"}
        request[people] = {"Keys": [{"pk": text_key, "sk": {"S": name}} for name in texts]}
    answer = read(lambda: tables.client().batch_get_item(RequestItems=request))
    head_rows = answer["Responses"].get(heads, [])
    if not head_rows:
        return None, {}
    found_texts = {
        row["sk"]["S"]: json.loads(row["doc"]["S"])["text"]
        for row in answer["Responses"].get(people, [])
    }
    return Head.from_doc(json.loads(head_rows[0]["doc"]["S"])), found_texts


def event(jurisdiction: str, report: str, version: int) -> Event | None:
    """One event, read consistently."""
    key = _key(jurisdiction, report)

    def action() -> Event | None:
        try:
            row = tables.Event.get(key, version, consistent_read=True)
        except tables.Event.DoesNotExist:
            return None
        event_doc: Event = json.loads(event_parts.whole(row.event, row.inside))
        return event_doc

    event_doc: Event | None = read(action)
    return event_doc


def timeline(jurisdiction: str, report: str, after: int, limit: int) -> list[tuple[str, str]]:
    """(whole event as JSON, hash) pairs after a version, oldest first."""
    entries = chain(jurisdiction, report, after, limit)
    return [(event_parts.whole(entry.text, entry.inside), entry.hash) for entry in entries]


def chain(jurisdiction: str, report: str, after: int, limit: int) -> list[Entry]:
    """The events after a version as they are stored and hashed, oldest first."""
    key = _key(jurisdiction, report)
    rows: list[tables.Event] = read(
        lambda: list(
            tables.Event.query(key, tables.Event.version > after, limit=limit, consistent_read=True)
        )
    )
    return [Entry(row.event, row.hash, row.inside, row.salt) for row in rows]


def whole_timeline() -> Iterator[tuple[str, str]]:
    """Every event of every report, by a Scan: only for ``make rebuild``."""
    for row in tables.Event.scan():
        yield event_parts.whole(row.event, row.inside), row.hash


def whole_chain() -> Iterator[tuple[str, int, Entry]]:
    """(partition, version, entry) of every event, by a Scan: only for ``infra.ops verify``."""
    for row in tables.Event.scan():
        yield row.pk, int(row.version), Entry(row.event, row.hash, row.inside, row.salt)


def events_page(after: str | None, limit: int) -> tuple[list[Event], str | None]:
    """(events after a key, next key), by a Scan: only for ``infra.ops.backfill_traces``."""
    start = None
    if after:
        pk, version = json.loads(after)
        start = {"pk": {"S": pk}, "version": {"N": version}}
    rows = tables.Event.scan(limit=limit, page_size=limit, last_evaluated_key=start)
    events = [json.loads(event_parts.whole(row.event, row.inside)) for row in rows]
    last_key = rows.last_evaluated_key
    return events, json.dumps([last_key["pk"]["S"], last_key["version"]["N"]]) if last_key else None


def heads_page(after: str | None, limit: int) -> tuple[list[Head], str | None]:
    """(heads after a key, next key), by a Scan: only for ``infra.ops.backfill``."""
    start = {"pk": {"S": after}} if after else None
    scanned = tables.Report.scan(limit=limit, page_size=limit, last_evaluated_key=start)
    rows = [row for row in scanned if "#R#" in row.pk]
    last_key = scanned.last_evaluated_key
    return [Head.from_doc(json.loads(row.doc)) for row in rows], last_key["pk"][
        "S"
    ] if last_key else None


def owners_page(
    after: str | None, limit: int
) -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]], str | None]:
    """(reporters, photo owners, next key) after a key, by a Scan: only for
    ``infra.ops.backfill_traces``.

    Reporters are (city, report, uid), owners (city, photo, uid).
    """
    start = {"pk": {"S": after}} if after else None
    rows = tables.Report.scan(limit=limit, page_size=limit, last_evaluated_key=start)
    heads, photos = list[tuple[str, str, str]](), list[tuple[str, str, str]]()
    for row in rows:
        jurisdiction, kind, name = row.pk.split("#", 2)
        if kind == "R" and (uid := json.loads(row.doc).get("reporter")):
            heads.append((jurisdiction, name, uid))
        elif kind == "P" and (uid := json.loads(row.doc).get("owner")):
            photos.append((jurisdiction, name, uid))
    last_key = rows.last_evaluated_key
    return heads, photos, last_key["pk"]["S"] if last_key else None


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
    return [(getattr(row, order.attr_name), _card(row)) for row in rows]


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
    """(key, jurisdiction, report) of the reports due by ``until``, earliest first.

    One partition for all cities, so that a sweep with nothing due is one Query.
    """
    condition = _between(tables.DueIndex.dsk, after, iso(until) + "~")
    rows = read(
        lambda: list(tables.Report.due.query(_DUE, condition, limit=limit, page_size=limit))
    )
    return [(row.dsk, *row.dsk.split("#")[1:]) for row in rows]


def put_photo(jurisdiction: str, photo: str, ticket: dict[str, Any], *, seen: int | None) -> Put:
    """Write a photo's ticket: new, or over version ``seen``."""
    condition = tables.Report.pk.does_not_exist() if seen is None else tables.Report.version == seen
    row = tables.Report(
        f"{jurisdiction}#P#{photo}", version=(seen or 0) + 1, doc=json.dumps(ticket)
    )
    return Put(f"photo:{photo}", row, condition)


def photo(jurisdiction: str, photo: str) -> tuple[int, dict[str, Any]] | None:
    """(version, ticket) of a photo, read consistently."""
    row = _get(f"{jurisdiction}#P#{photo}")
    return (int(row.version), json.loads(row.doc)) if row else None


def _get(key: str) -> tables.Report | None:
    def action() -> tables.Report | None:
        try:
            return tables.Report.get(key, consistent_read=True)
        except tables.Report.DoesNotExist:
            return None

    row: tables.Report | None = read(action)
    return row


def _key(jurisdiction: str, report: str) -> str:
    return f"{jurisdiction}#R#{report}"


def _row(head: Head, next_due: datetime | None) -> tables.Report:
    jurisdiction = head.jurisdiction
    lat7, long7 = head.public_place
    # The index has only the public place, so that no search tells more than the map shows.
    cell = encode(lat7 / 1e7, long7 / 1e7, 10)
    # Hidden reports are in separate partitions, which no public query reads.
    area = f"X#{cell[:5]}" if head.hidden else f"O#{cell[:5]}"
    desk = f"Q#{head.unit if head.protected else head.district}#{head.state}"
    # Nobody here has promised anything for an old system's report: it comes last in a queue.
    order = _NO_DEADLINE if head.history else iso(head.due_at)
    if not head.open and head.closed_at is not None:
        area = f"X#{cell[:5]}" if head.hidden else f"C#{cell[:5]}#{head.closed_month}"
        desk = f"S#{head.unit if head.protected else head.district}#{head.closed_month}"
        order = iso(head.closed_at)
    if head.protected:
        desk = f"X{desk}"
    in_queue = head.open and not head.protected
    called = head.called if in_queue else None
    return tables.Report(
        _key(jurisdiction, head.id),
        version=head.version,
        doc=json.dumps(head.to_doc(), separators=(",", ":"), ensure_ascii=False),
        m=packed(head),
        g=None if head.hidden else pack(pin_of(head)),
        gpk=f"{jurisdiction}#{area}",
        gsk=f"{cell}#{head.id}",
        qpk=f"{jurisdiction}#{desk}",
        qsk=f"{order}#{head.id}",
        wpk=f"{jurisdiction}#{unit_desk(head.unit)}#{head.state}" if in_queue else None,
        wsk=f"{order}#{head.id}" if in_queue else None,
        apk=f"{jurisdiction}#{called_desk(called)}#{head.state}" if called else None,
        ask=f"{order}#{head.id}" if called else None,
        upk=f"{jurisdiction}#U#{head.reporter}" if head.reporter else None,
        usk=f"{iso(head.filed_at)}#{head.id}" if head.reporter else None,
        dpk=_DUE if next_due else None,
        dsk=f"{iso(next_due)}#{jurisdiction}#{head.id}" if next_due else None,
    )


def packed(head: Head, service: str | None = None) -> str:
    """The packed row of a head for lists; ``service`` replaces the report's own if it is given."""
    card = Card(
        head.id, head.version, head.state, service or head.service, head.group, head.ward,
        head.unit, head.holder, iso(head.due_at), iso(head.filed_at), head.lat7, head.long7,
        head.supports, shown(head, head.photos) > 0, head.called, head.entrusted,
    )  # fmt: skip
    # In the older form if possible, for older code that still runs during a release.
    return json.dumps(card if card.called or card.entrusted else card[:-2], separators=(",", ":"))


def _card(row: Any) -> Card:
    return Card(*json.loads(row.m))


def _between(attribute: Any, after: str | None, until: str | None) -> Any:
    if after is not None and until is not None:
        return attribute.between(after + "\x00", until) if after < until else attribute == "none"
    if until is not None:
        return attribute <= until
    return attribute > after if after is not None else None
