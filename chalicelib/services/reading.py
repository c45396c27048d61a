"""Reading one report: the public view, the case, the timeline, a contact."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain import rights
from chalicelib.domain.actor import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.workflow import open_actions
from chalicelib.errors import Problem
from chalicelib.services import access, cities, views
from chalicelib.services.access import Seen
from chalicelib.services.operations import Operation, Outcome, earlier, write
from chalicelib.services.report_changes import changes
from chalicelib.storage import people, reports
from chalicelib.storage.transactions import Refused, Unavailable, wait

PAGE = 100
TEXTS = (views.DESCRIPTION, views.LANDMARK)
ATTEMPTS = 20


def public(actor: Principal, report_id: str) -> dict[str, Any]:
    """The public view, in one read; the reporter alone sees a protected one, and the words of a
    private one are for who may see it all."""
    report, texts = reports.with_texts(actor.jurisdiction, report_id, *TEXTS)
    if report is None:
        raise Problem("not_found")
    sees = not report.hidden or _sees(actor, report)
    if report.secret and not sees:
        raise Problem("not_found")
    if not sees:
        return views.outside(report, cities.at(report.jurisdiction, report.city_version))
    city = cities.at(report.jurisdiction, report.city_version)
    return views.public(report, texts, city, private=report.private)


def _sees(actor: Principal, report: Report | None) -> bool:
    ours = report is not None and access.reporter_of(actor, report)
    return report is not None and access.sees(actor, Seen(report, frozenset(), ours))


def track(actor: Principal, code: str) -> dict[str, Any]:
    """The public view behind a tracking code."""
    report_id = reports.by_code(actor.jurisdiction, code)
    if report_id is None:
        raise Problem("not_found")
    return public(actor, report_id)


def timeline(actor: Principal, report_id: str, after: int) -> dict[str, Any]:
    """A page of the public timeline: what happened, in public words, with its hash chain."""
    shown = public(actor, report_id)
    links = reports.timeline(actor.jurisdiction, report_id, after, PAGE)
    if shown["private"] and not _sees(actor, reports.get(actor.jurisdiction, report_id)):
        events = views.bare_timeline(links)
    else:
        texts = people.texts(actor.jurisdiction, report_id, after + 1, after + len(links))
        events = views.timeline(links, texts, inside=False)
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
    body = views.case(report, texts, city, open_actions(report, seen.standing))
    return {**body, "timeline": views.timeline(links, words, inside=True)}


def contact(actor: Principal, op: Operation, report_id: str, now: datetime) -> Outcome:
    """A reporter's contact data, for a holder of the permission; the event comes first.

    The idempotency row keeps no personal data: a replay reads the contact anew.
    """
    outcome = earlier(op)
    seen = access.load(actor, report_id)
    allowed = rights.may(actor, "contact", seen.report) and access.in_scope(actor, seen.report)
    if not (allowed and rights.permitted(actor, "readContact", seen.report)):
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


def _record(actor: Principal, op: Operation, seen: Seen, now: datetime) -> Outcome | None:
    report = seen.report
    city = cities.at(report.jurisdiction, report.city_version)
    after = replace(report, version=report.version + 1)
    writes = changes(op, actor, report, after, "contact_read", now, city, standing=seen.standing)
    try:
        return write(op, writes, {"id": report.id, "version": after.version})
    except Refused:
        return earlier(op)
