"""One keep-alive HTTP connection to the API, and the types of requests and answers."""

import json
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

_SECONDS = 60.0


@dataclass(frozen=True)
class Actor:
    """The sender: a ``device`` by its token, or an ``official`` by the subject of the record."""

    kind: str
    name: str


@dataclass(frozen=True)
class Request:
    """A request; ``key`` is its idempotency key, if it has one."""

    method: str
    path: str
    actor: Actor | None = None
    key: str | None = None
    body: dict[str, Any] | None = None


@dataclass(frozen=True)
class Reply:
    """An answer; ``replayed``: the key had been answered before."""

    status: int
    body: dict[str, Any]
    replayed: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the request was accepted."""
        return self.status < 300

    @property
    def problem(self) -> str:
        """The slug of the problem document, or for example ``http_500`` if there is none."""
        kind = str(self.body.get("type", ""))
        return kind.rstrip("/").rpartition("/")[2].rpartition(":")[2] or f"http_{self.status}"


@dataclass
class Connection:
    """Requests to one host, one after the other, over one connection."""

    url: str
    sent: int = 0
    _connection: HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self._connection = HTTPConnection(urlsplit(self.url).netloc, timeout=_SECONDS)

    def send(self, request: Request, authorization: str | None = None) -> Reply:
        """Send JSON and read the answer. Raises ``OSError`` if there is no server."""
        headers = {"Accept-Language": "id"}
        if authorization:
            headers["Authorization"] = authorization
        if request.key:
            headers["Idempotency-Key"] = request.key
        payload = None
        if request.body is not None:
            headers["Content-Type"] = "application/json"
            payload = json.dumps(request.body, ensure_ascii=False).encode()
        status, answered, raw = self.exchange(request.method, request.path, payload, headers)
        body = json.loads(raw) if raw else {}
        return Reply(status, body, answered.get("idempotent-replayed") == "true")

    def exchange(
        self, method: str, path: str, payload: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        """(status, headers in lower case, body); a closed connection is opened again."""
        self.sent += 1
        try:
            return self._once(method, path, payload, headers)
        except (HTTPException, ConnectionError):
            # A server may close an idle connection; a key makes sending again harmless.
            self._connection.close()
            return self._once(method, path, payload, headers)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _once(
        self, method: str, path: str, payload: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        self._connection.request(method, path, payload, headers)
        answer = self._connection.getresponse()
        raw = answer.read()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, raw
