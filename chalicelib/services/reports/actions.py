"""Acting on a report: one action, one transaction, one event, by the version the actor saw."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib import ids
from chalicelib.domain import photos
from chalicelib.domain.actions import clock_notes, perform, protection
from chalicelib.domain.actions.city_succession import under_present_version
from chalicelib.domain.actions.perform import WORDS
from chalicelib.domain.city.city import City
from chalicelib.domain.events import Words
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.principal import AUDITOR, Principal
from chalicelib.domain.report import Report, noted
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow import permissions
from chalicelib.domain.workflow.table import actions_of, allowed, open_actions
from chalicelib.errors import Problem
from chalicelib.services.city import cities, staff
from chalicelib.services.identity import rate_limits
from chalicelib.services.photos import tickets
from chalicelib.services.platform.idempotency import (
    KeyedOperation,
    Outcome,
    run_once,
    write_with_key,
)
from chalicelib.services.reports import city_migration, merging, pin_correction, presenters
from chalicelib.services.scorecards import audits
from chalicelib.services.timeline import access, secrecy
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.change import Change, change_writes
from chalicelib.storage import reports, scorecards
from chalicelib.storage.transactions import Refused, Unavailable, wait

CODES = ("reason_code", "unit", "person", "agency", "until", "service", "ward", "into", "result")
ATTEMPTS = 20
# Of a head that does not say yet which version decided last, so many events are looked at.
NOTES_AT_MOST = 10
# What opens a report again, which a city may have left behind while it was closed.
_OPENING = frozenset({"reopen", "unmerge", protection.TAKE})


def act(
    actor: Principal, op: KeyedOperation, report_id: str, body: dict[str, Any], now: datetime
) -> Outcome:
    """Take an action on a report and answer with its new state (``presenters.action_answer``).

    A repeated key gets the same answer again.

    ``body``: ``action``, ``version`` (the one the actor saw) and the fields of that action.
    Raises ``Problem``: not_found, stale_version, role_not_allowed, wrong_state and the rules of
    ``domain.actions.perform``.
    """
    return run_once(op, lambda: _act(actor, op, report_id, body, now))


def _act(
    actor: Principal, op: KeyedOperation, report_id: str, body: dict[str, Any], now: datetime
) -> Outcome:
    given = {key: value for key, value in body.items() if key not in ("action", "version")}
    counted = False
    for attempt in range(ATTEMPTS):
        wait(attempt)
        seen = access.load(actor, report_id)
        _fresh(seen, body["version"])
        now_city = cities.current(actor.jurisdiction, now)
        name = protection.actual_action(body["action"], seen.report, given.get("service"), now_city)
        allowed(name, seen.report, seen.standing)
        if (present := _present(seen.report, name, now)) is None:
            continue  # It has followed the city into a new version first.
        city = cities.promised(seen.report)
        target = _target(actor, given)
        report = under_present_version(seen.report, present)
        spot = pin_correction.read_pin(present, name, given)
        after = perform.perform(
            name, report, actor, seen.standing, given, now, city, target, present, spot
        )
        _check_person(actor, seen.report, given)
        if name == protection.PROTECT and not counted:
            _count_proposal(actor, now)
            counted = True
        taken = tickets.claim_photos(actor, given.get("photos") or [], seen.report, name, now, city)
        after = tickets.with_photos(after, taken)
        try:
            return _commit(op, actor, seen, after, name, given, now, target, taken)
        except Refused:
            continue  # Only the original has moved on, which this actor's version is not about.
        except Problem as problem:
            if problem.slug != "stale_version":
                raise
            # Overtaken: the next look tells whether by anything that matters to the actor.
    raise Unavailable


def _present(report: Report, name: str, now: datetime) -> City | None:
    if report.open or name in _OPENING:
        return city_migration.follow_city(report, now)
    return cities.at(report.jurisdiction, report.city_version)


def act_by_clock(
    actor: Principal,
    op: KeyedOperation,
    report: Report,
    name: str,
    given: dict[str, Any],
    now: datetime,
) -> Outcome:
    """An action of the clock on a head just read, by the same rules and the same transaction."""
    return run_once(op, lambda: _step(actor, op, report, name, given, now))


def _step(
    actor: Principal,
    op: KeyedOperation,
    report: Report,
    name: str,
    given: dict[str, Any],
    now: datetime,
) -> Outcome:
    seen = Seen(report, frozenset({"system"}), is_reporter=False)
    if name in _OPENING and city_migration.follow_city(report, now) is None:
        report = reports.get(actor.jurisdiction, report.id) or report
        seen = replace(seen, report=report)
    city = cities.promised(report)
    for _ in range(ATTEMPTS):
        into = given.get("into") or report.merged_into
        original = reports.get(actor.jurisdiction, into) if into else None
        after = perform.perform(name, report, actor, seen.standing, given, now, city, original)
        facts = {**given, **clock_notes.about(name, report, given, city)}
        if name == "escalate" and _told_with_breach(report, facts):
            facts["joined"] = True
        try:
            return _commit(op, actor, seen, after, name, facts, now, original, [])
        except Refused:
            continue
    raise Unavailable


def _told_with_breach(report: Report, facts: dict[str, Any]) -> bool:
    """Whether the event before is the broken promise of the same moment, whose alert tells of this
    level too (``clock_notes.about``)."""
    if facts["due"] != iso(report.due_at):
        return False
    before = reports.event(report.jurisdiction, report.id, report.version)
    joins = before["data"].get("joins") if before and before["action"] == "breach" else None
    return bool(joins == facts["level"])


def _fresh(seen: Seen, version: int) -> None:
    """Refuse an action on a version that is not the present one, unless nothing has changed since
    that anybody decides by: the clock's notes, comments, supports, ratings and the like."""
    report = seen.report
    if version == report.version:
        return
    since = report.version - version
    if since > 0 and 0 < report.decided <= version:
        return
    if not report.decided and 0 < since <= NOTES_AT_MOST:
        links = reports.timeline(report.jurisdiction, report.id, version, since)
        if len(links) == since and all(noted(json.loads(text)) for text, _ in links):
            return
    raise Problem(
        "stale_version",
        seen=version,
        version=report.version,
        state=report.state,
        open_actions=open_actions(report, seen.standing),
    )


