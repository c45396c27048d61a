"""Puts dead letters back, after their cause is removed. Every handler is idempotent.

A queue's dead letters return to the queue. ``<prefix>-failures`` holds envelopes: of schedules,
which are run again, and of stream records. DynamoDB keeps these for a day; they are read from the
stream by their sequence numbers (an envelope has only the first and the last).
"""

import json
from typing import Any

import boto3

from chalicelib.settings import settings

_BATCH = 10


def redrive(queue: str) -> dict[str, int]:
    """Put everything back. Returns counts. ``queue``: messages, photos, forwards, webhooks,
    failures."""
    prefix = settings().table_prefix
    if queue == "failures":
        return _failures(f"{prefix}-failures")
    client = boto3.client("sqs")
    source, target = (
        client.get_queue_url(QueueName=name)["QueueUrl"]
        for name in (f"{prefix}-{queue}-dead", f"{prefix}-{queue}")
    )
    moved = 0
    for message in _messages(client, source):
        client.send_message(QueueUrl=target, MessageBody=message["Body"])
        client.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
        moved += 1
    return {"moved": moved}


def _messages(client: Any, url: str) -> Any:
    while True:
        received = client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=_BATCH, WaitTimeSeconds=1
        ).get("Messages", [])
        if not received:
            return
        yield from received


def _failures(name: str) -> dict[str, int]:
    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    done = {"records": 0, "schedules": 0, "lapsed": 0, "unknown": 0}
    for message in _messages(client, url):
        body = json.loads(message["Body"])
        if batch := body.get("DDBStreamBatchInfo"):
            counted = _records(batch)
            if counted is None:
                done["lapsed"] += 1
            else:
                done["records"] += counted
        elif function := _function(body):
            boto3.client("lambda").invoke(
                FunctionName=function, InvocationType="Event",
                Payload=json.dumps(body.get("requestPayload") or {}).encode(),
            )  # fmt: skip
            done["schedules"] += 1
        else:
            done["unknown"] += 1
            continue
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return done


def _function(body: dict[str, Any]) -> str | None:
    arn = body.get("requestContext", {}).get("functionArn")
    return str(arn).removesuffix(":$LATEST") if arn else None


def _records(batch: dict[str, Any]) -> int | None:
    """How many records of the batch were processed; ``None`` if the stream no longer has them, in
    which case run ``make rebuild``."""
    from chalicelib.services.projections import timeline_events
    from chalicelib.storage import control

    client = boto3.client("dynamodbstreams")
    first, last = batch["startSequenceNumber"], batch["endSequenceNumber"]
    try:
        iterator = client.get_shard_iterator(
            StreamArn=batch["streamArn"], ShardId=batch["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER", SequenceNumber=first,
        )["ShardIterator"]  # fmt: skip
    except client.exceptions.TrimmedDataAccessException:
        return None
    done = 0
    while iterator:
        page = client.get_records(ShardIterator=iterator)
        for record in page["Records"]:
            event = timeline_events.event_of(record)
            if event is not None:
                timeline_events.apply(event)
                jurisdiction, name = timeline_events.name_of(record)
                control.forget_dead(jurisdiction, timeline_events.SOURCE, name)
            done += 1
            if int(record["dynamodb"]["SequenceNumber"]) >= int(last):
                return done
        if not page["Records"]:
            return done
        iterator = page.get("NextShardIterator")
    return done
