"""The versions of the way in which figures become scores and ranks (rules/engines.json).

A month stores the version by which it was first judged, as a setting; without one, it is the first.

Tests: tests/integration/test_golden_months.py
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from chalicelib import rules

# The version of months that were judged before there were versions.
FIRST = 1


@dataclass(frozen=True)
class Draws:
    """How the interval of a score is drawn: ``low`` and ``high`` count the sorted draws from 1.

    ``counts``: of 256 bytes, how many mean 0, 1, 2, … times. ``months``: see rules/engines.json.
    """

    draws: int
    low: int
    high: int
    counts: tuple[int, ...]
    months: int


@cache
def _rules() -> dict[str, Any]:
    known: dict[str, Any] = rules.load("engines")
    return known


def present() -> int:
    """The version by which new months are judged."""
    version: int = _rules()["version"]
    return version


def draws(version: int) -> Draws | None:
    """How a version draws intervals; ``None`` of the first, which has no intervals of scores."""
    rule = _rules()["versions"][str(version)]
    return Draws(**{**rule, "counts": tuple(rule["counts"])}) if rule else None
