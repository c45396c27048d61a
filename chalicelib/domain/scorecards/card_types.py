"""What stored scorecards hold, as types: a card, its figures, a month's record.

Tests: tests/integration/test_scorecards.py
"""

from typing import Any, NotRequired, TypedDict, cast


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


class Placed(TypedDict):
    """The score of a card and its place; ``rank`` is ``of`` so many.

    Since the second engine ``rank`` is ``None``, and there are the ends of the score's interval,
    the best and the worst rank or band that it allows, how much was due in three months, and why
    there is no score.
    """

    score: float | None
    rank: int | None
    of: int | None
    ranked: bool
    n: float | None
    score_low: NotRequired[float | None]
    score_high: NotRequired[float | None]
    rank_best: NotRequired[int | None]
    rank_worst: NotRequired[int | None]
    band_low: NotRequired[str | None]
    band_high: NotRequired[str | None]
    due_in_three_months: NotRequired[float | None]
    unscored: NotRequired[str | None]


class Card(Placed):
    """The scorecard of a city, district, ward, unit or official."""

    kind: str
    code: str
    measures: list[Figure]


# The fields of ``Placed`` that cards have since the second engine.
RANGES = (
    "score_low", "score_high", "rank_best", "rank_worst", "band_low", "band_high",
    "due_in_three_months", "unscored",
)  # fmt: skip
PLACED = ("score", "rank", "of", "ranked", "n", *RANGES)
# Why a card has no score: too few reports due in three months; the city has no weights, or no data
# yet for any measure with a weight.
UNSCORED = TOO_FEW, NO_WEIGHTS, NO_DATA = "too_few_due", "no_weights", "no_data"


def placed(card: Card) -> Placed:
    """The score of a card and its place, as far as its engine has them."""
    fields = cast(dict[str, Any], card)
    return cast(Placed, {name: fields[name] for name in PLACED if name in fields})


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
