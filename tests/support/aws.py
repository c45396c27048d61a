"""An AWS within this process (moto) with every resource of the product, empty for each test.

Making the resources takes half a second, emptying them a fraction of a millisecond: a process
makes them once. The product's clients are exchanged for ones of moto while a test runs, so that
tests against the local stack can run in the same process before and after.
"""

import base64
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.models import botocore_stubber

from tests.support import moto_speedups

REGION = "us-east-1"
ENVIRONMENT = {
    # Otherwise boto3 puts the account into the host name, which moto does not know.
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
SERVICES = ("s3", "sns", "sqs", "ssm", "sesv2")
_KEY = base64.b64encode(b"a key for tests alone, 32 bytes.").decode()
KEYS = {"current": "k1", "keys": {"k1": _KEY}}
_made: dict[str, Any] = {}
_boto3_client = boto3.client


@pytest.fixture(name="aws")
def aws_fixture() -> Iterator[None]:
    """An empty AWS for one test; see ``start``."""
    with start():
        yield


@contextmanager
def start() -> Iterator[None]:
    """An empty AWS with the product's resources, which every client of the product sees."""
    local = sys.modules.get("infra.local.stack")
    assert not (local and local.RUNNING.locked()), "a local stack still runs in this process"
    with _environment(ENVIRONMENT):
        from chalicelib import clock, ids
        from chalicelib.settings import settings
        from chalicelib.storage import aws, tables

        connection = tables.connection()
        kept = connection._client, boto3.client, aws.create, clock._source, ids._bytes
        aws.client.cache_clear()
        try:
            if not _made:
                _make(connection)
            connection._client, boto3.client = _made["clients"]["dynamodb"], _client
            aws.create = _made["clients"].__getitem__
            with _environment(_made["names"]):
                settings.cache_clear()
                botocore_stubber.enabled = True
                clock.use(None)
                ids.use(None)
                fresh()
                yield
        finally:
            botocore_stubber.enabled = False
            forget()
            connection._client, boto3.client, aws.create, clock._source, ids._bytes = kept
            aws.client.cache_clear()
    settings.cache_clear()


def clients() -> dict[str, Any]:
    """Every client that the product uses, by service: PynamoDB's one and those of storage."""
    found: dict[str, Any] = _made["clients"]
    return found


def backend(service: str) -> Any:
    """moto's own model of a service, to look into."""
    from moto.backends import get_backend

    region = "aws" if service == "s3" else REGION
    return get_backend(service)[DEFAULT_ACCOUNT_ID][region]


def rows(table: str) -> list[dict[str, Any]]:
    """Every stored item of a table as plain values, read past AWS."""
    from chalicelib.settings import settings

    items = backend("dynamodb").tables[settings().table(table)].all_items()
    return [
        {name: _plain(value) for name, value in item.to_json()["Attributes"].items()}
        for item in items
    ]


def stream() -> list[dict[str, Any]]:
    """The timeline's stream so far, as records of a Lambda event."""
    from chalicelib.settings import settings

    shard = backend("dynamodb").tables[settings().table("timeline")].stream_shard
    return [record.to_json() for record in shard.items]


def expire(table: str, now: datetime) -> None:
    """Delete the rows of a table whose time to live is over, as DynamoDB does and moto does not."""
    from chalicelib.settings import settings

    for held in backend("dynamodb").tables[settings().table(table)].items.values():
        for name, item in list(held.items()):
            ttl = item.to_json()["Attributes"].get("ttl")
            if ttl and int(ttl["N"]) <= now.timestamp():
                del held[name]


def fresh() -> None:
    """Empty everything, and forget what the product holds in memory."""
    empty()
    forget()


def empty(*, but_cities: bool = False) -> None:
    """Empty every table, queue, bucket and topic; the resources stay, and cities if
    ``but_cities``."""
    for name, table in backend("dynamodb").tables.items():
        if but_cities and name.endswith("-city"):
            continue
        table.items.clear()
        if table.stream_shard:
            table.stream_shard.items.clear()
    for queue in backend("sqs").queues.values():
        queue._messages.clear()
        queue._pending_messages.clear()
        queue.deleted_messages.clear()
    for bucket in backend("s3").buckets.values():
        for key in list(bucket.keys):
            if not (but_cities and key.startswith("cities/")):
                del bucket.keys[key]
    for topic in backend("sns").topics.values():
        topic.sent_notifications.clear()
    backend("sns").sms_messages.clear()
    backend("ses").sent_messages.clear()


def forget() -> None:
    """Forget what a new container would not know."""
    from chalicelib.services.city import cities, staff
    from chalicelib.storage import queues, signing_keys

    cities.forget()
    staff.forget()
    signing_keys.forget()
    queues._url.cache_clear()


def _plain(value: dict[str, Any]) -> Any:
    kind, content = next(iter(value.items()))
    return int(content) if kind == "N" else None if kind == "NULL" else content


def _client(service: str, **more: Any) -> Any:
    # The product passes a configuration; tests that want another client do not.
    held = _made["clients"].get(service) if "config" in more else None
    return held or _boto3_client(service, **more)


def _make(connection: Any) -> None:
    moto_speedups.install()
    botocore_stubber.enabled = True
    from chalicelib.settings import settings
    from chalicelib.storage import aws
    from infra import resources

    settings.cache_clear()
    connection._client = None
    found = {"dynamodb": connection.client, **{name: aws.client(name) for name in SERVICES}}
    aws.client.cache_clear()
    for client in found.values():
        # A client that was made before moto was imported would not know moto's handler.
        client.meta.events.unregister("before-send", botocore_stubber)
        client.meta.events.register("before-send", moto_speedups.stub)
    moto_speedups.lighten(found["dynamodb"])
    boto3.client("ssm").put_parameter(
        Name=settings().secret_parameter, Value=json.dumps(KEYS), Type="SecureString"
    )
    _made.update(clients=found, names=resources.create())


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    hidden = [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]
    before = {name: os.environ.get(name) for name in (*values, *hidden)}
    for name in hidden:
        del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
