"""The context and the events that Lambda gives to functions."""

import base64
import json
import time
import uuid
from datetime import datetime
from typing import Any

REGION = "us-east-1"


class Context:
    """The context of a Lambda call."""

    function_version = "$LATEST"
    identity = None
    client_context = None

    def __init__(self, name: str, seconds: float = 60.0, memory: int = 1024) -> None:
        self.function_name = name
        self.memory_limit_in_mb = memory
        self.aws_request_id = str(uuid.uuid4())
        self.invoked_function_arn = f"arn:aws:lambda:{REGION}:000000000000:function:{name}"
        self.log_group_name = f"/aws/lambda/{name}"
        self.log_stream_name = "local"
        self._deadline = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda would stop the call."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def stream_record(record: dict[str, Any], stream_arn: str) -> dict[str, Any]:
    """A record of a stream as a function gets it."""
    change = dict(record["dynamodb"])
    created = change.get("ApproximateCreationDateTime")
    if isinstance(created, datetime):
        change["ApproximateCreationDateTime"] = created.timestamp()
    for image in ("Keys", "NewImage", "OldImage"):
        if image in change:
            change[image] = _plain(change[image])
    return {**record, "dynamodb": change, "eventSourceARN": stream_arn}


def _plain(value: Any) -> Any:
    """Attribute values as Lambda gets them: bytes in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | set | tuple):
        return [_plain(part) for part in value]
    return value


def sqs_event(messages: list[dict[str, Any]], arn: str) -> dict[str, Any]:
    """The event that a function gets for messages of a queue."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message.get("Attributes", {}),
                "messageAttributes": {
                    name: {
                        "dataType": value["DataType"],
                        "stringValue": value.get("StringValue"),
                        "stringListValues": [],
                        "binaryListValues": [],
                    }
                    for name, value in message.get("MessageAttributes", {}).items()
                },
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
                "awsRegion": REGION,
            }
            for message in messages
        ]
    }


def sns_event(messages: list[dict[str, Any]], _arn: str) -> dict[str, Any]:
    """The event of a topic: one notification, received through the topic's local queue."""
    notice = json.loads(messages[0]["Body"])
    # SNS omits these in messages to a queue; Lambda always gets them.
    notice.setdefault("Subject", None)
    notice.setdefault("MessageAttributes", {})
    record = {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": f"{notice['TopicArn']}:local",
        "Sns": notice,
    }
    return {"Records": [record]}


def bus_event(messages: list[dict[str, Any]], _arn: str) -> dict[str, Any]:
    """The event of an EventBridge rule, received through the rule's local queue."""
    event: dict[str, Any] = json.loads(messages[0]["Body"])
    return event
