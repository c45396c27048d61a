"""Reporters correct the texts and the contact of their own report, before anybody acts on it.

Tests: tests/integration/test_corrected_contact.py
"""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib import ids
from chalicelib.domain.body_types import Correction
from chalicelib.domain.city.city import City
from chalicelib.domain.events import EventText
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.input import contact_methods
from chalicelib.domain.input.redaction import redact
from chalicelib.domain.notifications import reachability
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.row_types import StoredText
from chalicelib.domain.timeline_types import EventData
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import filers
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome
from chalicelib.services.reports.text_moderation import (
    FIELDS,
    author_of,
    find_personal_data,
    version_of,
)
from chalicelib.services.timeline import former_contacts, traces
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import people, report_texts, timeline_rows
from chalicelib.storage.transactions import Write

CORRECTED, REACHED = "text_corrected", "contact_corrected"
_EVENTS_AT_MOST = 50


def correct(
    actor: Principal, op: KeyedOperation, report_id: str, body: Correction, now: datetime
) -> Outcome:
    """Correct the texts and the contact of a report, by its reporter and before anybody acts on it.

    The old texts are deleted at once. Raises ``Problem``: not_found, reporter_only,
    correction_late, missing_field.
    """
    jurisdiction = actor.jurisdiction
    city = cities.current(jurisdiction, now)
    if not body:
        raise Problem("missing_field", field="description")
    names = {field: report_texts.text_name(1, field) for field in FIELDS}
    first = report_texts.named_texts(jurisdiction, report_id, list(names.values()))
    words, gone = list[EventText](), list[str]()
    for field, name in names.items():
        doc = first.get(name)
        before = doc["text"] if doc else ""
        text = str(body.get(field, before)).strip()
        text = redact(text, city.patterns) if body.get("mask") else text
        if text == before:
            continue
        if text:
            known = {**author_of(doc), "filed": True, "root": name}
            words.append(EventText(field, "public", text, ids.token_bytes(SALT_BYTES), known))
        else:
            gone.append(field)

    def change(seen: Seen, _: City) -> Addition:
        report = seen.report
        _may_correct(actor, report)
        if "contact" not in body and not words and not gone:
            raise Problem("missing_field", field="description")
        writes, named = list[Write](), list[list[Any]]()
        for field in (*(text.field for text in words), *gone):
            doc = first.get(names[field])
            current = doc.get("now", names[field]) if doc else None
            newer = next((text for text in words if text.field == field), None)
            if doc and current:
                named.append([version_of(current), field])
                writes += _superseded(report, names[field], current, doc, newer)
            elif newer:
                now_name = report_texts.text_name(report.version + 1, field)
                writes.append(
                    report_texts.put_replacement(
                        jurisdiction, report.id, names[field], newer, now_name, None
                    )
                )
                writes += traces.index_rows(actor, people.TEXT, report.id, names[field])
        after = replace(report, corrections=report.corrections + 1)
        if words or gone:
            after = replace(after, shown_at=now)
        if "contact" in body:
            after, more = _contact(after, body["contact"], city, now)
            writes += more
        passages = [] if report.protected else find_personal_data(words, city)
        name = CORRECTED if words or gone else REACHED
        data: EventData = {"texts": named}
        if after.former != report.former:
            # The former contact gets a message, if it was kept (``former_contacts``).
            data["former"] = True
        return Addition(after, {"personal_data": passages}, writes, data, name)

    return add(actor, op, report_id, CORRECTED, change, now, tuple(words))


def _superseded(
    report: Report, root: str, current: str, copy: StoredText, newer: EventText | None
) -> list[Write]:
    jurisdiction = report.jurisdiction
    writes: list[Write] = []
    if current != root:
        writes.append(report_texts.delete_text(jurisdiction, report.id, current))
    if newer is None:
        writes.append(report_texts.delete_unchanged_text(jurisdiction, report.id, root, copy))
    else:
        newest = report_texts.text_name(report.version + 1, newer.field)
        writes.append(
            report_texts.put_replacement(jurisdiction, report.id, root, newer, newest, copy)
        )
    return writes


def _may_correct(actor: Principal, report: Report) -> None:
    """Raise unless the actor filed the report and nothing depends on its texts yet."""
    if actor.uid is None or actor.uid != report.reporter:
        raise Problem("reporter_only")
    counted = report.supports or report.comments or report.merged or report.outside
    links = timeline_rows.timeline(report.jurisdiction, report.id, 1, _EVENTS_AT_MOST + 1)
    acted = len(links) > _EVENTS_AT_MOST or any(
        json.loads(text)["actor"]["kind"] == "staff" for text, _ in links
    )
    if report.state != "submitted" or counted or acted:
        raise Problem("correction_late", state=report.state)


def _contact(
    report: Report, contact: dict[str, str], city: City, now: datetime
) -> tuple[Report, list[Write]]:
    jurisdiction = report.jurisdiction
    kept, before = former_contacts.keep_former(report, contact, city, now)
    after, writes = filers.with_contact(kept, contact)
    writes = [*before, *writes]
    if contact_methods.first_address(contact):
        ref = report.contact or ids.token_bytes(16).hex()
        after = replace(after, contact=ref, contactable=reachability.contactable(contact))
        return after, [*writes, people.put_contact(jurisdiction, ref, contact)]
    if report.contact:
        writes.append(people.delete_contact(jurisdiction, report.contact))
    return replace(after, contact=None, contactable=False), writes
