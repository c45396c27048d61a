"""Batches from streams and queues: one record at a time, failures named, the rest done; and the
schedules that do several things.

Powertools' batch processor reports partial failures; it is imported by the functions that need
it, not by the API.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from chalicelib import clock, ids, observability
from chalicelib.services.notifications import bounces, citizen_messages, daily_digest, outbox
from chalicelib.services.projections import timeline_events
from chalicelib.services.reports import text_moderation
from chalicelib.services.sla import sweep
from chalicelib.settings import RECEIVED_AT_MOST, settings
from chalicelib.storage import queues
from chalicelib.storage.transactions import Unavailable, Unknown

_SPARE_MS = 5_000
# One report with everybody on it.
_ERASE_MS = 30_000
_FIRST_RETRY = 60
# In which of the sweep's runs of an hour hidden texts are erased whose time is over.
_FORGETS_FROM = 35


def project(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Apply a batch of the timeline's stream; then publish at once what it added to the outbox."""
    from aws_lambda_powertools.utilities.batch import EventType

    news: list[str] = []

    def one(record: Any) -> None:
        found = timeline_events.event_of(record.raw_event)
        if found is not None and timeline_events.apply(found):
            news.append(found["report"])
            ids = {name: found[name] for name in ("report", "version", "action", "op")}
            observability.note("counted", **ids)

    answer = _batch(event, context, one, EventType.DynamoDBStreams)
    if news:
        # What cannot go out now waits for the schedule; the events are counted already.
        with suppress(Unavailable, Unknown):
            relay_outbox(context)
    return answer


def relay_outbox(context: Any) -> int:
    """Publish what waits in the outbox while there is time; how many went out."""
    return outbox.drain(lambda: _time_left(context))


def sweep_clocks(context: Any) -> dict[str, int]:
    """Do what reports owe by now while there is time; how many steps of each kind."""
    now = clock.now()
    done = sweep.sweep(now, lambda: _time_left(context))
    if _FORGETS_FROM <= now.minute < _FORGETS_FROM + 5:
        done["text_erased"] = text_moderation.erase_due_originals(now, lambda: _time_left(context))
    return done


def warn_units(context: Any) -> int:
    """The morning's notices that are due, and what has waited for people's hours; how many notices
    were made."""
    citizen_messages.queue_held(clock.now(), lambda: _time_left(context))
    return daily_digest.notify(clock.now(), lambda: _time_left(context))


def erase_expired(context: Any) -> dict[str, int]:
    """Erase what is over its time in each city where it is night; how much of each class."""
    from chalicelib.services.people import retention

    done = retention.nightly(clock.now(), lambda: _time_left(context, _ERASE_MS))
    if done:
        observability.note("erased by retention", **done)
    return done


def send_messages(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Send a batch of messages to citizens; hear of those that came back."""
    from aws_lambda_powertools.utilities.batch import EventType

    def one(record: Any) -> None:
        asked = _object(record.body)
        if (told := bounces.parse_notice(asked)) is not None:
            observability.note(
                "bounced" if bounces.handle_notice(told, clock.now()) else "not bounced"
            )
            return
        sent = citizen_messages.send(asked, clock.now())
        observability.note("sent" if sent else "not sent", dedupe=asked.get("dedupe"))

    return _batch(event, context, one, EventType.SQS)


def process_photos(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do a batch of the photos' queue: uploads by the bucket's events, jobs by reports' events.

    What fails at its last delivery goes to the dead letters, and whoever waits is told.
    """
    from aws_lambda_powertools.utilities.batch import EventType

    from chalicelib.services.photos import jobs

    def one(record: Any) -> None:
        tried = int(record.attributes.approximate_receive_count)
        last = tried >= RECEIVED_AT_MOST
        jobs.handle(_object(record.body), clock.now(), last=last)

    return _batch(event, context, one, EventType.SQS)


def forward_reports(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Pass reports on to the systems of their units.

    What fails comes back later and later, at a moment of chance, and at last is a dead letter.
    """
    from aws_lambda_powertools.utilities.batch import EventType

    from chalicelib.outside.fetch import Failed
    from chalicelib.services.forwarding import sending

    def one(record: Any) -> None:
        asked = _object(record.body)
        tried = int(record.attributes.approximate_receive_count)
        try:
            sending.forward(
                asked["jurisdiction"], asked["report"], asked["unit"], asked["round"],
                clock.now(), last=tried >= RECEIVED_AT_MOST,
            )  # fmt: skip
        except Failed:
            queues.postpone(settings().forwards_queue, record.receipt_handle, _later(tried))
            raise

    return _batch(event, context, one, EventType.SQS)


def _later(tried: int) -> int:
    """Seconds until the next attempt: twice as long each time, and by chance half of that, so that
    what failed together does not come back together."""
    longest: int = _FIRST_RETRY * 2**tried
    return longest // 2 + int.from_bytes(ids.token_bytes(4), "big") % (longest // 2)


def _batch(event: dict[str, Any], context: Any, one: Any, kind: Any) -> dict[str, Any]:
    from aws_lambda_powertools.utilities.batch import (
        BatchProcessor,
        process_partial_response,
    )

    def handle(record: Any) -> None:
        try:
            one(record)
        except Exception as error:
            # The dead letter keeps the record; only this says why it is there.
            observability.unhandled(error, getattr(context, "function_name", "a batch"))
            raise

    # A batch in which everything fails is reported item by item too, not as a crash.
    processor = BatchProcessor(event_type=kind, raise_on_entire_batch_failure=False)
    answer: dict[str, Any] = process_partial_response(  # type: ignore[assignment]
        event=event, record_handler=handle, processor=processor, context=context
    )
    return answer


def _object(body: str) -> dict[str, Any]:
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("a message that is no object")
    return found


def while_time_left(context: Any, spare_ms: int) -> Callable[[], bool]:
    """What a service asks before each further step: whether more than ``spare_ms`` remain."""
    return lambda: _time_left(context, spare_ms)


def _time_left(context: Any, spare_ms: int = _SPARE_MS) -> bool:
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return remaining is None or remaining() > spare_ms
