"""HTTP on this machine, like API Gateway: WSGI requests become Lambda events for the app.

    waitress -> Gateway -> chalice's LocalGateway -> app(event, context) -> answer

It refuses what API Gateway refuses (bodies over 10 MB, too many headers, unknown paths and
methods), does not decode paths, and answers every refusal as a problem document. No error of a
request or a view stops it.
"""

import base64
import gzip
import json
import logging
import re
import threading
import urllib.parse
import uuid
from collections.abc import Callable, Iterable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from chalice.config import Config
from chalice.local import LocalGateway

from chalicelib.errors import Problem
from chalicelib.http.app import TanggapApp
from chalicelib.http.problems import for_status, language_of, problem_response
from infra.local.events import Context

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_CONFIG = Path(__file__).parents[2] / ".chalice" / "config.json"
MAX_BODY = 10 * 1024 * 1024
MAX_HEADERS = 10_240
MAX_SECONDS = 29.0
_OURS = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
log = logging.getLogger(__name__)


class Gateway:
    """A WSGI application around ``app``. ``extra`` maps a path prefix to another one beside it."""

    def __init__(self, app: TanggapApp, extra: dict[str, Wsgi] | None = None) -> None:
        self._gateway = _Gateway(app)
        self._extra = extra or {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        """Answer one request."""
        language = language_of(environ.get("HTTP_ACCEPT_LANGUAGE"))
        try:
            answer = self._answer(environ)
            if answer is None:
                pieces = self._extra[self._prefix(environ)](environ, start_response)
                return list(pieces)
        except Problem as problem:
            answer = problem_response(problem, language, str(uuid.uuid4()))
        except Exception:
            log.exception("%s failed", environ.get("PATH_INFO"))
            answer = problem_response(Problem("internal"), language, str(uuid.uuid4()))
        return _send(answer, environ, start_response)

    def _answer(self, environ: dict[str, Any]) -> dict[str, Any] | None:
        # A web page whose name resolves to this machine (DNS rebinding) must not get local tokens.
        if not _OURS.fullmatch(environ.get("HTTP_HOST", "")):
            raise Problem("forbidden")
        if self._prefix(environ):
            return None
        headers, target = _headers(environ), _target(environ)
        if len(target) + sum(len(name) + len(text) for name, text in headers.items()) > MAX_HEADERS:
            raise Problem("headers_too_large")
        if int(environ.get("CONTENT_LENGTH") or 0) > MAX_BODY:
            raise for_status(413)
        body = environ["wsgi.input"].read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise for_status(413)
        method, address = environ["REQUEST_METHOD"], environ.get("REMOTE_ADDR", "")
        self._gateway.address.value = address
        answer: dict[str, Any] = self._gateway.handle_request(method, target, headers, body)
        return answer

    def _prefix(self, environ: dict[str, Any]) -> str:
        path = environ.get("PATH_INFO", "")
        return next((prefix for prefix in self._extra if path.startswith(prefix)), "")


class _Gateway(LocalGateway):
    """Chalice's own gateway, with the event built as API Gateway builds it."""

    def __init__(self, app: TanggapApp) -> None:
        super().__init__(app, Config(config_from_disk={"lambda_timeout": int(MAX_SECONDS)}))
        self._routes = [(route, route.split("/")) for route in sorted(app.routes)]
        self._app = app
        # LocalGateway has no parameter for the client's address, and serves many threads.
        self.address = threading.local()

    def handle_request(
        self, method: str, path: str, headers: dict[str, Any], body: bytes | None
    ) -> dict[str, Any]:
        """The app's answer; the app itself refuses unknown paths and methods."""
        event = self._generate_lambda_event(method, path, headers, body)
        return self._app(event, self._generate_lambda_context())

    def _generate_lambda_context(self) -> Any:
        return Context("api", MAX_SECONDS)

    def _generate_lambda_event(
        self, method: str, path: str, headers: dict[str, Any], body: bytes | None
    ) -> dict[str, Any]:
        plain, _, query = path.partition("?")
        route, captured = self._match(plain)
        identity = {
            "sourceIp": getattr(self.address, "value", ""),
            "userAgent": headers.get("user-agent"),
        }
        text, encoded = _body(body)
        return {
            "requestContext": {
                "httpMethod": method,
                "resourcePath": route,
                "path": plain,
                "stage": "local",
                "requestId": str(uuid.uuid4()),
                "identity": identity,
            },
            "httpMethod": method,
            "resource": route,
            "path": plain,
            "headers": headers,
            "pathParameters": captured,
            "multiValueQueryStringParameters": urllib.parse.parse_qs(query, keep_blank_values=True)
            or None,
            "stageVariables": None,
            "body": text,
            "isBase64Encoded": encoded,
        }

    def _match(self, path: str) -> tuple[str | None, dict[str, str]]:
        if len(path) > 1 and path.endswith("/"):
            path = path[:-1]
        parts = path.split("/")
        for route, wanted in self._routes:
            if len(wanted) == len(parts):
                pairs = list(zip(wanted, parts, strict=True))
                if all(w == p or (w.startswith("{") and p) for w, p in pairs):
                    return route, {w[1:-1]: p for w, p in pairs if w.startswith("{")}
        return None, {}


def _body(body: bytes | None) -> tuple[str | None, bool]:
    if not body:
        return None, False
    try:
        return body.decode("utf-8"), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode("ascii"), True


def _target(environ: dict[str, Any]) -> str:
    """The request target as it was sent; proxies may send it with scheme and host."""
    target: str = environ["REQUEST_URI"]
    if not target.startswith("/"):
        split = urllib.parse.urlsplit(target)
        target = urllib.parse.urlunsplit(("", "", split.path or "/", split.query, ""))
    return target


def _headers(environ: dict[str, Any]) -> dict[str, Any]:
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return headers


def _send(
    answer: dict[str, Any], environ: dict[str, Any], start_response: Callable[..., Any]
) -> list[bytes]:
    body = answer.get("body") or b""
    if answer.get("isBase64Encoded"):
        body = base64.b64decode(body)
    elif isinstance(body, str):
        body = body.encode("utf-8")
    headers = {**answer.get("headers", {}), **answer.get("multiValueHeaders", {})}
    if body and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    lines = [
        (name, str(value))
        for name, held in headers.items()
        for value in (held if isinstance(held, list) else [held])
    ]
    if len(body) >= _compressed_from() and _takes_gzip(environ):
        body = gzip.compress(body, 6, mtime=0)
        lines.append(("Content-Encoding", "gzip"))
    status = int(answer["statusCode"])
    # No length for HEAD: the app has not made the body that GET would have.
    if status not in (204, 304) and environ["REQUEST_METHOD"] != "HEAD":
        lines.append(("Content-Length", str(len(body))))
    start_response(f"{status} {_phrase(status)}", lines)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _takes_gzip(environ: dict[str, Any]) -> bool:
    taken = re.split(r"\s*,\s*", environ.get("HTTP_ACCEPT_ENCODING", "").strip().lower())
    return any(
        re.fullmatch(r"gzip(\s*;\s*q=(0\.\d*[1-9]\d*|1(\.0*)?))?", coding) for coding in taken
    )


@cache
def _compressed_from() -> int:
    """The smallest body in bytes that API Gateway compresses, by Chalice's configuration."""
    stage = json.loads(_CONFIG.read_bytes())["stages"]["dev"]
    return int(stage["minimum_compression_size"])


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def refusal(status: int) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of the answer to a request that is not HTTP or too large."""
    problem = Problem("headers_too_large") if status == 431 else for_status(status)
    answer = problem_response(problem, "en", str(uuid.uuid4()))
    return list(answer["headers"].items()), str(answer["body"]).encode()
