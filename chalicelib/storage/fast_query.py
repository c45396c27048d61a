"""Queries for the map: signed, sent and read with the least work, several at once.

botocore spends 1.8 ms of CPU on a call and 17 to 52 µs on a row of its answer; a map view has
eight calls and a thousand rows. This asks the same over kept connections of the standard library,
with the SDK's signer, and reads the JSON itself. All questions are sent before the first answer is
read, so they run at once without threads, which would cost more CPU than they save. Whatever does
not answer 200 goes to the SDK's client, with its retries and its errors.
"""

import http.client
import json
import ssl
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import get_cert_path
from urllib3.util.wait import wait_for_read

from chalicelib.storage import tables
from chalicelib.storage.transactions import read

# As many connections as a view has calls are kept.
_KEPT = 9
_SECONDS = 5
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.Query",
    "Accept-Encoding": "identity",
}
_EVENT = "dynamodb.Query"

Asked = dict[str, Any]
Page = dict[str, Any]


class _Sent(NamedTuple):
    """A question on its way: the connection to hear the answer on, or the answer itself."""

    connection: http.client.HTTPConnection | None
    endpoint: str = ""
    answer: Any = None


# Idle connections by endpoint, for whichever thread asks next (a deque's ends are thread-safe).
_idle: dict[str, deque[http.client.HTTPConnection]] = {}


def query_all(asked: Sequence[Asked]) -> list[Page]:
    """The first page of each Query (at most 1 MB), asked at once, in the same order.

    A page is ``{"Items": […], "LastEvaluatedKey": …}`` as DynamoDB writes it. Raises
    ``Unavailable``.
    """
    client = tables.client()
    sent = [_send(client, one) for one in asked]
    pages = []
    for one, question in zip(asked, sent, strict=True):
        page = _heard(question)
        if page is None:
            page = _by_the_sdk(client, one)
        else:
            # For those who count calls at the client.
            client.meta.events.emit(f"read-lean.{_EVENT}", params=one, parsed=page)
        pages.append(page)
    return pages


def query(asked: Asked) -> Page:
    """One page of a Query; ``asked`` is what the SDK's client takes."""
    return query_all([asked])[0]


def _send(client: Any, asked: Asked) -> _Sent:
    endpoint = client.meta.endpoint_url
    body = json.dumps(asked, separators=(",", ":")).encode()
    request = AWSRequest("POST", f"{endpoint}/", _HEADERS, body)
    try:
        _signer(client).add_auth(request)
        # As the client does: whoever stands in for AWS answers here, or fails as it would.
        prepared = AWSPreparedRequest("POST", request.url, request.headers, body, False)
        answers = client.meta.events.emit(f"before-send.{_EVENT}", request=prepared)
    except BotoCoreError:
        return _Sent(None)
    for _, answer in answers:
        if answer is not None:
            return _Sent(None, answer=answer)
    connection = _taken(endpoint)
    try:
        connection.request("POST", "/", body, dict(request.headers.items()))
    except (http.client.HTTPException, OSError):
        connection.close()
        return _Sent(None)
    return _Sent(connection, endpoint)


def _heard(sent: _Sent) -> Page | None:
    """The answer's page; ``None`` where there is none."""
    status, content = 0, b""
    if sent.answer is not None:
        status, content = sent.answer.status_code, sent.answer.content
    elif sent.connection is not None:
        try:
            answer = sent.connection.getresponse()
            status, content = answer.status, answer.read()
            _kept(sent.endpoint, sent.connection)
        except (http.client.HTTPException, OSError):
            # One that was kept may be closed at the other end at this very moment.
            sent.connection.close()
    page: Page | None = json.loads(content) if status == 200 else None
    return page


def _by_the_sdk(client: Any, asked: Asked) -> Page:
    page: Page = read(lambda: client.query(**asked))
    return page


def _taken(endpoint: str) -> http.client.HTTPConnection:
    there = _idle.setdefault(endpoint, deque())
    while True:
        try:
            connection = there.pop()
        except IndexError:
            return _connection(endpoint)
        # What can be read before anything was asked is the other end's goodbye.
        if connection.sock is not None and not wait_for_read(connection.sock, timeout=0):
            return connection
        connection.close()


def _kept(endpoint: str, connection: http.client.HTTPConnection) -> None:
    there = _idle.setdefault(endpoint, deque())
    if len(there) < _KEPT:
        there.append(connection)
    else:
        connection.close()


def forget() -> None:
    """Close the connections that are kept: what they lead to is gone."""
    for there in _idle.values():
        while there:
            there.pop().close()
    _idle.clear()


def _connection(endpoint: str) -> http.client.HTTPConnection:
    place = urlsplit(endpoint)
    host = place.hostname or ""
    if place.scheme == "https":
        return http.client.HTTPSConnection(host, place.port, timeout=_SECONDS, context=_trust())
    return http.client.HTTPConnection(host, place.port, timeout=_SECONDS)


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=get_cert_path(True))


@lru_cache(maxsize=1)
def _signer(client: Any) -> SigV4Auth:
    credentials = tables.connection().session.get_credentials()
    return SigV4Auth(credentials, "dynamodb", client.meta.region_name)
