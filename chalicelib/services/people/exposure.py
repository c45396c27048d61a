"""What a thief could read with a stolen API key, a person's token or an official's account.

For ``infra.ops exposed``: ids and counts, never texts. Each call reads a page of an index, and
``next`` is the cursor of the next call. The present rules of reading (``access``) decide what is
listed, so that the list and the API agree.
"""

from datetime import datetime

from chalicelib.domain.city.city import City
from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso, shifted
from chalicelib.domain.workflow import permissions
from chalicelib.domain.workflow.table import table
from chalicelib.errors import Problem
from chalicelib.services.city import cities, staff
from chalicelib.services.platform.record_answer_types import Exposed, ExposedReport
from chalicelib.services.timeline import access
from chalicelib.services.timeline.access import Seen
from chalicelib.storage import access_index, people, report_lists, secrecy
from chalicelib.storage import city as store

_DESKS_A_CALL = 2000


def of_key(jurisdiction: str, key_id: str, after: str, limit: int) -> Exposed:
    """What the Open311 key with this id (``infra.ops keys list``) sent and could still read.

    Raises ``Problem``: not_found.
    """
    if key_id not in {digest[:16] for digest, _ in store.keys(jurisdiction)}:
        raise Problem("not_found", field="id")
    uid = f"k_{key_id}"
    actor = Principal("citizen", jurisdiction, uid=uid, permissions=frozenset({FOR_MANY}))
    ids = access_index.filed_through(jurisdiction, uid, after, limit)
    heads = secrecy.heads(jurisdiction, ids)
    rows = [_row(actor, heads[report_id]) for report_id in ids if report_id in heads]
    return _answer(uid, rows, ids[-1] if len(ids) == limit else None)


def of_person(jurisdiction: str, uid: str, after: str, limit: int) -> Exposed:
    """What the token of a device or an account (its uid, as ``GET /v1/me`` says) could read."""
    if not people.is_person(uid):
        raise Problem("not_found", field="id")
    actor = Principal("citizen", jurisdiction, uid=uid)
    kind, _, key = after.partition(" ")
    if kind != "left":
        page = report_lists.of_reporter(jurisdiction, uid, key or None, limit)
        heads = secrecy.heads(jurisdiction, [card.id for _, card in page])
        rows = [_row(actor, heads[card.id]) for _, card in page if card.id in heads]
        more = f"filed {page[-1][0]}" if len(page) == limit else "left "
        return _answer(uid, rows, more)
    traces = people.traces(jurisdiction, uid, key, limit)
    answer = _answer(
        uid, [], f"left {people.trace_name(*traces[-1])}" if len(traces) == limit else None
    )
    answer["left"] = [
        {"kind": _KINDS[kind], "report": report, "id": detail}
        for kind, report, detail in traces
        if kind in _KINDS
    ]
    return answer


_KINDS = {
    people.CONTACT: "contact",
    people.REACHED_BY: "contact",
    people.TEXT: "text",
    people.PHOTO: "photo",
    people.SUPPORT: "support",
    people.FOLLOW: "follow",
    people.FLAG: "flag",
    people.RIGHT: "right",
}


def of_official(
    jurisdiction: str, ref: str, since: datetime, after: str, limit: int, now: datetime
) -> Exposed:
    """What an official's account could read: open reports, reports closed since the month of
    ``since``, and the contacts that it has read since then.

    Goes through every queue of the city and lists each report that the official may see: by
    district, by unit, or because the unit is called in. Raises ``Problem``: not_found.
    """
    record = store.staff_by_ref(jurisdiction, ref)
    if record is None:
        raise Problem("not_found", field="id")
    actor, city = staff.principal(jurisdiction, record), cities.current(jurisdiction, now)
    kind, _, key = after.partition(" ")
    if kind == "read" or not after:
        reads = access_index.contacts_read(jurisdiction, ref, key or iso(since), limit)
        last = reads[-1] if len(reads) == limit else None
        more = f"read {last[0]}#{last[1]}#{last[2]:08d}" if last else "desk "
        answer = _answer(ref, [], more)
        answer["contacts_read"] = [
            {"at": moment, "report": report, "version": version}
            for moment, report, version in reads
        ]
        return answer
    ids, cursor = _on_desks(jurisdiction, _desks(city, since, now), key, limit)
    heads = secrecy.heads(jurisdiction, ids)
    found_heads = [heads[report_id] for report_id in ids if report_id in heads]
    rows = [_row(actor, head) for head in found_heads if _readable(actor, head)]
    return _answer(ref, rows, f"desk {cursor}" if cursor else None)


def _on_desks(
    jurisdiction: str, desks: list[tuple[str, str]], cursor: str, limit: int
) -> tuple[list[str], str | None]:
    """At most ``limit`` reports from ``cursor`` ("queue number:row"), and the next cursor."""
    number, _, row = cursor.partition(":")
    at, after, report_ids = int(number or 0), row or None, list[str]()
    for _ in range(_DESKS_A_CALL):
        if at >= len(desks):
            return report_ids, None
        page = report_lists.queue_page(
            jurisdiction, *desks[at], after, None, limit - len(report_ids)
        )
        report_ids += [card.id for _, card in page]
        if len(report_ids) == limit:
            return report_ids, f"{at}:{page[-1][0]}"
        at, after = at + 1, None
    return report_ids, f"{at}:"


def _desks(city: City, since: datetime, now: datetime) -> list[tuple[str, str]]:
    """Every (queue, state) of the city, and (queue, month) of closed reports since ``since``."""
    states = [state for state in table()["states"] if state != "closed"]
    months = [city.month(since)]
    while months[-1] < city.month(now):
        months.append(shifted(months[-1], 1))
    districts = sorted(store.districts(city.jurisdiction))
    open_desks = [report_lists.district_desk(district) for district in districts]
    open_desks += [report_lists.protected_desk(unit) for unit in sorted(city.units)]
    closed = [*(f"S#{code}" for code in districts), *(f"XS#{code}" for code in sorted(city.units))]
    return [
        *((desk, state) for desk in open_desks for state in states),
        *((desk, month) for desk in closed for month in months),
    ]


def _readable(actor: Principal, head: Report) -> bool:
    is_its_channel = access.is_its_channel(actor, head)
    seen = Seen(head, frozenset(), access.reporter_of(actor, head), is_its_channel)
    return access.sees(actor, seen)


def _row(actor: Principal, head: Report) -> ExposedReport:
    """One report: its personal data, and how much of it the holder could read."""
    reads = _readable(actor, head)
    staff_may = actor.kind == "staff" and permissions.may(actor, "contact", head)
    contact = staff_may and access.in_scope(actor, head)
    return {
        "report": head.id,
        "state": head.state,
        "private": head.private,
        "protected": head.secret,
        "readable": reads,
        "texts": access_index.count_texts(head.jurisdiction, head.id) if reads else 0,
        "photos": len(head.pictures) if reads else 0,
        "contact": "none" if not head.contact else "readable" if contact else "kept",
    }


def _answer(who: str, rows: list[ExposedReport], more: str | None) -> Exposed:
    counts: dict[str, int] = {
        "readable": sum(row["readable"] for row in rows),
        "private": sum(row["private"] for row in rows),
        "protected": sum(row["protected"] for row in rows),
    }
    counts["texts"] = sum(row["texts"] for row in rows)
    counts["contacts_readable"] = sum(row["contact"] == "readable" for row in rows)
    return {"who": who, "reports": rows, "counts": counts, "next": more}
