"""Answers the AWS calls of this process by function calls, without HTTP.

The demo makes more than a hundred thousand calls, and most of the CPU of a call is HTTP between two
threads of the same process. The SDK still builds and parses; the emulator still answers.
"""

import contextvars
import urllib.parse
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from io import BytesIO
from threading import RLock
from typing import Any

from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.parsers import create_parser

Application = Callable[[Any, Any, Any], Awaitable[None]]
# What an answer has: status, headers and body.
Answer = tuple[int, dict[str, str], bytes]
Call = Callable[[dict[str, str], bytes], Coroutine[Any, Any, Answer]]


class _Body(BytesIO):
    """The body of an answer as botocore reads it."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """The whole body in one piece."""
        if rest := self.read():
            yield rest


def attach(client: Any, application: Application, call: Call, turn: RLock) -> None:
    """Let the emulator answer every request of ``client``, in the caller's thread.

    ``application`` is its ASGI application; ``call`` answers a request whose body is JSON, by
    headers and body. ``turn`` is held meanwhile: the emulator answers one request at a time.
    """
    # Nobody reads the text of this header, and the SDK builds it again for every call.
    client._user_agent_creator.to_string = lambda: "local"
    if client.meta.service_model.resolved_protocol == "json":
        # All have the one address of ``meta.endpoint_url``; the SDK would look it up each time.
        client._ruleset_resolver = None
        _answer_calls(client, call, turn)
    else:
        _answer_requests(client, application, turn)


def _answer_calls(client: Any, call: Call, turn: RLock) -> None:
    """Answer before the SDK makes an HTTP request; for services whose bodies are JSON."""
    parser = create_parser(client.meta.service_model.resolved_protocol)

    def answer(model: Any, params: dict[str, Any], **_: Any) -> tuple[AWSResponse, Any]:
        sent = {name.lower(): value for name, value in params["headers"].items()}
        with turn:
            status, headers, body = _run(call(sent, params["body"]))
        answered = {
            "headers": headers,
            "status_code": status,
            "context": {"operation_name": model.name},
            "body": body,
        }
        parsed = parser.parse(answered, model.output_shape)
        if status >= 300:
            # As the SDK does: the reasons of a cancelled transaction are fields of its error.
            shape = model.service_model.shape_for_error_code(parsed["Error"].get("Code"))
            parsed.update(parser.parse(answered, shape) if shape is not None else {})
        return AWSResponse(params["url"], status, headers, _Body(body)), parsed

    client.meta.events.register("before-call", answer)


def _answer_requests(client: Any, application: Application, turn: RLock) -> None:
    """Answer the HTTP request that the SDK has made."""

    def answer(request: Any, **_: Any) -> AWSResponse:
        body = request.body or b""
        if hasattr(body, "read"):
            body = body.read()
        if isinstance(body, str):
            body = body.encode()
        sent = {name.lower(): value for name, value in request.headers.items()}
        exchange = _exchange(application, request.method, request.url, sent, body)
        with turn:
            status, headers, raw = _run(exchange)
        return AWSResponse(request.url, status, headers, _Body(raw))

    client.meta.events.register("before-send", answer)
    if client.meta.service_model.service_name != "s3":
        # Nobody checks the signature. S3's client also signs addresses for browsers.
        client.meta.events.register("choose-signer", lambda **_: UNSIGNED)


async def _exchange(
    application: Application, method: str, url: str, headers: dict[str, Any], body: bytes
) -> Answer:
    parts = urllib.parse.urlsplit(url)
    headers = {"host": parts.netloc, **headers}
    if "transfer-encoding" not in headers:
        headers["content-length"] = str(len(body))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": parts.scheme,
        "method": method,
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
    return start["status"], answered, b"".join(pieces)


def _run(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a coroutine to its end without a loop. Raises ``RuntimeError`` if it has to wait."""
    # The emulator keeps the account of a request in context variables.
    return contextvars.copy_context().run(_finish, work)


def _finish(work: Coroutine[Any, Any, Answer]) -> Answer:
    try:
        while (waits_for := work.send(None)) is None:
            pass
    except StopIteration as end:
        answer: Answer = end.value
        return answer
    work.close()
    raise RuntimeError(f"a direct call to the emulator may not wait: {waits_for!r}")


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
