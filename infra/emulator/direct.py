"""Answers the AWS calls of this process by function calls, without HTTP.

The demo makes tens of thousands of calls, and about half the CPU of a call is HTTP between two
threads of the same process. The SDK still builds and parses; the emulator still answers.
"""

import asyncio
import urllib.parse
from collections.abc import Awaitable, Callable, Iterator
from io import BytesIO
from typing import Any

from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse

_SECONDS = 60
Application = Callable[[Any, Any, Any], Awaitable[None]]


class _Body(BytesIO):
    """The body of an answer as botocore reads it."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """The whole body in one piece."""
        if rest := self.read():
            yield rest


def attach(client: Any, application: Application, loop: asyncio.AbstractEventLoop) -> None:
    """Let the ASGI ``application``, which runs in ``loop``, answer every request of ``client``."""

    def answer(request: Any, **_: Any) -> AWSResponse:
        exchange = _exchange(application, request)
        return asyncio.run_coroutine_threadsafe(exchange, loop).result(_SECONDS)

    client.meta.events.register("before-send", answer)
    if client.meta.service_model.service_name != "s3":
        # Nobody checks the signature. S3's client also signs addresses for browsers.
        client.meta.events.register("choose-signer", lambda **_: UNSIGNED)


async def _exchange(application: Application, request: Any) -> AWSResponse:
    parts = urllib.parse.urlsplit(request.url)
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode()
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers = {"host": parts.netloc, **headers}
    if "transfer-encoding" not in headers:
        headers["content-length"] = str(len(body))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": parts.scheme,
        "method": request.method,
        "path": urllib.parse.unquote(parts.path or "/"),
        "raw_path": (parts.path or "/").encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), _bytes(value)) for name, value in headers.items()],
        "client": (parts.hostname, 0),
        "server": (parts.hostname, parts.port),
    }
    received = [{"type": "http.request", "body": body, "more_body": False}]
    start: dict[str, Any] = {}
    pieces: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return received.pop() if received else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            pieces.append(message.get("body", b""))

    await application(scope, receive, send)
    answered = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
    return AWSResponse(request.url, start["status"], answered, _Body(b"".join(pieces)))


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
