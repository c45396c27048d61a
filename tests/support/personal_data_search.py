"""Searches for erased data in every table, queue, file (old versions too) and answer.

``stored(*canaries)`` looks past AWS into what is stored; ``answered`` asks every GET operation of
the API, as the public and as officials. Both name the places where one of the strings is found.
"""

import base64
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support import aws, moto_speedups

# The viewer's own files, and addresses of pictures by names of their own.
_STATIC = ("/docs", "/open311/v2/media")
TABLES = ("reports", "timeline", "people", "figures", "city", "control")


@contextmanager
def versions_kept() -> Iterator[None]:
    """In this context the bucket keeps replaced and deleted files, as a deployed one does."""
    buckets = aws.backend("s3").buckets.values()
    for bucket in buckets:
        bucket.versioning_status = "Enabled"
    try:
        yield
    finally:
        for bucket in buckets:
            bucket.versioning_status = None


@contextmanager
def quick() -> Iterator[None]:
    """In this context moto's DynamoDB answers without HTTP: for long histories."""
    events = aws.clients()["dynamodb"].meta.events

    def answer(request: Any, event_name: str, **_: Any) -> Any:
        return moto_speedups.respond(event_name, request)

    events.register_first("before-send.dynamodb", answer)
    try:
        yield
    finally:
        events.unregister("before-send.dynamodb", answer)


def stored(*canaries: str) -> list[str]:
    """Where one of ``canaries`` is: "people testville#T#01…/00000001#description", and the like."""
    return sorted(
        {place for place, text in _everything() if any(canary in text for canary in canaries)}
    )


def answered(
    edge: Any, canaries: Iterable[str], people: Iterable[str | None], **known: Iterable[str]
) -> list[str]:
    """Which GET operations still show one of ``canaries`` to ``people`` (authorizations).

    ``known`` gives values for the path's parameters: ``id=[…]``, ``code=[…]``, ``photo=[…]``.
    Operations with other parameters are skipped.
    """
    found, looked = [], list(canaries)
    for who, path in itertools.product(people, _paths(edge, known)):
        query = {"bbox": "106.79,-6.21,106.85,-6.18"} if path.startswith("/v1/map/") else {}
        if path.endswith("/nearby"):
            query = {"lat": "-6.195", "long": "106.805", "radius": "1000"}
        if path == "/v1/map/cells":
            query["z"] = "12"
        reply = edge.get(path, who, **query)
        if any(one in reply.text for one in looked):
            found.append(f"GET {path} as {(who or 'nobody')[:20]}")
    return found


def _paths(edge: Any, known: dict[str, Iterable[str]]) -> list[str]:
    from tests.security.edge import application

    found = []
    for path, methods in application().routes.items():
        if "GET" not in methods:
            continue
        if path.startswith(_STATIC):
            continue
        names = re.findall(r"{(\w+)}", path)
        if all(name in known for name in names):
            for values in itertools.product(*(known[name] for name in names)):
                made = path
                for name, value in zip(names, values, strict=True):
                    made = made.replace(f"{{{name}}}", value)
                found.append(made)
    return sorted(found)


def _everything() -> Iterator[tuple[str, str]]:
    for table in TABLES:
        for row in aws.rows(table):
            name = f"{table} {row['pk']}/{row.get('sk', row.get('version', ''))}"
            yield name, json.dumps(row, default=str, ensure_ascii=False)
    for name, queue in aws.backend("sqs").queues.items():
        for message in queue._messages:
            yield f"queue {name}", message.body
    for bucket, content in aws.backend("s3").buckets.items():
        for key in list(content.keys):
            for number, version in enumerate(content.keys.getlist(key)):
                body = getattr(version, "value", b"")
                text = body.decode("latin-1") + base64.b64encode(body).decode()
                yield f"{bucket} {key} ({number})", key + text
