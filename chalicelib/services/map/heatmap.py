"""Numbers of reports in map cells and districts, from counters: no report is read.

Tests: tests/integration/test_map.py
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.domain.map import heat_counters
from chalicelib.domain.map.geohash import Box
from chalicelib.domain.map.tiles import tiles
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.map import filters, parameters
from chalicelib.services.platform.answer_types import HeatMap, MapCells
from chalicelib.storage import heat as store

ZOOM = heat_counters.ZOOM


@dataclass(frozen=True)
class HeatQuery:
    """What to count: reports filed on the days ``first`` to ``last`` (``YYYY-MM-DD`` in the city's
    time zone, both included; without them: all), ``status`` ``open`` or ``closed``, in each z16
    cell that touches ``bbox``.
    """

    zoom: int
    bbox: str | None = None
    first: str | None = None
    last: str | None = None
    service: str | None = None
    status: str | None = None


def cells(jurisdiction: str, query: HeatQuery, now: datetime) -> HeatMap:
    """The numbers of reports by web-mercator cell of a zoom (at most 16), and by district.

    Costs one Query for each month (four with a box), and one for the whole city without days.
    Raises ``Problem``: too_many_cells and problems of the filters.
    """
    city = cities.current(jurisdiction, now)
    filters.check(city, query)
    start, end = parameters.days(query.first, query.last, date.fromisoformat(city.today(now)))
    reach = tiles(parameters.box(query.bbox), ZOOM) if query.bbox is not None else None
    spans = heat_counters.spans(start, end, query.service, reach)
    counts, whole = _sum(jurisdiction, spans, query.status, reach)
    many: Counter[tuple[int, int]] = Counter()
    districts: Counter[str] = Counter()
    for (x, y, district), n in counts.items():
        many[x >> ZOOM - query.zoom, y >> ZOOM - query.zoom] += n
        districts[district] += n
    if not whole or len(many) > parameters.limits()["cells"]:
        raise Problem("too_many_cells", field="z", limit=parameters.limits()["cells"])
    return {
        "z": query.zoom,
        "from": start.isoformat() if start else None,
        "to": end.isoformat() if end else None,
        "total": sum(districts.values()),
        "cells": [[x, y, n] for (x, y), n in sorted(many.items())],
        "districts": [[code, n] for code, n in sorted(districts.items())],
    }


def cells_around(jurisdiction: str, box: Box, service: str | None, opened: bool) -> MapCells:
    """The numbers of open reports, or of all closed ones, by z16 cell that touches a box. Costs one
    Query."""
    status = "open" if opened else "closed"
    reach = tiles(box, ZOOM)
    counts, _ = _sum(
        jurisdiction, heat_counters.spans(None, None, service, reach, 1), status, reach
    )
    many: Counter[tuple[int, int]] = Counter()
    for (x, y, _), n in counts.items():
        many[x, y] += n
    return {"z": ZOOM, "cells": [[x, y, n] for (x, y), n in sorted(many.items())]}


def _sum(
    jurisdiction: str,
    spans: list[heat_counters.Span],
    status: str | None,
    reach: heat_counters.Tiles | None,
) -> tuple[Counter[tuple[int, int, str]], bool]:
    """{(x, y, district): n} of z16 cells, and whether all counters were read."""
    read, whole = store.documents(jurisdiction, spans)
    total: Counter[tuple[int, int, str]] = Counter()
    for documents in read:
        for key, counters in documents.items():
            for cell in heat_counters.cells(key, counters):
                if reach and not (
                    reach[0] <= cell.x <= reach[2] and reach[1] <= cell.y <= reach[3]
                ):
                    continue
                n = _of_status(cell, status)
                if n:
                    total[cell.x, cell.y, cell.district] += n
    return total, whole


def _of_status(cell: heat_counters.Cell, status: str | None) -> int:
    if status is None:
        return cell.received
    return cell.open if status == "open" else cell.received - cell.open
