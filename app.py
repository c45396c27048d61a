"""The map of the system: all entry points. Routes are in blueprints, all other entry points here.

(Chalice runs a blueprint's event handler without importing this module, so that its middleware
would silently not run: chalice#1566.)

Each function has its rights, limits and alarm in one row of ``infra/deploy/functions.py``; a test
compares. A module that only one function needs is imported by that function, to keep cold starts
short; on Lambda a service is loaded when it is first used.
"""

import gc
import os
from typing import Any

# What an import makes stays until the process ends, so looking for garbage now finds none.
gc.disable()

from chalicelib import lazy_services

_ON_LAMBDA = "AWS_LAMBDA_FUNCTION_NAME" in os.environ
if _ON_LAMBDA:
    lazy_services.install()

from chalice.app import CloudWatchEvent, Cron, DynamoDBEvent, Rate, SQSEvent

from chalicelib import clock, observability
from chalicelib.entrypoints import batches
from chalicelib.http.router import TanggapApp
from chalicelib.routes import (
    citizens,
    maps,
    officials,
    open311,
    photos,
    public,
    record,
    scorecards,
    session,
    wording,
)
from chalicelib.settings import settings
from chalicelib.storage import tables

if _ON_LAMBDA:
    # A function that starts has a whole CPU, a request has only a part of one.
    tables.connect()

app = TanggapApp("tanggap")
observability.register(app)
# Otherwise API Gateway would read the files of a form as text.
app.api.binary_types.append("multipart/form-data")

# Time to keep for one last step: the close of a large city's month, or a page of 21 requests to an
# external server of five seconds each.
_CLOSE_MS = _PULL_MS = 120_000

_ROUTES = (
    public, record, maps, session, citizens, photos, wording, officials, scorecards, open311,
)  # fmt: skip
for blueprint in _ROUTES:
    app.register_blueprint(blueprint.routes)


@app.on_dynamodb_record(stream_arn=settings().timeline_stream, batch_size=100)
def project_timeline(event: DynamoDBEvent) -> dict[str, Any]:
    """The timeline's stream: write counters and outbox rows, then publish the new rows."""
    return batches.project(event.to_dict(), event.context)


@app.schedule(Rate(1, unit=Rate.MINUTES), name="relay_outbox")
def relay_outbox(event: CloudWatchEvent) -> None:
    """Publish outbox rows that an interrupted projection left."""
    batches.relay_outbox(event.context)


@app.schedule(Rate(5, unit=Rate.MINUTES), name="sweep_clocks")
def sweep_clocks(event: CloudWatchEvent) -> None:
    """The SLA sweep: breaches, escalations, lapses, ends of pauses."""
    batches.sweep_clocks(event.context)


@app.schedule(Rate(1, unit=Rate.HOURS), name="warn_units")
def warn_units(event: CloudWatchEvent) -> None:
    """Send each unit's morning notice, at its city's local time."""
    batches.warn_units(event.context)


@app.schedule(Cron("0/15", "*", "*", "*", "?", "*"), name="keep_scorecards")
def keep_scorecards(event: CloudWatchEvent) -> None:
    """Update live scorecards each hour, and close months at the city's local time."""
    from chalicelib.services.scorecards import lifecycle

    lifecycle.update_all(clock.now(), batches.while_time_left(event.context, _CLOSE_MS))


@app.schedule(Rate(15, unit=Rate.MINUTES), name="hide_rows")
def hide_rows(event: CloudWatchEvent) -> None:
    """Make rows of closed months anonymous if their report became protected."""
    from chalicelib.services.scorecards import anonymising

    anonymising.anonymise_hidden(clock.now(), batches.while_time_left(event.context, _CLOSE_MS))


@app.schedule(Rate(1, unit=Rate.HOURS), name="erase_expired")
def erase_expired(event: CloudWatchEvent) -> None:
    """Erase personal data whose retention time is over, in each city's night."""
    batches.erase_expired(event.context)


@app.schedule(Rate(1, unit=Rate.HOURS), name="write_open_data")
def write_open_data(event: CloudWatchEvent) -> None:
    """Rewrite the open data files of months with changes."""
    from chalicelib.services.open_data import publishing

    publishing.publish(clock.now(), batches.while_time_left(event.context, _CLOSE_MS))


@app.schedule(Rate(1, unit=Rate.HOURS), name="seal_record")
def seal_record(event: CloudWatchEvent) -> None:
    """Write the root of each city's record for the days that have ended (UTC)."""
    from chalicelib.services.record import sealing

    sealing.seal_all(clock.now(), batches.while_time_left(event.context, _CLOSE_MS))


@app.schedule(Rate(15, unit=Rate.MINUTES), name="follow_forwards")
def follow_forwards(event: CloudWatchEvent) -> dict[str, int]:
    """Poll the units' own systems for news about forwarded reports."""
    from chalicelib.services.forwarding import polling

    return polling.pull(clock.now(), batches.while_time_left(event.context, _PULL_MS))


@app.on_sqs_message(queue=settings().forwards_queue, batch_size=1, name="forward_reports")
def forward_reports(event: SQSEvent) -> dict[str, Any]:
    """Forward reports to the Open311 servers of units."""
    return batches.forward_reports(event.to_dict(), event.context)


@app.on_sqs_message(queue=settings().webhooks_queue, batch_size=1, name="send_webhooks")
def send_webhooks(event: SQSEvent) -> dict[str, Any]:
    """Send public events of reports to the city's webhooks."""
    return batches.send_webhooks(event.to_dict(), event.context)


@app.on_sqs_message(queue=settings().messages_queue, batch_size=10, name="send_messages")
def send_messages(event: SQSEvent) -> dict[str, Any]:
    """Send messages to citizens; only this function may read contacts."""
    return batches.send_messages(event.to_dict(), event.context)


@app.on_sqs_message(queue=settings().photos_queue, batch_size=1, name="process_photos")
def process_photos(event: SQSEvent) -> dict[str, Any]:
    """Process uploads in quarantine (S3 through SQS), and photo jobs of reports."""
    return batches.process_photos(event.to_dict(), event.context)


# Later collections do not look at what the imports made.
gc.freeze()
gc.enable()
