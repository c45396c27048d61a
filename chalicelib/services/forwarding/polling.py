"""Polls the units' own systems for news about the reports that were forwarded to them.

News becomes events: a text is added to the timeline, and "closed" means work done, which must still
be verified. The cursor of the pages is stored between runs, so that every request gets its turn.

Tests: tests/integration/test_forwarding.py
"""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from chalicelib.domain.city.city import City
from chalicelib.domain.city.unit import Open311Server
from chalicelib.domain.open311 import forwarding
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.domain.row_types import Followed, NamedFollowed, ServerState
from chalicelib.domain.timestamps import iso, parse
from chalicelib.outside import georeport
from chalicelib.outside.fetch import Failed
from chalicelib.outside.georeport import Declined, RemoteStatus, Server, Update
from chalicelib.services.city import cities
from chalicelib.services.forwarding import servers
from chalicelib.services.forwarding.news import FINISHED, News, add_comment, can_finish, finish
from chalicelib.services.platform import set_aside
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import forwards, reports
from chalicelib.storage.transactions import Write

TOLD, RETURNED = "told_outside", "returned_outside"
# Statuses of the updates extension: the work is done, or it will not be done there.
DONE = frozenset({"fixed", "closed"})
# In another Tanggap it means that nobody has confirmed the work yet.
DONE_CODE = "work_done"
REFUSED = frozenset({"no_further_action", "not_councils_responsibility", "duplicate", "cancelled"})
FIRST_LOOK, OVERLAP, LONGEST_LOOK = timedelta(hours=1), timedelta(minutes=15), timedelta(days=30)
SEEN_AT_MOST = 50
SOURCE = "follow_forwards"


@dataclass
class _Poll:
    """One run's look at one unit's server."""

    run: set_aside.Run
    city: City
    unit: str
    configuration: Open311Server
    now: datetime
    counts: dict[str, int]

    @property
    def jurisdiction(self) -> str:
        return self.city.jurisdiction

    def count(self, kind: str) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def item(self, request: str) -> AbstractContextManager[None]:
        """One request's work: if it fails, it is set aside."""
        return self.run.item(self.jurisdiction, f"{self.unit}:{request}")


