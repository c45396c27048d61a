"""Service request updates, mySociety's extension of GeoReport, for a FixMyStreet as front end.

Tests: tests/e2e/test_open311.py
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.open311 import georeport, updates
from chalicelib.domain.open311.georeport import InvalidArgument
from chalicelib.domain.principal import Principal
from chalicelib.domain.timestamps import parse
from chalicelib.errors import Problem
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome
from chalicelib.services.reports import actions, engagement
from chalicelib.services.timeline import access
from chalicelib.storage import open311_requests

MOST = 1000
DEFAULT = timedelta(days=1)
LONGEST = 2000
_REQUIRED = ("service_request_id", "status", "updated_datetime", "description")


def listed(city: City, start: str | None, end: str | None, now: datetime) -> list[dict[str, Any]]:
    """The updates of a window, both ends included, oldest first; by default of the last day.

    Raises ``InvalidArgument`` for one end without the other, or for more than ``MOST`` updates.
    """
    if bool(start) != bool(end):
        raise InvalidArgument("end_date" if start else "start_date", "is required beside the other")
    since, until = now - DEFAULT, now
    if start and end:
        first = georeport.moment(start, city.zone, "start_date")
        last = georeport.moment(end, city.zone, "end_date")
        since, until = georeport.window(first, last, now)
    rows = open311_requests.updates(city.jurisdiction, since, until, MOST + 1)
    if len(rows) > MOST:
        raise InvalidArgument("end_date", f"covers more than {MOST} updates: ask for less")
    # Leave out reports that became protected since, with all their earlier updates.
    public = open311_requests.listed_ids(city.jurisdiction, sorted({row["report"] for row in rows}))
    rows = [row for row in rows if row["report"] in public]
    texts = open311_requests.update_texts(city.jurisdiction, rows)
    return [
        {
            "update_id": f"{row['report']}-{row['version']}",
            "service_request_id": row["report"],
            "status": row["status"],
            "updated_datetime": georeport.format_time(parse(row["at"])),
            "description": texts.get((row["report"], row["version"]), ""),
            "media_url": None,
        }
        for row in rows
    ]


def receive(actor: Principal, get: Callable[[str], str | None], now: datetime) -> Outcome:
    """Take an update from the system that filed a request: a comment, and, as long as nobody has
    claimed the report, the action of its status.

    ``FIXED`` confirms a repair, ``OPEN`` refuses it or reopens the report. If the status has no
    action in the report's state, only the comment is added. Once for each ``update_id``. Raises
    ``Problem``, or
    ``ExceptionGroup`` of ``InvalidArgument``.
    """
    # Older clients send their own id of an update under another name.
    update = get("update_id") or get("update_id_ext")
    faults = [InvalidArgument(name, "is required") for name in _REQUIRED if get(name) is None]
    if update is None:
        faults.append(InvalidArgument("update_id", "is required"))
    word = get("status") or ""
    if word and word not in updates.rules()["words"]:
        faults.append(InvalidArgument("status", "is none of the extension's, in upper case"))
    text = get("description") or ""
    if len(text) > LONGEST:
        faults.append(InvalidArgument("description", f"is longer than {LONGEST} characters"))
    if faults or update is None:
        raise ExceptionGroup("unfit", faults)
    report = get("service_request_id") or ""
    seen = access.load(actor, report)
    if not seen.is_its_channel:
        raise Problem("not_found", field="service_request_id")
    op = _operation(actor, update, "comment")
    outcome = engagement.comment(actor, op, report, text, "public", now)
    _act(actor, report, update, word, text, now)
    answer = [{"update_id": update, "account_id": None}]
    return Outcome({"updates": answer}, outcome.replayed, outcome.wrote)


def _act(actor: Principal, report: str, update: str, word: str, text: str, now: datetime) -> None:
    op = _operation(actor, update, "act")
    for _ in range(3):
        head = access.load(actor, report).report
        action = updates.rules()["received"].get(word, {}).get(head.state)
        if action is None:
            return
        reason = {} if action == "verify" else {"reason": text[:1000]}
        body = {"action": action, "version": head.version, **reason}
        try:
            actions.act(actor, op, report, body, now)
        except Problem as problem:
            if problem.slug == "stale_version":
                continue
            if problem.status in (403, 409):
                return  # Refused before, or too late: the comment is enough.
            raise
        return


def _operation(actor: Principal, update: str, part: str) -> KeyedOperation:
    scope = f"open311-update|{actor.uid}|{update}|{part}"
    return KeyedOperation(actor.jurisdiction, hashlib.sha256(scope.encode()).hexdigest()[:40], "-")
