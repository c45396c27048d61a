"""What an event of a report's timeline holds, as types; the values are JSON.

``domain.events`` builds an event, ``storage`` keeps it as canonical JSON, and everything that
follows from an event reads it with these types. ``NotRequired`` keys are absent in some events: in
older ones, or where they do not apply.

Tests: tests/unit/test_types.py
"""

from typing import Any, NotRequired, TypedDict


class Actor(TypedDict):
    """Who did it. ``uid`` is ``None`` for citizens, so that no event names one."""

    kind: str
    role: str | None
    uid: str | None
    unit: str | None


class Commitment(TypedDict):
    """A text of the event as a salted hash; the text itself is in ``people``."""

    field: str
    audience: str
    commitment: str


class Facts(TypedDict):
    """What counters and lists use of a report (``domain.report_facts.facts``).

    ``history``: an old system's report, for which nobody here has promised anything; its ``due_at``
    is ``None``, but not in older events.
    """

    state: str
    resolution: str | None
    service: str
    district: str
    ward: str
    unit: str
    holder: str | None
    agency: str | None
    protected: bool
    contactable: bool
    due_at: str | None
    place: NotRequired[list[int]]
    late: bool
    filed_day: NotRequired[str]
    filed_month: str
    closed_month: str | None
    closed_at: str | None
    picture: str | None
    supports: int
    support_month: str | None
    rating: int | None
    rating_month: str | None
    flow: dict[str, dict[str, int]]
    offered_to: NotRequired[str]
    secret: NotRequired[bool]
    undone: NotRequired[bool]
    history: NotRequired[bool]
    private: NotRequired[bool]
    shown_at: NotRequired[str]


class PhotoOf(TypedDict):
    """The earlier photo of which a photo is a copy, and its report."""

    report: str
    photo: str


class EventData(TypedDict, total=False):
    """Codes and ids that belong to an event; which ones depends on its action.

    No free text and no personal data; all numbers are integers.
    """

    # The fields of an action.
    reason_code: str
    unit: str
    person: str | None
    agency: str
    until: str
    service: str
    ward: str
    into: str
    result: str
    # A step of the SLA clock. ``joins``: the level that falls due at the same moment. ``joined``:
    # the breach of that moment has alerted already.
    target: str
    level: int
    joins: int
    joined: bool
    due: str
    code: str
    tell: list[str]
    priority: str
    # Photos: those used, how well they prove the work, those with new pictures.
    photos: list[str]
    proof: dict[str, dict[str, str]]
    redrawn: list[str]
    photo: str
    first: bool
    of: PhotoOf | None
    alike: str
    rectangle: list[int]
    # Texts: [version, field] of each that an event removed, or of one that is flagged.
    texts: list[list[Any]]
    text: list[Any]
    # Why something was hidden, erased or refused, as a code.
    reason: str
    # Another report; ``by`` tells that its reporter acted.
    duplicate: str
    private: bool
    by: str
    # The unit's own system: it has the report, or its number and token there.
    outside: str
    request: str
    token: str
    # A comment from another system: its status, who said it, and what the reporter is asked.
    status: str
    said_by: str
    asks: str
    # ``former``: the contact before a correction is informed too. ``was``: codes before a move to a
    # new city version.
    former: bool
    was: dict[str, str]
    # The import of an old system's report, and its undoing.
    source: str
    old: str
    run: str


# Fields of the head that an event sets, by their names in ``domain.report.Report``, as JSON values.
HeadChanges = dict[str, Any]


# ``from`` is a keyword, so this key needs the other form of declaration.
_From = TypedDict("_From", {"from": str})


class Period(_From):
    """One promise of a report, from filing or reopening to its end (``domain.sla.periods``).

    A share is [ward, unit, official, parts per million]; ``held`` is a share without the parts.
    """

    service: str
    acknowledge_due: str
    acknowledged_at: str | None
    due: str
    stop: str | None
    closed_at: str | None
    resolution: str | None
    held: list[Any]
    shares: list[list[Any]]
    acknowledge_shares: list[list[Any]]
    # Only of a report that became protected: it ended then, without a result.
    ended: NotRequired[str]


class ScoreRow(TypedDict):
    """A report's row in the scorecards (``domain.sla.periods.score_row``).

    ``holds``: [moment, ward, unit, official]; ``marks``: [kind, moment, ward, unit, official].
    """

    report: str
    version: int
    service: str
    ward: str
    district: str
    unit: str
    lat7: int
    long7: int
    private: NotRequired[bool]
    filed_at: str
    filed_month: str
    state: str
    rounds: list[Period]
    holds: list[list[Any]]
    marks: list[list[Any]]
    # It became protected: only what it had added until then counts, without its id and place.
    anonymous: NotRequired[bool]


class Event(TypedDict):
    """One change of a report: what happened, by whom, before and after (docs/data-model.md)."""

    schema: int
    jurisdiction: str
    report: str
    version: int
    action: str
    op: str
    at: str
    rules: str
    actor: Actor
    before: Facts | None
    after: Facts
    set: HeadChanges
    score: NotRequired[ScoreRow | None]
    data: EventData
    words: list[Commitment]
    # The hash of the event before; set when the event is chained.
    prev: NotRequired[str]
    # The commitment to the inside part (``domain.event_parts``); from schema 2 on.
    inside: NotRequired[str]
