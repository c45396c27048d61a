"""Queues through which topics and event rules reach their functions on this machine."""

import json
from collections.abc import Callable
from typing import Any

Clients = Callable[[str], Any]


def of_topic(clients: Clients, name: str, topic: str) -> str:
    """Subscribe a queue of the function ``name`` to a topic (name or ARN). Returns its name."""
    queue, arn = _own_queue(clients, name)
    client = clients("sns")
    target = topic if topic.startswith("arn:") else client.create_topic(Name=topic)["TopicArn"]
    client.subscribe(TopicArn=target, Protocol="sqs", Endpoint=arn)
    return queue


def of_rule(clients: Clients, name: str, pattern: dict[str, Any]) -> str:
    """Make a rule that sends the events of ``pattern`` to a queue of ``name``. Returns its name."""
    queue, arn = _own_queue(clients, name)
    client = clients("events")
    client.put_rule(Name=f"local-{name}", EventPattern=json.dumps(pattern))
    client.put_targets(Rule=f"local-{name}", Targets=[{"Id": "1", "Arn": arn}])
    return queue


def _own_queue(clients: Clients, name: str) -> tuple[str, str]:
    client = clients("sqs")
    dead = client.create_queue(QueueName=f"local-{name}-dead")["QueueUrl"]
    wanted = {"AttributeNames": ["QueueArn"]}
    arn = client.get_queue_attributes(QueueUrl=dead, **wanted)["Attributes"]["QueueArn"]
    # Lambda tries an asynchronous event three times.
    redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    queue = f"local-{name}"
    url = client.create_queue(QueueName=queue, Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    attributes = client.get_queue_attributes(QueueUrl=url, **wanted)
    return queue, str(attributes["Attributes"]["QueueArn"])
