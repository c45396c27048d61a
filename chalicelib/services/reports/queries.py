"""Reading one report: the public view, the case, the timeline, a contact.

Tests: tests/integration/test_actions.py
"""

import json
from dataclasses import replace
from datetime import datetime

from chalicelib import ids
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.workflow import permissions
from chalicelib.domain.workflow.table import open_actions
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform.answer_types import CaseView, PublicView, TimelinePage
from chalicelib.services.platform.idempotency import (
    KeyedOperation,
    Outcome,
    earlier_outcome,
    write_with_key,
)
from chalicelib.services.reports import presenters, timeline_views
from chalicelib.services.timeline import access, secrecy
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.change import Change, change_writes
from chalicelib.storage import access_index, people, report_texts, reports, timeline_rows
from chalicelib.storage.transactions import Refused, Unavailable, wait

PAGE = 100
TEXTS = (presenters.DESCRIPTION, presenters.LANDMARK)
ATTEMPTS = 20
# An id that no report has.
NO_REPORT = "0" * 26


def public(actor: Principal, report_id: str) -> PublicView:
    """The public view of a report, in one read.

    Only its reporter sees a protected report. Of a private report, others see the view without
    texts (``presenters.private_for_public``). Raises ``Problem``: not_found.
    """
    report, texts = reports.with_texts(actor.jurisdiction, report_id, *TEXTS)
    if report is None:
        raise Problem("not_found")
    sees = not report.hidden or access.exists_for(actor, report)
    if report.secret and not sees:
        raise Problem("not_found")
    city = cities.at(report.jurisdiction, report.city_version)
    if not sees:
        return secrecy.without_secret_original(actor, presenters.private_for_public(report, city))
    return secrecy.without_secret_original(
        actor, presenters.public(report, texts, city, private=report.private)
    )


def _sees(actor: Principal, report: Report | None) -> bool:
    return report is not None and access.exists_for(actor, report)


def track(actor: Principal, code: str) -> PublicView:
    """The public view of the report with a tracking code, in any case, with or without dashes."""
    # The reads are the same for an unknown code and for a secret report, so their time tells
    # nothing.
    normal = ids.code_of(code) or code
    return public(actor, reports.by_code(actor.jurisdiction, normal) or NO_REPORT)


def timeline(actor: Principal, report_id: str, after: int) -> TimelinePage:
    """A page of the public timeline, after event number ``after``: events with public texts and the
    hash chain."""
    view = public(actor, report_id)
    links = timeline_rows.timeline(actor.jurisdiction, report_id, after, PAGE)
    if view["private"] and not _sees(actor, reports.get(actor.jurisdiction, report_id)):
        events = timeline_views.private_event_rows(links)
    else:
        texts = report_texts.texts(actor.jurisdiction, report_id, after + 1, after + len(links))
        # Events of a time when the report was protected are for its reporter only.
        protected = any(timeline_views.while_protected(json.loads(text)) for text, _ in links)
        whole = protected and access.load(actor, report_id).is_reporter
        events = timeline_views.event_rows(links, texts, inside=False, whole=whole)
        events = secrecy.without_secret_reports(actor, events)
    more = len(links) == PAGE
    return {"id": report_id, "events": events, "next": after + PAGE if more else None}


def case(actor: Principal, report_id: str) -> CaseView:
    """The officials' view with the newest hundred events and their texts."""
    seen = access.load(actor, report_id)
    names = (*TEXTS, presenters.ADDRESS)
    report, texts = reports.with_texts(actor.jurisdiction, report_id, *names)
    report = report or seen.report
    first = max(0, report.version - PAGE)
    links = timeline_rows.timeline(actor.jurisdiction, report_id, first, PAGE)
    words = report_texts.texts(actor.jurisdiction, report_id, first + 1, report.version)
    city = cities.at(report.jurisdiction, report.city_version)
    body = presenters.case(report, texts, city, open_actions(report, seen.standing))
    shown = timeline_views.without_other_reports(
        report, timeline_views.event_rows(links, words, inside=True)
    )
    events = secrecy.without_secret_reports(actor, shown)
    return {**secrecy.without_secret_original(actor, body), "timeline": events}


def contact(actor: Principal, op: KeyedOperation, report_id: str, now: datetime) -> Outcome:
    """A reporter's contact, for an official with the permission ``contact``.

    The event "contact_read" is written before the contact is read. The idempotency row holds no
    personal data: a replay reads the contact again. Raises ``Problem``: contact_not_allowed,
    not_found.
    """
    outcome = earlier_outcome(op)
    seen = access.load(actor, report_id)
    allowed = permissions.may(actor, "contact", seen.report) and access.in_scope(actor, seen.report)
    if not (allowed and permissions.permitted(actor, "readContact", seen.report)):
        raise Problem("contact_not_allowed")
    if seen.report.contact is None:
        raise Problem("not_found")
    for attempt in range(ATTEMPTS):
        if outcome is not None:
            break
        wait(attempt)
        outcome = _record(actor, op, seen, now)
        seen = access.load(actor, report_id)
    if outcome is None:
        raise Unavailable
    contact = people.contact(actor.jurisdiction, seen.report.contact or "")
    return Outcome({**outcome.answer, "contact": contact or {}}, outcome.replayed)


def _record(actor: Principal, op: KeyedOperation, seen: Seen, now: datetime) -> Outcome | None:
    report = seen.report
    after = replace(report, version=report.version + 1)
    change = Change("contact_read", report, after)
    writes = change_writes(change, actor, op, now, seen.standing)
    jurisdiction, who = report.jurisdiction, actor.uid or ""
    writes.append(access_index.put_contact_read(jurisdiction, who, now, report.id, after.version))
    try:
        return write_with_key(op, writes, {"id": report.id, "version": after.version})
    except Refused:
        return earlier_outcome(op)
