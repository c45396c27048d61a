"""Counts of places for the heat map, low zooms and districts, from counters alone."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from chalicelib.domain.map import heat_counters
from chalicelib.domain.map.geohash import Box
from chalicelib.domain.map.tiles import tiles
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.map import parameters
from chalicelib.storage import heat as store

ZOOM = heat_counters.ZOOM


@dataclass(frozen=True)
class HeatQuery:
    """Of which reports: filed on the days ``first`` to ``last`` (``YYYY-MM-DD``, the city's; both
    included; neither: ever), ``open`` or ``closed`` by now, in every z16 cell that a box touches.
    """

    zoom: int
    bbox: str | None = None
    first: str | None = None
    last: str | None = None
    service: str | None = None
    status: str | None = None


def cells(jurisdiction: str, asked: HeatQuery, now: datetime) -> dict[str, Any]:
    """How many reports each web-mercator cell of a zoom (at most 16) has, and each district.

    Costs a Query for each month touched (four with a box); the whole city
    ever, or in a month: one.
    """
    city = cities.current(jurisdiction, now)
    parameters.check_filters(city, service=asked.service)
    start, end = parameters.days(asked.first, asked.last, date.fromisoformat(city.today(now)))
    reach = tiles(parameters.box(asked.bbox), ZOOM) if asked.bbox is not None else None
    spans = heat_counters.spans(start, end, asked.service, reach)
    found, whole = _summed(jurisdiction, spans, asked.status, reach)
    many: Counter[tuple[int, int]] = Counter()
    districts: Counter[str] = Counter()
    for (x, y, district), n in found.items():
        many[x >> ZOOM - asked.zoom, y >> ZOOM - asked.zoom] += n
        districts[district] += n
    if not whole or len(many) > parameters.limits()["cells"]:
        raise Problem("too_many_cells", field="z", limit=parameters.limits()["cells"])
    return {
        "z": asked.zoom,
        "from": start.isoformat() if start else None,
        "to": end.isoformat() if end else None,
        "total": sum(districts.values()),
        "cells": [[x, y, n] for (x, y), n in sorted(many.items())],
        "districts": [[code, n] for code, n in sorted(districts.items())],
    }


def cells_around(jurisdiction: str, box: Box, service: str | None, opened: bool) -> dict[str, Any]:
    """The z16 cells that a box touches: what is open, or what was ever closed; one Query."""
    status = "open" if opened else "closed"
    reach = tiles(box, ZOOM)
    found, _ = _summed(
        jurisdiction, heat_counters.spans(None, None, service, reach, 1), status, reach
    )
    many: Counter[tuple[int, int]] = Counter()
    for (x, y, _), n in found.items():
        many[x, y] += n
    return {"z": ZOOM, "cells": [[x, y, n] for (x, y), n in sorted(many.items())]}


def _summed(
    jurisdiction: str,
    spans: list[heat_counters.Span],
    status: str | None,
    reach: heat_counters.Tiles | None,
) -> tuple[Counter[tuple[int, int, str]], bool]:
    """{(x, y, district): n} of z16 cells, and whether that is all."""
    read, whole = store.documents(jurisdiction, spans)
    found: Counter[tuple[int, int, str]] = Counter()
    for documents in read:
        for place, counts in documents.items():
            for cell in heat_counters.cells(place, counts):
                if reach and not (
                    reach[0] <= cell.x <= reach[2] and reach[1] <= cell.y <= reach[3]
                ):
                    continue
                n = _of_status(cell, status)
                if n:
                    found[cell.x, cell.y, cell.district] += n
    return found, whole


def _of_status(cell: heat_counters.Cell, status: str | None) -> int:
    if status is None:
        return cell.received
    return cell.open if status == "open" else cell.received - cell.open