def _target(actor: Principal, given: dict[str, Any]) -> Report | None:
    if "into" not in given:
        return None
    original = reports.get(actor.jurisdiction, given["into"])
    if original is None or not access.sees(actor, Seen(original, frozenset(), False)):
        raise Problem("original_unknown", field="into")
    return original


def _count_proposal(actor: Principal, now: datetime) -> None:
    """One person may hide a few reports a day, not the city's work."""
    limits = cities.current(actor.jurisdiction, now).person_limits("proposals")
    scopes = {"proposals": actor.uid or "-"}
    rate_limits.take(actor.jurisdiction, limits, scopes, now, fail_open=False)


def _check_person(actor: Principal, report: Report, given: dict[str, Any]) -> None:
    if person := given.get("person"):
        record = staff.by_ref(actor.jurisdiction, person)
        unit = given.get("unit") or report.unit
        reaches = record and permissions.over(record, report).roles() - {AUDITOR}
        if record is None or record.unit != unit or not reaches:
            raise Problem("unknown_person", field="person")


def _commit(
    op: KeyedOperation,
    actor: Principal,
    seen: Seen,
    after: Report,
    name: str,
    given: dict[str, Any],
    now: datetime,
    target: Report | None,
    taken: list[tickets.Claim],
) -> Outcome:
    before = seen.report
    audience = actions_of(before)[name].words
    words = tuple(
        Words(field, audience, given[field], ids.token_bytes(SALT_BYTES))
        for field in WORDS
        if given.get(field)
    )
    # The clock gives no codes but facts.
    known = [key for key in given if key not in WORDS] if actor.kind == "system" else CODES
    data = {key: given[key] for key in known if given.get(key) is not None}
    data.update(tickets.event_data(taken))
    if name == protection.PROTECT and (seen_by_all := photos.ready(before)):
        data["redrawn"] = seen_by_all
    if name in protection.BACK and before.outside.get("unit") in (before.unit, before.agency):
        data["outside"] = "has_it"
    whose = (before.reporter, before.filer, before.id)
    if actor.kind == "citizen" and seen.is_reporter and actor.uid not in whose:
        data["by"] = "duplicate"
    change = Change(name, before, after, words, data)
    writes = change_writes(change, actor, op, now, seen.standing)
    writes += [write for one in taken for write in one.writes]
    if name in merging.ACTIONS:
        writes += merging.writes_on_originals(op, actor, name, before, after, target, now)
    if name == "audit":
        place, month = before.jurisdiction, before.closed_month or ""
        present = cities.current(place, now)
        desk = audits.sample_district(present, month, before.district, before.id)
        writes.append(scorecards.put_audited(place, month, desk, before.id, given["result"]))
    answer = presenters.action_answer(after)
    if name != "merge":
        answer = secrecy.without_secret_original(actor, answer)
    try:
        return write_with_key(op, writes, {**answer, **pin_correction.extra_answer(after, name)})
    except Refused as refusal:
        if any(label.startswith("photo:") for label in refusal.labels):
            raise tickets.claim_failure(actor, taken) from None
        if "audit" in refusal.labels:
            raise Problem("not_in_sample", action=name) from None
        if all(label.startswith(merging.OTHER) for label in refusal.labels):
            raise
        now_seen = reports.get(before.jurisdiction, before.id) or before
        raise Problem(
            "stale_version",
            seen=before.version,
            version=now_seen.version,
            state=now_seen.state,
            open_actions=open_actions(now_seen, seen.standing),
        ) from None
