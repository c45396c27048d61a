"""The one-tap answer to "is it repaired?": a signed link acts for the reporter on one finish, or
on a closed report of which somebody else says that it is not settled."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.body_types import ActionBody
from chalicelib.domain.principal import BY_LINK, Principal
from chalicelib.domain.report import Report
from chalicelib.domain.workflow.table import open_actions
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform.catalogue import message_text
from chalicelib.services.platform.idempotency import Outcome, keyed_operation
from chalicelib.services.reports import actions, merging, one_tap_tokens
from chalicelib.storage import reports


@dataclass(frozen=True)
class OneTapQuestion:
    """The report that a link asks about, whether it can still be answered, and whether the
    question is about a closed report. ``goes_on``: the report into which it was merged."""

    report: Report
    answerable: bool
    closed: bool = False
    goes_on: Report | None = None


def question(token: str, now: datetime) -> OneTapQuestion:
    """The report behind a link. Raises ``Problem``: invalid_token, for a forged or expired one."""
    payload = one_tap_tokens.read(token, now)
    report = reports.get(payload["j"], payload["r"])
    if report is None:
        raise Problem("invalid_token")
    if "a" in payload:
        asked_at = report.asked_at.isoformat() if report.asked_at else None
        same = not report.open and asked_at == payload["a"]
        return OneTapQuestion(report, same and "reopen" in judgements(report, now), closed=True)
    finished = report.finished_at.isoformat() if report.finished_at else None
    same = report.state == "work_done" and finished == payload["f"]
    goes_on = merging.continued_as(report)
    return OneTapQuestion(report, same and "verify" in judgements(report, now), goes_on=goes_on)


def judgements(report: Report, now: datetime) -> list[str]:
    """What the reporter can answer now: ``verify`` and ``refuse``, ``reopen``, or nothing."""
    possible = open_actions(report, frozenset({"reporter"}))
    if report.state == "work_done":
        return [name for name in ("verify", "refuse") if name in possible and not report.disputed]
    if "reopen" not in possible or report.ruled or report.closed_at is None:
        return []
    days = cities.promised(report).rules["reopen_days"]
    return ["reopen"] if now <= report.closed_at + timedelta(days=days) else []


def answer(token: str, repaired: bool, now: datetime) -> Outcome | None:
    """Verify, refuse or reopen for the reporter; ``None`` if it can no longer be answered. A closed
    report that is settled stays as it is.

    The idempotency key is the link itself, so a second tap changes nothing.
    """
    link = question(token, now)
    report = link.report
    own = _own_report(report, token, now)
    if own is None or (own.reporter is None and own.contact is None):
        return None
    # The link went to the contact of ``own``, which need not have a reporter yet.
    permission = f"{BY_LINK}{report.id}"
    actor = Principal(
        "citizen",
        report.jurisdiction,
        uid=own.reporter or own.filer or own.id,
        permissions=frozenset({permission}),
    )
    op = keyed_operation(actor, "answerByLink", token, "yes" if repaired else "no")
    if not link.answerable:
        return None
    if link.closed and repaired:
        return Outcome({"id": report.id, "version": report.version}, wrote=False)
    city = cities.at(report.jurisdiction, report.city_version)
    body: ActionBody = {
        "action": "verify",
        "version": report.version,
        "note": message_text("page.note", report.language, city),
    }
    if not repaired:
        reason = message_text("page.reason", report.language, city)
        name = "reopen" if link.closed else "refuse"
        body = {"action": name, "version": report.version, "reason": reason}
    return actions.act(actor, op, report.id, body, now)


def _own_report(report: Report, token: str, now: datetime) -> Report | None:
    """The report of the link's recipient: this one, or a duplicate that is merged into it."""
    own = one_tap_tokens.read(token, now).get("d")
    return reports.get(report.jurisdiction, own) if own else report
