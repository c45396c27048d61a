"""How GeoReport shows a request: its names in the reader's language, without personal data.

Tests: tests/e2e/test_open311.py
"""

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.open311 import georeport
from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import facts
from chalicelib.domain.timestamps import iso, parse
from chalicelib.domain.workflow.table import table
from chalicelib.services.city import cities
from chalicelib.services.notifications.alert_texts import local_time
from chalicelib.services.photos import photo_views
from chalicelib.services.platform.catalogue import message_text
from chalicelib.storage import open311_requests
from chalicelib.storage.open311_requests import Row

# How many versions of the city an answer reads to name services, units and wards.
VERSIONS_AT_MOST = 40
DUPLICATE = "duplicate"


def row_of(head: Report) -> Row:
    """A report's row, as the projection writes it."""
    updated = iso(head.closed_at or head.changed_at)
    row = open311_requests.row(head.id, head.city_version, updated, facts(head))
    assert row is not None
    return row


def to_requests(
    jurisdiction: str,
    rows: list[Row],
    languages: tuple[str, ...] = (),
    *,
    extended: bool = False,
    goes_on: Mapping[str, str] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """GeoReport requests of rows, with their descriptions. Names are in the first of ``languages``
    that the city has. ``goes_on``: {merged request: its original}, where these are known."""
    texts = open311_requests.descriptions(jurisdiction, [row["id"] for row in rows])
    city_of = _city_of(jurisdiction, rows)
    requests = [
        {
            **_request(city_of(row), row, texts.get(row["id"]), languages),
            "service_notice": _notice(city_of(row), row, languages, goes_on.get(row["id"])),
        }
        for row in rows
    ]
    if extended:
        for request, row in zip(requests, rows, strict=True):
            request["extended_attributes"] = _extended(row, request["media_url"])
    return requests


def _city_of(jurisdiction: str, rows: list[Row]) -> Callable[[Row], City]:
    """A function that gives the city version to name a row by.

    It is the row's own version, of which at most ``VERSIONS_AT_MOST`` are read. Rows of rarer
    versions are named by one of these that has all their codes.
    """
    count = Counter(row["rules"] for row in rows)
    versions = [version for version, _ in count.most_common(VERSIONS_AT_MOST)]
    read = {version: cities.at(jurisdiction, version) for version in versions}

    def city_of(row: Row) -> City:
        if row["rules"] in read:
            return read[row["rules"]]
        fitting = (city for city in read.values() if _has_codes(city, row))
        return next(fitting, None) or cities.at(jurisdiction, row["rules"])

    return city_of


def _has_codes(city: City, row: Row) -> bool:
    return (
        row["service"] in city.services
        and (row["agency"] or row["unit"]) in city.units
        and {row["ward"], row["district"]} <= city.areas.keys()
    )


def _extended(row: Row, media_url: str | None) -> dict[str, Any]:
    """The fields of ``extensions=true``, which some cities add to the standard."""
    return {
        "detailed_status": row["state"],
        "resolution": row["resolution"],
        "ward": row["ward"],
        "district": row["district"],
        "unit": row["unit"],
        "agency": row["agency"],
        "photos": [{"media_url": media_url}] if media_url else [],
    }


def _request(
    city: City, row: Row, description: str | None, languages: tuple[str, ...]
) -> dict[str, Any]:
    jurisdiction = city.jurisdiction
    language = city.choose_language(*languages)
    service = city.services[row["service"]]
    responsible = city.units[row["agency"] or row["unit"]]
    areas = [city.areas[code].name for code in (row["ward"], row["district"])]
    lat, long = (part / 1e7 for part in row["place"])
    resolution = row["resolution"]
    return {
        "service_request_id": row["id"],
        "status": status_of(row),
        "status_notes": message_text(f"status.{resolution or row['state']}", language, city),
        "service_name": city.text(service.name, language),
        "service_code": service.code,
        "description": description,
        "agency_responsible": city.text(responsible.name, language),
        "service_notice": None,
        "requested_datetime": georeport.format_time(ids.moment(row["id"])),
        "updated_datetime": georeport.format_time(parse(row["updated"])),
        "expected_datetime": georeport.format_time(parse(row["due_at"])) if row["due_at"] else None,
        "address": ", ".join([*areas, city.text(city.name, language)]),
        "address_id": row["ward"],
        "zipcode": None,
        "lat": lat,
        "long": long,
        "media_url": photo_views.permanent_address(jurisdiction, row["id"], row["picture"]),
    }


def _notice(city: City, row: Row, languages: tuple[str, ...], original: str | None) -> str | None:
    """What the city promises, or where a merged request goes on."""
    language = city.choose_language(*languages)
    if original:
        return message_text("status_notice.merged", language, city, id=original)
    if row["due_at"] is None or row["resolution"] == DUPLICATE:
        return None
    return promise(row["due_at"], city, language)


def promise(due_at: str, city: City, language: str) -> str:
    """Until when the city promises to settle a request, in words."""
    return message_text("status_notice", language, city, due=local_time(due_at, city))


def status_of(row: Row) -> str:
    """A row's status in GeoReport: open or closed."""
    status: str = table()["states"][row["state"]]["open311"]
    return status
