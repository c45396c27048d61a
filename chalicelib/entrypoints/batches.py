"""Handlers for batches from streams and queues, and for schedules that do several things.

Records are processed one at a time, and failures are reported record by record with Powertools'
batch processor. The API imports this module too, so each function here imports what only it needs.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from chalicelib import clock, ids, observability
from chalicelib.domain.message_types import OutboxMessage, WebhookMessage
from chalicelib.domain.timeline_types import Event
from chalicelib.services.platform import set_aside
from chalicelib.services.projections import timeline_events
from chalicelib.services.reports import text_moderation
from chalicelib.settings import RECEIVED_AT_MOST, settings
from chalicelib.storage import leases, queues
from chalicelib.storage.transactions import Unavailable, Unknown

_SPARE_MS = 5_000
# Time to erase one report with everybody on it.
_ERASE_MS = 30_000
_FIRST_RETRY = 60
# Time for one more event of a webhook: two reads, a request of five seconds, a write.
_DELIVER_MS = 12_000
# The sweep's run from this minute of the hour erases expired originals of masked texts.
_FORGETS_FROM = 35


def project(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Project a batch of the timeline's stream, then publish its outbox rows at once."""
    from aws_lambda_powertools.utilities.batch import EventType

    projected: list[str] = []
    # The rows of this batch are this run's to publish: no other lane touches them.
    holder = leases.new_holder()
    run = set_aside.Run(timeline_events.SOURCE, clock.now())

    def project_record(record: Any) -> None:
        if (event_doc := _project(record.raw_event, holder, run)) is not None:
            projected.append(event_doc["report"])
            ids = {name: event_doc[name] for name in ("report", "version", "action", "op")}
            observability.note("counted", **ids)

    answer = _batch(event, context, project_record, EventType.DynamoDBStreams)
    if projected:
        # If publishing fails now, the schedule does it later; the events are projected.
        with suppress(Unavailable, Unknown):
            relay_outbox(context, holder)
    return answer


def _project(record: dict[str, Any], holder: str, run: set_aside.Run) -> Event | None:
    """Project one record of the stream. Returns its event if it is new.

    A record that cannot be read is noted and raises its error: Lambda tries it again and keeps it
    for ``infra.ops redrive failures``.
    """
    try:
        event = timeline_events.event_of(record)
        new = event is not None and timeline_events.apply(event, holder=holder)
    except (Unavailable, Unknown):
        raise
    except Exception as error:
        run.set_aside(*timeline_events.name_of(record), error)
        raise
    if not new:
        return None
    run.forget(*timeline_events.name_of(record))
    return event


def relay_outbox(context: Any, holder: str | None = None) -> int:
    """Publish waiting outbox rows while there is time. Returns how many."""
    from chalicelib.services.notifications import outbox

    return outbox.drain(lambda: _time_left(context), holder=holder)


def sweep_clocks(context: Any) -> dict[str, int]:
    """Do what is due while there is time. Returns the number of steps of each kind."""
    from chalicelib.services.sla import sweep

    now = clock.now()
    done = sweep.sweep(now, while_time_left(context))
    if _FORGETS_FROM <= now.minute < _FORGETS_FROM + 5:
        erased = text_moderation.erase_due_originals(now, while_time_left(context))
        done["text_erased"] = erased
    return done


def warn_units(context: Any) -> int:
    """Write due morning notices and queue held messages. Returns the number of notices."""
    from chalicelib.services.notifications import citizen_messages, daily_digest

    now, made = clock.now(), 0
    run = set_aside.Run(daily_digest.SOURCE, now)
    with run.item(settings().jurisdiction, "held messages"):
        citizen_messages.queue_held(now, while_time_left(context))
    with run.item(settings().jurisdiction, "morning notices"):
        made = daily_digest.notify(now, while_time_left(context))
    run.finish()
    return made


def erase_expired(context: Any) -> dict[str, int]:
    """Erase expired data in each city where it is night. Returns the number for each class."""
    from chalicelib.services.people import retention

    done = retention.nightly(clock.now(), lambda: _time_left(context, _ERASE_MS))
    if done:
        observability.note("erased by retention", **done)
    return done


