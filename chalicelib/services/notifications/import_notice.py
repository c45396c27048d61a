"""One notice to each unit after an import: how many open reports of an old system it has now.

It is written only if the command asks for it (docs/decisions/imported-history.md).

Tests: tests/integration/test_import_undo.py
"""

from collections.abc import Mapping
from datetime import datetime

from chalicelib.domain.city.city import City
from chalicelib.domain.message_types import Notice
from chalicelib.domain.timestamps import iso
from chalicelib.services.platform import urls
from chalicelib.services.platform.catalogue import official_text
from chalicelib.storage import control
from chalicelib.storage.transactions import Refused, commit

EVENT = "imported"


def tell(city: City, run: str, open_by_unit: Mapping[str, int], now: datetime) -> list[str]:
    """Write the notice of each unit that got open reports, once an import. Returns the units."""
    units = []
    for unit, count in sorted(open_by_unit.items()):
        if unit not in city.units or not count:
            continue
        name = f"{EVENT}:{run}:{unit}"
        message: Notice = {
            "kind": "notice",
            "jurisdiction": city.jurisdiction,
            "rules": city.version,
            "event": EVENT,
            "level": EVENT,
            "unit": unit,
            "district": sorted(city.units[unit].districts),
            "service": sorted(city.services),
            "audience": [f"unit:{unit}"],
            "dedupe": f"{city.jurisdiction}:{name}",
            "subject": official_text(city, "imported.subject"),
            "text": official_text(
                city,
                "imported.text",
                unit=city.text(city.units[unit].name),
                n=count,
                link=urls.in_city(city.jurisdiction, "/v1/queue"),
            ),
        }
        try:
            commit(control.put_notice(city.jurisdiction, name, iso(now), message))
        except Refused:
            continue  # Told already.
        units.append(unit)
    return units
