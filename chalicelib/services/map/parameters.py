"""Parameters of map requests: boxes, months and days. Wrong ones are refused with 400.

Tests: tests/integration/test_map.py
"""

import re
from datetime import date, timedelta
from functools import cache
from typing import Any

from chalicelib import rules
from chalicelib.domain import timestamps
from chalicelib.domain.map.geohash import Box
from chalicelib.errors import Problem

_BOX = re.compile(r"-?\d{1,3}(\.\d{1,12})?(,-?\d{1,3}(\.\d{1,12})?){3}", re.ASCII)


@cache
def limits() -> dict[str, Any]:
    """The limits of rules/map.json."""
    table: dict[str, Any] = rules.load("map")
    return table


def box(text: str, side: float | None = None) -> Box:
    """The box of ``west,south,east,north`` (the order of RFC 7946) in degrees.

    Raises ``Problem``: invalid_box, also if west > east (a box across the 180th meridian), and
    box_too_large, if a side is longer than ``side`` degrees.
    """
    if not _BOX.fullmatch(text):
        raise Problem("invalid_box", field="bbox")
    west, south, east, north = map(float, text.split(","))
    if not (-90 <= south <= north <= 90 and -180 <= west <= east <= 180):
        raise Problem("invalid_box", field="bbox")
    # A small tolerance for rounding in clients that compute their boxes.
    if side is not None and max(north - south, east - west) > side * (1 + 1e-9):
        raise Problem("box_too_large", field="bbox", limit=side)
    return south, west, north, east


def months(first: str | None, last: str | None) -> list[str]:
    """The months (``YYYYMM``) from first to last; without a last, only the first.

    Raises ``Problem``: missing_parameter for a last without a first; window_invalid if it is before
    the first, or there are too many months.
    """
    if first is None:
        if last is not None:
            raise Problem("missing_parameter", field="closed_from")
        return []
    last = last or first
    most = limits()["closed_months"]
    if not 0 <= timestamps.months_between(first, last) < most:
        raise Problem("window_invalid", field="closed_to", limit=f"{most} months")
    return timestamps.months(first, last)


def days(first: str | None, last: str | None, today: date) -> tuple[date | None, date | None]:
    """The days (``YYYY-MM-DD``) from first to last, both included; without a last, until today;
    without both, (``None``, ``None``): all days.

    Raises ``Problem``: missing_parameter, and window_invalid for a last before the first, too many
    days, or a year outside 2000–2099.
    """
    if first is None:
        if last is not None:
            raise Problem("missing_parameter", field="from")
        return None, None
    start, end = date.fromisoformat(first), date.fromisoformat(last) if last else today
    most = limits()["window_days"]
    in_range = 2000 <= start.year <= end.year < 2100
    if not in_range or not start <= end or end - start >= timedelta(days=most):
        raise Problem("window_invalid", field="to", limit=f"{most} days")
    return start, end
