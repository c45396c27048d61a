"""Open reports of the same problem close by: what the reporter sees before or after sending."""

from typing import Any

from chalicelib.domain.city import City
from chalicelib.domain.geohash import distance_m, ranges_around
from chalicelib.domain.report import Report
from chalicelib.storage import reports

NEAREST = 5
READ_LIMIT = 300


def same_problem(city: City, report: Report) -> list[dict[str, Any]]:
    """At most five open reports of the service's group within ``duplicate_m``, nearest first.

    Costs at most four Query calls of ``READ_LIMIT`` rows each.
    """
    reach = city.rules["duplicate_m"]
    found = []
    for cell, low, high in ranges_around(report.lat, report.long, reach):
        for card in reports.open_in_range(city.jurisdiction, cell, low, high, READ_LIMIT):
            away = distance_m(report.lat, report.long, card.lat7 / 1e7, card.long7 / 1e7)
            if away <= reach and card.group == report.group and card.id != report.id:
                found.append((away, card))
    found.sort(key=lambda pair: (pair[0], pair[1].id))
    return [
        {
            "id": card.id,
            "service": card.service,
            "state": card.state,
            "filed_at": card.filed_at,
            "distance_m": round(away),
        }
        for away, card in found[:NEAREST]
    ]
