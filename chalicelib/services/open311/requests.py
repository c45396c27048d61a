"""GeoReport v2: requests, one or many. They contain no personal data.

Where the specification is open, answers are as its clients expect (docs/open311.md).

Tests: tests/e2e/test_open311.py
"""

import hmac
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.input import numbers
from chalicelib.domain.map.geohash import distance_m
from chalicelib.domain.open311 import georeport
from chalicelib.domain.open311.georeport import InvalidArgument
from chalicelib.domain.timestamps import iso, months_between
from chalicelib.errors import Problem
from chalicelib.services.open311.request_views import row_of, status_of, to_requests
from chalicelib.services.platform import signing
from chalicelib.storage import open311_requests, reports, secrecy
from chalicelib.storage.open311_requests import Row

MOST = 1000
# How many months a search by the time of the last change may cover: one Query each.
MONTHS_AT_MOST = 24
# How many rows a request may look through.
ROWS_READ_AT_MOST = 10_000
_ID = re.compile(ids.PATTERN)
_SECOND = timedelta(seconds=1)
_SEALED_DIGITS = 20
NOBODY = "0" * 26
_NARROWING = ("status", "service_code", "bbox", "lat", "updated_after", "updated_before")


def request(
    jurisdiction: str,
    report: str,
    extensions: str | None = None,
    languages: tuple[str, ...] = (),
) -> list[dict[str, Any]]:
    """One request of any age, in its present state. Raises ``Problem``: not_found."""
    requests = _requests_by_id(jurisdiction, [report], languages, extended=_is_true(extensions))
    if not requests:
        raise Problem("not_found", field="service_request_id")
    return requests


def token(jurisdiction: str, token_text: str) -> list[dict[str, Any]]:
    """The id of a token's request; ``None`` as long as the lists do not contain the report.

    A sealed token is its own id, which finds no request. Raises ``Problem``: not_found.
    """
    if _is_sealed(jurisdiction, token_text):
        return [{"service_request_id": token_text, "token": token_text}]
    report = token_text.removeprefix("t")
    is_report_id = token_text.startswith("t") and _ID.fullmatch(report)
    # An invented token costs the same calls as a token of a hidden report: timing tells nothing.
    head = reports.get(jurisdiction, report if is_report_id else NOBODY)
    if head is None or head.hidden:
        raise Problem("not_found", field="token")
    ready = open311_requests.is_listed(jurisdiction, report)
    return [{"service_request_id": report if ready else None, "token": token_text}]


def sealed_token(jurisdiction: str, report: str) -> str:
    """The token of a protected report, always the same one. Nobody can find the report by it; it
    only lets a client know that its request arrived."""
    number = signing.mac("sealed", f"{jurisdiction}|{report}", signing.pseudonym_key())
    return _seal(jurisdiction, number[:_SEALED_DIGITS])


def _seal(jurisdiction: str, number: str) -> str:
    check = signing.mac("sealed check", f"{jurisdiction}|{number}", signing.pseudonym_key())
    return f"p{number}{check[:_SEALED_DIGITS]}"


def _is_sealed(jurisdiction: str, token_text: str) -> bool:
    if not token_text.isascii():
        return False
    expected = _seal(jurisdiction, token_text[1 : 1 + _SEALED_DIGITS])
    return hmac.compare_digest(token_text, expected)


