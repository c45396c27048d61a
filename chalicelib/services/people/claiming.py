"""Claiming: another device becomes the reporter, and the device of before is shut out.

Each claim uses the secret up and begins another generation of it, so that neither a stolen phone
nor whoever has seen the receipt can take the report back. Whoever left a contact is told, with a
link that ends the claim for a week: then no device has the report, and the page shows a new secret.
"""

import hmac
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.filer import BY_CONTACT
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.errors import Problem
from chalicelib.services.identity import rate_limits
from chalicelib.services.platform import signing, urls
from chalicelib.services.platform.idempotency import Operation, Outcome, operation
from chalicelib.services.timeline import former_contacts
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import people, reports
from chalicelib.storage.transactions import Write

UNDO_DAYS = 7
_BEFORE_AT_MOST = 10
_EVENTS_SEEN = 50
_PURPOSE = "claimed"


def claim(actor: Principal, op: Operation, report_id: str, secret: str, now: datetime) -> Outcome:
    """Make this device the reporter, by the newest secret; the answer has the next one.

    A wrong or used secret is ``not_found``. A replay shows the secret of its own claim.
    """

    def change(seen: Seen, city: City) -> Addition:
        report, uid = seen.report, actor.uid or ""
        if not hmac.compare_digest(signing.claim_secret(report.id, report.claims), secret):
            raise Problem("not_found")
        if report.reporter == uid:
            return Addition(report, {"claimed": True, "generation": report.claims})
        return taken(report, uid, now)

    spend = rate_limits.by_person(actor, now, "claims")
    done = add(actor, op, report_id, "claim", change, now, blind=True, spend=spend)
    return _with_secret(done)


def taken(report: Report, uid: str, now: datetime) -> Addition:
    """The report as ``uid``'s from now on, with all that goes with it; the ``generation`` of its
    next secret."""
    after = replace(report, reporter=uid, claims=report.claims + 1)
    answer = {"claimed": True, "generation": after.claims}
    data = {"former": True} if former_contacts.of(report, now) else None
    return Addition(after, answer, _moved(report, uid), data)


def undo_link(
    jurisdiction: str, report: str, generation: int, now: datetime, why: str = _PURPOSE
) -> str:
    """A link that ends this one claim, for a week; ``why`` is the kind of message that it is in."""
    payload: dict[str, Any] = {"j": jurisdiction, "r": report, "g": generation}
    if why != _PURPOSE:
        payload["w"] = why
    token = signing.sign(_PURPOSE, payload, now + timedelta(days=UNDO_DAYS))
    return urls.base(f"/v1/claims/{token}")


def claimed(token: str, now: datetime) -> tuple[Report, bool]:
    """The report behind such a link, and whether its claim is still the last word on it.

    Raises ``Problem``: invalid_token.
    """
    payload = signing.unsign(_PURPOSE, token, now)
    report = reports.get(payload["j"], payload["r"])
    if report is None:
        raise Problem("invalid_token")
    return report, report.claims == payload["g"]


def why(token: str, now: datetime) -> str:
    """The kind of message that such a link was in, of which the page speaks.

    Raises ``Problem``: invalid_token.
    """
    kind: str = signing.unsign(_PURPOSE, token, now).get("w", _PURPOSE)
    return kind


def undo(token: str, now: datetime) -> Outcome | None:
    """End the claim: the answer's ``claim_secret`` makes any device the reporter again, and the
    contact is the one of before, if it was corrected lately.

    ``None`` where the report was claimed once more since.
    """
    payload = signing.unsign(_PURPOSE, token, now)
    actor = Principal("citizen", payload["j"])
    generation = payload["g"]

    def change(seen: Seen, city: City) -> Addition | None:
        report = seen.report
        if report.claims != generation:
            return None
        after, writes = former_contacts.restored(report, now)
        after = replace(after, reporter=None, claims=generation + 1)
        writes += _moved(report, None)
        if (report.filer or "").startswith(BY_CONTACT) and not _corrected(report):
            # Whoever confirms the contact may have it as long as nobody has claimed it.
            place, who = report.jurisdiction, report.filer or ""
            writes.append(people.put_trace(place, who, people.FILED, report.id))
        return Addition(after, {"generation": after.claims}, writes)

    # The key is the link itself, so that a second tap shows the same secret.
    op = operation(actor, "undoClaim", token, "")
    outcome = add(actor, op, payload["r"], "unclaim", change, now, blind=True)
    return _with_secret(outcome) if outcome.answer else None


