"""What stored rows hold besides heads and events, as types: photos, texts, officials, forwardings.

``NotRequired`` keys are absent in some rows: in older ones, or where they do not apply.

Tests: tests/unit/test_types.py
"""

from typing import Any, NotRequired, TypedDict


class Picture(TypedDict):
    """A picture of a report: ``kind`` says before or after the work; ``rev`` is its revision.

    ``width``, ``height`` and ``cut`` are those of the finished files. ``jpeg``: whether there is a
    JPEG beside the WebP files; pictures of older versions have none. ``blurred``: the rectangles
    [left, top, width, height] that officials blurred.
    """

    kind: str
    state: str
    rev: int
    width: NotRequired[int]
    height: NotRequired[int]
    cut: NotRequired[str]
    jpeg: NotRequired[bool]
    blurred: NotRequired[list[list[int]]]


class PhotoFacts(TypedDict, total=False):
    """Where and when a photo was taken, from its metadata (``imaging.metadata``)."""

    taken: str
    offset: str
    lat: float
    long: float


class Ticket(TypedDict):
    """A photo's ticket: whose upload, its state, the finished files, and its use in a report.

    An erased one has no owner. ``likeness`` and ``sha256`` find the same photo elsewhere. ``url``:
    where another system keeps the photo, until it is fetched; it has no ``type`` and no ``etag``.
    """

    state: str
    owner: NotRequired[str | None]
    type: NotRequired[str]
    url: NotRequired[str | None]
    issued: NotRequired[str]
    reason: NotRequired[str]
    rev: NotRequired[int]
    cut: NotRequired[str]
    width: NotRequired[int]
    height: NotRequired[int]
    jpeg: NotRequired[bool]
    likeness: NotRequired[str | None]
    sha256: NotRequired[str]
    etag: NotRequired[str]
    report: NotRequired[str]
    purpose: NotRequired[str]
    used: NotRequired[str]


class StoredText(TypedDict):
    """A text of a person. ``by``: the uid of the citizen who wrote it.

    A text that was replaced has no salt of its own and names the newer text in ``now``; the newer
    one names the first in ``root``. ``hid``: an official hid it. ``filed``: it belongs to the
    filing.
    """

    text: str
    audience: str
    salt: NotRequired[str]
    by: NotRequired[str]
    now: NotRequired[str]
    root: NotRequired[str]
    hid: NotRequired[bool]
    filed: NotRequired[bool]


class OriginalText(TypedDict):
    """The original of a hidden text, kept for auditors ``until`` a moment."""

    text: str
    audience: str
    salt: NotRequired[str]
    until: NotRequired[str]


class StoredCode(TypedDict):
    """A code that was sent to a contact; ``right``: somebody has entered it."""

    nonce: str
    until: str
    tries: int
    right: bool


class Choice(TypedDict, total=False):
    """What a person wants to be told, and by which contact method; ``at``: when they chose."""

    notify: str
    way: str | None
    at: str


class GrantRecord(TypedDict):
    """A role of an official over districts and services; ``["*"]`` is all."""

    role: str
    districts: list[str]
    services: list[str]
    permissions: NotRequired[list[str]]


class EndpointRecord(TypedDict):
    """Where an official gets alerts: protocol of SNS, and address."""

    protocol: str
    endpoint: str


class StaffRecord(TypedDict):
    """An official, as in staff.json of the city's folder; ``ref`` names them in timelines.

    Older records have ``permissions`` beside the grants. ``jurisdiction`` is set for a filter
    policy.
    """

    ref: str
    issuer: str
    subject: str
    unit: str
    grants: list[GrantRecord]
    name: NotRequired[str]
    home_district: NotRequired[str | None]
    permissions: NotRequired[list[str]]
    endpoints: NotRequired[list[EndpointRecord]]
    protected_unit: NotRequired[bool]
    active: NotRequired[bool]
    jurisdiction: NotRequired[str]


class KeyRecord(TypedDict):
    """An API key of an Open311 client, stored under the key's hash."""

    name: str
    created: str
    per_minute: int
    revoked: str | None
    statuses: NotRequired[str]


class ListedKey(KeyRecord):
    """The same with the id that administrators use."""

    id: str


class Erasure(TypedDict):
    """An erasure: when, of which reports, and the anonymous name that figures use instead."""

    at: str
    reports: list[str]
    nobody: str
    done: bool
    ended: NotRequired[str]


class NamedErasure(Erasure):
    """The same with its city and the hash of the person's uid, or the report."""

    jurisdiction: str
    who: str


class Forwarding(TypedDict):
    """One forwarding of a report: trying (since ``at``, last ``tried``), sent, or failed."""

    state: str
    at: str
    tried: NotRequired[str]
    request: NotRequired[str | None]
    token: NotRequired[str | None]
    reason: NotRequired[str]


class NamedForwarding(Forwarding):
    """The same with its name: report and round."""

    name: str


class Followed(TypedDict):
    """A request on a unit's server that is followed, its report, and what it said last."""

    report: str
    since: NotRequired[str]
    turn: NotRequired[int]
    n: NotRequired[int]
    digest: NotRequired[str]
    status: NotRequired[str]
    notes: NotRequired[str]
    seen: NotRequired[list[str]]


class NamedFollowed(Followed):
    """The same with its name: the number there, or ``~`` and the token."""

    name: str


class ServerState(TypedDict, total=False):
    """A unit's server: failures in a row, whether it is disabled, and how far polling has come."""

    failures: int
    since: str
    reason: str
    disabled: str
    cursor: str
    heard: str


class Failing(TypedDict):
    """An event that a webhook did not take. The message of event ``by`` comes back for it at
    ``until`` at the latest; ``refusals``: how many answers said that the event itself is wrong;
    ``dead``: no message comes, it is a dead letter."""

    by: int
    since: str
    until: str
    attempts: int
    reason: str
    refusals: NotRequired[int]
    dead: NotRequired[bool]


class Sent(TypedDict, total=False):
    """What a webhook's system has of a report: ``told`` if it may have it, its own id, the last
    version that was sent and when, and what it does not take."""

    told: bool
    outside_id: str
    version: int
    at: str
    failing: Failing


class HookState(TypedDict, total=False):
    """A webhook: off since when and for what address, failures in a row, the last success."""

    off: str
    url: str
    reason: str
    failures: int
    failed: str
    delivered: str


# A contact: a name, safe ways and hours, and an address of each contact method that it has. Its
# keys are data (``domain.input.contact_methods.METHODS``).
Contact = dict[str, Any]
