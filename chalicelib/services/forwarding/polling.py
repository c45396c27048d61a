"""What the systems of units say of the reports that they were given, read again and again.

News becomes events: a text is told on the timeline, and "closed" is work done, which is still to
be verified. Pages follow a cursor that outlives a run, so that every request gets its turn.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City, Open311Server
from chalicelib.domain.events import Words
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.input.redaction import redact
from chalicelib.domain.open311 import forwarding
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso, parse
from chalicelib.domain.workflow.table import actions_of
from chalicelib.errors import Problem
from chalicelib.outside import georeport
from chalicelib.outside.fetch import Failed
from chalicelib.outside.georeport import Declined, RemoteStatus, Server, Update
from chalicelib.services.city import cities
from chalicelib.services.forwarding import servers
from chalicelib.services.platform.catalogue import official_text
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.reports import actions
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import forwards, reports
from chalicelib.storage.transactions import Unavailable, Unknown, Write

TOLD, RETURNED, FINISHED = "told_outside", "returned_outside", "finish_outside"
# Of the extension's statuses: the work is said to be done, or will not be done there.
DONE = frozenset({"fixed", "closed"})
REFUSED = frozenset({"no_further_action", "not_councils_responsibility", "duplicate", "cancelled"})
FIRST_LOOK, OVERLAP, LONGEST_LOOK = timedelta(hours=1), timedelta(minutes=15), timedelta(days=30)
SEEN_AT_MOST = 50
Row = dict[str, Any]


def pull(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Ask every unit's server what has become of its requests; how much was news, by kind."""
    found: dict[str, int] = {}
    for jurisdiction in cities.jurisdictions():
        city = cities.current(jurisdiction, now)
        for unit in sorted(city.units):
            chosen = forwarding.server_of(city, unit)
            if chosen is None or not may_go_on() or servers.disabled(jurisdiction, unit):
                continue
            try:
                _pull(city, unit, chosen, now, may_go_on, found)
            except (Failed, Declined) as failure:
                reason = failure.reason if isinstance(failure, Failed) else str(failure)
                servers.failed(city, unit, reason, now)
                found["failed"] = found.get("failed", 0) + 1
    return found


def _pull(
    city: City,
    unit: str,
    chosen: Open311Server,
    now: datetime,
    may_go_on: Callable[[], bool],
    found: dict[str, int],
) -> None:
    place = city.jurisdiction
    server = servers.server(place, unit, chosen)
    known = forwards.server(place, unit)
    if chosen.updates:
        known = _happened(city, unit, server, known, now, found)
    after = known.get("cursor", "")
    while may_go_on():
        rows = forwards.followed(place, unit, after, georeport.PAGE)
        followed = [(row, head) for row in rows if (head := _current(city, unit, row))]
        _ask(city, unit, chosen, server, followed, now, found)
        if followed:
            servers.worked(place, unit)
        after = rows[-1]["name"] if len(rows) == georeport.PAGE else ""
        if rows:
            servers.heard(place, unit, cursor=after)
        if not after:
            return


def _happened(
    city: City, unit: str, server: Server, known: Row, now: datetime, found: dict[str, int]
) -> Row:
    """Tell what happened there since the last look; what is known of the server from now on."""
    place = city.jurisdiction
    since = parse(known["heard"]) if known.get("heard") else now - FIRST_LOOK
    for update in georeport.updates(server, max(since - OVERLAP, now - LONGEST_LOOK), now):
        row = forwards.get_followed(place, unit, update.request)
        head = _current(city, unit, {**row, "name": update.request}) if row else None
        if row and head and (kind := _update(city, unit, row, head, update, now)):
            found[kind] = found.get(kind, 0) + 1
    return servers.heard(place, unit, heard=iso(now))


def _update(
    city: City, unit: str, row: Row, head: Report, update: Update, now: datetime
) -> str | None:
    """One update made an event, once; its kind."""
    if update.id in row.get("seen", ()):
        return None
    kind, request, turn = None, update.request, update.id
    if update.status in DONE and _can_finish(head):
        if not _finish(city, head, request, update.text, turn, now):
            return None  # Overtaken: windows overlap, so the next look sees it again.
        kind = FINISHED
    elif update.text or update.status in REFUSED:
        kind = RETURNED if update.status in REFUSED else TOLD
        _tell(city, unit, head, kind, request, update.text, turn, now)
    ended = {"status": "closed"} if update.status in DONE | REFUSED else {}
    seen = [*row.get("seen", ()), update.id][-SEEN_AT_MOST:]
    forwards.heard(city.jurisdiction, unit, request, {**_doc(row), **ended, "seen": seen})
    return kind


