"""Hostile requests over every public route, from the declarations, and what each answer must hold.

    targets()                     every route that a person without an account can call
    Requests(dice, known)         endless requests to them: ``next(requests)``
    Faults.judge(request, ...)    what is wrong with an answer: a 5xx, too many reads, a refusal
                                  that changed something

``known`` holds values that exist (ids, codes, tokens, keys), so that requests also get far. The
same seed makes the same requests. The events are well formed, because API Gateway makes them.
"""

import json
import random
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.input.schema import Schema
from chalicelib.http import openapi
from chalicelib.http.operation import READS_AT_MOST
from chalicelib.http.router import OPERATIONS
from tests.support import hostile_values
from tests.support.hostile_values import Values

Known = dict[str, tuple[str, ...]]
LARGEST_ANSWER = 6_000_000
# The parameters of GeoReport, which is not among the declared operations.
OPEN311_QUERY = (
    "jurisdiction_id", "api_key", "service_request_id", "service_code", "start_date", "end_date",
    "status", "updated_after", "updated_before", "page", "page_size", "per_page", "lat", "long",
    "radius", "bbox", "extensions", "locale", "_",
)  # fmt: skip
OPEN311_FORM = (
    "api_key", "jurisdiction_id", "service_code", "lat", "long", "address_string", "address_id",
    "email", "device_id", "account_id", "first_name", "last_name", "phone", "description",
    "media_url", "service_request_id", "update_id", "update_id_ext", "status", "updated_datetime",
    "attribute[depth]", "attribute[what][]", "attribute[since]", "public_anonymity_required",
)  # fmt: skip
OPEN311_NEEDED = ("api_key", "service_code", "lat", "long")
OPEN311_UPDATE = (
    "api_key", "service_request_id", "update_id", "status", "updated_datetime", "description",
)  # fmt: skip
OPEN311_WORDS = ("FIXED", "OPEN", "CLOSED", "IN_PROGRESS", "FIXED", "open", "X")
_FREE = frozenset({"public", "citizen"})


@dataclass(frozen=True)
class Target:
    """A route: its query by name, the schema of its body, and whether it reads GeoReport forms."""

    method: str
    path: str
    query: dict[str, Schema]
    body: Schema | None = None
    form: bool = False
    device: bool = False
    required: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How a fault names it."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Request:
    """One request, as a client sends it."""

    target: Target
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes | None
    method: str
    address: str = "192.0.2.1"

    @property
    def url(self) -> str:
        """Path and query, encoded for HTTP."""
        query = urllib.parse.urlencode(self.query, errors="surrogatepass")
        path = urllib.parse.quote(self.path, errors="surrogatepass", safe="/:~%")
        return f"{path}?{query}" if query else path


@dataclass
class Faults:
    """The faults, and the most reads of each route."""

    found: list[str] = field(default_factory=list)
    reads: dict[str, int] = field(default_factory=dict)
    statuses: dict[int, int] = field(default_factory=dict)

    def judge(
        self, request: Request, status: int, size: int, reads: int, *, wrote: bool = False
    ) -> None:
        """Take note of an answer. ``wrote``: something was changed, but for counts of limits."""
        name = request.target.name
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.reads[name] = max(self.reads.get(name, 0), reads)
        wrong = [f"status {status}"] if status >= 500 else []
        wrong += [f"{reads} reads"] if reads > READS_AT_MOST else []
        # A wrong code is counted where it is kept.
        counted = name == "POST /v1/me/contacts/confirm"
        wrong += [f"{status} and wrote"] if wrote and status >= 400 and not counted else []
        wrong += [f"{size} bytes"] if size > LARGEST_ANSWER else []
        if wrong:
            body = (request.body or b"")[:300]
            sent = f"{request.url[:600]} {request.headers} {body!r}"
            self.found.append(f"{', '.join(wrong)}: {request.method} {sent}")


def targets() -> list[Target]:
    """Every route that people without an account call: declared operations, GeoReport, pictures."""
    import app

    declared = [
        Target(
            one.method,
            one.path,
            one.query,
            one.body,
            device="public" not in one.roles,
            required=one.operation.required_query,
        )
        for one in OPERATIONS.values()
        if one.roles & _FREE
    ]
    known = {(one.method, one.path) for one in OPERATIONS.values()}
    others = [
        (method, path)
        for path, methods in sorted(app.app.routes.items())
        for method in sorted(methods)
        if (method, path) not in known
    ]
    query: dict[str, Schema] = {name: {} for name in sorted({*OPEN311_QUERY, *_described()})}
    return [
        *sorted(declared, key=lambda one: one.name),
        *(Target(method, path, query, form=True) for method, path in others),
    ]


def _described() -> set[str]:
    """The parameters of GeoReport that the OpenAPI document names."""
    document = openapi.document()
    return {
        parameter["name"]
        for path, operations in document["paths"].items()
        if path.startswith("/open311")
        for operation in operations.values()
        for parameter in operation.get("parameters", ())
        if parameter.get("in") == "query"
    }


