"""Fast DynamoDB Queries for the map: signed, sent and parsed with little work, several at once.

botocore needs 1.8 ms of CPU for a call and 17 to 52 µs for each row of its answer; a map view has
eight calls and a thousand rows. This module sends the same requests over persistent connections of
the standard library, with the SDK's signer, and parses the JSON itself. All requests are sent
before the first answer is read, so they run in parallel without threads, which would cost more CPU
than they save. A request that is not answered with 200 is repeated through the SDK's client, with
its retries and errors.
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

# Idle connections to keep: as many as a map view has calls.
_KEPT = 9
_SECONDS = 5
_HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "DynamoDB_20120810.Query",
    "Accept-Encoding": "identity",
}
_EVENT = "dynamodb.Query"

QueryInput = dict[str, Any]
Page = dict[str, Any]


class _Sent(NamedTuple):
    """A request that was sent: the connection to read from, or the answer itself."""

    connection: http.client.HTTPConnection | None
    endpoint: str = ""
    answer: Any = None


# Idle connections by endpoint, shared by threads (appending and popping a deque is thread-safe).
_idle: dict[str, deque[http.client.HTTPConnection]] = {}


def query_all(queries: Sequence[QueryInput]) -> list[Page]:
    """The first page (at most 1 MB) of each Query, run in parallel, in the same order.

    A page is ``{"Items": […], "LastEvaluatedKey": …}`` as DynamoDB writes it. Raises
    ``Unavailable``.
    """
    client = tables.client()
    sent = [_send(client, query_input) for query_input in queries]
    pages = []
    for query_input, request in zip(queries, sent, strict=True):
        page = _read_page(request)
        if page is None:
            page = _query_by_sdk(client, query_input)
        else:
            # For tests that count calls at the client.
            client.meta.events.emit(f"read-lean.{_EVENT}", params=query_input, parsed=page)
        pages.append(page)
    return pages


def query(query_input: QueryInput) -> Page:
    """One page of a Query; ``asked`` is what the SDK's client takes."""
    return query_all([query_input])[0]


def _send(client: Any, query_input: QueryInput) -> _Sent:
    endpoint = client.meta.endpoint_url
    body = json.dumps(query_input, separators=(",", ":")).encode()
    request = AWSRequest("POST", f"{endpoint}/", _HEADERS, body)
    try:
        _signer(client).add_auth(request)
        # As the client does, so that a stand-in for AWS (moto) can answer here or fail.
        prepared = AWSPreparedRequest("POST", request.url, request.headers, body, False)
        answers = client.meta.events.emit(f"before-send.{_EVENT}", request=prepared)
    except BotoCoreError:
        return _Sent(None)
    for _, answer in answers:
        if answer is not None:
            return _Sent(None, answer=answer)
    connection = _take_connection(endpoint)
    try:
        connection.request("POST", "/", body, dict(request.headers.items()))
    except (http.client.HTTPException, OSError):
        connection.close()
        return _Sent(None)
    return _Sent(connection, endpoint)


def _read_page(sent: _Sent) -> Page | None:
    """The page of the answer; ``None`` if there is no answer with status 200."""
    status, content = 0, b""
    if sent.answer is not None:
        status, content = sent.answer.status_code, sent.answer.content
    elif sent.connection is not None:
        try:
            answer = sent.connection.getresponse()
            status, content = answer.status, answer.read()
            _keep_connection(sent.endpoint, sent.connection)
        except (http.client.HTTPException, OSError):
            # The server may close an idle connection at this moment.
            sent.connection.close()
    page: Page | None = json.loads(content) if status == 200 else None
    return page


def _query_by_sdk(client: Any, query_input: QueryInput) -> Page:
    page: Page = read(lambda: client.query(**query_input))
    return page


def _take_connection(endpoint: str) -> http.client.HTTPConnection:
    idle = _idle.setdefault(endpoint, deque())
    while True:
        try:
            connection = idle.pop()
        except IndexError:
            return _connection(endpoint)
        # An idle connection with something to read was closed by the server.
        if connection.sock is not None and not wait_for_read(connection.sock, timeout=0):
            return connection
        connection.close()


def _keep_connection(endpoint: str, connection: http.client.HTTPConnection) -> None:
    idle = _idle.setdefault(endpoint, deque())
    if len(idle) < _KEPT:
        idle.append(connection)
    else:
        connection.close()


def forget() -> None:
    """Close all idle connections, because their server is gone."""
    for idle in _idle.values():
        while idle:
            idle.pop().close()
    _idle.clear()


def _connection(endpoint: str) -> http.client.HTTPConnection:
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return http.client.HTTPSConnection(host, parts.port, timeout=_SECONDS, context=_trust())
    return http.client.HTTPConnection(host, parts.port, timeout=_SECONDS)


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=get_cert_path(True))


@lru_cache(maxsize=1)
def _signer(client: Any) -> SigV4Auth:
    credentials = tables.connection().session.get_credentials()
    return SigV4Auth(credentials, "dynamodb", client.meta.region_name)
