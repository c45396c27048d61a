"""The outbox's way out: publish with the row's stable dedupe key, then delete the row.

Killed in between, the row is published again under the same key; it is never lost. A row that
cannot be published at all is noted among the dead letters, so that it blocks no other. Where an
official would get more messages in an hour than their city allows, the rest wait for the hour's
end and go out as one digest, urgent ones apart (docs/decisions/digest.md).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib import clock, observability
from chalicelib.services.city import cities
from chalicelib.services.notifications import alerts, announcements, officials
from chalicelib.storage import control, queues
from chalicelib.storage.control import Bucket
from chalicelib.storage.transactions import Refused, commit

PAGE = 50
# SNS takes 256 KiB a message, in which the list of alerts stands once for each kind of machine.
DIGEST_AT_MOST = 150
_HOUR = timedelta(hours=1)
_SECONDS = 3600
# A transaction takes 100.
_ROWS = 90
_UNFIT = (LookupError, ValueError, TypeError)


def drain(may_go_on: Callable[[], bool] = lambda: True, now: datetime | None = None) -> int:
    """Publish what waits, oldest first, while ``may_go_on`` says so; how many went out.

    Raises ``Unavailable`` where SNS, SQS or DynamoDB do not answer; what waits goes on waiting.
    """
    now, published = now or clock.now(), 0
    while may_go_on():
        page = control.outbox(PAGE)
        ready = [(name, message) for name, message in page if not control.is_deferred(name)]
        for name, message in ready:
            published += _pass_on(name, message, now)
        if len(ready) == len(page) == PAGE:
            continue
        # Deferred rows come last, those of the earliest hour first.
        waiting = [name for name, _ in page[len(ready) :] if control.deferred_until(name) <= now]
        if not waiting:
            break
        published += _digest(waiting[0], now)
    return published


def _pass_on(name: str, message: dict[str, Any], now: datetime) -> int:
    try:
        if message["kind"] == "alert":
            message = alerts.addressed(message, now)
        limited = message["kind"] in ("alert", "notice") and message.get("priority") != "urgent"
        if limited and "to" not in message:
            name, message = _limited(name, message, now)
            if not message:
                return 0
        _publish(message, now)
    except _UNFIT as error:
        _bury(name, message, error)
        return 0
    observability.note("published", kind=message["kind"], dedupe=message.get("dedupe"))
    control.remove_outbox(name)
    return 1


def _limited(name: str, message: dict[str, Any], now: datetime) -> tuple[str, dict[str, Any]]:
    """The row for those who may get it at once: itself, or what is left of it, or nothing.

    For whoever has had enough this hour it waits, in a row of their own each, written before or
    with the one that takes the message's place.
    """
    people = sorted({ref for ref, _ in officials.of(message, now)})
    full = [ref for ref in people if not _room(message, ref, now, spare=1)]
    until = _hour(now) + _HOUR
    try:
        # Whoever listens by a filter of their own has the unit's hour.
        unnamed = not people and message["kind"] == "alert" and not message["protected"]
        if unnamed and not _room(message, message["unit"], now):
            commit(control.defer(name, message, until, message["unit"]))
            return name, {}
        if not full:
            return name, message
        later = [
            control.put_deferred(name, {**message, "audience": [f"person:{ref}"]}, until, ref)
            for ref in full
        ]
        while len(later) > _ROWS:
            commit(later[:_ROWS])
            del later[:_ROWS]
        rest = [ref for ref in people if ref not in full]
        if not rest:
            commit([control.take_outbox(name), *later])
            return name, {}
        left = {**message, "audience": [f"person:{ref}" for ref in rest], "to": rest}
        other = f"{name}:rest"
        commit([control.take_outbox(name), *later, control.put_outbox(other, left)])
    except Refused:
        return name, {}  # Another relay has taken it.
    return other, left


def _room(message: dict[str, Any], who: str, now: datetime, *, spare: int = 0) -> bool:
    """Count one more message of somebody's hour, of which ``spare`` are left for a digest; a row
    that is tried again may count twice."""
    place = message["jurisdiction"]
    limit = max(1, cities.at(place, message["rules"]).alerts_per_hour - spare)
    bucket = Bucket(f"alerts#{who}", limit, _SECONDS, int(_hour(now).timestamp()))
    return control.take(place, [bucket]) is None


def _digest(first: str, now: datetime) -> int:
    """Publish what an official's hour has gathered, then forget it: the first row last, so that a
    digest that is repeated after a kill has the same key."""
    rows = control.deferred_like(first, DIGEST_AT_MOST)
    if not rows:
        return 0
    told = [message for _, message in rows if message["kind"] == "alert"]
    try:
        for _, message in rows:
            if message["kind"] != "alert":
                _room(message, _person(message), now)
                _publish(message, now)
        if told:
            _room(told[0], _person(told[0]), now)
            alerts.publish_digest(told, f"digest:{told[0]['dedupe']}:{_person(told[0])}")
    except _UNFIT as error:
        for name, message in reversed(rows):
            _bury(name, message, error)
        return 0
    for name, _ in reversed(rows):
        control.remove_outbox(name)
    return 1


def _person(message: dict[str, Any]) -> str:
    who: str = message["audience"][0]
    return who.removeprefix("person:") if len(message["audience"]) == 1 else message["unit"]


def _publish(message: dict[str, Any], now: datetime) -> None:
    if message["kind"] == "alert":
        alerts.publish(message)
    elif message["kind"] == "scorecard":
        announcements.publish(message, now)
    elif message["kind"] == "notice":
        alerts.publish_notice(message)
    elif message["kind"] == "photo":
        queues.send_photo_job(message)
    elif message["kind"] == "forward":
        queues.send_forward(message)
    else:
        queues.send_message(message)


def _bury(name: str, message: dict[str, Any], error: Exception) -> None:
    """Note among the dead letters what can never be published, and forget it."""
    note = {"message": message, "error": type(error).__name__}
    control.put_dead(message["jurisdiction"], "outbox", name, note)
    control.remove_outbox(name)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
