"""Reports of an old system, kept with their own times and statuses: each is one event, "import".

An imported report has an id made of its old one, so that importing again changes nothing. It counts
in tallies and on maps, and not in scorecards: nobody here is judged by what another system says
(docs/decisions/imported-history.md).
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from ulid import ULID

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.events import Words, link
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.domain.sla import timers
from chalicelib.errors import Problem
from chalicelib.services.reports import intake
from chalicelib.storage import people, reports
from chalicelib.storage.transactions import Refused, Write, commit

ACTION = "import"
_ATTEMPTS = 3


@dataclass(frozen=True)
class LegacyReport:
    """A report as the old system had it; ``resolution`` and ``closed_at`` if it was closed."""

    source: str
    id: str
    service: str
    lat: float
    long: float
    filed_at: datetime
    closed_at: datetime | None = None
    resolution: str | None = None
    description: str = ""
    landmark: str = ""


def import_report(city: City, old: LegacyReport, now: datetime) -> bool:
    """Keep an old report; whether it is new here. Raises ``Problem``: outside_area and the like."""
    service = city.services.get(old.service)
    if service is None:
        raise Problem("unknown_service", field="service")
    actor = system(city.jurisdiction)
    body = {"lat": old.lat, "long": old.long, "channel": "import"}
    filed = intake.draft(actor, city, service, body, old.filed_at, ())
    report = replace(filed, id=id_of(city.jurisdiction, old), reporter=None, filer=None, via=None)
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
        Words(name, "public", text, ids.token_bytes(SALT_BYTES))
        for name, text in (("description", old.description), ("landmark", old.landmark))
        if text
    )
    for _ in range(_ATTEMPTS):
        report = replace(report, code=ids.new_code())
        try:
            commit(_writes(city, report, old, words, now))
        except Refused as refusal:
            if "code" not in refusal.labels or refusal.labels & {"head", "event"}:
                return False
            continue
        return True
    raise Problem("unavailable")


def id_of(jurisdiction: str, old: LegacyReport) -> str:
    """The id of an old report here: the moment of its filing, and a hash of where it comes from."""
    name = f"{jurisdiction}|{old.source}|{old.id}".encode()
    when = int(old.filed_at.timestamp() * 1000).to_bytes(6, "big")
    return str(ULID.from_bytes(when + hashlib.sha256(name).digest()[:10]))


def _writes(
    city: City, report: Report, old: LegacyReport, words: tuple[Words, ...], now: datetime
) -> list[Write]:
    place = city.jurisdiction
    data: dict[str, Any] = {"source": old.source, "old": old.id}
    actor = system(place)
    event = link(ACTION, None, report, actor, f"import-{report.id}", now, words, data, "system")
    head = replace(report, tail=event.hash)
    return [
        reports.put_head(head, timers.next_due(head, city), seen=None),
        reports.put_event(place, head.id, event),
        reports.put_code(place, head.code, head.id),
        *(people.put_text(place, head.id, 1, one) for one in words),
    ]
