"""Proving a contact: a person who enters the code sent to it becomes the reporter of its reports.

A contact that somebody only wrote down counts in figures but gives no rights: lists, actions and
erasure belong to the person who confirmed it. A request for a code is answered the same whether or
not anything was filed for the contact. The code itself is not stored (``contact_codes``).
"""

import hmac
from dataclasses import replace
from datetime import datetime

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.principal import Principal
from chalicelib.domain.row_types import StoredCode
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import filers, rate_limits
from chalicelib.services.people import claiming, contact_codes
from chalicelib.services.platform import signing
from chalicelib.services.platform.idempotency import (
    KeyedOperation,
    Outcome,
    keyed_operation,
    run_once,
    write_with_key,
)
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import code_rows, control, people
from chalicelib.storage.transactions import Refused, Unavailable, Write, commit

TRIES = 5
# Reports that one call claims; the client calls again with the same code for more.
PAGE = 20
Contact = dict[str, str]


def send_code(
    actor: Principal,
    op: KeyedOperation,
    address: Contact,
    ip: str,
    now: datetime,
    languages: tuple[str, ...],
) -> Outcome:
    """Send a code of six digits to ``address`` ({email} or {phone}). Answers {expires_at}.

    Once for each idempotency key. Raises ``Problem``: too_many, by the city's limits for the
    device, the contact and the IP address.
    """
    jurisdiction, uid = actor.jurisdiction, actor.uid or ""
    contact = _pseudonym(jurisdiction, address)

    def attempt() -> Outcome:
        city = cities.current(jurisdiction, now)
        scopes = {
            "codes": uid,
            "codes_contact": contact,
            "codes_address": rate_limits.address_pseudonym(ip, city.month(now)),
        }
        rate_limits.take(jurisdiction, city.code_limits, scopes, now, fail_open=False)
        nonce, until = ids.token_bytes(16).hex(), iso(now + contact_codes.LIFE)
        stored: StoredCode = {"nonce": nonce, "until": until, "tries": 0, "right": False}
        message = contact_codes.message(city, contact, uid, nonce, languages, op.id)
        writes = [
            code_rows.put_code(jurisdiction, contact, uid, stored, over=None),
            code_rows.put_code_address(jurisdiction, contact, nonce, address),
            control.put_outbox(f"{iso(now)}#{message['dedupe']}", message),
        ]
        return write_with_key(_sealed(op), writes, {"expires_at": until})

    return run_once(_sealed(op), attempt)


def confirm(
    actor: Principal, op: KeyedOperation, address: Contact, code: str, now: datetime
) -> Outcome:
    """Become the reporter of the unclaimed reports that were filed for a contact: {claimed, more}.

    ``more``: call again with the same code and another key. Raises ``Problem``: code_invalid for
    a wrong or expired code, a code of another device, or the sixth try.
    """
    jurisdiction, uid = actor.jurisdiction, actor.uid or ""
    contact = _pseudonym(jurisdiction, address)

    def attempt() -> Outcome:
        _check(jurisdiction, contact, uid, code, now)
        page = people.traces(jurisdiction, contact, "", PAGE)
        claimed = sum(_claim(actor, contact, report, now) for _, report, _ in page)
        answer = {"claimed": claimed, "more": len(page) == PAGE}
        return write_with_key(_sealed(op), [], answer)

    return run_once(_sealed(op), attempt)


def _check(jurisdiction: str, contact: str, uid: str, code: str, now: datetime) -> None:
    """Refuse a wrong code. Each try is counted before its result is known."""
    stored = code_rows.code(jurisdiction, contact, uid)
    if stored is None or stored["until"] <= iso(now):
        raise Problem("code_invalid", field="code")
    matches = hmac.compare_digest(
        contact_codes.code_of(jurisdiction, contact, uid, stored["nonce"]), code
    )
    if not stored["right"]:
        if stored["tries"] >= TRIES:
            raise Problem("code_invalid", field="code")
        counted: StoredCode = {**stored, "tries": stored["tries"] + 1, "right": matches}
        writes: list[Write] = [code_rows.put_code(jurisdiction, contact, uid, counted, over=stored)]
        if matches:
            writes.append(code_rows.delete_code_address(jurisdiction, contact, stored["nonce"]))
        try:
            commit(writes)
        except Refused:
            raise Unavailable from None  # Two tries at once: one of them counts.
    if not matches:
        raise Problem("code_invalid", field="code")


def _claim(actor: Principal, contact: str, report: str, now: datetime) -> bool:
    """Make the caller the reporter, once. Returns whether this call did it."""

    def change(seen: Seen, city: City) -> Addition | None:
        head = seen.report
        if head.reporter is not None or head.filer != contact:
            return None
        return claiming.with_reporter(head, actor.uid or "", now)

    op = keyed_operation(actor, "confirmContact", f"{contact}|{report}", "")
    try:
        done = bool(add(actor, op, report, "claim", change, now, skip_access=True).answer)
    except Problem as problem:
        if problem.slug != "not_found":
            raise
        done = False
    # A report that has a reporter by now, or is gone, need not be looked at again.
    commit([people.delete_trace(actor.jurisdiction, contact, people.FILED, report)])
    return done


def _pseudonym(jurisdiction: str, address: Contact) -> str:
    contact = filers.pseudonym(jurisdiction, address)
    if contact is None:
        raise Problem("missing_field", field="email")
    return contact


def _sealed(op: KeyedOperation) -> KeyedOperation:
    # Addresses are easy to guess, so the idempotency row stores a keyed hash of the body.
    return replace(op, body_hash=signing.mac("body", op.body_hash, signing.pseudonym_key()))
