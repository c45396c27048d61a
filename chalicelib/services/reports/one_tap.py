"""The one-tap answer to "is it repaired?": a signed link acts for the reporter, for one finish."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.principal import BY_LINK, Principal
from chalicelib.domain.report import Report
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform.catalogue import message_text
from chalicelib.services.platform.idempotency import Outcome, keyed_operation
from chalicelib.services.reports import actions, one_tap_tokens
from chalicelib.storage import reports


@dataclass(frozen=True)
class OneTapQuestion:
    """What the link asks about."""

    report: Report
    answerable: bool


def question(token: str, now: datetime) -> OneTapQuestion:
    """The report behind a link; ``invalid_token`` for a forged or lapsed one."""
    payload = one_tap_tokens.read(token, now)
    report = reports.get(payload["j"], payload["r"])
    if report is None:
        raise Problem("invalid_token")
    finished = report.finished_at.isoformat() if report.finished_at else None
    asked = report.state == "work_done" and not report.disputed and finished == payload["f"]
    return OneTapQuestion(report, asked)


def answer(token: str, repaired: bool, now: datetime) -> Outcome | None:
    """Verify or refuse in the reporter's name; ``None`` where the report has moved on.

    The key is the link itself, so that a second tap changes nothing.
    """
    asked = question(token, now)
    report = asked.report
    whose = _filed(report, token, now)
    if whose is None or (whose.reporter is None and whose.contact is None):
        return None
    # The link went to that report's own contact, also where nobody has its rights yet.
    permission = f"{BY_LINK}{report.id}"
    actor = Principal(
        "citizen",
        report.jurisdiction,
        uid=whose.reporter or whose.filer or whose.id,
        permissions=frozenset({permission}),
    )
    op = keyed_operation(actor, "answerByLink", token, "yes" if repaired else "no")
    if not asked.answerable:
        return None
    city = cities.at(report.jurisdiction, report.city_version)
    body = {
        "action": "verify",
        "version": report.version,
        "note": message_text("page.note", report.language, city),
    }
    if not repaired:
        reason = message_text("page.reason", report.language, city)
        body = {"action": "refuse", "version": report.version, "reason": reason}
    return actions.act(actor, op, report.id, body, now)


def _filed(report: Report, token: str, now: datetime) -> Report | None:
    """The report of the person whom the link was sent to: this one, or one merged into it."""
    own = one_tap_tokens.read(token, now).get("d")
    return reports.get(report.jurisdiction, own) if own else report
