"""Filing a report: place, service, unit and promise are decided and frozen in one transaction."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City, Service
from chalicelib.domain.events import Words, link
from chalicelib.domain.filer import is_channel
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.input.redaction import redact
from chalicelib.domain.map.geohash import encode
from chalicelib.domain.notifications import reachability
from chalicelib.domain.principal import AUDITOR, FOR_MANY, Principal
from chalicelib.domain.report import Report
from chalicelib.domain.sla import custody, deadlines, periods, timers
from chalicelib.domain.timestamps import parse
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import filers, rate_limits
from chalicelib.services.map import nearby
from chalicelib.services.photos import tickets
from chalicelib.services.platform import signing
from chalicelib.services.platform.idempotency import (
    KeyedOperation,
    Outcome,
    run_once,
    write_with_key,
)
from chalicelib.services.reports import presenters, service_attributes, text_moderation
from chalicelib.services.timeline import secrecy, traces
from chalicelib.storage import people, reports
from chalicelib.storage.transactions import Refused, Write

CODE_ATTEMPTS = 3
_AHEAD = timedelta(minutes=10)


def file_report(
    actor: Principal,
    op: KeyedOperation,
    body: dict[str, Any],
    ip: str,
    now: datetime,
    languages: tuple[str, ...],
    stripped: tuple[str, ...] = (),
) -> Outcome:
    """File a report and answer with its receipt (``presenters.receipt``), once a key.

    ``body`` has passed the schema of ``fileReport``; ``stripped`` names its fields that held
    invisible characters, which flags the report. Raises ``Problem``: unknown_service,
    outside_area, an answer or photo that does not fit, too_many.
    """
    city = cities.current(actor.jurisdiction, now)

    def attempt() -> Outcome:
        service = _service(city, body["service"], actor)
        report = draft(actor, city, service, body, now, languages)
        _may_file(actor, service, report)
        answers, texts = service_attributes.check(service, body.get("answers") or {})
        flags = (*report.flags, "invisible_text") if stripped else report.flags
        report = replace(report, answers=answers, flags=flags)
        taken = tickets.claim_photos(actor, body.get("photos") or [], report, "file", now, city)
        report = tickets.with_photos(
            replace(report, photos=tuple(one.photo for one in taken)), taken
        )
        words = _words(body, texts, city)

        def written() -> Outcome:
            close = [] if report.protected else nearby.same_problem(city, report)
            return _write(op, actor, city, report, body.get("contact"), words, taken, close)

        usage = _usage(city, actor, report, ip, now)
        return rate_limits.run_limited(city.jurisdiction, usage, now, written)

    outcome = run_once(op, attempt)
    if outcome.replayed and (close := outcome.answer["possible_duplicates"]):
        # What has become secret since the receipt was written is named no more.
        gone = secrecy.hidden_from(actor, [one["id"] for one in close])
        kept = [one for one in close if one["id"] not in gone]
        outcome = Outcome({**outcome.answer, "possible_duplicates": kept}, outcome.replayed)
    if is_channel(actor):
        # The secret makes whoever has it the reporter: it is nothing for staff or other systems.
        return outcome
    secret = signing.claim_secret(outcome.answer["id"])
    return Outcome({**outcome.answer, "claim_secret": secret}, outcome.replayed)


def _service(city: City, code: str, actor: Principal) -> Service:
    service = city.services.get(code)
    if service is None or not service.active or (service.staff_only and actor.kind != "staff"):
        raise Problem("unknown_service", field="service")
    return service


def _may_file(actor: Principal, service: Service, report: Report) -> None:
    """An official files like anybody, but not where they only audit; a service of the officials'
    own only where a grant of theirs reaches."""
    roles = actor.roles(report.district, report.service) if actor.kind == "staff" else frozenset()
    if roles == {AUDITOR} or (service.staff_only and not roles - {AUDITOR}):
        raise Problem("role_not_allowed", action="file", rule="fileReport.scope")


def draft(
    actor: Principal,
    city: City,
    service: Service,
    body: dict[str, Any],
    now: datetime,
    languages: tuple[str, ...],
) -> Report:
    """A report as it is filed at ``now``: where it lies, who holds it, what is promised."""
    lat, long = float(body["lat"]), float(body["long"])
    ward, away = locate(city, lat, long)
    district, _ = city.district_and_path(ward)
    promise = deadlines.promise(service, district, now, city)
    flags = []
    if away:
        flags.append("near")
    client_time = body.get("client_time")
    if client_time and _moment(client_time) > now + _AHEAD:
        flags.append("clock_ahead")
    if service.protected and body.get("public"):
        flags.append("made_private")
    contact = body.get("contact") or {}
    report_id = ids.new_ulid(now)
    who = filers.filer_of(actor, report_id, contact)
    filed = Report(
        id=report_id,
        code=ids.new_code(),
        jurisdiction=city.jurisdiction,
        city_version=city.version,
        service=service.code,
        group=service.group,
        protected=service.protected,
        ward=ward,
        district=district,
        unit=city.unit_for(service.code, district),
        lat7=round(lat * 1e7),
        long7=round(long * 1e7),
        channel=body.get("channel", "api"),
        language=city.choose_language(body.get("language", ""), *languages),
        filed_at=now,
        changed_at=now,
        clock_from=now,
        acknowledge_due=promise.acknowledge_due,
        due_at=promise.due_at,
        city_acknowledge_due=promise.city_acknowledge_due,
        city_due_at=promise.city_due_at,
        filed_month=city.month(now),
        filed_day=city.today(now),
        public_decimals=service.public_decimals,
        private=not body.get("public", service.public or service.protected),
        outside_m=away,
        accuracy_m=round(body["accuracy"]) if "accuracy" in body else None,
        client_time=client_time,
        flags=tuple(flags),
        contactable=reachability.contactable(contact),
        reporter=who.reporter,
        filer=who.filer,
        via=who.via,
    )
    return custody.with_holder(filed, now)


def locate(city: City, lat: float, long: float) -> tuple[str, int]:
    """(ward, whole metres outside the border) of a point; ``outside_area`` beyond the tolerance."""
    index = cities.boundaries(city.jurisdiction, city.version)
    long = 180.0 if long == -180 else long  # two names of one meridian
    swapped = abs(long) <= 90 and index.ward_at(long, lat) is not None
    if abs(lat) > 90 and not swapped:
        raise Problem("invalid_field", field="lat", rule="maximum", limit=90)
    found = index.locate(max(-90.0, min(lat, 90.0)), long)
    # A metre is the least that lies outside: 0 means inside.
    away = max(1, round(found.distance_m)) if found.distance_m > 0 else 0
    if found.ward and found.distance_m <= city.rules["near_m"]:
        return found.ward, away
    raise Problem(
        "outside_area",
        field="lat",
        nearest={"ward": found.ward, "name": city.areas[found.ward].name} if found.ward else None,
        distance_m=away,
        hint="swapped" if swapped else None,
    )


def _usage(
    city: City, actor: Principal, report: Report, ip: str, now: datetime
) -> rate_limits.Usage:
    address = rate_limits.address_pseudonym(ip, city.month(now))
    cell = encode(report.lat, report.long, 6)
    scopes = {"device": actor.uid or "-", "address": address, "cell": cell}
    limits = {kind: city.limits[kind] for kind in scopes if kind in city.limits}
    if actor.kind == "staff":
        limits.pop("device", None)
    if FOR_MANY in actor.permissions:
        # Another system has a limit of its own, and one address for all its people.
        limits = {kind: each for kind, each in limits.items() if kind not in ("device", "address")}
    return rate_limits.Usage(limits, scopes)


def _write(
    op: KeyedOperation,
    actor: Principal,
    city: City,
    report: Report,
    contact: dict[str, str] | None,
    words: tuple[Words, ...],
    taken: list[tickets.Claim],
    close: list[dict[str, Any]],
) -> Outcome:
    place, now = city.jurisdiction, report.filed_at
    if contact and (contact.get("email") or contact.get("phone")):
        # Also where it is not safe to write there: who may read a contact reads that too.
        report = replace(report, contact=ids.token_bytes(16).hex())
    data = tickets.event_data(taken)
    for _ in range(CODE_ATTEMPTS):
        score = periods.score_row(report, city)
        event = link("file", None, report, actor, op.id, now, words, data, actor.kind, score)
        head = replace(report, tail=event.hash)
        writes: list[Write] = [
            reports.put_head(head, timers.next_due(head, city), seen=None),
            reports.put_event(place, head.id, event),
            reports.put_code(place, head.code, head.id),
            *traces.text_rows(actor, head.id, 1, words),
            *(write for one in taken for write in one.writes),
        ]
        if head.contact and contact:
            writes.append(people.put_contact(place, head.contact, contact))
            writes += traces.index_rows(actor, people.CONTACT, head.id, head.contact)
        writes += filers.filing_rows(head)
        try:
            personal = [] if head.protected else text_moderation.find_personal_data(words, city)
            return write_with_key(op, writes, presenters.receipt(head, city, close, personal))
        except Refused as refusal:
            if any(label.startswith("photo:") for label in refusal.labels):
                raise tickets.claim_failure(actor, taken) from None
            if "code" not in refusal.labels:
                raise
            report = replace(report, code=ids.new_code())
    raise Problem("unavailable", headers={"Retry-After": "1"})


def _words(body: dict[str, Any], answers: dict[str, str], city: City) -> tuple[Words, ...]:
    said = {name: body.get(name) or "" for name in text_moderation.FIELDS}
    if body.get("mask"):
        said = {name: redact(text, city.patterns) for name, text in said.items()}
    texts = [(name, "public", text) for name, text in said.items()]
    texts += [(f"answer.{code}", "inside", text) for code, text in sorted(answers.items())]
    return tuple(
        Words(name, audience, text.strip(), ids.token_bytes(SALT_BYTES))
        for name, audience, text in texts
        if text.strip()
    )


def _moment(text: str) -> datetime:
    if not re.search(r"(Z|[+-]\d\d:\d\d)$", text):
        raise Problem("moment_unreadable", field="client_time")
    try:
        return parse(text)
    except (ValueError, OverflowError):
        raise Problem("moment_unreadable", field="client_time") from None
