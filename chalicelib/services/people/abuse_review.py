"""Which reports one person filed: only for a reviewer of abuse, with a reason, and recorded.

No other answer tells officials that two reports have the same filer. The event says who asked and
why. The result is stored nowhere: not in the event, not in the row of the idempotency key.
"""

from datetime import datetime

from chalicelib import ids
from chalicelib.domain import filer
from chalicelib.domain.city.city import City
from chalicelib.domain.events import EventText
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.workflow import permissions
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome
from chalicelib.services.timeline import access
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import people, secrecy

READ = "filer_read"
PERMISSION, OPERATION = "abuse", "readFilerReports"
AT_MOST = 200
# Rows of the index to read for each uid: many may be outside the reviewer's grant.
_LOOKED_AT = 400


def read(
    actor: Principal, op: KeyedOperation, report_id: str, reason: str, now: datetime
) -> Outcome:
    """{id, version, reports: [{id, service, day}], more} of the same filer, newest first.

    Lists only reports within the reviewer's own grant, and no protected report. Raises
    ``Problem``: not_found, abuse_not_allowed.
    """
    report = access.load(actor, report_id).report
    if not _allowed(actor, report):
        raise Problem("abuse_not_allowed")
    words = EventText("reason", "inside", reason, ids.token_bytes(SALT_BYTES))

    def change(seen: access.Seen, _: City) -> Addition:
        if not _allowed(actor, seen.report):
            raise Problem("abuse_not_allowed")
        return Addition(seen.report, {})

    outcome = add(actor, op, report_id, READ, change, now, (words,))
    filed_reports, more = _filed_by_same(actor, report)
    return Outcome({**outcome.answer, "reports": filed_reports, "more": more}, outcome.replayed)


def _allowed(actor: Principal, report: Report) -> bool:
    """Whether one of the actor's grants covers this report and has the permission."""
    return (
        not report.secret
        and permissions.may(actor, PERMISSION, report)
        and permissions.permitted(actor, OPERATION, report)
        and access.in_scope(actor, report)
    )


def _filed_by_same(actor: Principal, report: Report) -> tuple[list[dict[str, str]], bool]:
    filer_name = _filer(report)
    if filer_name is None or filer_name.startswith(filer.BY_REPORT):
        return [], False
    # A report that was filed for a contact and claimed later is in the index of the claimant.
    uids = {filer_name, report.reporter or filer_name}
    pages = [people.filed(report.jurisdiction, uid, _LOOKED_AT) for uid in sorted(uids)]
    heads = secrecy.heads(report.jurisdiction, {report_id for page in pages for report_id in page})
    same = [
        head
        for head in sorted(heads.values(), key=lambda head: head.id, reverse=True)
        if head.id != report.id and _filer(head) == filer_name and _allowed(actor, head)
    ]
    rows = [{"id": head.id, "service": head.service, "day": _day(head)} for head in same[:AT_MOST]]
    return rows, len(same) > AT_MOST or any(len(page) == _LOOKED_AT for page in pages)


def _filer(report: Report) -> str | None:
    # Older heads name no filer where the filer is the reporter.
    return report.filer or report.reporter


def _day(report: Report) -> str:
    day = report.filed_day or cities.promised(report).today(report.filed_at)
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"
