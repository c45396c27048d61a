"""Filing a report: ward, service, unit and deadlines are decided and stored in one transaction."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.body_types import NewReport
from chalicelib.domain.city.city import City
from chalicelib.domain.city.service import Service
from chalicelib.domain.events import By, Contents, EventText, link
from chalicelib.domain.filer import is_channel
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.input import contact_methods, moments
from chalicelib.domain.input.redaction import redact
from chalicelib.domain.map.geohash import encode
from chalicelib.domain.notifications import reachability
from chalicelib.domain.principal import AUDITOR, FOR_MANY, Principal
from chalicelib.domain.report import Report
from chalicelib.domain.sla import custody, deadlines, periods, timers
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import filers, rate_limits
from chalicelib.services.map import nearby
from chalicelib.services.photos import tickets
from chalicelib.services.platform import signing
from chalicelib.services.platform.answer_types import NearReport
from chalicelib.services.platform.idempotency import (
    KeyedOperation,
    Outcome,
    run_once,
    write_with_key,
)
from chalicelib.services.reports import presenters, service_attributes, text_moderation
from chalicelib.services.timeline import secrecy, traces
from chalicelib.storage import people, record_roots, reports, timeline_rows
from chalicelib.storage.transactions import Refused, Write

CODE_ATTEMPTS = 3
# A client's clock that is further ahead flags the report.
_CLOCK_TOLERANCE = timedelta(minutes=10)


@dataclass(frozen=True)
class Origin:
    """Of the request that files a report: its address, for rate limits, the person's languages, and
    the fields from which invisible characters were removed; they flag the report."""

    ip: str
    languages: tuple[str, ...] = ()
    stripped: tuple[str, ...] = ()


def file_report(
    actor: Principal, op: KeyedOperation, body: NewReport, origin: Origin, now: datetime
) -> Outcome:
    """File a report and answer with its receipt (``presenters.receipt``), once per idempotency key.

    ``body`` has passed the schema of ``fileReport``. Raises ``Problem``: unknown_service,
    outside_area, problems of answers and photos, too_many.
    """
    city = cities.current(actor.jurisdiction, now)

    def attempt() -> Outcome:
        report, answers, texts = _checked(actor, city, body, now, origin.languages)
        flags = (*report.flags, "invisible_text") if origin.stripped else report.flags
        report = replace(report, answers=answers, flags=flags)
        claims = tickets.claim_photos(actor, body.get("photos") or [], report, "file", now, city)
        photos = tuple(claim.photo for claim in claims)
        report = tickets.with_photos(replace(report, photos=photos), claims)
        words = _words(body, texts, city)

        def written() -> Outcome:
            close = [] if report.protected else nearby.same_problem(city, report)
            filing = _Filing(report, body.get("contact"), words, claims, close)
            return _write(op, actor, city, filing)

        usage = _usage(city, actor, report, origin.ip, now)
        return rate_limits.run_limited(city.jurisdiction, usage, now, written)

    outcome = run_once(op, attempt)
    if outcome.replayed and (close := outcome.answer["possible_duplicates"]):
        # Leave out reports that have become secret since the receipt was written.
        secret_ids = secrecy.hidden_from(actor, [row["id"] for row in close])
        kept = [row for row in close if row["id"] not in secret_ids]
        outcome = Outcome({**outcome.answer, "possible_duplicates": kept}, outcome.replayed)
    if is_channel(actor):
        # The claim secret makes a person the reporter, so channels do not get it.
        return outcome
    secret = signing.claim_secret(outcome.answer["id"])
    return Outcome({**outcome.answer, "claim_secret": secret}, outcome.replayed)


def check(actor: Principal, body: NewReport, now: datetime) -> None:
    """Raise the ``Problem`` that ``file_report`` would, but for photos and limits; nothing is
    written."""
    _checked(actor, cities.current(actor.jurisdiction, now), body, now, ())


def _checked(
    actor: Principal, city: City, body: NewReport, now: datetime, languages: tuple[str, ...]
) -> tuple[Report, dict[str, Any], dict[str, str]]:
    """(the report as filed, answers, free texts)."""
    service = _service(city, body["service"], actor)
    report = draft(actor, city, service, body, now, languages)
    _may_file(actor, service, report)
    return report, *service_attributes.check(service, body.get("answers") or {})


def _service(city: City, code: str, actor: Principal) -> Service:
    service = city.services.get(code)
    if service is None or not service.active or (service.staff_only and actor.kind != "staff"):
        raise Problem("unknown_service", field="service")
    return service


def _may_file(actor: Principal, service: Service, report: Report) -> None:
    """Raise ``role_not_allowed`` for an official who is only an auditor there, and for a service of
    the officials' own without a role over that place and service."""
    roles = actor.roles(report.district, report.service) if actor.kind == "staff" else frozenset()
    if roles == {AUDITOR} or (service.staff_only and not roles - {AUDITOR}):
        raise Problem("role_not_allowed", action="file", rule="fileReport.scope")


