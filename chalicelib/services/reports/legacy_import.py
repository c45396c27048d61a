"""Import of reports from an old system, with their times and statuses: one event each, "import".

The id is derived from the old id and time, and each old id is noted (``storage.imports``), so
importing again changes nothing, also if a time is read in another way. Imported reports count in
tallies and on maps, but not in scorecards, because their times come from another system
(docs/decisions/imported-history.md).
"""

import hashlib
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime

from ulid import ULID

from chalicelib import ids
from chalicelib.domain.body_types import NewReport
from chalicelib.domain.city.city import City
from chalicelib.domain.events import By, Contents, EventText, link
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.domain.sla import timers
from chalicelib.domain.timeline_types import EventData
from chalicelib.domain.workflow.table import table
from chalicelib.errors import Problem
from chalicelib.services.reports import intake
from chalicelib.storage import imports, record_roots, report_texts, reports, timeline_rows
from chalicelib.storage.transactions import Refused, Write, commit

ACTION = "import"
_ATTEMPTS = 3
# How often one report can be imported and undone.
_TURNS = 50


@dataclass(frozen=True)
class LegacyReport:
    """A report of the old system; with ``resolution`` and ``closed_at`` if it was closed;
    ``promised_at``: until when the old system had promised the repair."""

    source: str
    id: str
    service: str
    lat: float
    long: float
    filed_at: datetime
    _: KW_ONLY
    closed_at: datetime | None = None
    resolution: str | None = None
    promised_at: datetime | None = None
    description: str = ""
    landmark: str = ""


def import_report(
    city: City, old: LegacyReport, now: datetime, run: str = "", *, dry: bool = False
) -> bool:
    """Store a report of an old system. Returns whether it is new here. ``run``: the id of the
    import, by which it can be undone. ``dry``: store nothing.

    A report whose import was undone is stored again, under another id. Raises ``Problem``:
    unknown_service, outside_area and other problems of a filing.
    """
    service = city.services.get(old.service)
    if service is None:
        raise Problem("unknown_service", field="service")
    if old.resolution is not None and old.resolution not in table()["resolutions"]:
        raise Problem("invalid_field", field="resolution", rule="enum")
    actor = system(city.jurisdiction)
    body: NewReport = {
        "service": service.code, "lat": old.lat, "long": old.long, "channel": "import",
    }  # fmt: skip
    filed = intake.draft(actor, city, service, body, old.filed_at, ())
    report = replace(
        filed,
        # Arrived now; a closed one changed last when it was closed.
        changed_at=now,
        id=id_of(city.jurisdiction, old),
        imported=True,
        old_due_at=old.promised_at,
        reporter=None,
        filer=None,
        via=None,
    )
    if old.closed_at is not None:
        report = replace(
            report,
            state="closed",
            resolution=old.resolution,
            closed_at=old.closed_at,
            closed_month=city.month(old.closed_at),
            changed_at=old.closed_at,
            assigned=True,
        )
    words = tuple(
        EventText(name, "public", text, ids.token_bytes(SALT_BYTES))
        for name, text in (("description", old.description), ("landmark", old.landmark))
        if text
    )
    for turn in range(_TURNS):
        report = replace(report, id=id_of(city.jurisdiction, old, turn))
        if dry:
            stored = reports.get(city.jurisdiction, report.id)
            is_new = stored is None and not imports.is_known(city.jurisdiction, old.source, old.id)
        else:
            is_new = _store(city, report, old, words, run, now)
            stored = None if is_new else reports.get(city.jurisdiction, report.id)
        if stored is None or not stored.undone:
            return is_new
    raise Problem("unavailable")


def _store(
    city: City,
    report: Report,
    old: LegacyReport,
    words: tuple[EventText, ...],
    run: str,
    now: datetime,
) -> bool:
    for _ in range(_ATTEMPTS):
        report = replace(report, code=ids.new_code())
        try:
            commit(_writes(city, report, old, words, run, now))
        except Refused as refusal:
            if "code" not in refusal.labels or refusal.labels & {"head", "event", "old"}:
                return False
            continue
        return True
    raise Problem("unavailable")


def id_of(jurisdiction: str, old: LegacyReport, turn: int = 0) -> str:
    """The ULID of an old report: the time of its filing and a hash of its source and old id.

    ``turn``: how often its import was undone.
    """
    name = f"{jurisdiction}|{old.source}|{old.id}{f'|{turn}' if turn else ''}".encode()
    moment = int(old.filed_at.timestamp() * 1000).to_bytes(6, "big")
    return str(ULID.from_bytes(moment + hashlib.sha256(name).digest()[:10]))


def _writes(
    city: City,
    report: Report,
    old: LegacyReport,
    words: tuple[EventText, ...],
    run: str,
    now: datetime,
) -> list[Write]:
    jurisdiction = city.jurisdiction
    data: EventData = {"source": old.source, "old": old.id}
    if run:
        data["run"] = run
    actor = system(jurisdiction)
    by = By(actor, "system", f"import-{report.id}", now)
    event = link(ACTION, None, report, by, Contents(words, data), ids.token_bytes(SALT_BYTES))
    head = replace(report, tail=event.hash)
    return [
        reports.put_head(head, timers.next_due(head, city), seen=None),
        timeline_rows.put_event(jurisdiction, head.id, event),
        reports.put_code(jurisdiction, head.code, head.id),
        *(report_texts.put_text(jurisdiction, head.id, 1, text) for text in words),
        imports.put_old(jurisdiction, old.source, old.id, head.id),
        *([imports.put_report(jurisdiction, run, head.id)] if run else []),
        record_roots.put_tail(jurisdiction, head.id, event, now),
    ]
