"""SQS queues: work for functions that have other permissions."""

import json
from functools import cache

from chalicelib.domain.message_types import (
    ForwardMessage,
    OutboxMessage,
    PhotoMessage,
    WebhookMessage,
)
from chalicelib.settings import settings
from chalicelib.storage import aws


def send_message(doc: OutboxMessage) -> None:
    """Send a message for a citizen to the function that may read contacts."""
    _send(settings().messages_queue, doc)


def send_photo_job(doc: PhotoMessage) -> None:
    """Send a job to the photo function."""
    _send(settings().photos_queue, doc)


def send_forward(doc: ForwardMessage) -> None:
    """Send a report to the function that forwards reports."""
    _send(settings().forwards_queue, doc)


def send_webhook(doc: WebhookMessage) -> None:
    """Tell the function that sends webhooks that a report has a new event."""
    _send(settings().webhooks_queue, doc)


def set_webhook_aside(doc: WebhookMessage) -> None:
    """Make a message of a webhook a dead letter; ``infra.ops redrive webhooks`` puts it back."""
    _send(f"{settings().webhooks_queue}-dead", doc)


def postpone(queue: str, receipt: str, seconds: int) -> None:
    """Let a received message come back after ``seconds``."""
    with aws.answering():
        aws.client("sqs").change_message_visibility(
            QueueUrl=_url(queue), ReceiptHandle=receipt, VisibilityTimeout=seconds
        )


def exists(queue: str) -> bool:
    """Whether there is a queue of this name."""
    client = aws.client("sqs")
    try:
        client.get_queue_url(QueueName=queue)
    except client.exceptions.QueueDoesNotExist:
        return False
    return True


def waiting(queue: str) -> int:
    """The approximate number of messages in a queue."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    with aws.answering():
        answer = aws.client("sqs").get_queue_attributes(QueueUrl=_url(queue), AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def _send(queue: str, doc: OutboxMessage) -> None:
    with aws.answering():
        aws.client("sqs").send_message(
            QueueUrl=_url(queue), MessageBody=json.dumps(doc, ensure_ascii=False)
        )


@cache
def _url(queue: str) -> str:
    url: str = aws.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
    return url
