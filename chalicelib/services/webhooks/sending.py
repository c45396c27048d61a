"""Sends the events of a report to a webhook, in order, each at least once with the same id.

A message only says that a report has a new event. The run that has the lease of the report's row
sends everything after the row's cursor; another run leaves its news in the row and ends. The cursor
moves after the other system has taken an event, so a failure holds back the later events of this
report at this hook, and nothing else (docs/decisions/webhooks.md).

Tests: tests/integration/test_webhooks.py
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib import ids, observability
from chalicelib.domain import webhooks
from chalicelib.domain.city.city import City
from chalicelib.domain.city.hook import Hook
from chalicelib.domain.message_types import WebhookMessage
from chalicelib.domain.row_types import Failing, HookState, Sent
from chalicelib.domain.timeline_types import Event
from chalicelib.domain.timestamps import iso, parse
from chalicelib.errors import Problem
from chalicelib.outside.fetch import Failed, Reply
from chalicelib.services.city import cities
from chalicelib.services.webhooks import hooks, payloads
from chalicelib.storage import control, leases, queues, timeline_rows
from chalicelib.storage import webhooks as store
from chalicelib.storage.webhooks import Progress

PAGE = 50
GONE = 410
# Answers of 4xx that are no judgement of the event: it is tried as often as after 5xx.
_PASSING = (408, 425, 429)
# A queue may deliver a message this much later than it was asked to.
_SLACK = timedelta(minutes=10)
_TAKES = 5


class Later(Exception):
    """The message must come back after ``seconds``."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class _Stop(Exception):
    """This run is done with the report: another run has it, or nothing can be sent now."""


def handle(
    message: WebhookMessage,
    attempts: int,
    now: datetime,
    may_go_on: Callable[[], bool] = lambda: True,
) -> int:
    """Send the report's events that the hook has not taken yet. Returns how many were sent.

    ``attempts``: how often the message was delivered, this time included. Raises ``Later`` if the
    message must come back.
    """
    jurisdiction, code = message["jurisdiction"], message["hook"]
    city = cities.current(jurisdiction, now)
    hook = city.hooks.get(code)
    if hook is None:
        return 0  # The city has removed it.
    state = store.state(jurisdiction, code)
    if hooks.is_off(state, hook):
        store.announce(jurisdiction, code, message["report"], message["version"], held=False)
        state = store.state(jurisdiction, code)
        if hooks.is_off(state, hook):
            return 0
    run = _Run(city, hook, message, leases.new_holder(), attempts, now, state)
    row = run.take()
    return run.send(row, may_go_on) if row else 0


