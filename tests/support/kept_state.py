"""Keeps what a story writes into AWS, so that later tests begin with it without playing it again.

``built_once`` plays the story in the first test of a process, and copies what AWS holds then. Later
tests get the copy.
"""

from collections.abc import Callable
from copy import copy, deepcopy
from typing import Any, NamedTuple, TypeVar, cast

from tests.support.aws import backend, fresh

T = TypeVar("T")


class Contents(NamedTuple):
    """Copies of all that the resources hold, by resource."""

    tables: dict[str, tuple[Any, list[Any]]]
    queues: dict[str, list[Any]]
    buckets: dict[str, dict[str, list[Any]]]
    notifications: dict[str, list[Any]]
    messages: tuple[Any, list[Any]]


def _stream(table: Any) -> list[Any]:
    return list(table.stream_shard.items) if table.stream_shard else []


def contents() -> Contents:
    """What the resources hold now, for ``put_back``."""
    return Contents(
        {
            name: (
                deepcopy(table.items),
                list(table.stream_shard.items if table.stream_shard else ()),
            )
            for name, table in backend("dynamodb").tables.items()
        },
        {
            name: [copy(message) for message in queue._messages]
            for name, queue in backend("sqs").queues.items()
        },
        {
            name: {key: deepcopy(bucket.keys.getlist(key)) for key in bucket.keys}
            for name, bucket in backend("s3").buckets.items()
        },
        {name: list(topic.sent_notifications) for name, topic in backend("sns").topics.items()},
        (dict(backend("sns").sms_messages), list(backend("ses").sent_messages)),
    )


def put_back(kept: Contents) -> None:
    """Let the resources hold again what they held when ``kept`` was taken, and nothing else."""
    fresh()
    for name, (items, stream) in kept.tables.items():
        table = backend("dynamodb").tables[name]
        table.items.update(deepcopy(items))
        if table.stream_shard:
            table.stream_shard.items.extend(stream)
    for name, messages in kept.queues.items():
        backend("sqs").queues[name]._messages.extend(copy(message) for message in messages)
    for name, keys in kept.buckets.items():
        for key, versions in keys.items():
            backend("s3").buckets[name].keys.setlist(key, deepcopy(versions))
    for name, sent in kept.notifications.items():
        backend("sns").topics[name].sent_notifications.extend(sent)
    backend("sns").sms_messages.update(kept.messages[0])
    backend("ses").sent_messages.extend(kept.messages[1])


_built: dict[str, tuple[Any, Contents]] = {}


def built_once(name: str, build: Callable[[], T]) -> T:
    """What ``build`` returns; a process builds once, and later calls put back what it wrote.

    The value must not be changed. The caller sets counters so that no key is used a second time.
    """
    if name not in _built:
        value = build()
        _built[name] = value, contents()
    else:
        put_back(_built[name][1])
    return cast(T, _built[name][0])
