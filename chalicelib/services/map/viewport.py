"""The reports in a box of the map: open ones, and closed ones of given months, newest first.

Tests: tests/integration/test_map.py
"""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor

from chalicelib.domain.map.cover import box_ranges
from chalicelib.domain.map.geohash import Box
from chalicelib.domain.map.pin import Pin
from chalicelib.domain.map.tiles import tile
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.map import changes, filters, geojson, heatmap, parameters
from chalicelib.services.map.filters import CLOSED
from chalicelib.services.platform.answer_types import MapCells
from chalicelib.storage import report_lists


@dataclass(frozen=True)
class ViewQuery:
    """A box and filters (``filters.FILTERS``). ``status``: ``open``, ``closed`` or one state."""

    bbox: str
    limit: int
    status: str | None = None
    service: str | None = None
    district: str | None = None
    since: str | None = None
    closed_from: str | None = None
    closed_to: str | None = None


def view(jurisdiction: str, query: ViewQuery, now: datetime) -> str:
    """A GeoJSON FeatureCollection (JSON text) of exactly the reports in the box that fit.

    If there are more than ``limit``, the answer has ``"truncated": true`` and numbers by z16 cell
    instead. Costs at most nine Query calls in parallel, eight more for each closed month, and one
    for the counters if a range has more rows than one page (1 MB, about 7,000). ``changes`` is a
    cursor for ``GET /v1/changes`` from a little before this answer.
    """
    box = parameters.box(query.bbox, parameters.limits()["box_degrees"])
    months = parameters.months(query.closed_from, query.closed_to)
    if query.status == CLOSED and not months:
        raise Problem("missing_parameter", field="closed_from")
    city = cities.current(jurisdiction, now)
    filters.check(city, query)
    opened = query.status != CLOSED
    areas = [report_lists.open_area(jurisdiction)] if opened else []
    if query.status in (None, CLOSED):
        areas += [report_lists.closed_area(jurisdiction, month) for month in months]
    rows, whole = report_lists.pins(areas, box_ranges(box), parameters.limits()["range_rows"])
    pins = filters.fitting(city, query, _inside(rows, box))
    cursor = json.dumps(changes.cursor_before(jurisdiction, now))
    if whole and len(pins) <= query.limit:
        pins.sort(reverse=True)
        shown = geojson.array(pins)
        return f'{{"type":"FeatureCollection","features":{shown},"changes":{cursor}}}'
    cells = (
        _count_cells(pins)
        if whole
        else heatmap.cells_around(jurisdiction, box, query.service, opened)
    )
    counted = json.dumps(cells, separators=(",", ":"))
    return (
        f'{{"type":"FeatureCollection","features":[],"truncated":true,"cells":{counted},'
        f'"changes":{cursor}}}'
    )


def _inside(rows: list[Pin], box: Box) -> list[Pin]:
    """The pins in the box, edges included."""
    # In units of 1e-7°, in which points are stored, so that a point on the edge is inside.
    south, west = (ceil(round(edge * 1e7, 3)) for edge in box[:2])
    north, east = (floor(round(edge * 1e7, 3)) for edge in box[2:])
    return [pin for pin in rows if south <= pin.lat7 <= north and west <= pin.long7 <= east]


def _count_cells(pins: list[Pin]) -> MapCells:
    many = Counter(tile(pin.lat7 / 1e7, pin.long7 / 1e7, heatmap.ZOOM) for pin in pins)
    return {"z": heatmap.ZOOM, "cells": [[x, y, n] for (x, y), n in sorted(many.items())]}
