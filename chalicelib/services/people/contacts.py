"""Proving a contact: a code sent to it makes whoever has it the reporter of what was filed for it.

A contact that somebody merely wrote down counts in figures and gives no right: lists, actions and
erasure belong to who confirmed it. Asking for a code answers the same whether or not anything was
filed for the contact. The code itself is kept nowhere: it is derived by key from a chance value.
"""

import hmac
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.principal import Principal
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import filers, rate_limits
from chalicelib.services.people import claiming, contact_codes
from chalicelib.services.platform import signing
from chalicelib.services.platform.idempotency import Operation, Outcome, once, operation, write
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import control, people
from chalicelib.storage.transactions import Refused, Unavailable, Write, commit

TRIES = 5
# Reports that one call makes the caller's; more are asked for with the same code.
PAGE = 20
Contact = dict[str, str]


def send_code(
    actor: Principal,
    op: Operation,
    given: Contact,
    ip: str,
    now: datetime,
    languages: tuple[str, ...],
) -> Outcome:
    """Send a code of six digits to ``given`` ({email} or {phone}): {expires_at}, once a key.

    Raises ``Problem``: too_many, by the city's limits of the device, the contact and the address.
    """
    place, uid = actor.jurisdiction, actor.uid or ""
    contact = _pseudonym(place, given)

    def attempt() -> Outcome:
        city = cities.current(place, now)
        scopes = {
            "codes": uid,
            "codes_contact": contact,
            "codes_address": rate_limits.address(ip, city.month(now)),
        }
        rate_limits.take(place, city.code_limits, scopes, now, fail_open=False)
        nonce, until = ids.token_bytes(16).hex(), iso(now + contact_codes.LIFE)
        held = {"nonce": nonce, "until": until, "tries": 0, "right": False}
        message = contact_codes.message(city, contact, uid, nonce, languages, op.id)
        writes = [
            people.put_code(place, contact, uid, held, over=None),
            people.put_code_address(place, contact, nonce, given),
            control.put_outbox(f"{iso(now)}#{message['dedupe']}", message),
        ]
        return write(_sealed(op), writes, {"expires_at": until})

    return once(_sealed(op), attempt)


def confirm(actor: Principal, op: Operation, given: Contact, code: str, now: datetime) -> Outcome:
    """Become the reporter of what was filed for a contact and has none: {claimed, more}.

    ``more``: call again with the same code and another key. Raises ``Problem``: code_invalid for
    a wrong code, the sixth try, a code of another device or of another time.
    """
    place, uid = actor.jurisdiction, actor.uid or ""
    contact = _pseudonym(place, given)

    def attempt() -> Outcome:
        _check(place, contact, uid, code, now)
        page = people.traces(place, contact, "", PAGE)
        claimed = sum(_claim(actor, contact, report, now) for _, report, _ in page)
        answer = {"claimed": claimed, "more": len(page) == PAGE}
        return write(_sealed(op), [], answer)

    return once(_sealed(op), attempt)


def _check(place: str, contact: str, uid: str, code: str, now: datetime) -> None:
    """Refuse a wrong code; each try counts before it is looked at."""
    held = people.code(place, contact, uid)
    if held is None or held["until"] <= iso(now):
        raise Problem("code_invalid", field="code")
    fits = hmac.compare_digest(contact_codes.code_of(place, contact, uid, held["nonce"]), code)
    if not held["right"]:
        if held["tries"] >= TRIES:
            raise Problem("code_invalid", field="code")
        tried: dict[str, Any] = {**held, "tries": held["tries"] + 1, "right": fits}
        writes: list[Write] = [people.put_code(place, contact, uid, tried, over=held)]
        if fits:
            writes.append(people.delete_code_address(place, contact, held["nonce"]))
        try:
            commit(writes)
        except Refused:
            raise Unavailable from None  # Two tries at once: one of them counts.
    if not fits:
        raise Problem("code_invalid", field="code")


def _claim(actor: Principal, contact: str, report: str, now: datetime) -> bool:
    """Make the caller a report's reporter, once; whether they are now by this."""

    def change(seen: Seen, city: City) -> Addition | None:
        head = seen.report
        if head.reporter is not None or head.filer != contact:
            return None
        return claiming.taken(head, actor.uid or "", now)

    op = operation(actor, "confirmContact", f"{contact}|{report}", "")
    try:
        done = bool(add(actor, op, report, "claim", change, now, blind=True).answer)
    except Problem as problem:
        if problem.slug != "not_found":
            raise
        done = False
    # What has a reporter by now, or is no more, is not looked at again.
    commit([people.delete_trace(actor.jurisdiction, contact, people.FILED, report)])
    return done


def _pseudonym(place: str, given: Contact) -> str:
    contact = filers.pseudonym(place, given)
    if contact is None:
        raise Problem("missing_field", field="email")
    return contact


def _sealed(op: Operation) -> Operation:
    # Few addresses are hard to guess: what the key's row keeps of one is keyed.
    return replace(op, body_hash=signing.mac("body", op.body_hash, signing.lasting()))
