"""GeoReport v2: requests, one or many. Nothing personal is in any of them.

What the specification leaves open is answered as its clients expect (docs/open311.md).
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.map.geohash import distance_m
from chalicelib.domain.open311 import georeport
from chalicelib.domain.open311.georeport import InvalidArgument
from chalicelib.domain.report import Report, facts
from chalicelib.domain.timestamps import iso, parse
from chalicelib.domain.workflow.table import table
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.photos import photo_views
from chalicelib.storage import open311_requests, reports
from chalicelib.storage.open311_requests import Row

MOST, MOST_IDS = 1000, 100
# How many rows a request may look through.
LOOKED_THROUGH = 10_000
_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_SECOND = timedelta(seconds=1)
NOBODY = "0" * 26
_NARROWING = ("status", "service_code", "bbox", "lat", "updated_after", "updated_before")


def request(
    jurisdiction: str,
    report: str,
    extensions: str | None = None,
    languages: tuple[str, ...] = (),
) -> list[dict[str, Any]]:
    """One request, however old, as it is this moment."""
    found = _by_ids(jurisdiction, [report], languages, extended=_is_true(extensions))
    if not found:
        raise Problem("not_found", field="service_request_id")
    return found


def token(jurisdiction: str, given: str) -> list[dict[str, Any]]:
    """The id behind a token; ``None`` as long as the lists do not know the report."""
    report = given.removeprefix("t")
    known = given.startswith("t") and _ID.fullmatch(report)
    # The same calls for a token that nobody was given as for one of a hidden report.
    head = reports.get(jurisdiction, report if known else NOBODY)
    if head is None or head.hidden:
        raise Problem("not_found", field="token")
    ready = open311_requests.is_listed(jurisdiction, report)
    return [{"service_request_id": report if ready else None, "token": given}]


def listed(
    city: City, asked: dict[str, str | None], now: datetime, languages: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """The requests that a client asks for, the newest first; see docs/open311.md.

    Raises ``InvalidArgument`` naming the argument.
    """
    if wanted := asked.get("service_request_id"):
        given = _listed(wanted)
        if len(given) > MOST_IDS:
            raise InvalidArgument("service_request_id", f"names more than {MOST_IDS}")
        return _by_ids(
            city.jurisdiction, given, languages, extended=_is_true(asked.get("extensions"))
        )
    size, page = _number(asked, ("page_size", "per_page"), MOST), _number(asked, ("page",), 1)
    if size * page > LOOKED_THROUGH:
        raise InvalidArgument(
            "page", f"reaches beyond {LOOKED_THROUGH} requests: ask for a shorter window"
        )
    fits = _filter(asked)
    found, whole = _in_time(city, asked, now, size * page)
    rows = [row for row in found if fits(row)]
    rows.sort(key=lambda row: str(row["id"]), reverse=True)
    chosen = rows[(page - 1) * size : page * size]
    if not whole and len(chosen) < size:
        raise InvalidArgument(
            "start_date", f"covers more than {LOOKED_THROUGH} requests: ask for less"
        )
    return told(city.jurisdiction, chosen, languages, extended=_is_true(asked.get("extensions")))


def _in_time(
    city: City, asked: dict[str, str | None], now: datetime, needed: int
) -> tuple[list[Row], bool]:
    """The rows of the window that is asked for, and whether that is all of them: as many as are
    ``needed`` where each one fits, else at most ``LOOKED_THROUGH``."""
    start, end, after, before = (
        georeport.moment(text, city.zone, name) if (text := asked.get(name)) else None
        for name in ("start_date", "end_date", "updated_after", "updated_before")
    )
    place, most = city.jurisdiction, LOOKED_THROUGH + 1
    if (after or before) and not (start or end):
        # Instead of the last 90 days; what changed is found by its change.
        until = before or now
        since = after or until - georeport.SPAN
        if until < since:
            raise InvalidArgument("updated_before", "is before updated_after")
        found = open311_requests.updated(place, since, until, most)
        # The latest change is not the newest report: only all of them can be put in order.
        if len(found) == most:
            raise InvalidArgument(
                "updated_after", f"covers over {LOOKED_THROUGH} requests: ask for less"
            )
        return found, True
    since, until = georeport.window(start, end, now)
    narrowed = any(asked.get(name) for name in _NARROWING)
    reach = most if narrowed else needed
    found = open311_requests.filed(place, since, until, reach)
    # Told without fractions, the last second belongs to the span.
    low, high = iso(after) if after else "", iso(before + _SECOND) if before else "~"
    whole = len(found) < reach or not narrowed
    return [row for row in found if low <= row["updated"] <= high], whole


def _filter(asked: dict[str, str | None]) -> Callable[[Row], bool]:
    """Whether a row is one of those asked for, by service, status and place."""
    codes = _listed(asked.get("service_code"))
    states = {one.lower() for one in _listed(asked.get("status"))}
    if not states <= {"open", "closed"}:
        raise InvalidArgument("status", "may be open, closed or both")
    box = _numbers("bbox", asked["bbox"], 4) if asked.get("bbox") else None
    centre = None
    if asked.get("lat") and asked.get("long"):
        centre = [_numbers(name, asked[name], 1)[0] for name in ("lat", "long")]
    radius = _numbers("radius", asked.get("radius") or "500", 1)[0]

    def fits(row: Row) -> bool:
        lat, long = (part / 1e7 for part in row["place"])
        return (
            (not codes or row["service"] in codes)
            and (not states or _status(row) in states)
            and (box is None or (box[0] <= long <= box[2] and box[1] <= lat <= box[3]))
            and (centre is None or distance_m(lat, long, centre[0], centre[1]) <= radius)
        )

    return fits


def _listed(text: str | None) -> list[str]:
    return [one.strip() for one in (text or "").split(",") if one.strip()]


def _by_ids(
    jurisdiction: str, wanted: list[str], languages: tuple[str, ...], *, extended: bool
) -> list[dict[str, Any]]:
    rows = []
    for one in wanted:
        head = reports.get(jurisdiction, one) if _ID.fullmatch(one) else None
        if head is not None and not head.hidden:
            rows.append(row_of(head))
    return told(jurisdiction, rows, languages, extended=extended)


def row_of(head: Report) -> Row:
    """A report's row as the projection will have it."""
    updated = iso(head.closed_at or head.changed_at)
    event = {"report": head.id, "rules": head.city_version, "at": updated, "after": facts(head)}
    row = open311_requests.row_of(event)
    assert row is not None
    return row


