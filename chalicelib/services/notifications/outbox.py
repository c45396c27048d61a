"""The relay of the outbox: publish a row with its stable dedupe key, then delete the row.

If the relay is killed in between, the row is published again with the same key; it is never lost. A
row that can never be published becomes a dead letter, so that it does not block the others. If an
official would get more messages in an hour than the city allows, the rest wait until the hour ends
and go out as one digest. Urgent messages do not wait (docs/decisions/digest.md).
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
# SNS allows 256 KiB a message, and the list of alerts is in it once for each machine protocol.
DIGEST_AT_MOST = 150
_HOUR = timedelta(hours=1)
_SECONDS = 3600
# A transaction may have 100 rows.
_ROWS = 90
_UNFIT = (LookupError, ValueError, TypeError)


def drain(may_go_on: Callable[[], bool] = lambda: True, now: datetime | None = None) -> int:
    """Publish waiting rows, oldest first, while ``may_go_on`` says so. Returns how many.

    Raises ``Unavailable`` if SNS, SQS or DynamoDB do not answer; the rows then stay.
    """
    now, published = now or clock.now(), 0
    while may_go_on():
        page = control.outbox(PAGE)
        ready = [(name, message) for name, message in page if not control.is_deferred(name)]
        for name, message in ready:
            published += _publish_row(name, message, now)
        if len(ready) == len(page) == PAGE:
            continue
        # Deferred rows sort last, the earliest hour first.
        waiting = [name for name, _ in page[len(ready) :] if control.deferred_until(name) <= now]
        if not waiting:
            break
        published += _digest(waiting[0], now)
    return published


def _publish_row(name: str, message: dict[str, Any], now: datetime) -> int:
    try:
        if message["kind"] == "alert":
            message = alerts.with_fallback_audience(message, now)
        limited = message["kind"] in ("alert", "notice") and message.get("priority") != "urgent"
        if limited and "to" not in message:
            name, message = _within_hourly_limit(name, message, now)
            if not message:
                return 0
        _publish(message, now)
    except _UNFIT as error:
        _dead_letter(name, message, error)
        return 0
    observability.note("published", kind=message["kind"], dedupe=message.get("dedupe"))
    control.remove_outbox(name)
    return 1


def _within_hourly_limit(
    name: str, message: dict[str, Any], now: datetime
) -> tuple[str, dict[str, Any]]:
    """The row to publish now: the row itself, a smaller row, or an empty message for none.

    For each official over the hourly limit a deferred row of their own is written, before or
    together with the row that replaces this one.
    """
    refs = sorted({ref for ref, _ in officials.recipients(message, now)})
    over_limit = [ref for ref in refs if not _within_limit(message, ref, now, spare=1)]
    until = _hour(now) + _HOUR
    try:
        # Listeners that are not in the staff records share the limit of the unit.
        no_named_official = not refs and message["kind"] == "alert" and not message["protected"]
        if no_named_official and not _within_limit(message, message["unit"], now):
            commit(control.defer(name, message, until, message["unit"]))
            return name, {}
        if not over_limit:
            return name, message
        deferred = [
            control.put_deferred(name, {**message, "audience": [f"person:{ref}"]}, until, ref)
            for ref in over_limit
        ]
        while len(deferred) > _ROWS:
            commit(deferred[:_ROWS])
            del deferred[:_ROWS]
        rest = [ref for ref in refs if ref not in over_limit]
        if not rest:
            commit([control.take_outbox(name), *deferred])
            return name, {}
        remaining = {**message, "audience": [f"person:{ref}" for ref in rest], "to": rest}
        remaining_name = f"{name}:rest"
        commit(
            [control.take_outbox(name), *deferred, control.put_outbox(remaining_name, remaining)]
        )
    except Refused:
        return name, {}  # Another relay took it.
    return remaining_name, remaining


def _within_limit(
    message: dict[str, Any], recipient: str, now: datetime, *, spare: int = 0
) -> bool:
    """Count a message towards a recipient's hour. Returns whether it is within the limit.

    ``spare`` messages of the limit are left for a digest. A row that is retried may count twice.
    """
    jurisdiction = message["jurisdiction"]
    limit = max(1, cities.at(jurisdiction, message["rules"]).alerts_per_hour - spare)
    bucket = Bucket(f"alerts#{recipient}", limit, _SECONDS, int(_hour(now).timestamp()))
    return control.take(jurisdiction, [bucket]) is None


def _digest(first: str, now: datetime) -> int:
    """Publish the deferred rows of one recipient and hour as a digest, then delete them.

    The first row is deleted last, so that a digest repeated after a kill has the same key. Returns
    how many messages were published.
    """
    rows = control.deferred_like(first, DIGEST_AT_MOST)
    if not rows:
        return 0
    alert_messages = [message for _, message in rows if message["kind"] == "alert"]
    try:
        for _, message in rows:
            if message["kind"] != "alert":
                _within_limit(message, _recipient(message), now)
                _publish(message, now)
        if alert_messages:
            _within_limit(alert_messages[0], _recipient(alert_messages[0]), now)
            alerts.publish_digest(
                alert_messages,
                f"digest:{alert_messages[0]['dedupe']}:{_recipient(alert_messages[0])}",
            )
    except _UNFIT as error:
        for name, message in reversed(rows):
            _dead_letter(name, message, error)
        return 0
    for name, _ in reversed(rows):
        control.remove_outbox(name)
    return 1


def _recipient(message: dict[str, Any]) -> str:
    member: str = message["audience"][0]
    return member.removeprefix("person:") if len(message["audience"]) == 1 else message["unit"]


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


def _dead_letter(name: str, message: dict[str, Any], error: Exception) -> None:
    """Record a row that can never be published as a dead letter, and delete it."""
    note = {"message": message, "error": type(error).__name__}
    control.put_dead(message["jurisdiction"], "outbox", name, note)
    control.remove_outbox(name)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