@dataclass
class _Run:
    """One run's work for one report and hook."""

    city: City
    hook: Hook
    message: WebhookMessage
    holder: str
    attempts: int
    now: datetime
    state: HookState
    sent: int = 0

    def take(self) -> Progress | None:
        """The report's row; ``None`` if another run or another message does the work."""
        jurisdiction, code = self.city.jurisdiction, self.hook.code
        report, version = self.message["report"], self.message["version"]
        for _ in range(_TAKES):
            row = store.take(jurisdiction, code, report, self.holder)
            if row is not None:
                break
            if store.announce(jurisdiction, code, report, version, held=True):
                return None
            known = store.progress(jurisdiction, code, report)
            if max(known.rung, known.cursor) >= version:
                return None
        else:
            raise Later(self._wait())
        failing = row.sent.get("failing")
        waits = failing and not failing.get("dead") and failing["by"] != version
        # Something announced since then relied on this run, which had the lease and was killed.
        waits = waits and row.rung <= row.cursor
        if failing and waits and self.now < parse(failing["until"]):
            store.put_back(jurisdiction, code, self.holder, row)
            return None
        return row

    def send(self, row: Progress, may_go_on: Callable[[], bool]) -> int:
        """Send what is after the row's cursor, until there is nothing more."""
        jurisdiction, code, report = self.city.jurisdiction, self.hook.code, row.report
        idle = 0
        try:
            while may_go_on() and idle < _TAKES:
                page = timeline_rows.timeline(jurisdiction, report, row.cursor, PAGE)
                for text, _ in page:
                    if not may_go_on():
                        break
                    row = self._pass_on(row, json.loads(text))
                else:
                    if len(page) < PAGE and store.finish(jurisdiction, code, self.holder, row):
                        return self.sent
                    idle = 0 if page else idle + 1
            if idle == _TAKES:
                # What was announced is not there, as after a restore to an earlier moment.
                store.leave(jurisdiction, code, self.holder, row)
            elif store.put_back(jurisdiction, code, self.holder, row):
                # There is more to do than this run has time for.
                queues.send_webhook(self.message)
        except _Stop:
            pass
        except Later:
            raise
        except Exception:
            # What ``_pass_on`` has stored is newer than ``row``, such as that the system is told.
            with suppress(Problem):
                store.let_go(jurisdiction, code, self.holder, report)
            raise
        return self.sent

    def _pass_on(self, row: Progress, event: Event) -> Progress:
        """Send one event, if the hook gets it. Returns the row after it."""
        told = row.sent.get("told", False)
        kind = webhooks.kind(event, self.hook, told=told)
        contents = payloads.read(event) if kind in (webhooks.EVENT, webhooks.SHOWN) else None
        if kind is None or (contents is None and kind != webhooks.GONE):
            return self._after(row, event)
        if not told:
            # Before it is sent: if the answer is lost, the other system may have the report.
            row = row._replace(sent={**row.sent, "told": True})
            self._save(row)
        city = cities.at(self.city.jurisdiction, contents.report.city_version) if contents else None
        theirs = row.sent.get("outside_id")
        document = payloads.body(kind, event, contents, self.hook, city or self.city, theirs)
        reply = self._post(row, event, document)
        after = self._after(row, event)
        sent: Sent = {**after.sent, "version": event["version"], "at": iso(self.now)}
        sent["told"] = kind != webhooks.GONE
        if outside_id := hooks.their_id(self.hook, reply):
            sent["outside_id"] = outside_id
        after = after._replace(sent=sent)
        self._save(after)
        self.sent += 1
        return after

    def _after(self, row: Progress, event: Event) -> Progress:
        """The row after an event that is done with."""
        sent: Sent = {**row.sent}
        if sent.pop("failing", None):
            control.forget_dead(self.city.jurisdiction, hooks.DEAD, self._name(row))
        return row._replace(cursor=event["version"], sent=sent)

    def _post(self, row: Progress, event: Event, document: bytes) -> Reply:
        delivery = payloads.delivery_id(event)
        last = self.attempts >= webhooks.tries(refused=False)
        if hooks.rests(self.state, self.now) and not last:
            raise self._failed(row, "rests", refused=False)
        try:
            reply = hooks.post(self.city, self.hook, delivery, document)
        except Failed as failure:
            hooks.record_failure(self.city, self.hook, failure.reason, self.now)
            raise self._failed(row, failure.reason, refused=False) from None
        ids_only = {"report": row.report, "version": event["version"], "hook": self.hook.code}
        observability.note("webhook", status=reply.status, **ids_only)
        if 200 <= reply.status < 300:
            hooks.record_success(self.city, self.hook, self.now)
            return reply
        if reply.status == GONE:
            hooks.turn_off(self.city, self.hook, self.now)
            jurisdiction, code = self.city.jurisdiction, self.hook.code
            # ``enable`` finds the report by it.
            store.announce(jurisdiction, code, row.report, event["version"], held=False)
            store.put_back(jurisdiction, code, self.holder, row)
            raise _Stop
        refused = 400 <= reply.status < 500 and reply.status not in _PASSING
        if not refused:
            hooks.record_failure(self.city, self.hook, f"status_{reply.status}", self.now)
        raise self._failed(row, f"status_{reply.status}", refused=refused)

    def _failed(self, row: Progress, reason: str, *, refused: bool) -> Later | _Stop:
        """Note that an event was not taken. Returns what to raise: ``_Stop`` after the last try."""
        earlier = row.sent.get("failing")
        wait = self._wait()
        # Attempts before the last dead letter do not count.
        refusals = refused + (
            0 if earlier is None or earlier.get("dead") else earlier.get("refusals", 0)
        )
        failing: Failing = {
            "by": self.message["version"],
            "since": earlier["since"] if earlier else iso(self.now),
            "until": iso(self.now + timedelta(seconds=wait) + _SLACK),
            "attempts": self.attempts,
            "reason": reason,
            "refusals": refusals,
        }
        last = self.attempts >= webhooks.tries(refused=False)
        last = last or (refused and refusals >= webhooks.tries(refused=True))
        if last:
            failing["dead"] = True
            self._set_aside(row, failing)
        failed: Sent = {**row.sent, "failing": failing}
        store.leave(self.city.jurisdiction, self.hook.code, self.holder, row._replace(sent=failed))
        return _Stop() if last else Later(wait)

    def _set_aside(self, row: Progress, failing: Failing) -> None:
        observability.count("WebhooksFailed")
        note = {
            "hook": self.hook.code,
            "report": row.report,
            "after": row.cursor,
            "error": failing["reason"],
            "since": failing["since"],
            "at": iso(self.now),
        }
        control.put_dead(self.city.jurisdiction, hooks.DEAD, self._name(row), note)
        queues.set_webhook_aside(self.message)

    def _save(self, row: Progress) -> None:
        if not store.save(self.city.jurisdiction, self.hook.code, self.holder, row):
            raise _Stop  # Another run has the lease, and sends what is left.

    def _name(self, row: Progress) -> str:
        return hooks.dead_name(self.hook.code, row.report)

    def _wait(self) -> int:
        """Seconds until the next attempt, with jitter from half to the whole."""
        waits = webhooks.waits()
        longest = waits[min(self.attempts, len(waits)) - 1]
        return longest // 2 + int.from_bytes(ids.token_bytes(4), "big") % (longest // 2)
