"""A unit of a city: an office that repairs, and the Open311 server that it may have.

Tests: tests/unit/test_city_files.py
"""

from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.input.languages import Text


@dataclass(frozen=True)
class Open311Server:
    """The Open311 server of a unit that works with a system of its own.

    ``services``: {our code: {"code": their code, "attributes": {code: value}}}; "*" is for all
    other services, which keep their codes if it has no code. ``updates``: the server also has
    mySociety's extension. ``private``: private reports are sent to it too.
    """

    endpoint: str
    jurisdiction_id: str | None = None
    format: str = "json"
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    updates: bool = False
    private: bool = True


@dataclass(frozen=True)
class Unit:
    """An office that repairs; ``kind`` is district, agency, province or bureau."""

    code: str
    name: Text
    kind: str
    districts: frozenset[str]
    outside: Open311Server | None = None


def read_unit(row: dict[str, Any]) -> Unit:
    """The unit of a row of a bundle."""
    return Unit(
        row["code"],
        row["name"],
        row["kind"],
        frozenset(row["districts"]),
        Open311Server(**row["open311"]) if "open311" in row else None,
    )