def send_messages(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Send a batch of messages to citizens, and handle notices of bounces."""
    from aws_lambda_powertools.utilities.batch import EventType

    from chalicelib.services.notifications import bounces, citizen_messages

    def handle_record(record: Any) -> None:
        message = _object(record.body)
        if (notice := bounces.parse_notice(message)) is not None:
            observability.note(
                "bounced" if bounces.handle_notice(notice, clock.now()) else "not bounced"
            )
            return
        sent = citizen_messages.send(cast(OutboxMessage, message), clock.now())
        observability.note("sent" if sent else "not sent", dedupe=message.get("dedupe"))

    return _batch(event, context, handle_record, EventType.SQS)


def process_photos(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Process a batch of the photo queue: uploads (events of the bucket) and jobs of reports.

    If the last delivery fails, the record becomes a dead letter and the ticket says so.
    """
    from aws_lambda_powertools.utilities.batch import EventType

    from chalicelib.services.photos import jobs

    def handle_record(record: Any) -> None:
        attempts = int(record.attributes.approximate_receive_count)
        last = attempts >= RECEIVED_AT_MOST
        jobs.handle(_object(record.body), clock.now(), last=last)

    return _batch(event, context, handle_record, EventType.SQS)


def forward_reports(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Forward reports to the systems of their units.

    Failures are retried with exponential backoff and jitter, then dead-lettered.
    """
    from aws_lambda_powertools.utilities.batch import EventType

    from chalicelib.outside.fetch import Failed
    from chalicelib.services.forwarding import sending

    def handle_record(record: Any) -> None:
        message = _object(record.body)
        attempts = int(record.attributes.approximate_receive_count)
        try:
            sending.forward(
                message["jurisdiction"], message["report"], message["unit"], message["round"],
                clock.now(), last=attempts >= RECEIVED_AT_MOST,
            )  # fmt: skip
        except Failed:
            queues.postpone(settings().forwards_queue, record.receipt_handle, _later(attempts))
            raise

    return _batch(event, context, handle_record, EventType.SQS)


def send_webhooks(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Send the new events of reports to webhooks.

    A delivery that fails is retried later, and becomes a dead letter after the last attempt.
    """
    from aws_lambda_powertools.utilities.batch import EventType

    from chalicelib.services.webhooks import sending

    may_go_on = while_time_left(context, _DELIVER_MS)

    def handle_record(record: Any) -> None:
        message = cast(WebhookMessage, _object(record.body))
        attempts = int(record.attributes.approximate_receive_count)
        try:
            sending.handle(message, attempts, clock.now(), may_go_on)
        except sending.Later as later:
            queues.postpone(settings().webhooks_queue, record.receipt_handle, later.seconds)
            raise _Postponed from None

    return _batch(event, context, handle_record, EventType.SQS)


class _Postponed(Exception):
    """The queue delivers the message again. Another system's fault is no error of this one."""


def _later(attempts: int) -> int:
    """Seconds until the next attempt: doubled each time, with jitter from half to the whole."""
    longest: int = _FIRST_RETRY * 2**attempts
    return longest // 2 + int.from_bytes(ids.token_bytes(4), "big") % (longest // 2)


def _batch(event: dict[str, Any], context: Any, handle_record: Any, kind: Any) -> dict[str, Any]:
    from aws_lambda_powertools.utilities.batch import (
        BatchProcessor,
        process_partial_response,
    )

    def handle(record: Any) -> None:
        try:
            handle_record(record)
        except (leases.Held, _Postponed):
            # Held: another run is sending the same message. The queue delivers it again.
            raise
        except Exception as error:
            # The dead letter has the record but not the reason; only this log line has it.
            observability.unhandled(error, getattr(context, "function_name", "a batch"))
            raise

    # Report item by item even if all items fail, instead of raising.
    processor = BatchProcessor(event_type=kind, raise_on_entire_batch_failure=False)
    answer: dict[str, Any] = process_partial_response(  # type: ignore[assignment]
        event=event, record_handler=handle, processor=processor, context=context
    )
    return answer


def _object(body: str) -> dict[str, Any]:
    message = json.loads(body)
    if not isinstance(message, dict):
        raise ValueError("a message that is no object")
    return message


def while_time_left(context: Any, spare_ms: int = _SPARE_MS) -> Callable[[], bool]:
    """A function that says whether more than ``spare_ms`` of the invocation's time remain."""
    return lambda: _time_left(context, spare_ms)


def _time_left(context: Any, spare_ms: int = _SPARE_MS) -> bool:
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return remaining is None or remaining() > spare_ms
