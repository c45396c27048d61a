"""A service of a city: a kind of problem with its questions, its promise and its unit.

Tests: tests/unit/test_city_files.py
"""

from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.input.languages import Text

# As GeoReport v2 names them.
QUESTION_TYPES = ("text", "number", "singlevaluelist", "multivaluelist", "datetime")


@dataclass(frozen=True)
class Target:
    """A promise in hours; ``clock`` is ``calendar`` (all hours) or ``working`` hours."""

    hours: float
    clock: str


@dataclass(frozen=True)
class Option:
    """One answer that can be chosen."""

    key: str
    name: Text


@dataclass(frozen=True)
class Question:
    """A service attribute: a question that a service asks. ``type``: see ``QUESTION_TYPES``."""

    code: str
    type: str
    required: bool
    label: Text
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Number:
    """A telephone number that helps: its name, and when somebody answers."""

    name: Text
    number: str
    hours: Text | None = None


@dataclass(frozen=True)
class Service:
    """A kind of problem, its promise, and the responsible unit ("district" or a unit's code).

    ``public_decimals``: everybody may know the place to so many decimals of a degree (4 ≈ 11 m, 3 ≈
    110 m, 2 ≈ 1.1 km; ``None``: the exact place). ``reception`` is GeoReport's type, what a client
    gets back at once: "realtime" an id, "batch" a token, "blackbox" nothing; "none" leaves the
    service out of Open311. ``public`` is the default if the reporter does not choose: whether
    everybody may read the report.
    """

    code: str
    name: Text
    group: str
    acknowledge: Target
    resolve: Target
    unit: str
    description: Text = field(default_factory=dict)
    protected: bool = False
    public: bool = True
    public_decimals: int | None = None
    staff_only: bool = False
    active: bool = True
    keywords: tuple[str, ...] = ()
    reception: str = "realtime"
    questions: tuple[Question, ...] = ()
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True)
class Override:
    """A district's own promise for a service."""

    district: str
    service: str
    acknowledge: Target | None = None
    resolve: Target | None = None


def read_numbers(data: dict[str, Any]) -> tuple[Number, ...]:
    """The ``numbers`` of a bundle or of one of its services."""
    return tuple(
        Number(row["name"], row["number"], row.get("hours")) for row in data.get("numbers", ())
    )


def _read_target(data: dict[str, Any] | None) -> Target | None:
    return Target(float(data["hours"]), data["clock"]) if data else None


def read_service(row: dict[str, Any]) -> Service:
    """The service of a row of a bundle."""
    acknowledge, resolve = _read_target(row["acknowledge"]), _read_target(row["resolve"])
    assert acknowledge is not None
    assert resolve is not None
    return Service(
        code=row["code"],
        name=row["name"],
        group=row["group"],
        acknowledge=acknowledge,
        resolve=resolve,
        unit=row["unit"],
        description=row.get("description", {}),
        protected=row.get("protected", False),
        public=row.get("public", True),
        public_decimals=row.get("public_decimals"),
        staff_only=row.get("staff_only", False),
        active=row.get("active", True),
        keywords=tuple(row.get("keywords", ())),
        reception=row.get("reception", "realtime"),
        numbers=read_numbers(row),
        questions=tuple(
            Question(
                question["code"],
                question["type"],
                question.get("required", False),
                question["label"],
                tuple(
                    Option(option["key"], option["name"]) for option in question.get("options", ())
                ),
            )
            for question in row.get("questions", ())
        ),
    )


def read_override(row: dict[str, Any]) -> Override:
    """The override of a row of a bundle."""
    return Override(
        row["district"],
        row["service"],
        _read_target(row.get("acknowledge")),
        _read_target(row.get("resolve")),
    )