def _can_finish(head: Report) -> bool:
    return head.state in actions_of(head)[FINISHED].sources


def _finish(city: City, head: Report, request: str, text: str, turn: str, now: datetime) -> bool:
    actor = system(city.jurisdiction)
    text = redact(text, city.patterns)
    given = {"note": text or official_text(city, "outside.closed"), "request": request}
    op = keyed_operation(actor, FINISHED, f"{head.id}:{turn}", "")
    try:
        actions.act_by_clock(actor, op, head, FINISHED, given, now)
    except (Unavailable, Unknown):
        raise
    except Problem:
        return False
    return True


def _tell(
    city: City,
    unit: str,
    head: Report,
    kind: str,
    request: str,
    text: str,
    turn: str,
    now: datetime,
) -> None:
    actor = system(city.jurisdiction)

    def change(seen: Seen, city: City) -> Addition:
        report = seen.report
        after = replace(
            report,
            comments=report.comments + bool(text),
            acknowledged_at=report.acknowledged_at or now,
        )
        return Addition(after, {}, [], {"unit": unit, "request": request})

    text = redact(text, city.patterns)
    words = (Words("comment", "public", text, ids.token_bytes(SALT_BYTES)),) if text else ()
    op = keyed_operation(actor, kind, f"{head.id}:{turn}", "")
    add(actor, op, head.id, kind, change, now, words)


def _current(city: City, unit: str, row: Row) -> Report | None:
    """The report that a followed request stands for; what nobody waits for is forgotten."""
    place = city.jurisdiction
    head = reports.get(place, row["report"])
    if head and head.protection:
        return None  # Until the protected unit has decided nothing of it goes either way.
    if head and forwarding.concerns(head, unit, city):
        waits = row["name"].startswith(forwards.TOKEN) and "request" not in head.outside
        if waits or head.outside.get("request") == row["name"]:
            return head
    forwards.forget_followed(place, unit, row["name"])
    return None


def _ask(
    city: City,
    unit: str,
    chosen: Open311Server,
    server: Server,
    followed: list[tuple[Row, Report]],
    now: datetime,
    found: dict[str, int],
) -> None:
    numbered = {row["name"]: (row, head) for row, head in followed if "~" not in row["name"]}
    said = georeport.requests(server, numbered) if numbered else {}
    for name, told in said.items():
        row, head = numbered[name]
        for kind in _heard(city, unit, chosen, row, head, told, now):
            found[kind] = found.get(kind, 0) + 1
    for row, head in followed:
        if row["name"] not in numbered:
            request = georeport.token(server, row["name"].removeprefix(forwards.TOKEN))
            if request and _numbered(city, unit, row, head, request, now):
                found["numbered"] = found.get("numbered", 0) + 1


def _heard(
    city: City,
    unit: str,
    chosen: Open311Server,
    row: Row,
    head: Report,
    told: RemoteStatus,
    now: datetime,
) -> list[str]:
    """What one request says, made events if it is news; the kinds of event."""
    digest = hashlib.sha256(f"{told.status}\n{told.notes}".encode()).hexdigest()[:16]
    if row.get("digest") == digest:
        return []
    done = []
    turn = f"{told.id}:{row['n']}:{digest}"
    ends = told.status == "closed" and row.get("status") != "closed"
    if ends and _can_finish(head):
        if not _finish(city, head, told.id, told.notes, turn, now):
            return []  # Overtaken: the next look sees it again.
        done = [FINISHED]
    elif told.notes and told.notes != row.get("notes") and not chosen.updates:
        _tell(city, unit, head, TOLD, told.id, told.notes, turn, now)
        done = [TOLD]
    news = {"digest": digest, "status": told.status, "notes": told.notes, "n": row["n"] + 1}
    forwards.heard(city.jurisdiction, unit, told.id, {**_doc(row), **news})
    return done


def _doc(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "name"}


def _numbered(city: City, unit: str, row: Row, head: Report, request: str, now: datetime) -> bool:
    """Follow the request by its number from now on; a number that another report has is no news."""
    place, actor = city.jurisdiction, system(city.jurisdiction)
    if forwards.get_followed(place, unit, request) is not None:
        return False
    doc = _doc(row)

    def change(seen: Seen, city: City) -> Addition:
        after = forwarding.taken(seen.report, unit, request, now)
        writes: list[Write] = [
            forwards.put_followed(place, unit, request, doc),
            forwards.drop_followed(place, unit, row["name"]),
        ]
        return Addition(after, {}, writes, dict(after.outside))

    op = keyed_operation(actor, "numbered", f"{head.id}:{row['name']}", "")
    add(actor, op, head.id, forwarding.FORWARDED, change, now)
    return True
