"""What the bodies of requests hold once they have passed their schemas (``routes.schemas``).

A key that is absent was not sent. Tests compare the keys with those of the schemas.

Tests: tests/unit/test_types.py
"""

from typing import Any, NotRequired, TypedDict

from chalicelib.domain.row_types import Contact


class NewReport(TypedDict):
    """A report to file. ``address``, ``attributes`` and ``media_url`` come from Open311 only."""

    service: str
    lat: float
    long: float
    accuracy: NotRequired[float]
    description: NotRequired[str]
    landmark: NotRequired[str]
    answers: NotRequired[dict[str, Any]]
    photos: NotRequired[list[str]]
    contact: NotRequired[Contact]
    public: NotRequired[bool]
    mask: NotRequired[bool]
    channel: NotRequired[str]
    language: NotRequired[str]
    client_time: NotRequired[str]
    address: NotRequired[str]
    attributes: NotRequired[str]
    media_url: NotRequired[str]


class ActionFields(TypedDict, total=False):
    """The fields of an action, by people or by the clock (``target``, ``level``, ``request``)."""

    unit: str
    person: str
    reason_code: str
    reason: str
    note: str
    text: str
    question: str
    agency: str
    until: str
    service: str
    ward: str
    lat: float
    long: float
    into: str
    result: str
    photos: list[str]
    target: str
    level: int
    request: str


class ActionBody(ActionFields):
    """An action, and the version of the report that the actor saw."""

    action: str
    version: int


class Span(TypedDict):
    """The characters of a text from ``start`` up to ``end``."""

    start: int
    end: int


class HideText(TypedDict):
    """A text to hide: ``passages`` of it, or all."""

    version: int
    field: str
    reason: str
    passages: NotRequired[list[Span]]
    note: NotRequired[str]


class Correction(TypedDict, total=False):
    """What a reporter corrects of a report that nobody has acted on."""

    description: str
    landmark: str
    mask: bool
    contact: Contact


class Rectangle(TypedDict):
    """A rectangle of a picture, in thousandths of its width and height."""

    x: int
    y: int
    width: int
    height: int


class ModeratePhoto(TypedDict):
    """What to do with a picture: hide, show, or blur a ``rectangle`` of it."""

    action: str
    reason: str
    rectangle: NotRequired[Rectangle]
    note: NotRequired[str]


class FlaggedText(TypedDict):
    """A text that is flagged, by its event and field."""

    version: int
    field: str


class Flag(TypedDict):
    """A report, a picture or a text that somebody flags for officials."""

    reason: str
    photo: NotRequired[str]
    text: NotRequired[FlaggedText]
    note: NotRequired[str]
