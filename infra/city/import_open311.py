"""Reading all requests of a GeoReport endpoint with any pages and limits.

Servers differ: some answer fewer rows than asked, some have no pages, some cut an answer off
without a word, and some answer 404 where there is nothing. So a window of time is read to its end,
and then proved: its two halves must bring nothing new, and each must have fewer rows. Otherwise the
window may have been cut off, and its halves are proved in the same way. What a server does not give
is said (``Reader.not_read``).

A server is asked for JSON, and for XML if it has no JSON. What it answered with first is kept.

Tests: tests/integration/test_import_open311.py
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import urllib3

from chalicelib.domain.open311.georeport import SPAN, format_time, moment
from chalicelib.outside import georeport_xml
from infra.city.findings import CityErrors
from infra.city.import_rows import Row

PAGE, TIMEOUT, LARGEST = 200, 30.0, 32 * 1024 * 1024
# A window with fewer requests is not proved: no server's limit is so low.
PROVED_FROM = 10
PAGES_AT_MOST = 10_000
RETRIES = urllib3.Retry(
    4, backoff_factor=0.5, status_forcelist=(429, 502, 503, 504), raise_on_status=False
)
# After so many windows in a row that fail, the server is away.
STRIKES = 3
_USUAL_LIMITS = frozenset({20, 25, 30, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000})
# The statuses by which servers say that they have not the format: the first three say nothing else,
# 404 is also an empty window.
_ONLY_FORMAT = frozenset({406, 415, 501})
_NO_SUCH_FORMAT = _ONLY_FORMAT | {400, 404}
_BLANK = b"\xef\xbb\xbf \t\r\n"
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_ID = "service_request_id"
Rows = dict[str, Row]


class _Failed(Exception):
    """A window could not be read; the text says why. ``away``: there was no answer at all."""

    def __init__(self, why: str, *, away: bool = False) -> None:
        super().__init__(why)
        self.away = away


class _Answer(NamedTuple):
    """A whole answer; ``media`` is its type."""

    status: int
    media: str
    body: bytes


class Reader:
    """Reads an endpoint. ``calls``: the requests made; ``not_read``: sentences about gaps."""

    def __init__(self, base: str, http: urllib3.PoolManager | None = None) -> None:
        self.calls = 0
        self.not_read: list[str] = []
        parts = urlsplit(base)
        path = re.sub(r"(/requests\.(json|xml))?/*$", "", parts.path)
        self._base = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
        # A server of several cities is told which one: …/open311/v2?jurisdiction_id=oldtown
        self._own_fields = dict(parse_qsl(parts.query))
        self._formats: tuple[str, ...] = ("json", "xml")
        self._http = http or urllib3.PoolManager()
        self._given: set[str] = set()
        self._nothing_there = self._without_id = 0
        self._strikes = 0
        self._has_pages = False
        self._url = f"{self._base}/requests.json"
        self._limits: set[int] = set()

    def rows(self, since: datetime, now: datetime) -> Iterator[Row]:
        """Every request filed from ``since`` to ``now``, each once, by windows of 90 days.

        Raises ``CityErrors`` if the server is away or is no GeoReport server.
        """
        start = since
        while start < now:
            end = min(now, start + SPAN)
            yield from self._fresh(self._window(start, end))
            start = end
        if self._nothing_there and not self._given:
            raise CityErrors([
                f"{self._url} answers 404 for every window: is this the endpoint's base, the part "
                "before /requests.json?"
            ])  # fmt: skip
        if self._without_id:
            self.not_read.append(f"{self._without_id} request(s) without {_ID}")

    def summary(self) -> dict[str, Any]:
        """What was read, with how many calls, and what the server did not give."""
        return {"read": len(self._given), "calls": self.calls, "not_read": self.not_read}

    def _fresh(self, rows: Rows) -> Iterator[Row]:
        for name, row in rows.items():
            if name not in self._given:
                self._given.add(name)
                yield row

    def _window(self, start: datetime, end: datetime) -> Rows:
        """All requests of a window that can be had, proved by its halves."""
        try:
            rows = self._pages(start, end)
        except _Failed as failed:
            return self._failed_window(start, end, failed)
        self._strikes = 0
        return self._proved(start, end, rows)

    def _proved(self, start: datetime, end: datetime, rows: Rows) -> Rows:
        if len(rows) < PROVED_FROM or self._ignores_dates(start, end, rows):
            return rows
        if end - start <= _SECOND:
            if len(rows) in self._limits:
                self._doubt(start, end, len(rows))
            return rows
        middle = start + (end - start) // 2
        middle = middle.replace(microsecond=0)
        middle = middle if middle > start else end - _SECOND
        halves = [(start, middle), (middle, end)]
        try:
            read = [self._pages(*half) for half in halves]
        except _Failed as failed:
            self.not_read.append(f"{_span(start, end)} could not be proved: {failed}")
            return rows
        cut_off = bool((read[0].keys() | read[1].keys()) - rows.keys())
        # A half with as many rows as the whole may be cut off at the same number.
        as_many = [len(part) >= len(rows) for part in read]
        if cut_off:
            self._limits.add(len(rows))
        elif all(as_many):
            # The server's dates are no finer.
            if len(rows) in self._limits or (len(rows) in _USUAL_LIMITS and not self._has_pages):
                self._doubt(start, end, len(rows))
            return rows
        whole = rows
        for half, part, same in zip(halves, read, as_many, strict=True):
            if cut_off or same:
                whole = whole | self._proved(*half, part)
        return whole

    def _failed_window(self, start: datetime, end: datetime, failed: _Failed) -> Rows:
        """The halves of a window that failed, perhaps because it is too large; else a remark."""
        if failed.away and not self._given:
            raise CityErrors([f"{self._url} {failed}"])
        if end - start > _DAY:
            middle = start + (end - start) // 2
            return self._window(start, middle) | self._window(middle, end)
        self._strikes += 1
        if self._strikes > STRIKES:
            raise CityErrors([f"{self._url} {failed}; run the import again later"])
        self.not_read.append(f"{_span(start, end)}: the server {failed}")
        return {}

    def _ignores_dates(self, start: datetime, end: datetime, rows: Rows) -> bool:
        outside = sum(_is_outside(row, start, end) for row in rows.values())
        if outside <= len(rows) // 2:
            return False
        remark = "the server does not obey start_date and end_date: older requests may be missing"
        if remark not in self.not_read:
            self.not_read.append(remark)
        return True

    def _doubt(self, start: datetime, end: datetime, count: int) -> None:
        self.not_read.append(
            f"{_span(start, end)}: exactly {count} requests, where the server cut other answers "
            "off; it may have more"
        )

    def _pages(self, start: datetime, end: datetime) -> Rows:
        """The requests of a window, page by page, until a page brings nothing new."""
        rows: Rows = {}
        for page in range(1, PAGES_AT_MOST):
            fresh = {}
            for row in self._page(start, end, page):
                name = str(row.get(_ID) or "").strip()
                if not name:
                    self._without_id += 1
                elif name not in rows:
                    fresh[name] = row
            rows |= fresh
            if not fresh:
                break
            self._has_pages = self._has_pages or page > 1
        return rows

    def _page(self, start: datetime, end: datetime, page: int) -> list[Row]:
        fields = {
            **self._own_fields,
            "start_date": format_time(start),
            "end_date": format_time(end),
            "page": str(page),
            "page_size": str(PAGE),
        }
        refusal: _Answer | None = None
        for form in self._formats:
            answer = self._ask(form, fields)
            if answer.status == 200:
                rows = _rows(answer)
                self._formats, self._url = (form,), f"{self._base}/requests.{form}"
                return rows
            if answer.status not in _NO_SUCH_FORMAT:
                self._url = f"{self._base}/requests.{form}"
                raise _failed(answer)
            if refusal is None or refusal.status in _ONLY_FORMAT:
                refusal = answer
        assert refusal is not None
        if refusal.status == 404:
            self._nothing_there += 1
            return []
        raise _failed(refusal)

    def _ask(self, form: str, fields: dict[str, str]) -> _Answer:
        self.calls += 1
        try:
            answer = self._http.request(
                "GET", f"{self._base}/requests.{form}", fields=fields, timeout=TIMEOUT,
                preload_content=False, retries=RETRIES,
            )  # fmt: skip
            data = answer.read(LARGEST + 1)
            answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise _Failed(f"cannot be reached ({type(error).__name__})", away=True) from None
        if len(data) > LARGEST:
            raise _Failed(f"answered with {answer.status} and more than {LARGEST} bytes")
        return _Answer(answer.status, str(answer.headers.get("Content-Type") or ""), data)


def _failed(answer: _Answer) -> _Failed:
    return _Failed(f"answered with {answer.status} and {len(answer.body)} bytes")


def _rows(answer: _Answer) -> list[Row]:
    """The requests of an answer; its own format counts, not the requested one."""
    if "xml" in answer.media.lower() or answer.body.lstrip(_BLANK)[:1] == b"<":
        try:
            return georeport_xml.records(answer.body, "request", "service_request")
        except ValueError:
            raise _Failed("answered with no JSON and no XML list of requests") from None
    try:
        rows = json.loads(answer.body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise _Failed("answered with no JSON") from None
    if isinstance(rows, dict) and isinstance(rows.get("requests"), list):
        rows = rows["requests"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _Failed("answered with no list of requests")
    return rows


def _is_outside(row: Row, start: datetime, end: datetime) -> bool:
    try:
        filed = moment(str(row.get("requested_datetime")), UTC)
    except ValueError:
        return False
    return not start - _DAY <= filed <= end + _DAY


def _span(start: datetime, end: datetime) -> str:
    return f"{format_time(start)} to {format_time(end)}"
