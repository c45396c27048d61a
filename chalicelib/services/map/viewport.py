"""The map's view: the open reports of a box, and with months also the closed, newest first."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor
from typing import Any

from chalicelib import ids
from chalicelib.domain.map.cover import box_ranges
from chalicelib.domain.map.geohash import Box
from chalicelib.domain.map.pin import Pin
from chalicelib.domain.map.tiles import tile
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.map import changes, geojson, heatmap, parameters
from chalicelib.storage import reports

CLOSED = "closed"


@dataclass(frozen=True)
class ViewQuery:
    """What is asked: a box, and filters. ``status``: ``open``, ``closed`` or one state."""

    bbox: str
    limit: int
    status: str | None = None
    service: str | None = None
    district: str | None = None
    since: str | None = None
    closed_from: str | None = None
    closed_to: str | None = None


def view(jurisdiction: str, asked: ViewQuery, now: datetime) -> str:
    """A GeoJSON FeatureCollection (text) of every report that fits: the exact set.

    More than ``asked.limit`` answers ``"truncated": true`` with counts of z16 cells instead. Costs
    at most nine Query calls, in one round, and eight more a closed month; where more rows than a
    page holds (1 MB, about 7,000) lie in one of their ranges, one more for the counters.
    ``changes`` is a cursor for ``GET /v1/changes`` from a little before this answer.
    """
    box = parameters.box(asked.bbox, parameters.limits()["box_degrees"])
    months = parameters.months(asked.closed_from, asked.closed_to)
    if asked.status == CLOSED and not months:
        raise Problem("missing_parameter", field="closed_from")
    city = cities.current(jurisdiction, now)
    parameters.check_filters(city, service=asked.service, district=asked.district)
    opened = asked.status != CLOSED
    areas = [reports.open_area(jurisdiction)] if opened else []
    if asked.status in (None, CLOSED):
        areas += [reports.closed_area(jurisdiction, month) for month in months]
    rows, whole = reports.pins(areas, box_ranges(box), parameters.limits()["range_rows"])
    found = _fitting(rows, box, asked)
    cursor = json.dumps(changes.cursor_before(jurisdiction, now))
    if whole and len(found) <= asked.limit:
        found.sort(reverse=True)
        shown = geojson.array(found)
        return f'{{"type":"FeatureCollection","features":{shown},"changes":{cursor}}}'
    cells = (
        _counted(found) if whole else heatmap.cells_around(jurisdiction, box, asked.service, opened)
    )
    counted = json.dumps(cells, separators=(",", ":"))
    return (
        f'{{"type":"FeatureCollection","features":[],"truncated":true,"cells":{counted},'
        f'"changes":{cursor}}}'
    )


def _fitting(rows: list[Pin], box: Box, asked: ViewQuery) -> list[Pin]:
    """The pins in the box, edges included, that the filters let through."""
    # In whole units of 1e-7°, as points are kept: a border drawn through one holds it.
    south, west = (ceil(round(edge * 1e7, 3)) for edge in box[:2])
    north, east = (floor(round(edge * 1e7, 3)) for edge in box[2:])
    found = [
        pin for pin in rows if south <= pin.lat7 <= north and west <= pin.long7 <= east
    ]  # fmt: skip
    if asked.status not in (None, "open", CLOSED):
        found = [pin for pin in found if pin.state == asked.status]
    if asked.service is not None:
        found = [pin for pin in found if pin.service == asked.service]
    if asked.district is not None:
        found = [pin for pin in found if pin.district == asked.district]
    if asked.since is not None:
        first = ids.floor(datetime.fromisoformat(asked.since))
        found = [pin for pin in found if pin.id >= first]
    return found


def _counted(found: list[Pin]) -> dict[str, Any]:
    many = Counter(tile(pin.lat7 / 1e7, pin.long7 / 1e7, heatmap.ZOOM) for pin in found)
    return {"z": heatmap.ZOOM, "cells": [[x, y, n] for (x, y), n in sorted(many.items())]}
