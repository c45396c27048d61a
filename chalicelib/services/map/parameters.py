"""What may be asked of the map: boxes, filters and windows, each refused with 400 where wrong."""

import re
from datetime import date, timedelta
from functools import cache
from typing import Any

from chalicelib import rules
from chalicelib.domain.city.city import City
from chalicelib.domain.map.geohash import Box
from chalicelib.errors import Problem

_BOX = re.compile(r"-?\d{1,3}(\.\d{1,12})?(,-?\d{1,3}(\.\d{1,12})?){3}")


@cache
def limits() -> dict[str, Any]:
    """The limits of rules/map.json."""
    found: dict[str, Any] = rules.load("map")
    return found


def box(text: str, side: float | None = None) -> Box:
    """The box of ``west,south,east,north`` (RFC 7946's order), degrees.

    Raises ``invalid_box`` for what is none, for one turned inside out (so also for one across the
    180th meridian), and ``box_too_large`` where a side is longer than ``side`` degrees.
    """
    if not _BOX.fullmatch(text):
        raise Problem("invalid_box", field="bbox")
    west, south, east, north = map(float, text.split(","))
    if not (-90 <= south <= north <= 90 and -180 <= west <= east <= 180):
        raise Problem("invalid_box", field="bbox")
    # A hair wider than told, for the sums of whoever cuts the world into views.
    if side is not None and max(north - south, east - west) > side * (1 + 1e-9):
        raise Problem("box_too_large", field="bbox", limit=side)
    return south, west, north, east


def check_filters(city: City, **asked: str | None) -> None:
    """Raise ``unknown_filter`` for a service, group or district that the city does not have.

    A protected service is unknown to the map.
    """
    there = {
        "service": {code for code, one in city.services.items() if not one.protected},
        "group": city.groups.keys(),
        "district": {area.code for area in city.areas_of_level(-2)},
    }
    for name, value in asked.items():
        if value is not None and value not in there[name]:
            raise Problem("unknown_filter", field=name)


def months(first: str | None, last: str | None) -> list[str]:
    """The months (``YYYYMM``) from the first to the last, the last being the first by default.

    Raises ``window_invalid`` for a last without a first or before it, or too many.
    """
    if first is None:
        if last is not None:
            raise Problem("missing_parameter", field="closed_from")
        return []
    last = last or first
    start, end = (int(one[:4]) * 12 + int(one[4:]) - 1 for one in (first, last))
    most = limits()["closed_months"]
    if not start <= end < start + most:
        raise Problem("window_invalid", field="closed_to", limit=f"{most} months")
    return [f"{number // 12:04}{number % 12 + 1:02}" for number in range(start, end + 1)]


def days(first: str | None, last: str | None, today: date) -> tuple[date | None, date | None]:
    """The days from ``YYYY-MM-DD`` to another, both included; without a last, until today.

    Neither is ever. Raises ``window_invalid`` for a last before the first, too many days, or a
    century that no report is from.
    """
    if first is None:
        if last is not None:
            raise Problem("missing_parameter", field="from")
        return None, None
    start, end = date.fromisoformat(first), date.fromisoformat(last) if last else today
    most = limits()["window_days"]
    known = 2000 <= start.year <= end.year < 2100
    if not known or not start <= end or end - start >= timedelta(days=most):
        raise Problem("window_invalid", field="to", limit=f"{most} days")
    return start, end
