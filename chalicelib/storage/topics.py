"""SNS: the officials' alerts and their subscriptions."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from chalicelib.settings import settings
from chalicelib.storage import aws


def publish(subject: str, texts: dict[str, str], attributes: Mapping[str, str | list[str]]) -> None:
    """Publish one alert. ``texts``: by protocol, with ``default``; ``attributes``: for filters."""
    typed = {
        name: {"DataType": "String", "StringValue": value}
        if isinstance(value, str)
        else {"DataType": "String.Array", "StringValue": json.dumps(value)}
        for name, value in attributes.items()
    }
    with aws.answering():
        aws.client("sns").publish(
            TopicArn=settings().alerts_topic,
            Subject=_plain(subject),
            MessageStructure="json",
            Message=json.dumps(texts, ensure_ascii=False),
            MessageAttributes=typed,
        )


def _plain(subject: str) -> str:
    """The subject as SNS allows it: ASCII, one line, at most 100 characters."""
    ascii_only = unicodedata.normalize("NFKD", subject).encode("ascii", "ignore").decode()
    return " ".join(ascii_only.split())[:100] or "Tanggap"


def send_sms(number: str, text: str) -> None:
    """Send one text message."""
    with aws.answering():
        aws.client("sns").publish(PhoneNumber=number, Message=text)


def subscriptions() -> dict[tuple[str, str], str]:
    """{(protocol, endpoint): subscription ARN} of the alerts topic: for administration."""
    arns = {}
    pages = aws.client("sns").get_paginator("list_subscriptions_by_topic")
    for page in pages.paginate(TopicArn=settings().alerts_topic):
        for row in page["Subscriptions"]:
            arns[row["Protocol"], row["Endpoint"]] = row["SubscriptionArn"]
    return arns


def subscribe(protocol: str, endpoint: str, policy: dict[str, Any]) -> str:
    """Subscribe an endpoint with its filter policy; SNS asks its owner to confirm."""
    answer = aws.client("sns").subscribe(
        TopicArn=settings().alerts_topic,
        Protocol=protocol,
        Endpoint=endpoint,
        ReturnSubscriptionArn=True,
        Attributes={"FilterPolicy": json.dumps(policy)},
    )
    arn: str = answer["SubscriptionArn"]
    return arn


def filter_by(subscription: str, policy: dict[str, Any]) -> None:
    """Replace a subscription's filter policy."""
    aws.client("sns").set_subscription_attributes(
        SubscriptionArn=subscription,
        AttributeName="FilterPolicy",
        AttributeValue=json.dumps(policy),
    )


def unsubscribe(subscription: str) -> None:
    """End a subscription."""
    aws.client("sns").unsubscribe(SubscriptionArn=subscription)
