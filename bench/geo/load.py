"""Loads many items into the emulator quickly: BatchWriteItem over a few connections."""

import http.client
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import islice
from threading import local
from typing import Any
from urllib.parse import urlsplit

_BATCH, _THREADS = 25, 2
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.BatchWriteItem",
    # The emulator reads the region of a signature and does not check it.
    "Authorization": "AWS4-HMAC-SHA256 Credential=local/20261127/us-east-1/dynamodb/aws4_request, "
    "SignedHeaders=host, Signature=none",
}
_mine = local()


def load(table: str, items: Iterable[dict[str, Any]]) -> int:
    """Put all items. Returns how many."""
    many = 0
    rest = iter(items)
    with ThreadPoolExecutor(_THREADS) as pool:
        running = {pool.submit(_put, table, batch) for batch in islice(_batches(rest), _THREADS)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            many += sum(future.result() for future in done)
            for batch in islice(_batches(rest), len(done)):
                running.add(pool.submit(_put, table, batch))
    return many


def _batches(items: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(items, _BATCH)):
        yield batch


def _put(table: str, items: list[dict[str, Any]]) -> int:
    waiting = [{"PutRequest": {"Item": item}} for item in items]
    while waiting:
        body = json.dumps({"RequestItems": {table: waiting}})
        connection = _connection()
        connection.request("POST", "/", body, _HEADERS)
        answer = connection.getresponse()
        answered = json.loads(answer.read())
        if answer.status != 200:
            raise RuntimeError(answered)
        waiting = answered.get("UnprocessedItems", {}).get(table, [])
    return len(items)


def _connection() -> http.client.HTTPConnection:
    if not hasattr(_mine, "connection"):
        address = urlsplit(os.environ["AWS_ENDPOINT_URL"])
        _mine.connection = http.client.HTTPConnection(address.hostname or "", address.port)
    connection: http.client.HTTPConnection = _mine.connection
    return connection
