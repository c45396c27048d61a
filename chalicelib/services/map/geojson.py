"""Pins as GeoJSON, written as text. Building a thousand dictionaries would take longer than reading
the pins.

Tests: tests/integration/test_map.py
"""

import json
from collections.abc import Iterable
from functools import lru_cache

from chalicelib.domain.map.pin import Pin


def feature(pin: Pin) -> str:
    """A pin as a GeoJSON Feature."""
    return (
        f'{{"type":"Feature","id":"{pin.id}","geometry":{{"type":"Point","coordinates":'
        f"[{pin.long7 / 1e7},{pin.lat7 / 1e7}]}},"
        f'"properties":{_properties(pin.state, pin.service, pin.late)}}}'
    )


def array(pins: Iterable[Pin]) -> str:
    """Pins as a JSON array of Features."""
    return f"[{','.join(map(feature, pins))}]"


@lru_cache(maxsize=4096)
def _properties(state: str, service: str, late: bool) -> str:
    properties = {"state": state, "service": service, **({"late": True} if late else {})}
    return json.dumps(properties, separators=(",", ":"), ensure_ascii=False)
