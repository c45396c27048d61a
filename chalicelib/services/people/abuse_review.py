"""Which reports one person filed, for a reviewer of abuse alone: with a reason, and on record.

No other answer tells officials that two reports have one filer. The event says who asked and why;
what was found is in no event, and the key's row keeps none of it.
"""

from datetime import datetime

from chalicelib import ids
from chalicelib.domain import filer
from chalicelib.domain.city.city import City
from chalicelib.domain.events import Words
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.workflow import permissions
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform.idempotency import Operation, Outcome
from chalicelib.services.timeline import access
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import people, secrecy

READ = "filer_read"
PERMISSION, OPERATION = "abuse", "readFilerReports"
AT_MOST = 200
# How many rows of the index are looked at, a name: many may lie outside the reviewer's grant.
_LOOKED_AT = 400


def read(actor: Principal, op: Operation, report_id: str, reason: str, now: datetime) -> Outcome:
    """{id, version, reports: [{id, service, day}], more} of the same filer, the newest first.

    Only what the reviewer's own grant reaches, and never a protected report. Raises ``Problem``:
    not_found, abuse_not_allowed.
    """
    report = access.load(actor, report_id).report
    if not _may(actor, report):
        raise Problem("abuse_not_allowed")
    words = Words("reason", "inside", reason, ids.token_bytes(SALT_BYTES))

    def change(seen: access.Seen, _: City) -> Addition:
        if not _may(actor, seen.report):
            raise Problem("abuse_not_allowed")
        return Addition(seen.report, {})

    outcome = add(actor, op, report_id, READ, change, now, (words,))
    found, more = _others(actor, report)
    return Outcome({**outcome.answer, "reports": found, "more": more}, outcome.replayed)


def _may(actor: Principal, report: Report) -> bool:
    """Whether the permission holds over this report by a grant that reaches it."""
    return (
        not report.secret
        and permissions.may(actor, PERMISSION, report)
        and permissions.permitted(actor, OPERATION, report)
        and access.in_scope(actor, report)
    )


def _others(actor: Principal, report: Report) -> tuple[list[dict[str, str]], bool]:
    who = _filer(report)
    if who is None or who.startswith(filer.BY_REPORT):
        return [], False
    # What was filed for a contact and claimed since is in the index of who claimed it.
    names = {who, report.reporter or who}
    pages = [people.filed(report.jurisdiction, one, _LOOKED_AT) for one in sorted(names)]
    heads = secrecy.heads(report.jurisdiction, {one for page in pages for one in page})
    same = [
        one
        for one in sorted(heads.values(), key=lambda head: head.id, reverse=True)
        if one.id != report.id and _filer(one) == who and _may(actor, one)
    ]
    rows = [{"id": one.id, "service": one.service, "day": _day(one)} for one in same[:AT_MOST]]
    return rows, len(same) > AT_MOST or any(len(page) == _LOOKED_AT for page in pages)


def _filer(report: Report) -> str | None:
    # Heads of before name no filer where it is the reporter.
    return report.filer or report.reporter


def _day(report: Report) -> str:
    day = report.filed_day or cities.promised(report).today(report.filed_at)
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"
