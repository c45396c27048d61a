"""The outbox's way out: publish with the row's stable dedupe key, then delete the row.

Killed in between, the row is published again under the same key; it is never lost. A row that
cannot be published at all is noted among the dead letters, so that it blocks no other. Where a
unit would get more overdue alerts in an hour than its city allows, the rest wait for the hour's
end and go out as one digest (docs/decisions/digest.md).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib import clock, observability
from chalicelib.services import alerts, announcements, cities
from chalicelib.storage import control, queues
from chalicelib.storage.control import Bucket
from chalicelib.storage.transactions import Refused, commit

PAGE = 50
# SNS takes 256 KiB a message, in which the list of alerts stands once for each kind of machine.
DIGEST_AT_MOST = 150
_HOUR = timedelta(hours=1)
_SECONDS = 3600
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
        published += _digest(waiting[0])
    return published


def _pass_on(name: str, message: dict[str, Any], now: datetime) -> int:
    try:
        late = alerts.floods(message) and not _within_the_hour(message, now)
    except _UNFIT as error:
        _bury(name, message, error)
        return 0
    if late:
        try:
            commit(control.defer(name, message, _hour(now) + _HOUR, message["unit"]))
        except Refused:
            return 0  # Another relay has taken it.
        return 0
    try:
        _publish(message, now)
    except _UNFIT as error:
        _bury(name, message, error)
        return 0
    observability.note("published", kind=message["kind"], dedupe=message.get("dedupe"))
    control.remove_outbox(name)
    return 1


def _within_the_hour(message: dict[str, Any], now: datetime) -> bool:
    """Count one more alert of the unit's hour; a row that is tried again may count twice."""
    place = message["jurisdiction"]
    limit = cities.at(place, message["rules"]).alerts_per_hour
    start = int(_hour(now).timestamp())
    bucket = Bucket(f"alerts#{message['unit']}", limit, _SECONDS, start)
    return control.take(place, [bucket]) is None


def _digest(first: str) -> int:
    """Publish what one unit's hour has gathered, then forget it: the first row last, so that a
    digest that is repeated after a kill has the same key."""
    rows = control.deferred_like(first, DIGEST_AT_MOST)
    if not rows:
        return 0
    messages = [message for _, message in rows]
    try:
        alerts.publish_digest(messages, f"digest:{messages[0]['dedupe']}")
    except _UNFIT as error:
        for name, message in reversed(rows):
            _bury(name, message, error)
        return 0
    for name, _ in reversed(rows):
        control.remove_outbox(name)
    return 1


def _publish(message: dict[str, Any], now: datetime) -> None:
    if message["kind"] == "alert":
        alerts.publish(alerts.addressed(message, now))
    elif message["kind"] == "scorecard":
        announcements.publish(message)
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
