"""The state of a webhook: off, at rest after failures, delivering; and its test event.

A hook that answers 410 (gone) is off until its address changes or an administrator enables it
(``infra.ops webhooks``). After ``FAILURES`` failures in a row a hook is tried only once in
``REST``, so that a system that is down costs no time of the others.

Tests: tests/integration/test_webhooks.py
"""

import json
from datetime import datetime, timedelta

from chalicelib import clock, ids, observability
from chalicelib.domain import webhooks
from chalicelib.domain.city.city import City
from chalicelib.domain.city.hook import Hook
from chalicelib.domain.message_types import WebhookMessage
from chalicelib.domain.row_types import Failing, HookState, Sent
from chalicelib.domain.timeline_types import Event
from chalicelib.domain.timestamps import iso, parse
from chalicelib.outside import webhooks as outside
from chalicelib.outside.fetch import Failed, Reply
from chalicelib.services.webhooks import payloads
from chalicelib.storage import control, queues, timeline_rows
from chalicelib.storage import webhooks as store
from chalicelib.storage.webhooks import Progress

FAILURES, REST = 5, timedelta(minutes=1)
PAGE = 200
# The source of the notes about dead letters (``storage.control``).
DEAD = "webhooks"
# The last success is noted no more often.
_NOTED = timedelta(minutes=1)


def is_off(state: HookState, hook: Hook) -> bool:
    """Whether the hook is off at its present address."""
    return "off" in state and state.get("url") == hook.url


def rests(state: HookState, now: datetime) -> bool:
    """Whether a hook that fails has been tried a moment ago."""
    failed = state.get("failed")
    return (
        state.get("failures", 0) >= FAILURES and bool(failed) and now - parse(failed or "") < REST
    )


def post(city: City, hook: Hook, delivery: str, body: bytes) -> Reply:
    """Send a body to a hook, signed with the time of the wall clock, as receivers compare it.

    Raises ``Failed``."""
    secrets = store.secrets(city.jurisdiction, hook.code)
    if not secrets:
        raise Failed("no_secret")
    more = {}
    if hook.token_header:
        token = store.token(city.jurisdiction, hook.code)
        if token is None:
            raise Failed("no_token")
        more[hook.token_header] = token
    seconds = int(clock.wall().timestamp())
    return outside.post(hook.url, delivery, body, secrets, seconds, more)


def record_success(city: City, hook: Hook, now: datetime) -> None:
    """Note that a delivery was taken, and forget the failures before it."""
    state = store.state(city.jurisdiction, hook.code)
    delivered = state.get("delivered")
    troubled = state.keys() - {"delivered"}
    if troubled or not delivered or now - parse(delivered) >= _NOTED:
        store.put_state(city.jurisdiction, hook.code, {"delivered": iso(now)})


def record_failure(city: City, hook: Hook, reason: str, now: datetime) -> None:
    """Count a failure of the hook itself, not of one event."""
    state = store.state(city.jurisdiction, hook.code)
    failures = state.get("failures", 0) + 1
    failed: HookState = {**state, "failures": failures, "failed": iso(now), "reason": reason}
    store.put_state(city.jurisdiction, hook.code, failed)


def turn_off(city: City, hook: Hook, now: datetime) -> None:
    """The hook answered that it is gone: send nothing more to this address."""
    observability.count("WebhooksOff")
    state = store.state(city.jurisdiction, hook.code)
    off: HookState = {**state, "off": iso(now), "url": hook.url, "reason": "gone"}
    store.put_state(city.jurisdiction, hook.code, off)


def enable(city: City, hook: Hook) -> int:
    """Enable a hook, and send what has waited. Returns the number of reports."""
    store.put_state(city.jurisdiction, hook.code, {})
    return resume(city, hook)


