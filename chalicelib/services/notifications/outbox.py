"""The relay of the outbox: publish a row with its stable dedupe key, then delete the row.

Several relays run at once: the lanes of the stream, and the schedule. A relay publishes a row only
while it has the row's lease (``storage.leases``), so each row leaves once. If a relay is killed in
between, another publishes the row again, with the same key, when the lease has expired; it is
never lost. A row that can never be published becomes a dead letter, so that it does not block the
others. If an official would get more messages in an hour than the city allows, the rest wait until
the hour ends and go out as one digest. Urgent messages do not wait (docs/decisions/digest.md).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

from chalicelib import clock, observability
from chalicelib.domain.message_types import (
    Alert,
    ForOfficials,
    ForwardMessage,
    MonthClosed,
    Notice,
    OutboxMessage,
    PhotoMessage,
    RecordRoot,
    WebhookMessage,
)
from chalicelib.services.city import cities
from chalicelib.services.notifications import alerts, announcements, officials
from chalicelib.services.platform import set_aside
from chalicelib.settings import settings
from chalicelib.storage import control, leases, queues
from chalicelib.storage.control import Bucket
from chalicelib.storage.leases import Row
from chalicelib.storage.transactions import Refused, commit

PAGE = 50
# SNS allows 256 KiB a message, and the list of alerts is in it once for each machine protocol.
DIGEST_AT_MOST = 150
_HOUR = timedelta(hours=1)
_SECONDS = 3600
# A transaction may have 100 rows.
_ROWS = 90
SOURCE = "outbox"
_UNFIT = (LookupError, ValueError, TypeError)


def drain(
    may_go_on: Callable[[], bool] = lambda: True,
    now: datetime | None = None,
    holder: str | None = None,
) -> int:
    """Publish waiting rows, oldest first, while ``may_go_on`` says so. Returns how many.

    ``holder``: the name of this run, which may have rows with its lease already. Rows that another
    run has are left to it. A row that fails stays, is noted and does not hold up the others. Raises
    ``Unavailable`` if SNS, SQS or DynamoDB do not answer; the rows then stay.
    """
    now, published, after = now or clock.now(), 0, ""
    holder = holder or leases.new_holder()
    run = set_aside.Run(SOURCE, now)
    while page := leases.outbox_page(PAGE, after):
        for row in page:
            if control.is_deferred(row.name) or not may_go_on():
                break
            with run.item(_city_of(row.message), f"stays:{row.name}"):
                published += _publish_row(row, now, holder)
            after = row.name
        else:
            if len(page) < PAGE:
                break
            continue
        # Deferred rows sort last, the earliest hour first.
        due = control.is_deferred(row.name) and control.deferred_until(row.name) <= now
        if not due or not may_go_on():
            break
        digests = None
        with run.item(_city_of(row.message), f"stays:{row.name}"):
            digests = _digest(row, now, holder)
        if digests is None:
            after = control.end_of_group(row.name)
        else:
            published += digests
    run.finish()
    return published


def _city_of(message: OutboxMessage) -> str:
    return str(message.get("jurisdiction") or settings().jurisdiction)


def _publish_row(row: Row, now: datetime, holder: str) -> int:
    """Publish one row, unless another run has it. Returns how many messages left."""
    if not leases.take(row, holder):
        return 0
    with leases.given_back(holder, row.name, _rest(row.name)):
        return _publish_held(row.name, row.message, now, holder)


def _publish_held(name: str, message: OutboxMessage, now: datetime, holder: str) -> int:
    try:
        if message["kind"] == "alert":
            message = alerts.with_fallback_audience(cast(Alert, message), now)
        limited = message["kind"] in ("alert", "notice") and message.get("priority") != "urgent"
        if limited and "to" not in message:
            within = _within_hourly_limit(name, cast(ForOfficials, message), now, holder)
            if within is None:
                return 0
            name, message = within[0], cast(OutboxMessage, within[1])
        _publish(message, now)
    except _UNFIT as error:
        _dead_letter(name, message, error)
        return 0
    observability.note("published", kind=message["kind"], dedupe=message.get("dedupe"))
    control.remove_outbox(name)
    return 1


def _within_hourly_limit(
    name: str, message: ForOfficials, now: datetime, holder: str
) -> tuple[str, ForOfficials] | None:
    """The row to publish now: the row itself, a smaller row, or none.

    For each official over the hourly limit a deferred row of their own is written, before or
    together with the row that replaces this one.
    """
    refs = sorted({ref for ref, _ in officials.recipients(message, now)})
    over_limit = [ref for ref in refs if not _within_limit(message, ref, now, spare=1)]
    until = _hour(now) + _HOUR
    try:
        # Listeners that are not in the staff records share the limit of the unit.
        no_named_official = not refs and message["kind"] == "alert" and not message.get("protected")
        if no_named_official and not _within_limit(message, message["unit"], now):
            commit(control.defer(name, message, until, message["unit"]))
            return None
        if not over_limit:
            return name, message
        deferred = [
            control.put_deferred(name, _with(message, audience=[f"person:{ref}"]), until, ref)
            for ref in over_limit
        ]
        while len(deferred) > _ROWS:
            commit(deferred[:_ROWS])
            del deferred[:_ROWS]
        rest = [ref for ref in refs if ref not in over_limit]
        if not rest:
            commit([control.take_outbox(name), *deferred])
            return None
        remaining = _with(message, audience=[f"person:{ref}" for ref in rest], to=rest)
        remaining_name = _rest(name)
        remaining_row = control.put_outbox(remaining_name, remaining, holder)
        commit([control.take_outbox(name), *deferred, remaining_row])
    except Refused:
        return None  # Another relay took it.
    return remaining_name, remaining


def _with(message: ForOfficials, **changed: list[str]) -> ForOfficials:
    return cast(ForOfficials, {**message, **changed})


def _rest(name: str) -> str:
    """The name of the row that replaces a row after some of its recipients were deferred."""
    return f"{name}:rest"


def _within_limit(message: ForOfficials, recipient: str, now: datetime, *, spare: int = 0) -> bool:
    """Count a message towards a recipient's hour. Returns whether it is within the limit.

    ``spare`` messages of the limit are left for a digest. A row that is retried may count twice.
    """
    jurisdiction = message["jurisdiction"]
    limit = max(1, cities.at(jurisdiction, message["rules"]).alerts_per_hour - spare)
    bucket = Bucket(f"alerts#{recipient}", limit, _SECONDS, int(_hour(now).timestamp()))
    return control.take(jurisdiction, [bucket]) is None


def _digest(first: Row, now: datetime, holder: str) -> int | None:
    """Publish the deferred rows of one recipient and hour as a digest, then delete them.

    The first row is deleted last, so that a digest repeated after a kill has the same key. Returns
    how many messages were published; ``None`` if another run has the group.
    """
    if not leases.take(first, holder):
        return None
    with leases.given_back(holder, first.name):
        rows = leases.group_of(first.name, DIGEST_AT_MOST)
        if any(row.held and row.holder != holder for row in rows):
            # A row came before the one that another run has. One of the two runs must yield.
            leases.give_back(holder, first.name)
            return None
        return _digest_of([(row.name, row.message) for row in rows], now)


def _digest_of(rows: list[tuple[str, OutboxMessage]], now: datetime) -> int:
    if not rows:
        return 0
    alert_messages = [cast(Alert, message) for _, message in rows if message["kind"] == "alert"]
    try:
        for _, message in rows:
            if message["kind"] != "alert":
                notice = cast(Notice, message)
                _within_limit(notice, _recipient(notice), now)
                _publish(notice, now)
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


def _recipient(message: ForOfficials) -> str:
    member: str = message["audience"][0]
    return member.removeprefix("person:") if len(message["audience"]) == 1 else message["unit"]


def _publish(message: OutboxMessage, now: datetime) -> None:
    if message["kind"] == "alert":
        alerts.publish(cast(Alert, message))
    elif message["kind"] == "scorecard":
        announcements.publish(cast(MonthClosed, message), now)
    elif message["kind"] == "record_root":
        announcements.publish_root(cast(RecordRoot, message))
    elif message["kind"] == "notice":
        alerts.publish_notice(cast(Notice, message))
    elif message["kind"] == "photo":
        queues.send_photo_job(cast(PhotoMessage, message))
    elif message["kind"] == "forward":
        queues.send_forward(cast(ForwardMessage, message))
    elif message["kind"] == "webhook":
        queues.send_webhook(cast(WebhookMessage, message))
    else:
        queues.send_message(message)


def _dead_letter(name: str, message: OutboxMessage, error: Exception) -> None:
    """Record a row that can never be published as a dead letter, and delete it."""
    observability.unhandled(error, SOURCE, set_aside.METRIC)
    note = {"message": message, "error": type(error).__name__}
    control.put_dead(_city_of(message), SOURCE, name, note)
    control.remove_outbox(name)


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
