"""GeoReport v2, POST: a request from another system is filed like any report.

Tests: tests/integration/test_post.py
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from chalicelib import ids
from chalicelib.domain.body_types import NewReport
from chalicelib.domain.city.city import City
from chalicelib.domain.city.service import Service
from chalicelib.domain.input import email_address, numbers, phone_number
from chalicelib.domain.input.text import mended
from chalicelib.domain.open311.georeport import InvalidArgument, given, last
from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.open311 import (
    attachments,
    attributes,
    request_views,
    requests,
    service_list,
)
from chalicelib.services.open311.attachments import Attachments
from chalicelib.services.photos import fetching
from chalicelib.services.platform.catalogue import message_text
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome, earlier_outcome
from chalicelib.services.reports import intake
from chalicelib.storage import reports

LONGEST, LONGEST_ADDRESS = 4000, 1000
# The same form within this time is the same request, also if that was closed.
SAME = timedelta(minutes=10)
# The same form within this time is the same request while that is open.
REMEMBERED = timedelta(days=30)
# How many reports of the same form, each closed before the next, are looked at.
_TURNS = 20


def file(
    actor: Principal,
    city: City,
    arguments: Mapping[str, list[str]],
    uploads: list[bytes],
    ip: str,
    now: datetime,
) -> Outcome:
    """File a request. The answer (``requests``) has its id, its token, or neither, according to
    the type of the service.

    Raises ``Problem``, or ``ExceptionGroup`` with an ``InvalidArgument`` for each wrong argument.
    """
    service = _service(city, last(arguments, "service_code"))
    faults: list[InvalidArgument] = []
    parts: dict[str, Any] = {"service": service.code, "channel": "api"}
    for read_part in (_location, _description, _contact):
        try:
            parts |= read_part(city, arguments)
        except InvalidArgument as invalid:
            faults.append(invalid)
    pictures = attachments.NO_PICTURES
    try:
        pictures = attachments.read(uploads, arguments)
    except InvalidArgument as invalid:
        faults.append(invalid)
    values = attributes.read(arguments, faults)
    parts["answers"] = attributes.answers(service, values, city, faults)
    if others := attributes.others(values, service):
        parts[attributes.WORD] = others
    if faults:
        raise ExceptionGroup("unfit", faults)
    reception = service_list.reception(service)
    if pictures.links:
        parts[attachments.WORD] = pictures.text
    form = _Form(actor, arguments, pictures, silent=reception == "blackbox")
    outcome = _file_once(form, cast(NewReport, parts), ip, now)
    report = outcome.answer["id"]
    request = {
        "realtime": {"service_request_id": report},
        "batch": {"token": f"t{report}"},
        "blackbox": {},
    }[reception]
    if service.protected and request:
        request = {"token": requests.sealed_token(city.jurisdiction, report)}
    numbers = [f"{city.text(number.name)}: {number.number}" for number in city.numbers_for(service)]
    language = city.choose_language(last(arguments, "locale") or "")
    notice = request_views.promise(outcome.answer["due_at"], city, language)
    if service.protected:
        notice = "; ".join(numbers)
    if not all(map(fetching.is_fetchable, pictures.links)):
        kept = message_text("link_kept", language, city)
        notice = f"{notice} {kept}".strip()
    answer = [{**request, "service_notice": notice, "account_id": None}]
    return Outcome({"requests": answer}, outcome.replayed, outcome.wrote)


def _service(city: City, code: str | None) -> Service:
    if code is None:
        raise ExceptionGroup("unfit", [InvalidArgument("service_code", "is required")])
    service = next(
        (
            offered_service
            for offered_service in service_list.offered(city)
            if offered_service.code == code
        ),
        None,
    )
    if service is None:
        raise Problem("not_found", field="service_code")
    return service


def _location(city: City, arguments: Mapping[str, list[str]]) -> dict[str, Any]:
    lat, long = given(arguments, "lat"), given(arguments, "long")
    if lat is None and long is None:
        return _location_of_address(
            city, given(arguments, "address_string"), given(arguments, "address_id")
        )
    if lat is None or long is None:
        raise InvalidArgument("lat" if lat is None else "long", "is required beside the other")
    location = {}
    for name, text, limit in (("lat", lat, 90), ("long", long, 180)):
        try:
            location[name] = numbers.read(text)
        except ValueError:
            location[name] = 1e9
        if not abs(location[name]) <= limit:
            raise InvalidArgument(name, f"must be a number from -{limit} to {limit}")
    return {**location, **_address(arguments)}


def _address(arguments: Mapping[str, list[str]]) -> dict[str, str]:
    """An address beside a pin, which only officials read: it may be somebody's home."""
    address = given(arguments, "address_string")
    if address and len(address) > LONGEST_ADDRESS:
        raise InvalidArgument("address_string", f"is longer than {LONGEST_ADDRESS} characters")
    return {"address": mended(address)} if address else {}