def pull(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Ask every unit's server for news about its requests. Returns {kind: number of news}."""
    counts: dict[str, int] = {}
    run = set_aside.Run(SOURCE, now)
    for jurisdiction in cities.jurisdictions():
        with run.item(jurisdiction):
            city = cities.current(jurisdiction, now)
            for unit in sorted(city.units):
                with run.item(jurisdiction, f"unit:{unit}"):
                    _pull_unit(run, city, unit, may_go_on, counts)
    run.finish()
    return counts


def _pull_unit(
    run: set_aside.Run,
    city: City,
    unit: str,
    may_go_on: Callable[[], bool],
    counts: dict[str, int],
) -> None:
    configuration = forwarding.server_of(city, unit)
    if configuration is None or not may_go_on() or servers.is_disabled(city.jurisdiction, unit):
        return
    poll = _Poll(run, city, unit, configuration, run.now, counts)
    try:
        _pull(poll, may_go_on)
    except (Failed, Declined) as failure:
        reason = failure.reason if isinstance(failure, Failed) else str(failure)
        servers.record_failure(city, unit, reason, run.now)
        poll.count("failed")


def _pull(poll: _Poll, may_go_on: Callable[[], bool]) -> None:
    jurisdiction, unit = poll.jurisdiction, poll.unit
    server = servers.server(jurisdiction, unit, poll.configuration)
    progress = forwards.server(jurisdiction, unit)
    if poll.configuration.updates:
        progress = _apply_updates(poll, server, progress)
    after = progress.get("cursor", "")
    while may_go_on():
        rows = forwards.followed(jurisdiction, unit, after, georeport.PAGE)
        followed = []
        for row in rows:
            with poll.item(row["name"]):
                if head := _followed_report(poll.city, unit, row):
                    followed.append((row, head))
        _poll_requests(poll, server, followed)
        if followed:
            servers.record_success(jurisdiction, unit)
        after = rows[-1]["name"] if len(rows) == georeport.PAGE else ""
        if rows:
            servers.keep_progress(jurisdiction, unit, cursor=after)
        if not after:
            return


def _apply_updates(poll: _Poll, server: Server, progress: ServerState) -> ServerState:
    """Apply the updates since the last poll. Returns the server's stored progress."""
    jurisdiction, unit, now = poll.jurisdiction, poll.unit, poll.now
    since = parse(progress["heard"]) if progress.get("heard") else now - FIRST_LOOK
    for update in georeport.updates(server, max(since - OVERLAP, now - LONGEST_LOOK), now):
        with poll.item(update.request):
            row = forwards.get_followed(jurisdiction, unit, update.request)
            if not row:
                continue
            named = cast(NamedFollowed, {**row, "name": update.request})
            head = _followed_report(poll.city, unit, named)
            if head and (kind := _apply_update(poll.city, unit, named, head, update, now)):
                poll.count(kind)
    return servers.keep_progress(jurisdiction, unit, heard=iso(now))


def _apply_update(
    city: City, unit: str, row: NamedFollowed, head: Report, update: Update, now: datetime
) -> str | None:
    """Turn one update into an event, once. Returns the kind of event, if any."""
    if update.id in row.get("seen", ()):
        return None
    kind, news = None, News(update.request, update.text, update.id)
    done = update.status in DONE or update.code == DONE_CODE
    if done and can_finish(head):
        if not finish(city, head, news, now):
            return None  # Another write came first. Windows overlap: the next poll sees it again.
        kind = FINISHED
    elif update.text or update.status in REFUSED:
        kind = RETURNED if update.status in REFUSED else TOLD
        add_comment(city, unit, head, kind, news, now)
    ended = {"status": "closed"} if done or update.status in REFUSED else {}
    seen = [*row.get("seen", ()), update.id][-SEEN_AT_MOST:]
    doc = _doc(row, **ended, seen=seen)
    forwards.update_followed(city.jurisdiction, unit, update.request, doc)
    return kind


def _followed_report(city: City, unit: str, row: NamedFollowed) -> Report | None:
    """The report of a followed request. Stops following a request that nobody waits for."""
    jurisdiction = city.jurisdiction
    head = reports.get(jurisdiction, row["report"])
    if head and head.protection:
        return None  # Nothing is exchanged until the protected unit has decided.
    if head and forwarding.concerns(head, unit, city):
        waits = row["name"].startswith(forwards.TOKEN) and "request" not in head.outside
        if waits or head.outside.get("request") == row["name"]:
            return head
    forwards.forget_followed(jurisdiction, unit, row["name"])
    return None


def _poll_requests(
    poll: _Poll, server: Server, followed: list[tuple[NamedFollowed, Report]]
) -> None:
    numbered = {row["name"]: (row, head) for row, head in followed if "~" not in row["name"]}
    answers = georeport.requests(server, numbered) if numbered else {}
    for name, request in answers.items():
        with poll.item(name):
            row, head = numbered[name]
            for kind in _apply_status(poll, row, head, request):
                poll.count(kind)
    for row, head in followed:
        if row["name"] not in numbered:
            number = georeport.token(server, row["name"].removeprefix(forwards.TOKEN))
            with poll.item(row["name"]):
                if number and _follow_by_number(poll.city, poll.unit, row, head, number, poll.now):
                    poll.count("numbered")


def _apply_status(
    poll: _Poll, row: NamedFollowed, head: Report, request: RemoteStatus
) -> list[str]:
    """Turn the status of one request into events, if it is new. Returns the kinds of event."""
    city, unit, now = poll.city, poll.unit, poll.now
    digest = hashlib.sha256(f"{request.status}\n{request.notes}".encode()).hexdigest()[:16]
    if row.get("digest") == digest:
        return []
    kinds = []
    news = News(request.id, request.notes, f"{request.id}:{row['n']}:{digest}")
    ends = request.status == "closed" and row.get("status") != "closed"
    if ends and can_finish(head):
        if not finish(city, head, news, now):
            return []  # Another write came first: the next poll sees it again.
        kinds = [FINISHED]
    elif request.notes and request.notes != row.get("notes") and not poll.configuration.updates:
        add_comment(city, unit, head, TOLD, news, now)
        kinds = [TOLD]
    known = {"digest": digest, "status": request.status, "notes": request.notes, "n": row["n"] + 1}
    forwards.update_followed(city.jurisdiction, unit, request.id, _doc(row, **known))
    return kinds


def _doc(row: NamedFollowed, **changed: Any) -> Followed:
    kept = {name: value for name, value in row.items() if name != "name"}
    return cast(Followed, {**kept, **changed})


def _follow_by_number(
    city: City, unit: str, row: NamedFollowed, head: Report, request: str, now: datetime
) -> bool:
    """Follow a request by its number instead of its token, unless another report has the number.

    Returns whether it did.
    """
    jurisdiction, actor = city.jurisdiction, system(city.jurisdiction)
    if forwards.get_followed(jurisdiction, unit, request) is not None:
        return False
    doc = _doc(row)

    def change(seen: Seen, city: City) -> Addition:
        after = forwarding.taken(seen.report, unit, request, now)
        writes: list[Write] = [
            forwards.put_followed(jurisdiction, unit, request, doc),
            forwards.drop_followed(jurisdiction, unit, row["name"]),
        ]
        return Addition(after, {}, writes, forwarding.event_data(after))

    op = keyed_operation(actor, "numbered", f"{head.id}:{row['name']}", "")
    add(actor, op, head.id, forwarding.FORWARDED, change, now)
    return True
