"""SQS: work for functions with permissions of their own."""

import json
from functools import cache
from typing import Any

from chalicelib.settings import settings
from chalicelib.storage import aws


def send_message(doc: dict[str, Any]) -> None:
    """Hand a message for a citizen to the function that may read contacts."""
    queue = settings().messages_queue
    with aws.answering():
        aws.client("sqs").send_message(
            QueueUrl=_url(queue), MessageBody=json.dumps(doc, ensure_ascii=False)
        )


@cache
def _url(queue: str) -> str:
    url: str = aws.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
    return url