def resume(city: City, hook: Hook) -> int:
    """Queue every report of which an event waits. Returns how many."""
    waiting = [row for row in _rows(city, hook) if row.behind]
    for row in waiting:
        failing = row.sent.get("failing")
        queues.send_webhook(message(city, hook, row.report, failing["by"] if failing else row.rung))
    return len(waiting)


def replay(city: City, hook: Hook, report: str, first: int, newest: int) -> bool:
    """Send a report's events again from version ``first`` on. ``False`` if a run is sending it."""
    holder = ids.token_bytes(8).hex()
    row = store.take(city.jurisdiction, hook.code, report, holder)
    if row is None:
        return False
    cursor = max(0, min(row.cursor, first - 1))
    return _restart(city, hook, holder, row, cursor, newest)


def waiting_event(city: City, hook: Hook, report: str) -> Event | None:
    """The event of a report that the hook did not take; ``None`` if none waits."""
    row = store.progress(city.jurisdiction, hook.code, report)
    if "failing" not in row.sent:
        return None
    events = timeline_rows.timeline(city.jurisdiction, report, row.cursor, 1)
    event: Event | None = json.loads(events[0][0]) if events else None
    return event


def skip(city: City, hook: Hook, event: Event, newest: int) -> bool:
    """Leave out an event that the hook does not take, and go on with the report's next. ``False``
    if a run is sending it."""
    report, version = event["report"], event["version"]
    holder = ids.token_bytes(8).hex()
    row = store.take(city.jurisdiction, hook.code, report, holder)
    if row is None:
        return False
    return _restart(city, hook, holder, row, max(row.cursor, version), newest)


def _restart(city: City, hook: Hook, holder: str, row: Progress, cursor: int, newest: int) -> bool:
    """Send a report's events after ``cursor``, whatever failed before."""
    sent: Sent = {**row.sent}
    if sent.pop("failing", None):
        control.forget_dead(city.jurisdiction, DEAD, dead_name(hook.code, row.report))
    again = Progress(row.report, cursor, row.rung, sent)
    if not store.put_back(city.jurisdiction, hook.code, holder, again):
        return False
    queues.send_webhook(message(city, hook, row.report, newest))
    return True


def dead_name(hook: str, report: str) -> str:
    """The name of the note about a report's dead letter."""
    return f"{hook}:{report}"


def message(city: City, hook: Hook, report: str, version: int) -> WebhookMessage:
    """The message that makes the sender look at a report."""
    return {
        "kind": "webhook",
        "jurisdiction": city.jurisdiction,
        "report": report,
        "hook": hook.code,
        "version": version,
        "dedupe": f"{city.jurisdiction}:{report}:{version}:webhook:{hook.code}",
    }


def lag(city: City, hook: Hook) -> tuple[int, int, int, Failing | None]:
    """(reports sent, reports that wait, of these dead letters, what has failed the longest)."""
    known = behind = dead = 0
    oldest: Failing | None = None
    for row in _rows(city, hook):
        known, behind = known + 1, behind + row.behind
        failing = row.sent.get("failing")
        if failing:
            dead += failing.get("dead", False)
            if oldest is None or failing["since"] < oldest["since"]:
                oldest = failing
    return known, behind, dead, oldest


def ping(city: City, hook: Hook, now: datetime) -> tuple[int, str | None]:
    """Send a test event. Returns (status, their id in the answer). Raises ``Failed``."""
    reply = post(city, hook, f"ping-{ids.token_bytes(8).hex()}", payloads.ping(city, hook, now))
    return reply.status, their_id(hook, reply)


def their_id(hook: Hook, reply: Reply) -> str | None:
    """Their id of the report in an answer, where the hook says where it is."""
    try:
        return webhooks.their_id(hook, json.loads(reply.body)) if hook.outside_id else None
    except (ValueError, RecursionError):
        return None


def _rows(city: City, hook: Hook) -> list[Progress]:
    rows: list[Progress] = []
    while page := store.page(city.jurisdiction, hook.code, rows[-1].report if rows else "", PAGE):
        rows += page
    return rows