def _location_of_address(city: City, address: str | None, address_id: str | None) -> dict[str, Any]:
    """A point inside the ward that an address names; there is no register of addresses."""
    if address is None and address_id is None:
        raise InvalidArgument("lat", "and long, address_string or address_id is required")
    wards = city.areas_of_level(-1)
    text = (address or "").casefold()
    matches = [ward for ward in wards if ward.code == address_id or ward.name.casefold() in text]
    if not matches:
        field = "address_id" if address is None else "address_string"
        raise InvalidArgument(field, "names no ward of this city; send lat and long")
    ward = max(matches, key=lambda ward: (ward.code == address_id, len(ward.name), ward.code))
    point = cities.boundaries(city.jurisdiction, city.version).point_in(ward.code)
    if point is None:
        raise InvalidArgument("address_string", "cannot be placed; send lat and long")
    landmark = {"landmark": mended(address[:200])} if address else {}
    return {"lat": point[0], "long": point[1], **landmark}


def _description(city: City, arguments: Mapping[str, list[str]]) -> dict[str, Any]:
    text = given(arguments, "description")
    if text is None:
        return {}
    if len(text) > LONGEST:
        raise InvalidArgument("description", f"is longer than {LONGEST} characters")
    return {"description": mended(text)}


def _contact(city: City, arguments: Mapping[str, list[str]]) -> dict[str, Any]:
    contact = {}
    email, phone = given(arguments, "email"), given(arguments, "phone")
    if email is not None:
        if not email_address.is_address(email):
            raise InvalidArgument("email", "is no e-mail address")
        contact["email"] = email
    # Phone numbers come in many national formats; one that we cannot call is left out.
    if phone is not None and (plain := phone_number.plain(phone)):
        contact["phone"] = plain
    names = [part for name in ("first_name", "last_name") if (part := given(arguments, name))]
    if names:
        contact["name"] = mended(" ".join(names)[:100])
    return {"contact": contact} if contact else {}


@dataclass(frozen=True)
class _Form:
    """A form as a client sent it. ``silent``: the answer has neither id nor token."""

    actor: Principal
    arguments: Mapping[str, list[str]]
    pictures: Attachments
    silent: bool

    def digest(self) -> str:
        """The same for the same key and the same form."""
        digests = [hashlib.sha256(data).hexdigest() for _, data in self.pictures.files]
        parts = [self.actor.uid, sorted(self.arguments.items()), digests]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def _file_once(form: _Form, body: NewReport, ip: str, now: datetime) -> Outcome:
    actor = form.actor
    op, earlier = _remembered(form, now)
    if earlier:
        return earlier
    if form.pictures:
        # Check everything before a photo is stored.
        intake.check(actor, body, now)
    if photos := attachments.store(actor, form.pictures, now):
        body = {**body, "photos": photos}
    return intake.file_report(actor, op, body, intake.Origin(ip), now)


def _remembered(form: _Form, now: datetime) -> tuple[KeyedOperation, Outcome | None]:
    """The operation to file with, and the answer if this form was sent before.

    The standard has no idempotency key, so the form itself is the key. The row of an operation is
    kept for 30 days. A form about a report that is closed meanwhile is a new report.
    """
    digest = form.digest()
    window = int(now.timestamp() // SAME.total_seconds())
    for turn in (*range(_TURNS), f"at {window}"):
        key = hashlib.sha256(f"open311|{digest}|turn {turn}".encode()).hexdigest()[:40]
        op = KeyedOperation(form.actor.jurisdiction, key, digest)
        try:
            earlier = earlier_outcome(op)
        except Problem as problem:
            if problem.slug != "key_reused":
                raise
            continue  # The report was erased, and its answer with it.
        if earlier is None or _is_same(form, earlier.answer["id"], now):
            return op, earlier
    return op, earlier


def _is_same(form: _Form, report: str, now: datetime) -> bool:
    """Whether a form that made this report before means the same report now."""
    age = now - ids.moment(report)
    if age <= SAME:
        return True
    head = reports.get(form.actor.jurisdiction, report)
    if head is None:
        return False
    # A client that cannot read the report cannot know that it is closed.
    return head.secret or form.silent or (head.open and age <= REMEMBERED)
