"""Open reports around a point, nearest first, also as possible duplicates of a new report.

Tests: tests/integration/test_map.py
"""

from dataclasses import dataclass
from datetime import datetime

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.map.cover import TooWide, circle_ranges
from chalicelib.domain.map.geohash import distance_m
from chalicelib.domain.map.pin import Pin
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.map import filters
from chalicelib.services.platform.answer_types import NearPage, NearReport
from chalicelib.storage import report_lists

NEAREST = 5
READ_LIMIT = 3000


@dataclass(frozen=True)
class NearbyQuery:
    """A point, a radius in metres, and filters."""

    lat: float
    long: float
    radius: float
    limit: int
    service: str | None = None
    group: str | None = None


def around(jurisdiction: str, query: NearbyQuery, now: datetime) -> NearPage:
    """At most ``limit`` open public reports within ``radius`` metres (≤ 1 km) of a point.

    ``truncated`` says that there are more. Costs at most four Query calls of ``READ_LIMIT`` rows.
    """
    city = cities.current(jurisdiction, now)
    filters.check(city, query)
    try:
        near, whole = _within(city, query.lat, query.long, query.radius)
    except TooWide:
        # Near a pole, a circle touches too many cells.
        raise Problem("circle_too_wide", field="radius") from None
    kept = {pin.id for pin in filters.fitting(city, query, (pin for _, pin in near))}
    fitting = [(away, pin) for away, pin in near if pin.id in kept]
    page: NearPage = {"reports": [_shown(away, pin) for away, pin in fitting[: query.limit]]}
    if not whole or len(fitting) > query.limit:
        page["truncated"] = True
    return page


def same_problem(city: City, report: Report) -> list[NearReport]:
    """At most five open reports of the same service group within the city's ``duplicate_m``,
    nearest first."""
    near, _ = _within(city, report.lat, report.long, city.rules["duplicate_m"])
    same = [
        (away, pin)
        for away, pin in near
        if filters.group_of(city, pin) == report.group and pin.id != report.id
    ]
    return [_with_filing(away, pin) for away, pin in same[:NEAREST]]


def _within(
    city: City, lat: float, long: float, radius: float
) -> tuple[list[tuple[float, Pin]], bool]:
    ranges = circle_ranges(lat, long, radius)
    pins, whole = report_lists.pins([report_lists.open_area(city.jurisdiction)], ranges, READ_LIMIT)
    measured = ((distance_m(lat, long, pin.lat7 / 1e7, pin.long7 / 1e7), pin) for pin in pins)
    return sorted(pair for pair in measured if pair[0] <= radius), whole


def _row(away: float, pin: Pin) -> NearReport:
    return {"id": pin.id, "service": pin.service, "state": pin.state, "distance_m": round(away)}


def _with_filing(away: float, pin: Pin) -> NearReport:
    row = _row(away, pin)
    row["filed_at"] = iso(ids.moment(pin.id))
    return row


def _shown(away: float, pin: Pin) -> NearReport:
    row = _row(away, pin)
    row["lat"], row["long"] = pin.lat7 / 1e7, pin.long7 / 1e7
    if pin.late:
        row["late"] = True
    return row
