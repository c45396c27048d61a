"""GeoReport v2, the writing side: a request from another system, filed as any report is."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City, Question, Service
from chalicelib.domain.filer import plain_phone
from chalicelib.domain.input import email_address
from chalicelib.domain.open311 import georeport
from chalicelib.domain.open311.georeport import InvalidArgument, last
from chalicelib.domain.principal import Principal
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.open311 import service_list
from chalicelib.services.photos import tickets
from chalicelib.services.photos.storage_keys import quarantined
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome, earlier_outcome
from chalicelib.services.reports import intake
from chalicelib.storage import files, reports
from chalicelib.storage.transactions import commit

LONGEST = 4000
# The standard has no idempotency key: the same form within this time is the same request.
SAME = timedelta(minutes=10)
_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,64})\](\[\])?")


def file(
    actor: Principal,
    city: City,
    given: Mapping[str, list[str]],
    uploads: list[tuple[str, bytes]],
    ip: str,
    now: datetime,
) -> Outcome:
    """File a request and answer (``requests``) with its id, its token, or neither, as the
    service's type says.

    Raises ``Problem``, or ``ExceptionGroup`` with an ``InvalidArgument`` for each wrong argument.
    """
    service = _service(city, last(given, "service_code"))
    faults: list[InvalidArgument] = []
    body: dict[str, Any] = {"service": service.code, "channel": "api"}
    for part in (_place, _words, _contact):
        try:
            body |= part(city, given)
        except InvalidArgument as invalid:
            faults.append(invalid)
    body["answers"] = _answers(service, given, city, faults)
    if faults:
        raise ExceptionGroup("unfit", faults)
    outcome = _filed(actor, city, body, given, uploads, ip, now)
    kind = service_list.reception(service)
    report = outcome.answer["id"]
    told = {
        "realtime": {"service_request_id": report},
        "batch": {"token": f"t{report}"},
        "blackbox": {},
    }[kind]
    helped = [f"{city.text(one.name)}: {one.number}" for one in city.numbers_for(service)]
    notice = "; ".join(helped) if service.protected else None
    requests = [{**told, "service_notice": notice, "account_id": None}]
    return Outcome({"requests": requests}, outcome.replayed, outcome.wrote)


def _service(city: City, code: str | None) -> Service:
    if code is None:
        raise ExceptionGroup("unfit", [InvalidArgument("service_code", "is required")])
    service = next((one for one in service_list.offered(city) if one.code == code), None)
    if service is None:
        raise Problem("not_found", field="service_code")
    return service


def _place(city: City, given: Mapping[str, list[str]]) -> dict[str, Any]:
    lat, long = last(given, "lat"), last(given, "long")
    if lat is None and long is None:
        return _by_address(city, last(given, "address_string"), last(given, "address_id"))
    if lat is None or long is None:
        raise InvalidArgument("lat" if lat is None else "long", "is required beside the other")
    found = {}
    for name, text, most in (("lat", lat, 90), ("long", long, 180)):
        try:
            found[name] = float(text)
        except ValueError:
            found[name] = 1e9
        if not abs(found[name]) <= most:
            raise InvalidArgument(name, f"must be a number from -{most} to {most}")
    return found


def _by_address(city: City, address: str | None, address_id: str | None) -> dict[str, Any]:
    """A pin inside the ward that an address names: there is no register of addresses here."""
    if address is None and address_id is None:
        raise InvalidArgument("lat", "and long, address_string or address_id is required")
    wards = city.areas_of_level(-1)
    text = (address or "").casefold()
    named = [one for one in wards if one.code == address_id or one.name.casefold() in text]
    if not named:
        field = "address_id" if address is None else "address_string"
        raise InvalidArgument(field, "names no ward of this city; send lat and long")
    ward = max(named, key=lambda one: (one.code == address_id, len(one.name), one.code))
    point = cities.boundaries(city.jurisdiction, city.version).point_in(ward.code)
    if point is None:
        raise InvalidArgument("address_string", "cannot be placed; send lat and long")
    landmark = {"landmark": address[:200]} if address else {}
    return {"lat": point[0], "long": point[1], **landmark}


def _words(city: City, given: Mapping[str, list[str]]) -> dict[str, Any]:
    text = last(given, "description")
    if text is None:
        return {}
    if len(text) > LONGEST:
        raise InvalidArgument("description", f"is longer than {LONGEST} characters")
    return {"description": text}


def _contact(city: City, given: Mapping[str, list[str]]) -> dict[str, Any]:
    contact = {}
    email, phone = last(given, "email"), last(given, "phone")
    if email is not None:
        if not email_address.is_address(email):
            raise InvalidArgument("email", "is no e-mail address")
        contact["email"] = email
    # Numbers come in every national way; one that cannot be called from here is left out.
    if phone is not None and (plain := plain_phone(phone)):
        contact["phone"] = plain
    names = [one for name in ("first_name", "last_name") if (one := last(given, name))]
    if names:
        contact["name"] = " ".join(names)[:100]
    return {"contact": contact} if contact else {}


def _answers(
    service: Service, given: Mapping[str, list[str]], city: City, faults: list[InvalidArgument]
) -> dict[str, Any]:
    values: dict[str, list[str]] = {}
    for name, texts in given.items():
        found = _ATTRIBUTE.fullmatch(name)
        if name.startswith("attribute[") and not found:
            faults.append(
                InvalidArgument("attribute", "must be attribute[CODE] or attribute[CODE][]")
            )
        if found:
            values.setdefault(found[1], []).extend(one for one in texts if one.strip())
    answers: dict[str, Any] = {}
    for question in service.questions:
        texts = values.get(question.code, [])
        if not texts:
            if question.required:
                faults.append(InvalidArgument(question.code, "required"))
            continue
        try:
            answers[question.code] = _value(question, texts, city)
        except InvalidArgument as invalid:
            faults.append(invalid)
    # What a client asks of a service that does not ask it is passed over, as it always was.
    return answers


def _value(question: Question, texts: list[str], city: City) -> Any:
    keys = {one.key for one in question.options}
    code, text = question.code, texts[-1].strip()
    if question.type == "multivaluelist":
        if not keys.issuperset(texts):
            raise InvalidArgument(code, f"must be of {', '.join(sorted(keys))}")
        return texts
    if question.type == "singlevaluelist" and text not in keys:
        raise InvalidArgument(code, f"must be one of {', '.join(sorted(keys))}")
    if question.type == "number":
        try:
            number = float(text)
        except ValueError:
            number = float("inf")
        if abs(number) > 1e15:
            raise InvalidArgument(code, "must be a number")
        return number
    if question.type == "datetime":
        return iso(georeport.moment(text, city.zone, code))
    return text


def _filed(
    actor: Principal,
    city: City,
    body: dict[str, Any],
    given: Mapping[str, list[str]],
    uploads: list[tuple[str, bytes]],
    ip: str,
    now: datetime,
) -> Outcome:
    digests = [hashlib.sha256(data).hexdigest() for _, data in uploads]
    asked = json.dumps([actor.uid, sorted(given.items()), digests], ensure_ascii=False)
    digest = hashlib.sha256(asked.encode()).hexdigest()
    turn = int(now.timestamp() // SAME.total_seconds())
    for one in (turn - 1, turn):
        op = KeyedOperation(actor.jurisdiction, hashlib.sha256(f"open311|{digest}|{one}".encode())
                       .hexdigest()[:40], digest)  # fmt: skip
        if found := earlier_outcome(op):
            return found
    taken = [_photo(actor, media, data, now) for media, data in uploads if media in tickets.TYPES]
    if taken:
        body = {**body, "photos": taken[: tickets.MOST]}
    return intake.file_report(actor, op, body, ip, now, ())


def _photo(actor: Principal, media: str, data: bytes, now: datetime) -> str:
    """A ticket for a photo that came with the form, which goes the way of every upload."""
    photo = ids.new_ulid(now)
    doc = {"owner": actor.uid, "type": media, "issued": iso(now), "state": "issued"}
    commit([reports.put_photo(actor.jurisdiction, photo, doc, seen=None)])
    files.put(quarantined(actor.jurisdiction, photo), data, media)
    return photo
