"""A client of another city's or agency's Open311 server: GeoReport v2 in JSON or XML.

http://wiki.open311.org/GeoReport_v2. Answers are not trusted: identifiers must have the form of
one, texts are cleaned, and all other fields are ignored.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from chalicelib.domain.input import redaction, text
from chalicelib.domain.open311.georeport import format_time
from chalicelib.errors import Problem
from chalicelib.outside import addresses, fetch, georeport_xml
from chalicelib.outside.addresses import Endpoint, UnsafeAddress
from chalicelib.outside.fetch import Failed, Pairs, Reply

LONGEST = 2000
PAGE = 20
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,63}")
# Not the request's fault: a later attempt may succeed.
_LATER = frozenset({408, 425, 429})


class Declined(Exception):
    """The server refused the request for good; ``status`` is its HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


@dataclass(frozen=True)
class Server:
    """A server's base URL, its jurisdiction and our key."""

    endpoint: str
    format: str
    jurisdiction_id: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class RemoteStatus:
    """A request's state on its server. ``status``: "open" or "closed"."""

    id: str
    status: str
    notes: str
    updated: str


@dataclass(frozen=True)
class Update:
    """One update of a request on its server; ``status`` is one of the extension's, ``code`` the
    server's own finer one."""

    id: str
    request: str
    status: str
    text: str
    code: str = ""


def post(server: Server, body: bytes, headers: dict[str, str]) -> tuple[str | None, str | None]:
    """(id, token) of a new request with the form ``body``. Raises ``Declined`` or ``Failed``."""
    path = f"/requests.{server.format}"
    rows = _rows(server, fetch.post(_endpoint(server), path, body, headers))
    if len(rows) != 1:
        raise Failed("not_understood")
    values = {name: rows[0].get(name) for name in ("service_request_id", "token")}
    valid = {name: _identifier(value) for name, value in values.items()}
    if any(value and not valid[name] for name, value in values.items()):
        raise Failed("wrong_id")
    return valid["service_request_id"], valid["token"]


def form(server: Server, fields: Pairs) -> bytes:
    """The body of a request: the fields, the jurisdiction and our key."""
    own = [("jurisdiction_id", server.jurisdiction_id), ("api_key", server.key)]
    return urlencode([*((name, value) for name, value in own if value), *fields]).encode()


def services(server: Server) -> list[str]:
    """The codes of the server's services. Raises ``Declined`` or ``Failed``."""
    return [code for row in _get(server, "/services", []) if (code := _identifier(
        row.get("service_code")))]  # fmt: skip


def token(server: Server, value: str) -> str | None:
    """The id for a token, once there is one. Raises ``Declined`` or ``Failed``."""
    rows = _get(server, f"/tokens/{quote(value, safe='')}", [])
    ids = (_identifier(row.get("service_request_id")) for row in rows)
    return next((request_id for request_id in ids if request_id), None)


def requests(server: Server, ids: Iterable[str]) -> dict[str, RemoteStatus]:
    """The state of these requests; others are ignored. Raises as ``token`` does."""
    wanted = list(ids)
    rows = _get(server, "/requests", [("service_request_id", ",".join(wanted))])
    statuses = {}
    for row in rows:
        name, status = _identifier(row.get("service_request_id")), row.get("status")
        if name in wanted and isinstance(status, str) and status.lower() in ("open", "closed"):
            notes, updated = _words(row.get("status_notes")), _words(row.get("updated_datetime"))
            statuses[name] = RemoteStatus(name, status.lower(), notes, updated[:40])
    return statuses


def updates(server: Server, since: datetime, until: datetime) -> list[Update]:
    """The updates of a window, by mySociety's extension. Raises as ``token`` does."""
    window = [("start_date", format_time(since)), ("end_date", format_time(until))]
    happened = []
    for row in _get(server, "/servicerequestupdates", window):
        name, request = (
            _identifier(row.get("update_id")),
            _identifier(row.get("service_request_id")),
        )
        status = _words(row.get("status")).lower()
        if name and request and status:
            code, text = _words(row.get("external_status_code")), _words(row.get("description"))
            happened.append(Update(name, request, status, text, code[:40]))
    return happened


def find(server: Server, mark: str, service: str, since: datetime, until: datetime) -> str | None:
    """The id of the request with ``mark`` in its description, filed between two moments."""
    window = [("start_date", format_time(since)), ("end_date", format_time(until))]
    rows = _get(server, "/requests", [("service_code", service), *window])
    for row in rows:
        if mark in str(row.get("description")) and (request_id := _identifier(
            row.get("service_request_id"))):  # fmt: skip
            return request_id
    return None


def _get(server: Server, path: str, query: Pairs) -> list[dict[str, Any]]:
    endpoint = _endpoint(server)
    if server.jurisdiction_id:
        query = [("jurisdiction_id", server.jurisdiction_id), *query]
    return _rows(server, fetch.get(endpoint, f"{path}.{server.format}", query))


def _endpoint(server: Server) -> Endpoint:
    try:
        return addresses.check(server.endpoint)
    except UnsafeAddress:
        raise Failed("address_refused") from None


def _rows(server: Server, reply: Reply) -> list[dict[str, Any]]:
    if reply.status >= 500 or reply.status in _LATER:
        raise Failed(f"status_{reply.status}")
    if reply.status >= 400:
        raise Declined(reply.status)
    if not 200 <= reply.status < 300:
        raise Failed(f"status_{reply.status}")
    try:
        rows = _json(reply.body) if server.format == "json" else georeport_xml.records(reply.body)
    except (ValueError, RecursionError):
        raise Failed("not_understood") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Failed("not_understood")
    return rows


def _json(body: bytes) -> Any:
    return json.loads(body.decode("utf-8-sig"))


def _identifier(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    match = _ID.fullmatch(value.strip()) if isinstance(value, str) else None
    return match[0] if match else None


def _words(value: Any) -> str:
    """A text from outside that may be shown: cleaned, shortened, without personal data."""
    if not isinstance(value, str):
        return ""
    try:
        # The rules of every country; the caller applies the city's own rules.
        return redaction.redact(text.clean(value.strip()[:LONGEST]), redaction.of_country(None))
    except Problem:
        return ""
