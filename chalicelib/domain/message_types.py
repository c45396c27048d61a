"""What the messages of the outbox hold, as types: alerts, notices, messages to citizens, jobs.

``NotRequired`` keys are absent in some messages: in older ones, or where they do not apply. The
same messages go on to the queues, as JSON.

Tests: tests/unit/test_types.py
"""

from typing import NotRequired, TypedDict

from chalicelib.domain.timeline_types import EventData


class OutboxMessage(TypedDict):
    """What every row of the outbox has. Most also have ``dedupe``, the same at each delivery."""

    kind: str
    jurisdiction: str


class OfEvent(TypedDict):
    """What a message says of the event that it follows from; ``rules`` is the city version."""

    jurisdiction: str
    report: str
    version: int
    rules: str
    event: str
    at: str
    protected: bool


class HeldBy(TypedDict):
    """The unit that answers for a report, and the official who has it."""

    unit: str
    person: str | None


class Overdue(TypedDict, total=False):
    """What was missed by when: the target of a breach, the level of an escalation, the code."""

    target: str
    level: int
    code: str
    due: str


class Alert(OfEvent):
    """An alert to officials (``domain.notifications.alerts``).

    ``audience``: units, persons and roles; older ones have none. ``to``: the officials who are
    left, after others were deferred to their hourly digest. ``climbed``: the step of the ladder
    that was added because nobody else could be reached. An alert of a protected report names no
    place and no service; neither does a ``sealed`` one, for those from whom the report is taken.
    """

    kind: str
    dedupe: str
    level: str
    unit: str
    audience: NotRequired[list[str]]
    to: NotRequired[list[str]]
    priority: NotRequired[str]
    due_at: str | None
    district: NotRequired[str]
    ward: NotRequired[str]
    service: NotRequired[str]
    state: NotRequired[str]
    agency: NotRequired[str]
    offered_to: NotRequired[str]
    held_by: NotRequired[HeldBy]
    flag: NotRequired[EventData]
    overdue: NotRequired[Overdue]
    sealed: NotRequired[bool]
    history: NotRequired[bool]
    climbed: NotRequired[list[str]]


class Notice(OutboxMessage):
    """A notice to a unit: in the morning, or that its own system does not answer."""

    dedupe: str
    rules: str
    event: str
    level: str
    unit: str
    audience: list[str]
    to: NotRequired[list[str]]
    priority: NotRequired[str]
    subject: str
    text: str
    district: NotRequired[list[str]]
    service: NotRequired[list[str]]
    due: NotRequired[list[str]]
    overdue: NotRequired[int]
    more: NotRequired[bool]


class MonthClosed(OutboxMessage):
    """A month's scorecards were published; ``folder`` has them."""

    rules: str
    month: str
    stage: str
    revision: int
    folder: str


class RecordRoot(OutboxMessage):
    """The root of a day's record was written; ``hash`` is that of its document."""

    day: str
    hash: str
    dedupe: str


class AddresseePage(TypedDict, total=False):
    """Which page of the addressees of a message: of which report, after which of its rows."""

    stage: str
    of: str
    depth: int
    after: str


# What goes to officials, is counted against their hourly limit, and waits for their digest.
ForOfficials = Alert | Notice


class CitizenMessage(OfEvent):
    """A message to citizens: ``tell`` gives its kind for each relation. ``asked``: the duplicate
    whose filer gets it in place of the reporter.

    Further pages of it name the first one's ``dedupe`` in ``pages``.
    """

    kind: str
    dedupe: str
    tell: NotRequired[dict[str, str]]
    asked: NotRequired[str]
    page: NotRequired[AddresseePage]
    pages: NotRequired[str]


class PersonMessage(TypedDict):
    """A message to one person about a report. It may wait for their digest or safe hours.

    ``contact`` is a reference. ``own``: the report that they filed themselves, if any.
    """

    report: str
    kind: str
    contact: str
    language: str
    own: str | None
    event: NotRequired[str]
    at: NotRequired[str]
    version: NotRequired[int]
    protected: NotRequired[bool]


class HeldMessages(OutboxMessage):
    """The messages of one person, known by the pseudonym ``key``, that waited ``until`` now."""

    dedupe: str
    until: str
    key: str


class CodeMessage(OutboxMessage):
    """A code to prove a contact, which is known by its pseudonym."""

    dedupe: str
    contact: str
    uid: str
    nonce: str
    language: str
    rules: NotRequired[str]


class Job(TypedDict):
    """What the photo function does with a photo: make, remake, compare or hide its pictures."""

    task: str
    photo: str
    rev: int


class PhotoMessage(OutboxMessage, Job):
    """A job for a photo of a report."""

    dedupe: str
    report: str


class ForwardJob(TypedDict):
    """A report goes to the system of a unit; ``round`` is the version at which it came there."""

    unit: str
    round: int


class WebhookMessage(OutboxMessage):
    """A report has a new event, ``version``, that may concern a webhook."""

    dedupe: str
    report: str
    hook: str
    version: int


class ForwardMessage(OutboxMessage, ForwardJob):
    """The job that forwards a report."""

    dedupe: str
    report: str