class Requests(Iterator[Request]):
    """Endless requests: each route in turn, with values by chance."""

    def __init__(self, seed: int, known: Known, devices: tuple[str, ...]) -> None:
        self._dice = random.Random(seed)
        self._values = Values(self._dice, known)
        self._known = known
        self._devices = devices
        self._targets = targets()
        self._order: list[Target] = []
        # GeoReport's lists take most parameters, so they are asked more often.
        self._order_of = [
            target for target in self._targets for _ in range(max(1, len(target.query) // 3))
        ]

    def __next__(self) -> Request:
        """The next request."""
        if not self._order:
            self._order = self._order_of.copy()
            self._dice.shuffle(self._order)
        target = self._order.pop()
        headers = self._headers(target)
        body = self._body(target, headers)
        method = target.method
        if method == "GET" and self._dice.random() < 0.03:
            method = self._dice.choice(("HEAD", "OPTIONS", "PUT", "DELETE"))
        return Request(target, self._path(target), self._query(target), headers, body, method,
                       self._dice.choice(("192.0.2.1", "2001:db8::1", "", "unknown")))  # fmt: skip

    def _path(self, target: Target) -> str:
        def part(match: re.Match[str]) -> str:
            name = match[1]
            if name == "name" and target.path.startswith("/open311"):
                stems = (*self._known.get("service_request_id", ()), *hostile_values.TEXTS)
                ends = (".json", ".json", ".xml", "", ".xml.json", ".webp", ".jpg")
                end = self._dice.choice(ends)
                stem = self._dice.choice((*stems, *self._known["open311_name"]))
                return (stem + end).replace("/", "%2F") or "-"
            pool = (*self._known.get(name, ()), *self._known.get(name, ()))
            if not pool or self._dice.random() < 0.4:
                pool = (*hostile_values.TEXTS, *hostile_values.MONTHS, self._values.cursor())
            return self._dice.choice(pool).replace("/", "%2F") or "-"

        return re.sub(r"{(\w+)}", part, target.path)

    def _query(self, target: Target) -> list[tuple[str, str]]:
        dice, pairs = self._dice, []
        names = {name: each for name, each in target.query.items() if name != "jurisdiction_id"}
        chosen = dict(self._values.chosen(names)) if names else {}
        for name in target.required:
            if name not in chosen and dice.random() < 0.95:
                chosen[name] = self._values.good(name, names[name])
        for name, value in chosen.items():
            if name == "cursor" or (name == "since" and target.path == "/v1/changes"):
                pool = (self._values.cursor(), *self._known.get("cursor", ()))
                value = dice.choice(pool)
            elif name == "service_request_id":
                if dice.random() < 0.6:
                    continue  # It goes before all others.
                many = (_no_report(n) for n in range(dice.choice((0, 2, 101, 151, 350))))
                value = ",".join([value, *many])
            pairs += [(name, value)] * dice.choice((1, 1, 1, 1, 1, 1, 1, 2))
        if dice.random() < 0.05:
            pairs.append(("jurisdiction_id", self._values.any_text()))
        if dice.random() < 0.03:
            pairs.append((self._values.any_text()[:50], self._values.any_text()))
        return pairs

    def _headers(self, target: Target) -> dict[str, str]:
        dice, headers = self._dice, {}
        if target.device or dice.random() < 0.1:
            good = target.device and dice.random() < 0.85
            headers["Authorization"] = dice.choice(
                self._devices if good else hostile_values.OLD_TOKENS
            )
        for name, pool in (
            ("Accept-Language", hostile_values.LANGUAGES),
            ("If-None-Match", ("*", 'W/"x"', '"', ",,,", "\x00")),
            ("If-Modified-Since", hostile_values.HTTP_DATES),
            ("If-Unmodified-Since", hostile_values.HTTP_DATES),
            ("Date", hostile_values.HTTP_DATES),
            ("Range", ("bytes=0-", "bytes=-1", "bytes=9-1", "x")),
            ("Accept", ("text/html", "application/json", "*/*", "image/webp;q=nan", "text/*;q=٣")),
            ("Origin", ("http://127.0.0.1:8000", "null", "https://evil.example")),
            ("Content-Encoding", ("gzip", "identity", "br")),
            ("X-Forwarded-For", ("1.2.3.4, ::1", "x" * 200)),
            ("Content-Length", ("0", "-1", "٤")),
        ):
            if dice.random() < 0.08:
                headers[name] = dice.choice(pool)
        if target.method not in ("GET", "HEAD"):
            keys = (f"key-{dice.getrandbits(64)}",) * 6 + ("", "\x00", "k" * 300, "é")
            headers["Idempotency-Key"] = dice.choice(keys)
        return headers

    def _body(self, target: Target, headers: dict[str, str]) -> bytes | None:
        dice = self._dice
        if target.method in ("GET", "HEAD") and dice.random() < 0.97:
            return None
        odd = dice.random() < 0.15
        if target.form:
            needed = OPEN311_UPDATE if "update" in target.path else OPEN311_NEEDED
            pairs = self._values.form({name: {} for name in OPEN311_FORM}, needed)
            if "update" in target.path:
                pairs = [(name, dice.choice(OPEN311_WORDS) if name == "status" else value)
                         for name, value in pairs]  # fmt: skip
            if dice.random() < 0.4:
                boundary = dice.choice(hostile_values.BOUNDARIES)
                headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
                return self._values.multipart(pairs, boundary)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            text = urllib.parse.urlencode(pairs, errors="surrogatepass").encode()
        else:
            headers["Content-Type"] = "application/json"
            text = _json(self._values.body(target.body or {"type": "object"}))
        if odd:
            headers["Content-Type"] = dice.choice(hostile_values.MEDIA)
            text = dice.choice((*hostile_values.RAW_BODIES, text[: len(text) // 2]))
        return text


def _no_report(number: int) -> str:
    """An id that no report has."""
    return ids.floor(datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=number))


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
