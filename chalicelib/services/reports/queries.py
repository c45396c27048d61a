"""Reading one report: the public view, the case, the timeline, a contact."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib import ids
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.workflow import permissions
from chalicelib.domain.workflow.table import open_actions
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform.idempotency import (
    KeyedOperation,
    Outcome,
    earlier_outcome,
    write_with_key,
)
from chalicelib.services.reports import presenters
from chalicelib.services.timeline import access, secrecy
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.change import Change, change_writes
from chalicelib.storage import access_index, people, reports
from chalicelib.storage.transactions import Refused, Unavailable, wait

PAGE = 100
TEXTS = (presenters.DESCRIPTION, presenters.LANDMARK)
ATTEMPTS = 20
# The id of no report.
NOBODY = "0" * 26


def public(actor: Principal, report_id: str) -> dict[str, Any]:
    """The public view, in one read; the reporter alone sees a protected one, and the words of a
    private one are for who may see it all."""
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


def track(actor: Principal, code: str) -> dict[str, Any]:
    """The public view behind a tracking code, in whatever way it is typed."""
    # The same calls whether there is no such code, or a report that nobody may know of.
    known = ids.code_of(code) or code
    return public(actor, reports.by_code(actor.jurisdiction, known) or NOBODY)


def timeline(actor: Principal, report_id: str, after: int) -> dict[str, Any]:
    """A page of the public timeline: what happened, in public words, with its hash chain."""
    shown = public(actor, report_id)
    links = reports.timeline(actor.jurisdiction, report_id, after, PAGE)
    if shown["private"] and not _sees(actor, reports.get(actor.jurisdiction, report_id)):
        events = presenters.bare_timeline(links)
    else:
        texts = people.texts(actor.jurisdiction, report_id, after + 1, after + len(links))
        # What happened while it was protected is for its reporter alone.
        guarded = any(presenters.while_protected(json.loads(text)) for text, _ in links)
        whole = guarded and access.load(actor, report_id).is_reporter
        events = presenters.timeline(links, texts, inside=False, whole=whole)
        events = secrecy.without_secret_reports(actor, events)
    more = len(links) == PAGE
    return {"id": report_id, "events": events, "next": after + PAGE if more else None}


def case(actor: Principal, report_id: str) -> dict[str, Any]:
    """The officials' view with the newest hundred events, inside words included."""
    seen = access.load(actor, report_id)
    report, texts = reports.with_texts(actor.jurisdiction, report_id, *TEXTS)
    report = report or seen.report
    first = max(0, report.version - PAGE)
    links = reports.timeline(actor.jurisdiction, report_id, first, PAGE)
    words = people.texts(actor.jurisdiction, report_id, first + 1, report.version)
    city = cities.at(report.jurisdiction, report.city_version)
    body = presenters.case(report, texts, city, open_actions(report, seen.standing))
    shown = presenters.without_other_reports(report, presenters.timeline(links, words, inside=True))
    events = secrecy.without_secret_reports(actor, shown)
    return {**secrecy.without_secret_original(actor, body), "timeline": events}


def contact(actor: Principal, op: KeyedOperation, report_id: str, now: datetime) -> Outcome:
    """A reporter's contact data, for a holder of the permission; the event comes first.

    The idempotency row keeps no personal data: a replay reads the contact anew.
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
    found = people.contact(actor.jurisdiction, seen.report.contact or "")
    return Outcome({**outcome.answer, "contact": found or {}}, outcome.replayed)


def _record(actor: Principal, op: KeyedOperation, seen: Seen, now: datetime) -> Outcome | None:
    report = seen.report
    after = replace(report, version=report.version + 1)
    change = Change("contact_read", report, after)
    writes = change_writes(change, actor, op, now, seen.standing)
    place, who = report.jurisdiction, actor.uid or ""
    writes.append(access_index.put_contact_read(place, who, now, report.id, after.version))
    try:
        return write_with_key(op, writes, {"id": report.id, "version": after.version})
    except Refused:
        return earlier_outcome(op)