def search(
    city: City, arguments: dict[str, str | None], now: datetime, languages: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """The requests that match a client's arguments, newest first; see docs/open311.md.

    Raises ``InvalidArgument`` naming the argument.
    """
    size, page = (
        _number(arguments, ("page_size", "per_page"), MOST),
        _number(arguments, ("page",), 1),
    )
    extended = _is_true(arguments.get("extensions"))
    if id_list := arguments.get("service_request_id"):
        # A list may be longer than a page, and may name a request twice.
        report_ids = list(dict.fromkeys(_split(id_list)))[(page - 1) * size : page * size]
        return _requests_by_id(city.jurisdiction, report_ids, languages, extended=extended)
    if size * page > ROWS_READ_AT_MOST:
        raise InvalidArgument(
            "page", f"reaches beyond {ROWS_READ_AT_MOST} requests: ask for a shorter window"
        )
    matches = _row_filter(arguments)
    candidates, complete = _rows_in_window(city, arguments, now, size * page)
    rows = [row for row in candidates if matches(row)]
    rows.sort(key=lambda row: str(row["id"]), reverse=True)
    page_rows = rows[(page - 1) * size : page * size]
    if not complete and len(page_rows) < size:
        raise InvalidArgument(
            "start_date", f"covers more than {ROWS_READ_AT_MOST} requests: ask for less"
        )
    return to_requests(city.jurisdiction, page_rows, languages, extended=extended)


def _rows_in_window(
    city: City, arguments: dict[str, str | None], now: datetime, needed: int
) -> tuple[list[Row], bool]:
    """(rows of the requested window, whether these are all).

    Without further filters only as many rows as ``needed``, else at most ``ROWS_READ_AT_MOST``.
    """
    start, end, after, before = (
        georeport.moment(text, city.zone, name) if (text := arguments.get(name)) else None
        for name in ("start_date", "end_date", "updated_after", "updated_before")
    )
    jurisdiction, limit = city.jurisdiction, ROWS_READ_AT_MOST + 1
    if (after or before) and not (start or end):
        # No default window of 90 days here: search by the time of the last change.
        until = before or now
        since = after or until - georeport.SPAN
        if until < since:
            raise InvalidArgument("updated_before", "is before updated_after")
        if months_between(f"{since:%Y%m}", f"{until:%Y%m}") > MONTHS_AT_MOST:
            raise InvalidArgument(
                "updated_after", f"covers over {MONTHS_AT_MOST} months: ask for less"
            )
        rows, whole = open311_requests.updated(jurisdiction, since, until, limit)
        # Rows come by change but are sorted by filing, so all of them are needed.
        if not whole or len(rows) == limit:
            raise InvalidArgument(
                "updated_after", f"covers over {ROWS_READ_AT_MOST} requests: ask for less"
            )
        return rows, True
    since, until = georeport.window(start, end, now)
    is_filtered = any(arguments.get(name) for name in _NARROWING)
    row_limit = limit if is_filtered else needed
    rows, whole = open311_requests.filed(jurisdiction, since, until, row_limit)
    # Times are published without fractions, so the whole last second belongs to the window.
    low, high = iso(after) if after else "", iso(before + _SECOND) if before else "~"
    complete = whole or (len(rows) == row_limit and not is_filtered)
    return [row for row in rows if low <= row["updated"] <= high], complete


def _row_filter(arguments: dict[str, str | None]) -> Callable[[Row], bool]:
    """A function that says whether a row matches service, status and place.

    Raises ``InvalidArgument`` naming the argument.
    """
    codes = set(_split(arguments.get("service_code")))
    states = {state.lower() for state in _split(arguments.get("status"))}
    if not states <= {"open", "closed"}:
        raise InvalidArgument("status", "may be open, closed or both")
    box = _numbers("bbox", arguments["bbox"], 4) if arguments.get("bbox") else None
    centre = None
    if arguments.get("lat") and arguments.get("long"):
        centre = [_numbers(name, arguments[name], 1)[0] for name in ("lat", "long")]
    radius = _numbers("radius", arguments.get("radius") or "500", 1)[0]

    def matches(row: Row) -> bool:
        lat, long = (part / 1e7 for part in row["place"])
        return (
            (not codes or row["service"] in codes)
            and (not states or status_of(row) in states)
            and (box is None or (box[0] <= long <= box[2] and box[1] <= lat <= box[3]))
            and (centre is None or distance_m(lat, long, centre[0], centre[1]) <= radius)
        )

    return matches


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _requests_by_id(
    jurisdiction: str, report_ids: list[str], languages: tuple[str, ...], *, extended: bool
) -> list[dict[str, Any]]:
    known = (report_id for report_id in report_ids if _ID.fullmatch(report_id))
    heads = secrecy.heads(jurisdiction, known)
    listed = (heads[report_id] for report_id in report_ids if report_id in heads)
    shown = [head for head in listed if not head.hidden]
    into = {head.id: head.merged_into for head in shown if head.merged_into}
    originals = secrecy.heads(jurisdiction, into.values()) if into else {}
    goes_on = {
        report_id: original
        for report_id, original in into.items()
        if original in originals and not originals[original].hidden
    }
    rows = [row_of(head) for head in shown]
    return to_requests(jurisdiction, rows, languages, extended=extended, goes_on=goes_on)


def _is_true(text: str | None) -> bool:
    return (text or "").lower() == "true"


def _number(arguments: dict[str, str | None], names: tuple[str, ...], default: int) -> int:
    for name in names:
        if text := arguments.get(name):
            if not text.isascii() or not text.isdigit() or len(text) > 6:
                raise InvalidArgument(name, "must be a whole number")
            return max(1, min(int(text), default if default > 1 else ROWS_READ_AT_MOST))
    return default


def _numbers(name: str, text: str | None, count: int) -> list[float]:
    try:
        values = [numbers.read(part) for part in (text or "").split(",")]
    except ValueError:
        values = []
    if len(values) != count or not all(abs(value) < 1e9 for value in values):
        raise InvalidArgument(name, f"must be {count} number{'s' if count > 1 else ''}")
    return values