def told(
    jurisdiction: str, rows: list[Row], languages: tuple[str, ...] = (), *, extended: bool = False
) -> list[dict[str, Any]]:
    """Rows as requests, with the words of their reporters; names are in the first of ``languages``
    that the city has."""
    texts = open311_requests.descriptions(jurisdiction, [row["id"] for row in rows])
    told = [_request(jurisdiction, row, texts.get(row["id"]), languages) for row in rows]
    if extended:
        for one, row in zip(told, rows, strict=True):
            one["extended_attributes"] = _extended(row, one["media_url"])
    return told


def _extended(row: Row, media_url: str | None) -> dict[str, Any]:
    """What the standard has no word for, as some cities add it with ``extensions=true``."""
    return {
        "detailed_status": row["state"],
        "resolution": row["resolution"],
        "ward": row["ward"],
        "district": row["district"],
        "unit": row["unit"],
        "agency": row["agency"],
        "photos": [{"media_url": media_url}] if media_url else [],
    }


def _is_true(text: str | None) -> bool:
    return (text or "").lower() == "true"


def _request(
    jurisdiction: str, row: Row, description: str | None, languages: tuple[str, ...]
) -> dict[str, Any]:
    city = cities.at(jurisdiction, row["rules"])
    language = city.choose_language(*languages)
    service = city.services[row["service"]]
    responsible = city.units[row["agency"] or row["unit"]]
    areas = [city.areas[code].name for code in (row["ward"], row["district"])]
    lat, long = (part / 1e7 for part in row["place"])
    resolution = row["resolution"]
    return {
        "service_request_id": row["id"],
        "status": _status(row),
        "status_notes": resolution or row["state"],
        "service_name": city.text(service.name, language),
        "service_code": service.code,
        "description": description,
        "agency_responsible": city.text(responsible.name, language),
        "service_notice": None,
        "requested_datetime": georeport.format_time(ids.moment(row["id"])),
        "updated_datetime": georeport.format_time(parse(row["updated"])),
        "expected_datetime": georeport.format_time(parse(row["due_at"])),
        "address": ", ".join([*areas, city.text(city.name, language)]),
        "address_id": row["ward"],
        "zipcode": None,
        "lat": lat,
        "long": long,
        "media_url": photo_views.permanent_address(jurisdiction, row["id"], row["picture"]),
    }


def _status(row: Row) -> str:
    found: str = table()["states"][row["state"]]["open311"]
    return found


def _number(asked: dict[str, str | None], names: tuple[str, ...], default: int) -> int:
    for name in names:
        if text := asked.get(name):
            if not text.isascii() or not text.isdigit() or len(text) > 6:
                raise InvalidArgument(name, "must be a whole number")
            return max(1, min(int(text), default if default > 1 else LOOKED_THROUGH))
    return default


def _numbers(name: str, text: str | None, many: int) -> list[float]:
    try:
        found = [float(one) for one in (text or "").split(",")]
    except ValueError:
        found = []
    if len(found) != many or not all(abs(one) < 1e9 for one in found):
        raise InvalidArgument(name, f"must be {many} number{'s' if many > 1 else ''}")
    return found