def draft(
    actor: Principal,
    city: City,
    service: Service,
    body: NewReport,
    now: datetime,
    languages: tuple[str, ...],
) -> Report:
    """A report as filed at ``now``, with its ward, unit and deadlines; nothing is written."""
    lat, long = float(body["lat"]), float(body["long"])
    ward, away = locate(city, lat, long)
    district, _ = city.district_and_path(ward)
    promise = deadlines.promise(service, district, now, city)
    flags = []
    if away:
        flags.append("near")
    client_time = body.get("client_time")
    if client_time and _moment(client_time) > now + _CLOCK_TOLERANCE:
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
    """(ward, whole metres outside its border) of a point.

    Raises ``Problem``: outside_area, if it is further outside than the city's ``near_m``.
    """
    index = cities.boundaries(city.jurisdiction, city.version)
    long = 180.0 if long == -180 else long  # the same meridian
    swapped = abs(long) <= 90 and index.ward_at(long, lat) is not None
    if abs(lat) > 90 and not swapped:
        raise Problem("invalid_field", field="lat", rule="maximum", limit=90)
    location = index.locate(max(-90.0, min(lat, 90.0)), long)
    ward = location.ward
    # 0 means inside, so a point outside is at least 1 metre away.
    away = max(1, round(location.distance_m)) if location.distance_m > 0 else 0
    if ward and location.distance_m <= city.rules["near_m"]:
        return ward, away
    raise Problem(
        "outside_area",
        field="lat",
        nearest={"ward": ward, "name": city.areas[ward].name} if ward else None,
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
        # A channel has its own limit, and one IP address for all its people.
        limits = {kind: each for kind, each in limits.items() if kind not in ("device", "address")}
    return rate_limits.Usage(limits, scopes)


@dataclass(frozen=True)
class _Filing:
    """A report to be written with what belongs to it: contact, texts, photos, near reports."""

    report: Report
    contact: dict[str, str] | None
    words: tuple[EventText, ...]
    claims: list[tickets.Claim]
    close: list[NearReport]


def _write(op: KeyedOperation, actor: Principal, city: City, filing: _Filing) -> Outcome:
    report, contact, words, claims = filing.report, filing.contact, filing.words, filing.claims
    jurisdiction, now = city.jurisdiction, report.filed_at
    if contact and contact_methods.first_address(contact):
        # Also for an address that we do not send to: officials with the permission can use it.
        report = replace(report, contact=ids.token_bytes(16).hex())
    data = tickets.event_data(claims)
    for _ in range(CODE_ATTEMPTS):
        contents = Contents(words, data, periods.score_row(report, city))
        by = By(actor, actor.kind, op.id, now)
        event = link("file", None, report, by, contents, ids.token_bytes(SALT_BYTES))
        head = replace(report, tail=event.hash)
        writes: list[Write] = [
            reports.put_head(head, timers.next_due(head, city), seen=None),
            timeline_rows.put_event(jurisdiction, head.id, event),
            reports.put_code(jurisdiction, head.code, head.id),
            *traces.text_rows(actor, head.id, 1, words),
            *(write for claim in claims for write in claim.writes),
            record_roots.put_tail(jurisdiction, head.id, event, now),
        ]
        if head.contact and contact:
            writes.append(people.put_contact(jurisdiction, head.contact, contact))
            writes += traces.index_rows(actor, people.CONTACT, head.id, head.contact)
        writes += filers.filing_rows(head)
        try:
            personal = [] if head.protected else text_moderation.find_personal_data(words, city)
            receipt = presenters.receipt(head, city, filing.close, personal)
            return write_with_key(op, writes, receipt)
        except Refused as refusal:
            if any(label.startswith("photo:") for label in refusal.labels):
                raise tickets.claim_failure(actor, claims) from None
            if "code" not in refusal.labels:
                raise
            report = replace(report, code=ids.new_code())
    raise Problem("unavailable", headers={"Retry-After": "1"})


def _words(body: NewReport, answers: dict[str, str], city: City) -> tuple[EventText, ...]:
    fields = {"description": body.get("description") or "", "landmark": body.get("landmark") or ""}
    if body.get("mask"):
        fields = {name: redact(text, city.patterns) for name, text in fields.items()}
    texts = [(name, "public", text) for name, text in fields.items()]
    # Addresses of pictures, from another system.
    texts.append(("media_url", "inside", body.get("media_url") or ""))
    # Answers of another system to questions that the service does not ask.
    texts.append(("attributes", "inside", body.get("attributes") or ""))
    texts += [(f"answer.{code}", "inside", text) for code, text in sorted(answers.items())]
    texts.append(("address", "inside", body.get("address") or ""))
    return tuple(
        EventText(name, audience, text.strip(), ids.token_bytes(SALT_BYTES))
        for name, audience, text in texts
        if text.strip()
    )


def _moment(text: str) -> datetime:
    try:
        return moments.read(text)
    except ValueError:
        raise Problem("moment_unreadable", field="client_time") from None
