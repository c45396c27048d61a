"""Claiming: another device becomes the reporter, and the previous device loses access.

Each claim uses up the secret and starts a new generation of it, so that neither a stolen phone nor
a person who has seen the receipt can take the report back. The person who left a contact is told,
with a link that can end the claim for a week. Then no device has the report, and the page shows a
new secret.

Tests: tests/integration/test_stolen_phone.py
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
from chalicelib.domain.row_types import Ticket
from chalicelib.domain.timeline_types import EventData
from chalicelib.errors import Problem
from chalicelib.services.identity import rate_limits
from chalicelib.services.platform import signing, urls
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome, keyed_operation
from chalicelib.services.timeline import former_contacts
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import people, photo_tickets, reports, timeline_rows
from chalicelib.storage.transactions import Write

UNDO_DAYS = 7
_BEFORE_AT_MOST = 10
_EVENTS_SEEN = 50
_PURPOSE = "claimed"


def claim(
    actor: Principal, op: KeyedOperation, report_id: str, secret: str, now: datetime
) -> Outcome:
    """Make this device the reporter, by the newest secret; the answer has the next one.

    A wrong or used secret is ``not_found``. A replay shows the secret of its own claim.
    """

    def change(seen: Seen, city: City) -> Addition:
        report, uid = seen.report, actor.uid or ""
        if not hmac.compare_digest(signing.claim_secret(report.id, report.claims), secret):
            raise Problem("not_found")
        if report.reporter == uid:
            return Addition(report, {"claimed": True, "generation": report.claims})
        return with_reporter(report, uid, now)

    usage = rate_limits.person_usage(actor, now, "claims")
    done = add(actor, op, report_id, "claim", change, now, skip_access=True, usage=usage)
    return _with_secret(done)


def with_reporter(report: Report, uid: str, now: datetime) -> Addition:
    """The change that makes ``uid`` the reporter and moves the index rows. Its answer has the
    ``generation`` of the next secret."""
    after = replace(report, reporter=uid, claims=report.claims + 1)
    answer = {"claimed": True, "generation": after.claims}
    data: EventData | None = {"former": True} if former_contacts.reference(report, now) else None
    return Addition(after, answer, _transfer_rows(report, uid), data)


def undo_link(
    jurisdiction: str, report: str, generation: int, now: datetime, message_kind: str = _PURPOSE
) -> str:
    """A link that ends this one claim; it is valid for a week.

    ``message_kind`` is the kind of the message that contains the link.
    """
    payload: dict[str, Any] = {"j": jurisdiction, "r": report, "g": generation}
    if message_kind != _PURPOSE:
        payload["w"] = message_kind
    token = signing.sign(_PURPOSE, payload, now + timedelta(days=UNDO_DAYS))
    return urls.absolute(f"/v1/claims/{token}")


def read_undo_link(token: str, now: datetime) -> tuple[Report, bool]:
    """The report of an undo link, and whether that claim is still the latest one.

    Raises ``Problem``: invalid_token.
    """
    payload = signing.unsign(_PURPOSE, token, now)
    report = reports.get(payload["j"], payload["r"])
    if report is None:
        raise Problem("invalid_token")
    return report, report.claims == payload["g"]


def undo_link_kind(token: str, now: datetime) -> str:
    """The kind of the message that contained the undo link; the page's words depend on it.

    Raises ``Problem``: invalid_token.
    """
    message_kind: str = signing.unsign(_PURPOSE, token, now).get("w", _PURPOSE)
    return message_kind


def undo(token: str, now: datetime) -> Outcome | None:
    """End the claim: any device can become the reporter with the answer's ``claim_secret``.

    A contact that was corrected lately is set back to the earlier one. Returns ``None`` if the
    report was claimed again since.
    """
    payload = signing.unsign(_PURPOSE, token, now)
    actor = Principal("citizen", payload["j"])
    generation = payload["g"]

    def change(seen: Seen, city: City) -> Addition | None:
        report = seen.report
        if report.claims != generation:
            return None
        after, writes = former_contacts.restore(report, now)
        after = replace(after, reporter=None, claims=generation + 1)
        writes += _transfer_rows(report, None)
        if (report.filer or "").startswith(BY_CONTACT) and not _corrected(report):
            # A person who confirms the contact may get the report while nobody has claimed it.
            jurisdiction, filer = report.jurisdiction, report.filer or ""
            writes.append(people.put_trace(jurisdiction, filer, people.FILED, report.id))
        return Addition(after, {"generation": after.claims}, writes)

    # The key is the link itself, so that a second tap shows the same secret.
    op = keyed_operation(actor, "undoClaim", token, "")
    outcome = add(actor, op, payload["r"], "unclaim", change, now, skip_access=True)
    return _with_secret(outcome) if outcome.answer else None


def _corrected(report: Report) -> bool:
    """Whether the last claimant may have put their own contact into the report. Then only the new
    secret, not a confirmed contact, makes somebody the reporter."""
    if not report.corrections:
        return False
    after = max(0, report.version - _EVENTS_SEEN)
    links = timeline_rows.timeline(report.jurisdiction, report.id, after, _EVENTS_SEEN)
    for text, _ in reversed(links):
        action = json.loads(text)["action"]
        if action in ("claim", "text_corrected", "contact_corrected"):
            return bool(action != "claim")
    return True


def _with_secret(outcome: Outcome) -> Outcome:
    """The outcome with the secret of its generation; the secret is stored nowhere."""
    answer = dict(outcome.answer)
    secret = signing.claim_secret(answer["id"], answer.pop("generation", 0))
    return Outcome({**answer, "claim_secret": secret}, outcome.replayed)


def _transfer_rows(report: Report, uid: str | None) -> list[Write]:
    """The writes that move all rows of this report from the previous device to ``uid``."""
    jurisdiction, old = report.jurisdiction, report.reporter
    nobody = people.released_uid(report.id)
    writes = _transfer_traces(report, old or nobody, uid or nobody, undone=uid is None)
    if report.merged_into:
        # The right that a duplicate gives in its original moves to the new device as well.
        original = report.merged_into
        before = old or report.via
        if before:
            name = people.right_name(before, report.id)
            writes.append(people.delete_mark(jurisdiction, original, people.RIGHT, name))
            writes.append(
                people.delete_trace(jurisdiction, before, people.RIGHT, original, report.id)
            )
        if uid:
            name = people.right_name(uid, report.id)
            writes.append(people.put_mark(jurisdiction, original, people.RIGHT, name))
            writes.append(people.put_trace(jurisdiction, uid, people.RIGHT, original, report.id))
    if old:
        writes.append(people.delete_mark(jurisdiction, report.id, people.FOLLOW, old))
        writes.append(people.delete_trace(jurisdiction, old, people.FOLLOW, report.id))
    return [*writes, *_transfer_tickets(report, uid)]


def _transfer_traces(report: Report, old: str, new: str, *, undone: bool) -> list[Write]:
    """Index rows: an erasure of the new device also erases what the previous one wrote here.

    The previous device's own index still names the report, for an erasure of that device alone.
    """
    jurisdiction = report.jurisdiction
    writes: list[Write] = [people.put_trace(jurisdiction, new, people.FILED, report.id)]
    writes.append(people.put_trace(jurisdiction, new, people.CLAIMED_FROM, report.id, old))
    if (report.filer or "").startswith(BY_CONTACT) and not undone:
        # Confirming the contact gives the report only while nobody has claimed it.
        writes.append(
            people.delete_trace(jurisdiction, report.filer or "", people.FILED, report.id)
        )
    if undone:
        # A wrongful claimant must not be able to erase what others wrote on the report.
        first = people.trace_name(people.CLAIMED_FROM, report.id, "")
        for kind, about, before in people.traces(jurisdiction, old, first, _BEFORE_AT_MOST):
            if (kind, about) == (people.CLAIMED_FROM, report.id):
                writes.append(people.delete_trace(jurisdiction, old, kind, about, before))
                writes.append(people.put_trace(jurisdiction, new, kind, about, before))
    return writes


def _transfer_tickets(report: Report, uid: str | None) -> list[Write]:
    """The photo tickets of the reporter with the new owner, who may then see the uploads."""
    nobody = people.released_uid(report.id)
    writes: list[Write] = []
    for photo in report.pictures:
        ticket = photo_tickets.photo(report.jurisdiction, photo)
        if ticket and ticket[1].get("owner") == (report.reporter or nobody):
            seen, doc = ticket
            owned: Ticket = {**doc, "owner": uid or nobody}
            writes.append(photo_tickets.put_photo(report.jurisdiction, photo, owned, seen=seen))
    return writes
