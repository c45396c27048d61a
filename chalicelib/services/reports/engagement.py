"""What people add to a report without changing its state: comments, support, following, rating."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib import ids
from chalicelib.domain.actions.context import rated
from chalicelib.domain.city.city import City
from chalicelib.domain.events import EventText
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.notifications import reachability
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.workflow.table import holds
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import rate_limits
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome
from chalicelib.services.reports import merging
from chalicelib.services.timeline import access, traces
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import people
from chalicelib.storage.transactions import Write, commit

RATED_STATES = frozenset({"work_done", "closed"})


def comment(
    actor: Principal,
    op: KeyedOperation,
    report_id: str,
    text: str,
    audience: str,
    now: datetime,
) -> Outcome:
    """Add a comment for an ``audience``: "public", or "inside" for officials.

    The first public comment of its holder acknowledges the report.
    """

    def change(seen: Seen, city: City) -> Addition:
        may_comment(actor, seen, audience)
        report = seen.report
        if actor.kind == "citizen":
            _not_merged(report)
        by_holder = audience == "public" and holds(actor, report)
        first = by_holder and report.acknowledged_at is None
        acknowledged = now if first else report.acknowledged_at
        after = replace(report, comments=report.comments + 1, acknowledged_at=acknowledged)
        return Addition(after, {"comments": after.comments})

    words = EventText("comment", audience, text, ids.token_bytes(SALT_BYTES))
    usage = rate_limits.person_usage(actor, now, "comments", report_comments=report_id)
    return add(actor, op, report_id, "comment", change, now, (words,), usage=usage)


def support(actor: Principal, op: KeyedOperation, report_id: str, now: datetime) -> Outcome:
    """Support a report: once per person, whatever the idempotency key. It also follows it."""

    def change(seen: Seen, city: City) -> Addition:
        report = seen.report
        if report.secret:
            raise Problem("not_found")
        if not report.open:
            _not_merged(report)
            raise Problem("report_closed")
        month = report.support_month or city.month(now)
        after = replace(report, supports=report.supports + 1, support_month=month)
        uid = actor.uid or ""
        marks: list[Write] = []
        for kind in (people.SUPPORT, people.FOLLOW):
            marks.append(people.put_mark(report.jurisdiction, report.id, kind, uid))
            marks += traces.index_rows(actor, kind, report.id)
        return Addition(after, {"supports": after.supports}, marks)

    return add(
        actor,
        op,
        report_id,
        "support",
        change,
        now,
        usage=rate_limits.person_usage(actor, now, "supports"),
    )


def rate(
    actor: Principal,
    op: KeyedOperation,
    report_id: str,
    stars: int,
    text: str | None,
    now: datetime,
) -> Outcome:
    """Rate the work with 1–5 stars, from ``work_done`` on. A later rating replaces an earlier one.

    Raises ``Problem``: reporter_only, not_yet_rated.
    """

    def change(seen: Seen, city: City) -> Addition:
        if not seen.is_reporter:
            raise Problem("reporter_only")
        unfinished = seen.report.state not in RATED_STATES or seen.report.finished_at is None
        if unfinished or seen.report.protected:
            raise Problem("not_yet_rated", state=seen.report.state)
        month = city.month(now)
        after = rated(seen.report, stars, now, month)
        return Addition(after, {"rating": stars})

    words = EventText("rating", "public", text, ids.token_bytes(SALT_BYTES)) if text else None
    texts, usage = (words,) if words else (), rate_limits.person_usage(actor, now, "ratings")
    return add(actor, op, report_id, "rate", change, now, texts, usage=usage)


def make_public(actor: Principal, op: KeyedOperation, report_id: str, now: datetime) -> Outcome:
    """Make a private report public, by the person who filed it. It cannot be undone.

    Raises ``Problem``: not_found, reporter_only, not_private.
    """

    def change(seen: Seen, city: City) -> Addition:
        if actor.uid is None or actor.uid != seen.report.reporter:
            raise Problem("reporter_only")
        if not seen.report.private:
            raise Problem("not_private")
        after = replace(seen.report, private=False, shown_at=now)
        return Addition(after, {"private": False})

    return add(actor, op, report_id, "opened", change, now)


def follow(
    actor: Principal,
    report_id: str,
    following: bool,
    now: datetime,
    contact: dict[str, Any] | None = None,
    languages: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Follow a report, or stop. No event is written, so that nobody learns who follows.

    ``contact`` is where messages about it go; without it, to the contact of the follower's newest
    own reports.
    """
    report = access.load(actor, report_id).report
    access.permit(actor, report, "followReport")
    jurisdiction, uid = actor.jurisdiction, actor.uid or ""
    writes = traces.after_closing(actor, report, now) if following else list[Write]()
    for ref in people.details(jurisdiction, uid, people.REACHED_BY, report_id):
        # The preferences of that address are kept.
        writes.append(people.delete_contact(jurisdiction, ref))
        writes.append(people.delete_trace(jurisdiction, uid, people.REACHED_BY, report_id, ref))
    if not following:
        writes.append(people.delete_mark(jurisdiction, report_id, people.FOLLOW, uid))
        writes.append(people.delete_trace(jurisdiction, uid, people.FOLLOW, report_id))
    else:
        doc: dict[str, Any] = {
            "language": cities.current(jurisdiction, now).choose_language(*languages)
        }
        if contact and reachability.contactable(contact):
            doc["contact"] = ids.token_bytes(16).hex()
            writes.append(people.put_contact(jurisdiction, doc["contact"], contact))
            writes.append(
                people.put_trace(jurisdiction, uid, people.REACHED_BY, report_id, doc["contact"])
            )
        writes.append(people.put_mark(jurisdiction, report_id, people.FOLLOW, uid, doc))
        writes.append(people.put_trace(jurisdiction, uid, people.FOLLOW, report_id))

    def attempt() -> Outcome:
        commit(writes)
        return Outcome({"id": report_id, "following": following})

    return rate_limits.run_limited(
        jurisdiction, rate_limits.person_usage(actor, now, "follows"), now, attempt
    ).answer


def _not_merged(report: Report) -> None:
    # Nobody works on a duplicate, so nobody would read a comment there.
    if original := merging.continued_as(report):
        raise Problem("report_merged", merged_into=original.id)


def may_comment(actor: Principal, seen: Seen, audience: str) -> None:
    """Raise ``role_not_allowed`` if the actor may not comment on the report for this audience."""
    if seen.report.protected and not seen.is_reporter and audience == "public":
        raise Problem("role_not_allowed", action="comment", rule="comment.protected")
    access.permit(actor, seen.report, "commentReport")
    if actor.kind == "staff":
        return
    if audience != "public" or not (seen.is_reporter or seen.is_its_channel):
        raise Problem("role_not_allowed", action="comment", rule="comment.who")
