"""What stored scorecards hold, as types: a card, its figures, a month's record.

Tests: tests/integration/test_scorecards.py
"""

from typing import Any, NotRequired, TypedDict


class Figure(TypedDict):
    """A measure of a card: its value, the numbers behind it, and how sure it is.

    ``low`` and ``high``: the interval of a rate; ``median`` and ``p90`` of times.
    """

    measure: str
    value: float | None
    numerator: float | None
    denominator: float | None
    n: float | None
    low: NotRequired[float | None]
    high: NotRequired[float | None]
    median: NotRequired[float | None]
    p90: NotRequired[float | None]


class Card(TypedDict):
    """The scorecard of a city, district, ward, unit or official; ``rank`` is ``of`` so many."""

    kind: str
    code: str
    n: float | None
    score: float | None
    ranked: bool
    rank: int | None
    of: int | None
    measures: list[Figure]


class PassRate(TypedDict):
    """How many closings of a district passed their audit, and the rate that is used."""

    passed: int
    audited: int
    used: float


class Closing(TypedDict):
    """A closing drawn for the audit of a month; ``result`` once it was audited."""

    report: str
    resolution: str | None
    closed_at: str | None
    district: NotRequired[str]
    result: NotRequired[str | None]


class ScoreMonth(TypedDict):
    """A month's present revision: its stage, the folder of its cards, and the settings of scores.

    ``edition`` counts all writes. ``tombstones``: files whose rows were made anonymous; ``changes``
    and ``because``: what the last revision changed, and which reports did it.
    """

    month: str
    stage: str
    revision: int
    folder: str
    edition: int
    rules: str
    until: str
    settings: dict[str, Any]
    digest: str
    closed_at: str
    checked: NotRequired[str]
    history: list[dict[str, Any]]
    tombstones: NotRequired[list[dict[str, Any]]]
    changes: NotRequired[list[dict[str, Any]]]
    because: NotRequired[list[str]]
