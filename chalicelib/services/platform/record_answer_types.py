"""What answers about tokens, uploads, proofs and personal data hold, as types.

Tests: tests/unit/test_types.py
"""

from typing import Any, NotRequired, TypedDict

from chalicelib.services.platform.answer_types import Renditions


class DeviceToken(TypedDict):
    """The token of a new device."""

    token: str
    kind: str


class RefusalReason(TypedDict):
    """Why a photo was refused: a code, and its text in every language."""

    code: str
    text: dict[str, str]


class UploadStatus(TypedDict):
    """The state of an upload, for its owner."""

    photo: str
    state: str
    reason: RefusalReason | None
    report: str | None
    taken_at: str | None
    place: dict[str, float] | None
    pictures: Renditions | None


class ProofRow(TypedDict):
    """An event of a chain: ``event`` is the text whose SHA-256 is ``hash``."""

    version: int
    hash: str
    prev: str
    event: str | None


class ProofPage(TypedDict):
    """A page of the chain of a report."""

    jurisdiction: str
    id: str
    events: list[ProofRow]
    next: int | None


class Original(TypedDict):
    """The original of a hidden text, for auditors."""

    version: int
    field: str
    text: str
    until: str


class Originals(TypedDict):
    """The originals of a report's hidden texts."""

    texts: list[Original]


class ExposedReport(TypedDict):
    """A report that a token could read, and how much of it."""

    report: str
    state: str
    private: bool
    protected: bool
    readable: bool
    texts: int
    photos: int
    contact: str


class Exposed(TypedDict):
    """What somebody's token could read: a page of reports, with sums."""

    who: str
    reports: list[ExposedReport]
    counts: dict[str, int]
    next: str | None
    left: NotRequired[list[dict[str, str]]]
    contacts_read: NotRequired[list[dict[str, Any]]]


class RetentionPreview(TypedDict):
    """What the next run of the retention schedule would erase of a class."""

    days: int | None
    count: int
    oldest: str | None
    newest: str | None
