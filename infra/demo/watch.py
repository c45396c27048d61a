"""Receives all alerts, in a queue that the demo subscribes to the topic."""

import json
from collections.abc import Callable
from typing import Any

from chalicelib import clock
from chalicelib.settings import settings
from infra.demo.audience import Audience

QUEUE = "demo-alerts"
# A message for machines that keep the roots; no official gets it.
RECORD_ROOT = "record_root"
_MOST = 10


class Watch:
    """Subscribes without a filter; counts ``dedupe`` keys, also those within a digest.

    ``has_messages(arn)`` says whether a queue holds any.
    """

    def __init__(self, has_messages: Callable[[str], bool]) -> None:
        # Imported once the stack has named its region and topic.
        from chalicelib.storage import aws

        self._has_messages = has_messages
        self._queues = aws.client("sqs")
        self._url = self._queues.create_queue(QueueName=QUEUE)["QueueUrl"]
        queue = self._queues.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self._arn = str(queue["Attributes"]["QueueArn"])
        aws.client("sns").subscribe(
            TopicArn=settings().alerts_topic, Protocol="sqs", Endpoint=self._arn
        )
        self.audience = Audience()
        self.distinct: set[str] = set()
        self.delivered = 0

    def collect(self) -> int:
        """Collect the messages since the last call. Returns how many."""
        before = self.delivered
        while self._has_messages(self._arn) and (messages := self._receive()):
            for message in messages:
                notice = json.loads(message["Body"])
                keys = _keys(notice)
                document = json.loads(notice["Message"])
                if document["event"] != RECORD_ROOT:
                    self.audience.take(document, notice["MessageAttributes"], clock.now())
                self.distinct.update(keys)
                self.delivered += len(keys)
            entries = [
                {"Id": str(number), "ReceiptHandle": received["ReceiptHandle"]}
                for number, received in enumerate(messages)
            ]
            self._queues.delete_message_batch(QueueUrl=self._url, Entries=entries)
        return self.delivered - before

    def _receive(self) -> list[dict[str, Any]]:
        answer = self._queues.receive_message(QueueUrl=self._url, MaxNumberOfMessages=_MOST)
        messages: list[dict[str, Any]] = answer.get("Messages", [])
        return messages


def _keys(message: dict[str, Any]) -> list[str]:
    """The keys of the alerts in a message: one, several for a digest, none for other kinds."""
    event = message["MessageAttributes"]["event"]["Value"]
    if event == "digest":
        return [str(alert["dedupe"]) for alert in json.loads(message["Message"])["alerts"]]
    if event in ("morning", "scorecard", RECORD_ROOT):
        return []
    return [str(message["MessageAttributes"]["dedupe"]["Value"])]
