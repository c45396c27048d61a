"""An outside server for tests: over TLS, with its own certificate, and hostile if a test wants
it."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import trustme

from chalicelib.outside import addresses, fetch

NAME = "open311.province.example"
ENDPOINT = f"https://{NAME}/v2"


@dataclass(frozen=True)
class Asked:
    """One request that arrived."""

    method: str
    path: str
    fields: dict[str, str]
    body: bytes
    headers: dict[str, str]


Answer = Callable[[Asked, BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """The requests so far, and how the next one is answered."""

    answer: Answer
    asked: list[Asked] = field(default_factory=list)

    def posts(self) -> list[Asked]:
        """The requests that arrived to be filed."""
        return [one for one in self.asked if one.method == "POST"]


def says(status: int, value: Any, **headers: str) -> Answer:
    """Always this answer: text as it is, other values as JSON."""

    def answer(asked: Asked, handler: BaseHTTPRequestHandler) -> None:
        reply(handler, status, value, **headers)

    return answer


def reply(handler: BaseHTTPRequestHandler, status: int, value: Any, **headers: str) -> None:
    """Answer one request."""
    body = value if isinstance(value, bytes) else (
        value if isinstance(value, str) else json.dumps(value)
    ).encode()  # fmt: skip
    handler.send_response(status)
    for name, one in headers.items():
        handler.send_header(name, one)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


class Agency:
    """A GeoReport server that behaves: what is filed has a number, and can be asked for."""

    def __init__(self, prefix: str = "P-") -> None:
        self.prefix = prefix
        self.requests: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, str | None] = {}
        self.batch = False

    def __call__(self, asked: Asked, handler: BaseHTTPRequestHandler) -> None:
        """Answer as the standard says."""
        if asked.method == "POST":
            reply(handler, 200, self._file(asked))
        elif asked.path.startswith("/v2/tokens/"):
            token = asked.path.removeprefix("/v2/tokens/").removesuffix(".json")
            reply(handler, 200, [{"service_request_id": self.tokens[token], "token": token}])
        elif asked.path == "/v2/services.json":
            reply(handler, 200, [{"service_code": "pothole"}, {"service_code": "LAMP"}])
        else:
            wanted = asked.fields.get("service_request_id", "").split(",")
            rows = [row for name, row in self.requests.items() if wanted == [""] or name in wanted]
            reply(handler, 200, rows)

    def _file(self, asked: Asked) -> list[dict[str, Any]]:
        number = f"{self.prefix}{len(self.requests) + 1}"
        self.requests[number] = {
            "service_request_id": number,
            "status": "open",
            "status_notes": None,
            "description": asked.fields["description"],
        }
        if self.batch:
            self.tokens[f"t{number}"] = None
            return [{"token": f"t{number}", "service_notice": ""}]
        return [{"service_request_id": number, "service_notice": "", "account_id": ""}]


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


@contextmanager
def server(answer: Answer, name: str = NAME, *, trusted: bool = True) -> Iterator[Server]:
    """A server that answers as ``answer`` says; ``NAME`` leads to it while it runs."""
    found = Server(answer)

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            parts = urlsplit(self.path)
            fields = dict(parse_qsl(parts.query) + parse_qsl(body.decode()))
            headers = {name.lower(): one for name, one in self.headers.items()}
            asked = Asked(self.command, parts.path, fields, body, headers)
            found.asked.append(asked)
            try:
                found.answer(asked, self)
            except OSError:
                self.close_connection = True

        def log_request(self, *args: Any) -> None:
            pass

    for method in ("do_GET", "do_POST"):
        setattr(Handler, method, Handler._any)

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # Tests have clients that disconnect early.

    http = Quiet(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer = _authority() if trusted else trustme.CA()
    issuer.issue_cert(name).configure_cert(context)
    http.socket = context.wrap_socket(http.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        with leading_to(http.server_address[1]):
            yield found
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


@contextmanager
def leading_to(port: int) -> Iterator[None]:
    """Every name resolves to a port of this machine, which counts as a public address."""

    def trusting() -> ssl.SSLContext:
        context = ssl.create_default_context()
        _authority().configure_trust(context)
        return context

    with (
        patch.object(addresses, "PORT", port),
        patch.object(addresses, "resolve", lambda name: {"127.0.0.1"}),
        patch.object(addresses, "is_public", lambda address: True),
        patch.object(fetch, "context", trusting),
    ):
        yield


@dataclass
class Archive:
    """A GeoReport server with old requests, and the habits of real servers.

    ``limit``: so many rows an answer at most, whatever is asked. ``pages``: whether it obeys
    ``page``. ``by_day``: its dates have no time. ``dates``: whether it obeys them. ``nothing``: the
    status of an answer without requests. ``refuses``: the status for a window that holds this
    moment. ``oldest_first``: which rows a cut answer has. ``formats``: those that it has; every
    other is answered with ``other_format``, or with XML if that is 200.
    """

    requests: list[dict[str, Any]]
    limit: int = 1000
    pages: bool = True
    by_day: bool = False
    dates: bool = True
    nothing: int = 200
    refuses: tuple[datetime, int] | None = None
    oldest_first: bool = False
    formats: tuple[str, ...] = ("json",)
    other_format: int = 404

    def __call__(self, asked: Asked, handler: BaseHTTPRequestHandler) -> None:
        """Answer ``requests.json`` or ``requests.xml``."""
        status, media, body = self.written(asked.path, asked.fields)
        reply(handler, status, body, **{"Content-Type": media})

    def written(self, path: str, fields: dict[str, str]) -> tuple[int, str, bytes]:
        """(status, media type, body) of an answer in the format of the path."""
        form = path.rpartition(".")[2]
        if form not in self.formats and self.other_format != 200:
            return self.other_format, "text/html", b"<html><body>No such page<br></body></html>"
        status, rows = self.give(fields)
        if form == "json" and form in self.formats:
            return status, "application/json", json.dumps(rows).encode()
        return status, "text/xml; charset=utf-8", _xml(rows)

    def give(self, fields: dict[str, str]) -> tuple[int, list[dict[str, Any]]]:
        """(status, rows) for the fields of a query."""
        start, end = (datetime.fromisoformat(fields[name]) for name in ("start_date", "end_date"))
        if self.refuses and start <= self.refuses[0] <= end:
            return self.refuses[1], []
        if self.by_day:
            start, end = (moment.replace(hour=0, minute=0, second=0) for moment in (start, end))
            end += timedelta(days=1, seconds=-1)
        rows = [
            row
            for row in self.requests
            if not self.dates or start <= datetime.fromisoformat(row["requested_datetime"]) <= end
        ]
        rows.sort(key=lambda row: str(row["requested_datetime"]), reverse=not self.oldest_first)
        size = min(self.limit, int(fields.get("page_size", self.limit)))
        page = int(fields.get("page", 1)) if self.pages else 1
        rows = rows[(page - 1) * size : page * size] if self.pages else rows[: self.limit]
        return (200, rows) if rows else (self.nothing, [])


def _xml(rows: list[dict[str, Any]]) -> bytes:
    """Requests as the standard's XML, in a namespace as some servers have it."""
    root = ElementTree.Element("service_requests", xmlns="http://open311.example/v2", type="array")
    for row in rows:
        request = ElementTree.SubElement(root, "request")
        for name, value in row.items():
            ElementTree.SubElement(request, name).text = None if value is None else str(value)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