def _corrected(report: Report) -> bool:
    """Whether who claimed it last may have written a contact of their own into it: then only the
    new secret gives it to anybody."""
    if not report.corrections:
        return False
    after = max(0, report.version - _EVENTS_SEEN)
    links = reports.timeline(report.jurisdiction, report.id, after, _EVENTS_SEEN)
    for text, _ in reversed(links):
        action = json.loads(text)["action"]
        if action in ("claim", "text_corrected", "contact_corrected"):
            return bool(action != "claim")
    return True


def _with_secret(outcome: Outcome) -> Outcome:
    """The outcome with the secret of its generation, which is kept nowhere."""
    answer = dict(outcome.answer)
    secret = signing.claim_secret(answer["id"], answer.pop("generation", 0))
    return Outcome({**answer, "claim_secret": secret}, outcome.replayed)


def _moved(report: Report, uid: str | None) -> list[Write]:
    """All that the device of before had by this report, taken from it and given to ``uid``."""
    place, old = report.jurisdiction, report.reporter
    nobody = people.released(report.id)
    writes = _traces(report, old or nobody, uid or nobody, undone=uid is None)
    if report.merged_into:
        # A duplicate's new device has the rights in the original too, and the lost one no more.
        original = report.merged_into
        before = old or report.via
        if before:
            name = people.right_name(before, report.id)
            writes.append(people.delete_mark(place, original, people.RIGHT, name))
            writes.append(people.delete_trace(place, before, people.RIGHT, original, report.id))
        if uid:
            name = people.right_name(uid, report.id)
            writes.append(people.put_mark(place, original, people.RIGHT, name))
            writes.append(people.put_trace(place, uid, people.RIGHT, original, report.id))
    if old:
        writes.append(people.delete_mark(place, report.id, people.FOLLOW, old))
        writes.append(people.delete_trace(place, old, people.FOLLOW, report.id))
    return [*writes, *_tickets(report, uid)]


def _traces(report: Report, old: str, new: str, *, undone: bool) -> list[Write]:
    """What the device of before wrote on this report is erased with the new one; its own index
    goes on saying that it had the report, for an erasure of that device alone."""
    place = report.jurisdiction
    writes: list[Write] = [people.put_trace(place, new, people.FILED, report.id)]
    writes.append(people.put_trace(place, new, people.CLAIMED_FROM, report.id, old))
    if (report.filer or "").startswith(BY_CONTACT) and not undone:
        # Whoever confirms the contact may have it only as long as nobody has claimed it.
        writes.append(people.delete_trace(place, report.filer or "", people.FILED, report.id))
    if undone:
        # Whoever claimed it wrongly must not erase what others wrote on it.
        first = people.trace_name(people.CLAIMED_FROM, report.id, "")
        for kind, about, before in people.traces(place, old, first, _BEFORE_AT_MOST):
            if (kind, about) == (people.CLAIMED_FROM, report.id):
                writes.append(people.delete_trace(place, old, kind, about, before))
                writes.append(people.put_trace(place, new, kind, about, before))
    return writes


def _tickets(report: Report, uid: str | None) -> list[Write]:
    """The tickets of the reporter's photos, whose owner may look at the upload."""
    nobody = people.released(report.id)
    found: list[Write] = []
    for photo in report.pictures:
        ticket = reports.photo(report.jurisdiction, photo)
        if ticket and ticket[1].get("owner") == (report.reporter or nobody):
            seen, doc = ticket
            owned = {**doc, "owner": uid or nobody}
            found.append(reports.put_photo(report.jurisdiction, photo, owned, seen=seen))
    return found
