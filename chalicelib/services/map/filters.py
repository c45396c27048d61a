"""The filters of the map: the values that a city has, and which pins a value keeps.

A query names its filters as fields; a field without a value keeps every pin.

Tests: tests/integration/test_map.py
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.map.pin import Pin
from chalicelib.errors import Problem

CLOSED = "closed"
Keeps = Callable[[Pin], bool]


@dataclass(frozen=True)
class Filter:
    """``keeps`` tells which pins fit a value. ``values``: those that the city has; ``None`` if the
    schema of the route names all."""

    keeps: Callable[[City, str], Keeps]
    values: Callable[[City], Collection[str]] | None = None


def group_of(city: City, pin: Pin) -> str | None:
    """The service group of a pin; ``None`` for a service of an older city version."""
    service = city.services.get(pin.service)
    return service.group if service else None


def _services(city: City) -> Collection[str]:
    # Protected services are not on the map, so they are unknown too.
    return {code for code, service in city.services.items() if not service.protected}


def _districts(city: City) -> Collection[str]:
    return {area.code for area in city.areas_of_level(-2)}


def _equal(field: str) -> Callable[[City, str], Keeps]:
    return lambda _city, value: lambda pin: getattr(pin, field) == value


def _of_status(city: City, value: str) -> Keeps:
    # Open and closed reports are read from different rows.
    return lambda pin: value in ("open", CLOSED, pin.state)


def _of_group(city: City, value: str) -> Keeps:
    return lambda pin: group_of(city, pin) == value


def _since(city: City, value: str) -> Keeps:
    first = ids.floor(datetime.fromisoformat(value))
    return lambda pin: pin.id >= first


FILTERS: dict[str, Filter] = {
    "status": Filter(_of_status),
    "service": Filter(_equal("service"), _services),
    "group": Filter(_of_group, lambda city: city.groups),
    "district": Filter(_equal("district"), _districts),
    "since": Filter(_since),
}


def check(city: City, query: Any) -> None:
    """Raise ``Problem``: unknown_filter, for a value of a query's filter that the city lacks."""
    for name, value in _given(query):
        values = FILTERS[name].values
        if values is not None and value not in values(city):
            raise Problem("unknown_filter", field=name)


def fitting(city: City, query: Any, pins: Iterable[Pin]) -> list[Pin]:
    """The pins that fit all filters of a query."""
    kept = list(pins)
    for name, value in _given(query):
        keeps = FILTERS[name].keeps(city, value)
        kept = [pin for pin in kept if keeps(pin)]
    return kept


def _given(query: Any) -> list[tuple[str, str]]:
    """(name, value) of the filters that a query uses."""
    values = ((name, getattr(query, name, None)) for name in FILTERS)
    return [(name, value) for name, value in values if value is not None]
