"""Another city's or agency's Open311 server as a client sees it: GeoReport v2 in JSON or XML.

http://wiki.open311.org/GeoReport_v2. What a server answers is not believed: identifiers must look
like some, texts are cleaned, and whatever else it says is passed over.
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
from chalicelib.outside import addresses, fetch
from chalicelib.outside.addresses import Endpoint, UnsafeAddress
from chalicelib.outside.fetch import Failed, Pairs, Reply

LONGEST = 2000
PAGE = 20
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,63}")
# Not the request's fault: another attempt may go through.
_LATER = frozenset({408, 425, 429})


class Declined(Exception):
    """The server refused the request for good; ``status`` is its answer."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


@dataclass(frozen=True)
class Server:
    """Where to, for which jurisdiction, and with which key."""

    endpoint: str
    format: str
    jurisdiction_id: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class RemoteStatus:
    """What a server says of a request. ``status``: "open" or "closed"."""

    id: str
    status: str
    notes: str
    updated: str


@dataclass(frozen=True)
class Update:
    """One thing that happened to a request there; ``status`` is one of the extension's."""

    id: str
    request: str
    status: str
    text: str


def post(server: Server, body: bytes, headers: dict[str, str]) -> tuple[str | None, str | None]:
    """(id, token) of a new request, whose ``form`` is ``body``. Raises ``Declined``, ``Failed``."""
    path = f"/requests.{server.format}"
    rows = _rows(server, fetch.post(_endpoint(server), path, body, headers))
    if len(rows) != 1:
        raise Failed("not_understood")
    said = {name: rows[0].get(name) for name in ("service_request_id", "token")}
    known = {name: _identifier(value) for name, value in said.items()}
    if any(value and not known[name] for name, value in said.items()):
        raise Failed("wrong_id")
    return known["service_request_id"], known["token"]


def form(server: Server, fields: Pairs) -> bytes:
    """The body of a request, with what the server must know of us."""
    known = [("jurisdiction_id", server.jurisdiction_id), ("api_key", server.key)]
    return urlencode([*((name, one) for name, one in known if one), *fields]).encode()


def services(server: Server) -> list[str]:
    """The codes of the services that it offers. Raises ``Declined`` and ``Failed``."""
    return [code for row in _get(server, "/services", []) if (code := _identifier(
        row.get("service_code")))]  # fmt: skip


def token(server: Server, given: str) -> str | None:
    """The id behind a token, once there is one. Raises ``Declined`` and ``Failed``."""
    rows = _get(server, f"/tokens/{quote(given, safe='')}", [])
    return next((found for row in rows if (found := _identifier(row.get("service_request_id")))),
                None)  # fmt: skip


def requests(server: Server, ids: Iterable[str]) -> dict[str, RemoteStatus]:
    """What it says of these requests; of others it is not heard. Raises as ``token`` does."""
    wanted = list(ids)
    rows = _get(server, "/requests", [("service_request_id", ",".join(wanted))])
    found = {}
    for row in rows:
        name, status = _identifier(row.get("service_request_id")), row.get("status")
        if name in wanted and isinstance(status, str) and status.lower() in ("open", "closed"):
            notes, updated = _words(row.get("status_notes")), _words(row.get("updated_datetime"))
            found[name] = RemoteStatus(name, status.lower(), notes, updated[:40])
    return found


def updates(server: Server, since: datetime, until: datetime) -> list[Update]:
    """What happened there in a window, by mySociety's extension. Raises as ``token`` does."""
    window = [("start_date", format_time(since)), ("end_date", format_time(until))]
    found = []
    for row in _get(server, "/servicerequestupdates", window):
        name, request = (
            _identifier(row.get("update_id")),
            _identifier(row.get("service_request_id")),
        )
        status = _words(row.get("status")).lower()
        if name and request and status:
            found.append(Update(name, request, status, _words(row.get("description"))))
    return found


def find(server: Server, mark: str, service: str, since: datetime, until: datetime) -> str | None:
    """The id of the request whose description holds ``mark``, filed between two moments."""
    window = [("start_date", format_time(since)), ("end_date", format_time(until))]
    rows = _get(server, "/requests", [("service_code", service), *window])
    for row in rows:
        if mark in str(row.get("description")) and (found := _identifier(
            row.get("service_request_id"))):  # fmt: skip
            return found
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
        found = _json(reply.body) if server.format == "json" else _xml(reply.body)
    except (ValueError, RecursionError):
        raise Failed("not_understood") from None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise Failed("not_understood")
    return found


def _json(body: bytes) -> Any:
    return json.loads(body.decode("utf-8-sig"))


def _xml(body: bytes) -> list[dict[str, Any]]:
    # Without DTDs, entities or anything from elsewhere.
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(body, forbid_dtd=True)
    except ParseError as error:
        raise ValueError("no XML") from error
    return [{child.tag: child.text for child in row} for row in root]


def _identifier(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    found = _ID.fullmatch(value.strip()) if isinstance(value, str) else None
    return found[0] if found else None


def _words(value: Any) -> str:
    """A text from outside as it may be shown: clean, short, without addresses of people."""
    if not isinstance(value, str):
        return ""
    try:
        # By what holds in every country; the city's own rules are the caller's.
        return redaction.redact(text.clean(value.strip()[:LONGEST]), redaction.of_country(None))
    except Problem:
        return ""
