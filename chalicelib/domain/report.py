"""A report: its head, the fields that are private, and its JSON.

The head is private to storage and services. ``PRIVATE`` fields never enter an event, so no timeline
shows that two reports are of one person.
"""

from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Self

from chalicelib.domain.filer import CHANNELS
from chalicelib.domain.row_types import Picture
from chalicelib.domain.timeline_types import Period
from chalicelib.domain.timestamps import iso, parse

# About 1.1 km: shows only the part of the city.
PRIVATE_DECIMALS = 2
# Marks of fields. Private: never in an event. Note: nobody decides anything by it, so an action on
# an older version is accepted if only notes have changed since (``marks`` change by a rating only).
# A field of the type ``datetime`` is stored as text and read back as a moment.
# Personal: about a person; private, reset by erasure, and shown to the person in their copy.
# Person: who the person is or how to reach them, which the copy shows in other ways.
_PRIVATE = {"private": True}
_PERSONAL = {"private": True, "personal": True}
_PERSON = {"private": True, "person": True}
_NOTE = {"note": True}


@dataclass(frozen=True)
class Report:
    """The head of a report. Moments are aware UTC; ``lat7``/``long7`` are 1e-7 degrees (WGS84).

    ``shown_at``: when its public texts or pictures last changed without a workflow action: it was
    opened, a text was hidden, corrected or erased, or a picture changed after it was closed. Copies
    elsewhere are older than this. ``hidden_texts``: (version, field, version of the last event that
    hid it, reason code) of each hidden text.
    """

    id: str
    code: str
    jurisdiction: str
    city_version: str
    service: str
    group: str
    protected: bool
    ward: str
    district: str
    unit: str
    lat7: int
    long7: int
    channel: str
    language: str
    filed_at: datetime
    changed_at: datetime = field(metadata=_NOTE)
    clock_from: datetime
    acknowledge_due: datetime
    due_at: datetime
    city_due_at: datetime
    filed_month: str
    filed_day: str = ""
    public_decimals: int | None = None
    city_acknowledge_due: datetime | None = None
    promise: dict[str, str] = field(default_factory=dict)
    version: int = field(default=1, metadata=_NOTE)
    state: str = "submitted"
    resolution: str | None = None
    back_to: str | None = None
    assigned: bool = False
    holder: str | None = None
    offered_to: str | None = None
    offered_at: datetime | None = None
    entrusted: bool = False
    held_by: tuple[str, ...] = ()
    worked: tuple[str, ...] = ()
    holds: tuple[tuple[str, str, str, str | None], ...] = ()
    marks: tuple[tuple[str, str, str, str, str | None], ...] = field(default=(), metadata=_NOTE)
    past_rounds: tuple[Period, ...] = ()
    audit: str | None = None
    missed_service: str | None = None
    finished_by: str | None = None
    agency: str | None = None
    agency_due: datetime | None = None
    outside: dict[str, str] = field(default_factory=dict, metadata=_NOTE)
    acknowledged_at: datetime | None = field(default=None, metadata=_NOTE)
    breached: tuple[str, ...] = field(default=(), metadata=_NOTE)
    escalated: int = field(default=0, metadata=_NOTE)
    paused_at: datetime | None = None
    pauses: tuple[tuple[str, str], ...] = ()
    info_seconds: int = 0
    scheduled_until: datetime | None = None
    schedules: int = 0
    finished_at: datetime | None = None
    closed_at: datetime | None = None
    closed_month: str | None = None
    disputed: bool = False
    citizen_refused: bool = False
    refused_month: str | None = None
    ruled: bool = False
    merged_into: str | None = None
    merged: int = 0
    released: bool = field(default=False, metadata=_NOTE)
    succeeded_by: str | None = None
    supports: int = field(default=0, metadata=_NOTE)
    support_month: str | None = field(default=None, metadata=_NOTE)
    comments: int = field(default=0, metadata=_NOTE)
    # When the reporter was last asked because somebody else said that the report is settled or not.
    asked_at: datetime | None = field(default=None, metadata=_NOTE)
    rating: int | None = field(default=None, metadata=_NOTE)
    rated_at: datetime | None = field(default=None, metadata=_NOTE)
    rating_month: str | None = field(default=None, metadata=_NOTE)
    flow: dict[str, dict[str, int]] = field(default_factory=dict, metadata=_NOTE)
    outside_m: int = 0
    accuracy_m: int | None = None
    client_time: str | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    photos: tuple[str, ...] = ()
    after_photos: tuple[str, ...] = ()
    pictures: dict[str, Picture] = field(default_factory=dict, metadata=_NOTE)
    flags: tuple[str, ...] = field(default=(), metadata=_NOTE)
    flagged: int = field(default=0, metadata=_NOTE)
    contactable: bool = field(default=False, metadata=_NOTE)
    claims: int = field(default=0, metadata=_NOTE)
    pins: int = 0
    private: bool = field(default=False, metadata=_NOTE)
    shown_at: datetime | None = field(default=None, metadata=_NOTE)
    hidden_texts: tuple[tuple[int, str, int, str], ...] = field(default=(), metadata=_NOTE)
    corrections: int = 0
    protection: dict[str, Any] = field(default_factory=dict)
    # Of an imported report: until when the old system had promised the repair.
    old_due_at: datetime | None = None
    # An import that was undone: the timeline stays, and nothing else tells of the report.
    undone: bool = False
    counted: dict[str, Any] = field(default_factory=dict)
    reporter: str | None = field(default=None, metadata=_PERSON)
    filer: str | None = field(default=None, metadata=_PERSON)
    via: str | None = field(default=None, metadata=_PRIVATE)
    # Whether an import made it; ``None`` in other heads and in older ones.
    imported: bool | None = field(default=None, metadata=_PRIVATE)
    contact: str | None = field(default=None, metadata=_PERSON)
    # If the contact was corrected: since when, the contact before, and how long that one is kept.
    contact_since: str | None = field(default=None, metadata=_PERSON)
    former: str | None = field(default=None, metadata=_PERSON)
    former_until: str | None = field(default=None, metadata=_PERSON)
    tail: str = field(default="", metadata=_PRIVATE)
    # The last version that changed more than notes; 0 in older heads.
    decided: int = field(default=0, metadata=_PRIVATE)

    @property
    def open(self) -> bool:
        """Whether the report is not closed."""
        return self.state != "closed"

    @property
    def lat(self) -> float:
        """Latitude in degrees."""
        return self.lat7 / 1e7

    @property
    def long(self) -> float:
        """Longitude in degrees."""
        return self.long7 / 1e7

    @property
    def public_place(self) -> tuple[int, int]:
        """(lat7, long7) as everybody may know them, rounded for the service and for privacy."""
        decimals = self.public_decimals
        if self.private:
            decimals = min(PRIVATE_DECIMALS, decimals or PRIVATE_DECIMALS)
        return self._rounded(decimals)

    @property
    def service_place(self) -> tuple[int, int]:
        """(lat7, long7) rounded for the service only, without the reporter's own wish."""
        return self._rounded(self.public_decimals)

    def _rounded(self, decimals: int | None) -> tuple[int, int]:
        if decimals is None:
            return self.lat7, self.long7
        step = 10 ** (7 - decimals)
        return _nearest(self.lat7, step), _nearest(self.long7, step)

    @property
    def called_unit(self) -> str | None:
        """The other unit that is called in: the agency, or the unit that it is offered to."""
        return self.agency or self.offered_to

    @property
    def promised_under(self) -> str:
        """The city version whose targets and calendar the promise used."""
        return self.promise.get("city", self.city_version)

    @property
    def promised_service(self) -> str:
        """The service that the promise was made for, by its code in that version."""
        return self.promise.get("service", self.service)

    @property
    def promised_district(self) -> str:
        """The district that the promise was made for, by its code in that version."""
        return self.promise.get("district", self.district)

    @property
    def secret(self) -> bool:
        """Whether only those involved may know that it exists: protected, or proposed for it."""
        return self.protected or bool(self.protection) or self.undone

    @property
    def from_old_system(self) -> bool:
        """Whether an import made it. Older heads do not say so, but nobody filed those."""
        if self.imported is not None:
            return self.imported
        return self.channel == "import" and not (self.reporter or self.filer or self.via)

    @property
    def history(self) -> bool:
        """Whether its present period began in an old system, by whose times nobody is judged.

        That ends when it is opened again here.
        """
        return self.from_old_system and self.clock_from == self.filed_at

    @property
    def shown_due(self) -> datetime | None:
        """Until when this system promises the repair; nothing for an old system's report."""
        return None if self.history else self.due_at

    @property
    def hidden(self) -> bool:
        """Whether no public list, map or file may show it: secret or private."""
        return self.secret or self.private

    @property
    def late(self) -> bool:
        """Whether the resolve deadline was missed."""
        return "resolve" in self.breached

    def to_doc(self) -> dict[str, Any]:
        """The head as JSON values; fields with their default are left out."""
        return {
            spec.name: _plain(value)
            for spec in fields(self)
            if (value := getattr(self, spec.name)) != spec.default and value not in ({}, ())
        }

    @classmethod
    def from_doc(cls, doc: dict[str, Any]) -> Self:
        """The head that ``to_doc`` wrote; unknown fields of a later version are passed over."""
        known = {spec.name for spec in fields(cls)}
        if str(doc.get("reporter")).startswith(CHANNELS):
            # Written before channels were told from people.
            doc = {**doc, "reporter": None, "via": doc["reporter"]}
        return cls(**{name: _rich(name, value) for name, value in doc.items() if name in known})


def _marked(mark: str) -> frozenset[str]:
    return frozenset(spec.name for spec in fields(Report) if spec.metadata.get(mark))


PRIVATE = _marked("private")
PERSONAL = _marked("personal")
_ERASED: dict[str, Any] = {
    spec.name: spec.default for spec in fields(Report) if spec.name in PERSONAL | _marked("person")
}
NOTES = _marked("note")
_MOMENTS = frozenset(
    spec.name for spec in fields(Report) if spec.type in (datetime, datetime | None)
)


def anonymous(report: Report) -> Report:
    """The report without its personal fields and without the person."""
    # Without these fields an older head would look imported.
    imported = report.from_old_system if report.channel == "import" else None
    return replace(report, contactable=False, imported=imported, **_ERASED)


def is_anonymous(report: Report) -> bool:
    """Whether no personal field is set."""
    return all(getattr(report, name) == default for name, default in _ERASED.items())


def _nearest(value: int, step: int) -> int:
    return (value + step // 2) // step * step


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _rich(name: str, value: Any) -> Any:
    if name in _MOMENTS:
        return parse(value)
    return _frozen(value)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
