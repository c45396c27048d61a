"""Acting on a report: each action is one transaction and one event, on the version that the
actor saw."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, cast

from chalicelib import ids
from chalicelib.domain import photos
from chalicelib.domain.actions import clock_notes, perform, protection
from chalicelib.domain.actions.city_succession import under_present_version
from chalicelib.domain.actions.context import Context
from chalicelib.domain.actions.perform import WORDS
from chalicelib.domain.body_types import ActionBody, ActionFields
from chalicelib.domain.city.city import City
from chalicelib.domain.events import EventText
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.principal import AUDITOR, BY_CONTACT, Principal
from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import noted
from chalicelib.domain.timeline_types import EventData
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
from chalicelib.storage import reports, scorecards, timeline_rows
from chalicelib.storage.transactions import Refused, Unavailable, wait

CODES = ("reason_code", "unit", "person", "agency", "until", "service", "ward", "into", "result")
ATTEMPTS = 20
# A head of an older format does not hold its last deciding version: read at most so many events.
NOTES_AT_MOST = 10
# Actions that open a closed report again. Meanwhile the city may have got a new version.
_OPENING = frozenset({"reopen", "unmerge", protection.TAKE})


def act(
    actor: Principal, op: KeyedOperation, report_id: str, body: ActionBody, now: datetime
) -> Outcome:
    """Take an action on a report and answer with its new state (``presenters.action_answer``).

    A repeated idempotency key gets the same answer again.

    ``body``: ``action``, ``version`` (the one that the actor saw) and the fields of that action.
    Raises ``Problem``: not_found, stale_version, role_not_allowed, wrong_state and the rules of
    ``domain.actions.perform``.
    """
    return run_once(op, lambda: _act(actor, op, report_id, body, now))


def _act(
    actor: Principal, op: KeyedOperation, report_id: str, body: ActionBody, now: datetime
) -> Outcome:
    sent = {key: value for key, value in body.items() if key not in ("action", "version")}
    fields = cast(ActionFields, sent)
    counted = False
    for attempt in range(ATTEMPTS):
        wait(attempt)
        seen = access.load(actor, report_id)
        _check_version(seen, body["version"])
        present_city = cities.current(actor.jurisdiction, now)
        name = protection.actual_action(
            body["action"], seen.report, fields.get("service"), present_city
        )
        try:
            allowed(name, seen.report, seen.standing)
        except Problem as problem:
            raise merging.pointed_on(problem, seen.report) from None
        if (present := _city_to_act_by(seen.report, name, now)) is None:
            continue  # The report has just moved to the new city version: read it again.
        city = cities.promised(seen.report)
        target = _target(actor, fields)
        report = under_present_version(seen.report, present)
        pin = pin_correction.read_pin(present, name, fields)
        context = Context(now, city, target, present, pin)
        after = perform.perform(name, report, actor, seen.standing, fields, context)
        _check_person(actor, seen.report, fields)
        if name == protection.PROTECT and not counted:
            _count_proposal(actor, now)
            counted = True
        photo_ids = fields.get("photos") or []
        claims = tickets.claim_photos(actor, photo_ids, seen.report, name, now, city)
        after = tickets.with_photos(after, claims)
        action = _Allowed(name, fields, after, target, claims)
        try:
            return _commit(op, actor, seen, action, now)
        except Refused:
            continue  # Only the original changed, and ``version`` is not about the original.
        except Problem as problem:
            if problem.slug != "stale_version":
                raise
            # The report changed meanwhile; the next attempt checks whether that matters.
    raise Unavailable


def _city_to_act_by(report: Report, name: str, now: datetime) -> City | None:
    if report.open or name in _OPENING:
        return city_migration.follow_city(report, now)
    return cities.at(report.jurisdiction, report.city_version)


def act_by_clock(
    actor: Principal,
    op: KeyedOperation,
    report: Report,
    name: str,
    fields: ActionFields,
    now: datetime,
) -> Outcome:
    """Take an action of the clock (an SLA step) on a head just read, by the same rules."""
    return run_once(op, lambda: _step(actor, op, report, name, fields, now))


def _step(
    actor: Principal,
    op: KeyedOperation,
    report: Report,
    name: str,
    fields: ActionFields,
    now: datetime,
) -> Outcome:
    seen = Seen(report, frozenset({"system"}), is_reporter=False)
    if name in _OPENING and city_migration.follow_city(report, now) is None:
        report = reports.get(actor.jurisdiction, report.id) or report
        seen = replace(seen, report=report)
    city = cities.promised(report)
    for _ in range(ATTEMPTS):
        into = fields.get("into") or report.merged_into
        original = reports.get(actor.jurisdiction, into) if into else None
        context = Context(now, city, original)
        after = perform.perform(name, report, actor, seen.standing, fields, context)
        about = clock_notes.about(name, report, fields, city)
        facts: dict[str, Any] = {**fields, **about}
        if name == "escalate" and _covered_by_breach(report, facts):
            facts["joined"] = True
        try:
            return _commit(op, actor, seen, _Allowed(name, facts, after, original, []), now)
        except Refused:
            continue
    raise Unavailable


def _covered_by_breach(report: Report, facts: Mapping[str, Any]) -> bool:
    """Whether the event before is the breach of the same deadline, and its alert already tells of
    this level (``clock_notes.about``)."""
    if facts["due"] != iso(report.due_at):
        return False
    previous = timeline_rows.event(report.jurisdiction, report.id, report.version)
    breach = previous if previous and previous["action"] == "breach" else None
    joins = breach["data"].get("joins") if breach else None
    return bool(joins == facts["level"])


def _check_version(seen: Seen, version: int) -> None:
    """Raise ``stale_version`` for an action on an older version.

    Changes that no decision depends on do not matter: notes of the clock, comments, supports,
    ratings and the like.
    """
    report = seen.report
    if version == report.version:
        return
    since = report.version - version
    if since > 0 and 0 < report.decided <= version:
        return
    if not report.decided and 0 < since <= NOTES_AT_MOST:
        links = timeline_rows.timeline(report.jurisdiction, report.id, version, since)
        if len(links) == since and all(noted(json.loads(text)) for text, _ in links):
            return
    raise Problem(
        "stale_version",
        seen=version,
        version=report.version,
        state=report.state,
        open_actions=open_actions(report, seen.standing),
    )


def _target(actor: Principal, fields: ActionFields) -> Report | None:
    if "into" not in fields:
        return None
    original = reports.get(actor.jurisdiction, fields["into"])
    if original is None or not access.sees(actor, Seen(original, frozenset(), False)):
        raise Problem("original_unknown", field="into")
    return original


def _count_proposal(actor: Principal, now: datetime) -> None:
    """Count a proposal to protect a report, since each hides a report from the public."""
    limits = cities.current(actor.jurisdiction, now).person_limits("proposals")
    scopes = {"proposals": actor.uid or "-"}
    rate_limits.take(actor.jurisdiction, limits, scopes, now, fail_open=False)


def _check_person(actor: Principal, report: Report, fields: ActionFields) -> None:
    if person := fields.get("person"):
        record = staff.by_ref(actor.jurisdiction, person)
        unit = fields.get("unit") or report.unit
        reaches = record and permissions.over(record, report).roles() - {AUDITOR}
        if record is None or record.unit != unit or not reaches:
            raise Problem("unknown_person", field="person")


@dataclass(frozen=True)
class _Allowed:
    """An action that the rules allow: its fields, the report after it, the report that it names in
    ``into``, and the photos that it uses."""

    name: str
    fields: Mapping[str, Any]
    after: Report
    target: Report | None
    claims: list[tickets.Claim]


def _commit(
    op: KeyedOperation, actor: Principal, seen: Seen, action: _Allowed, now: datetime
) -> Outcome:
    before, after, name = seen.report, action.after, action.name
    audience = actions_of(before)[name].words
    words = tuple(
        EventText(field, audience, action.fields[field], ids.token_bytes(SALT_BYTES))
        for field in WORDS
        if action.fields.get(field)
    )
    change = Change(name, before, after, words, _event_data(actor, seen, action))
    writes = change_writes(change, actor, op, now, seen.standing)
    writes += [write for claim in action.claims for write in claim.writes]
    if name in merging.ACTIONS:
        writes += merging.writes_on_originals(op, actor, change, action.target, now)
    if name == "audit":
        jurisdiction, month = before.jurisdiction, before.closed_month or ""
        present = cities.current(jurisdiction, now)
        district = audits.sample_district(present, month, before.district, before.id)
        result = action.fields["result"]
        writes.append(scorecards.put_audited(jurisdiction, month, district, before.id, result))
    answer = presenters.action_answer(after)
    if name != "merge":
        answer = secrecy.without_secret_original(actor, answer)
    try:
        return write_with_key(op, writes, {**answer, **pin_correction.extra_answer(after, name)})
    except Refused as refusal:
        if any(label.startswith("photo:") for label in refusal.labels):
            raise tickets.claim_failure(actor, action.claims) from None
        if "audit" in refusal.labels:
            raise Problem("not_in_sample", action=name) from None
        if all(label.startswith(merging.OTHER) for label in refusal.labels):
            raise
        newest = reports.get(before.jurisdiction, before.id) or before
        raise Problem(
            "stale_version",
            seen=before.version,
            version=newest.version,
            state=newest.state,
            open_actions=open_actions(newest, seen.standing),
        ) from None


def _event_data(actor: Principal, seen: Seen, action: _Allowed) -> EventData:
    """The data of the action's event: its codes, photos, and how the actor has the right."""
    before, fields = seen.report, action.fields
    # The fields of the clock's actions are all facts for the event.
    clock_facts = [key for key in fields if key not in WORDS]
    names = clock_facts if actor.kind == "system" else CODES
    data = cast(EventData, {key: fields[key] for key in names if fields.get(key) is not None})
    data.update(tickets.event_data(action.claims))
    if action.name == protection.PROTECT and (public_pictures := photos.ready(before)):
        data["redrawn"] = public_pictures
    unit_has_it = before.outside.get("unit") in (before.unit, before.agency)
    if action.name in protection.BACK and unit_has_it:
        data["outside"] = "has_it"
    own_ids = (before.reporter, before.filer, before.id)
    if f"{BY_CONTACT}{before.id}" in actor.permissions:
        data["by"] = "contact"
    if actor.kind == "citizen" and "reporter" in seen.standing and actor.uid not in own_ids:
        data["by"] = "duplicate"
    return data
