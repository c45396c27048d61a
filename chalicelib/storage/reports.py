"""Report heads and tracking codes: keys, reads, writes to commit."""

import json
from datetime import datetime
from typing import Any

from chalicelib.domain.map.geohash import encode
from chalicelib.domain.map.pin import pack, pin_of
from chalicelib.domain.report import Report as Head
from chalicelib.domain.timestamps import iso
from chalicelib.storage import tables
from chalicelib.storage.report_lists import DUE, NO_DEADLINE, called_desk, packed, unit_desk
from chalicelib.storage.rows import get_all
from chalicelib.storage.transactions import Put, read

PAGE = 200


def put_head(head: Head, next_due: datetime | None, *, seen: int | None) -> Put:
    """Write the head: as new if ``seen`` is ``None``, else only over version ``seen``."""
    condition = tables.Report.pk.does_not_exist() if seen is None else tables.Report.version == seen
    return Put("head", _row(head, next_due), condition)


def put_code(jurisdiction: str, code: str, report: str) -> Put:
    """Store a tracking code, if it is not in use."""
    row = tables.Report(f"{jurisdiction}#K#{code}", doc=report)
    return Put("code", row, tables.Report.pk.does_not_exist())


def get(jurisdiction: str, report: str) -> Head | None:
    """The head, read consistently."""
    row = get_row(_key(jurisdiction, report))
    return Head.from_doc(json.loads(row.doc)) if row else None


def get_many(jurisdiction: str, reports: list[str]) -> dict[str, Head]:
    """{id: head} of those that exist, by one BatchGetItem a hundred."""
    keys = [{"pk": {"S": _key(jurisdiction, report)}} for report in reports]
    rows = get_all(tables.Report.Meta.table_name, keys)
    heads = [Head.from_doc(json.loads(row["doc"]["S"])) for row in rows]
    return {head.id: head for head in heads}


def by_code(jurisdiction: str, code: str) -> str | None:
    """The id of the report with a tracking code."""
    row = get_row(f"{jurisdiction}#K#{code}")
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


def get_row(key: str) -> tables.Report | None:
    """The row with a key, read consistently."""

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
    order = iso(head.shown_due) if head.shown_due else NO_DEADLINE
    if not head.open and head.closed_at is not None:
        area = f"X#{cell[:5]}" if head.hidden else f"C#{cell[:5]}#{head.closed_month}"
        desk = f"S#{head.unit if head.protected else head.district}#{head.closed_month}"
        order = iso(head.closed_at)
    if head.protected:
        desk = f"X{desk}"
    in_queue = head.open and not head.protected
    called = head.called_unit if in_queue else None
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
        dpk=DUE if next_due else None,
        dsk=f"{iso(next_due)}#{jurisdiction}#{head.id}" if next_due else None,
    )
