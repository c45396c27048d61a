"""One request to an outside server, which cannot keep us waiting.

``SECONDS`` in all, from the first packet to the last byte; a limit on the size of the answer; TLS
with a certificate for the name; no redirects; only addresses that ``addresses`` accepts.
"""

import http.client
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlencode

from chalicelib.outside import addresses
from chalicelib.outside.addresses import Endpoint, UnsafeAddress

SECONDS = 5.0
MOST_ANSWER, MOST_LIST = 64 * 1024, 1024 * 1024
_FORM = "application/x-www-form-urlencoded; charset=utf-8"
Pairs = list[tuple[str, str]]


class Failed(Exception):
    """The request failed this time; ``reason`` is a code. The server may have received it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes


def get(endpoint: Endpoint, path: str, query: Pairs) -> Reply:
    """GET a list. Raises ``Failed``."""
    url = f"{endpoint.path}{path}" + (f"?{urlencode(query)}" if query else "")
    return _fetch(endpoint, _Request("GET", url, None, {}), MOST_LIST)


def picture(url: str, most: int) -> bytes:
    """The bytes, at most ``most``, behind the URL of a picture. Raises ``Failed``."""
    try:
        endpoint, target = addresses.check_picture(url)
    except UnsafeAddress:
        raise Failed("address_refused") from None
    reply = _fetch(endpoint, _Request("GET", target, None, {"Accept": "image/*"}), most)
    if reply.status != 200:
        raise Failed(f"status_{reply.status}")
    return reply.body


def post(endpoint: Endpoint, path: str, body: bytes, headers: dict[str, str]) -> Reply:
    """POST a form. Raises ``Failed``."""
    headers = {"Content-Type": _FORM, **headers}
    request = _Request("POST", f"{endpoint.path}{path}", body, headers)
    return _fetch(endpoint, request, MOST_ANSWER)


class _Request(NamedTuple):
    """What is sent; ``path`` includes the query."""

    method: str
    path: str
    body: bytes | None
    headers: dict[str, str]


def _fetch(endpoint: Endpoint, request: _Request, most: int) -> Reply:
    with _Deadline(SECONDS) as deadline:
        try:
            return _exchange(endpoint, request, most, deadline)
        except UnsafeAddress:
            raise Failed("address_refused") from None
        except ssl.SSLError:
            raise Failed("too_slow" if deadline.passed else "tls") from None
        except TimeoutError:
            raise Failed("too_slow") from None
        except (OSError, http.client.HTTPException, ValueError):
            raise Failed("too_slow" if deadline.passed else "no_answer") from None


def _exchange(endpoint: Endpoint, request: _Request, most: int, deadline: "_Deadline") -> Reply:
    connection = http.client.HTTPConnection(endpoint.name, endpoint.port, timeout=SECONDS)
    if endpoint.scheme == "https":
        connection.default_port = addresses.PORT  # Not named in Host, which S3's addresses sign.
    connection.sock = _connected(endpoint, deadline)
    try:
        own_headers = {
            "User-Agent": "Tanggap",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        headers = {**own_headers, **request.headers}
        connection.request(request.method, request.path, request.body, headers)
        with connection.getresponse() as answer:
            if 300 <= answer.status < 400:
                raise Failed("redirect")
            data = _body(answer, most + 1)
            if len(data) > most:
                raise Failed("too_large")
            # http.client reads a connection that was cut as the end of the answer.
            if deadline.passed or (answer.length or 0) > 0:
                raise Failed("too_slow" if deadline.passed else "no_answer")
            return Reply(answer.status, data)
    finally:
        connection.close()


def _body(answer: http.client.HTTPResponse, most: int) -> bytes:
    """At most ``most`` bytes of an answer."""
    if not answer.chunked:
        return answer.read(most)
    # ``read`` would take a chunk of a negative size for all that comes; ``read1`` does not.
    data = bytearray()
    while len(data) < most and (piece := answer.read1(most - len(data))):
        data += piece
    return bytes(data[:most])


def _connected(endpoint: Endpoint, deadline: "_Deadline") -> socket.socket:
    failure: OSError = TimeoutError()
    for address in addresses.targets(endpoint):
        # All addresses of a name share the time.
        seconds = deadline.left()
        try:
            plain = socket.create_connection((address, endpoint.port), timeout=seconds)
        except OSError as error:
            failure = error
            continue
        try:
            return _secured(endpoint, plain, deadline)
        except BaseException:
            plain.close()
            raise
    raise failure


def _secured(endpoint: Endpoint, plain: socket.socket, deadline: "_Deadline") -> socket.socket:
    deadline.watch(plain)
    if endpoint.scheme != "https":
        return plain
    tls = context().wrap_socket(plain, server_hostname=endpoint.name, do_handshake_on_connect=False)
    try:
        deadline.watch(tls)
        tls.do_handshake()
    except BaseException:
        tls.close()
        raise
    return tls


def context() -> ssl.SSLContext:
    """TLS with today's defaults: certificates are checked, also for the name."""
    return ssl.create_default_context()


class _Deadline:
    """Cuts the connection when the time is over: a socket's own timeout restarts at each byte."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._end = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def left(self) -> float:
        """The seconds that are left. Raises ``TimeoutError`` if there are none."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection when the time is over; at once if it already is."""
        with self._lock:
            self._socket = connection
            if self.passed:
                raise TimeoutError

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
