"""What answers about reports, their timelines, lists and the map hold, as types.

Clients see the same as JSON Schemas (``routes.schemas``); tests compare real answers with those.
``NotRequired`` keys are only in some answers.

Tests: tests/unit/test_types.py
"""

from typing import Any, NotRequired, TypedDict

from chalicelib.domain.timeline_types import EventData


class Names(TypedDict):
    """A code with its name in every language."""

    code: str
    name: dict[str, str]


class Area(TypedDict):
    """An area's code and name."""

    code: str
    name: str


class PhoneView(TypedDict):
    """A telephone number for a service, with its name and hours in every language."""

    name: dict[str, str]
    number: str
    hours: dict[str, str] | None


class Rendition(TypedDict):
    """A picture that can be shown: its signed URL and its size."""

    url: str
    width: int
    height: int


class Renditions(TypedDict):
    """The two sizes of a picture."""

    small: Rendition
    large: Rendition


class PictureView(TypedDict):
    """A picture of a report; ``small`` and ``large`` if it can be seen."""

    id: str
    kind: str
    state: str
    width: int | None
    height: int | None
    small: Rendition | None
    large: Rendition | None


class HiddenText(TypedDict):
    """A text that officials hid: version of its event, field, version that hid it, reason code."""

    version: int
    field: str
    by: int
    reason: str


class PublicView(TypedDict):
    """A report as everybody may see it. Of a private report most values are empty."""

    id: str
    code: str
    version: int
    state: str
    status: str
    resolution: str | None
    service: Names
    group: str
    description: str | None
    landmark: str | None
    lat: float
    long: float
    ward: Area
    district: Area
    unit: Names
    agency: Names | None
    agency_due: str | None
    outside: dict[str, str] | None
    filed_at: str
    updated_at: str
    acknowledged_at: str | None
    acknowledge_due: str | None
    due_at: str | None
    old_due_at: str | None
    clock: str
    scheduled_until: str | None
    finished_at: str | None
    closed_at: str | None
    merged_into: str | None
    supports: int
    rating: int | None
    reopened: int
    refused: int
    photos: int
    after_photos: int
    pictures: list[PictureView]
    channel: str
    private: bool
    hidden_texts: list[HiddenText]
    near: bool


class ReportReceipt(TypedDict):
    """What the reporter gets back; ``personal_data``: passages that look like personal data."""

    id: str
    code: str
    version: int
    state: str
    service: Names
    protected: bool
    private: bool
    ward: Area
    district: Area
    unit: Names
    filed_at: str
    acknowledge_due: str
    due_at: str
    flags: list[str]
    outside_m: int
    possible_duplicates: list["NearReport"]
    personal_data: list["Passage"]
    track: str
    emergency: str | None
    numbers: list[PhoneView]


class Passage(TypedDict):
    """A passage of a text that looks like personal data of a kind."""

    field: str
    kind: str
    start: int
    end: int


class ActionAnswer(TypedDict):
    """The answer to an action: the report's new state, holder and deadlines."""

    id: str
    version: int
    state: str
    resolution: str | None
    unit: str
    holder: str | None
    offered_to: str | None
    due_at: str | None
    scheduled_until: str | None
    merged_into: str | None


class ListedReport(TypedDict):
    """A row of a list of reports; ``holder`` for officials only."""

    id: str
    version: int
    state: str
    service: str
    ward: str
    ward_name: str
    unit: str
    due_at: str | None
    filed_at: str
    lat: float
    long: float
    supports: int
    photo: bool
    proposed: NotRequired[bool]
    holder: NotRequired[str | None]


class ListPage(TypedDict):
    """A page of a list of reports, and the cursor of the next one."""

    reports: list[ListedReport]
    cursor: str | None


class By(TypedDict):
    """Who did it; ``uid`` for officials only."""

    kind: str
    role: str | None
    unit: str | None
    uid: NotRequired[str | None]


class TimelineRow(TypedDict):
    """An event as an audience may see it; what it may not see shows only its chain."""

    version: int
    at: str
    action: str
    hash: str
    prev: str
    by: NotRequired[By]
    state: NotRequired[str]
    resolution: NotRequired[str | None]
    unit: NotRequired[str]
    due_at: NotRequired[str | None]
    data: NotRequired[EventData]
    words: NotRequired[dict[str, str]]


class TimelinePage(TypedDict):
    """A page of the public timeline, and after which event the next one begins."""

    id: str
    events: list[TimelineRow]
    next: int | None


class CaseView(PublicView):
    """A report as officials see it."""

    protected: bool
    protection: NotRequired[dict[str, Any]]
    holder: str | None
    offered_to: str | None
    held_by: list[str]
    answers: dict[str, Any]
    flags: list[str]
    flagged: int
    address: str | None
    outside_m: int
    accuracy_m: int | None
    contactable: bool
    pauses: list[list[str]]
    city_due_at: str | None
    disputed: bool
    open_actions: list[str]
    timeline: NotRequired[list[TimelineRow]]


class NearReport(TypedDict):
    """An open report near a place."""

    id: str
    service: str
    state: str
    distance_m: int
    lat: NotRequired[float]
    long: NotRequired[float]
    late: NotRequired[bool]
    filed_at: NotRequired[str]


class NearPage(TypedDict):
    """The reports near a place; ``truncated``: there are more."""

    reports: list[NearReport]
    truncated: NotRequired[bool]


class MapCells(TypedDict):
    """Numbers of reports by web-mercator cell of a zoom: [x, y, n]."""

    z: int
    cells: list[list[int]]


# ``from`` is a keyword, so this key needs the other form of declaration.
_From = TypedDict("_From", {"from": str | None})


class HeatMap(MapCells, _From):
    """The same with the days that were asked for, the sum, and [district, n]."""

    to: str | None
    total: int
    districts: list[list[Any]]
