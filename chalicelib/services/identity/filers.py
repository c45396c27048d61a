"""Who filed a report, and the index rows for counting filers and for erasure."""

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.domain import filer
from chalicelib.domain.filer import Filer
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.services.platform import signing
from chalicelib.storage import access_index, people, report_filers
from chalicelib.storage.transactions import Write

_DIGITS = 32


def filer_of(actor: Principal, report: str, contact: Mapping[str, str]) -> Filer:
    """The filer of a new report with this contact (``{}``: none)."""
    return filer.of(actor, report, pseudonym(actor.jurisdiction, contact))


def pseudonym(jurisdiction: str, contact: Mapping[str, str]) -> str | None:
    """``c_`` and 32 hex digits for a contact, or ``None`` without e-mail and phone.

    One contact has one pseudonym in a city, however it is written, and another in another city.
    """
    name = filer.contact_name(contact)
    if name is None:
        return None
    mac = signing.mac("filer", f"{jurisdiction}|{name}", signing.pseudonym_key())
    return f"{filer.BY_CONTACT}{mac[:_DIGITS]}"


def filing_rows(head: Report) -> list[Write]:
    """The index rows of a new report: its filer in the month's figures, and its filer's reports.

    Protected reports are not counted. A filer known only by this report needs no index row.
    """
    jurisdiction, uid = head.jurisdiction, head.filer
    if uid is None:
        return []
    writes: list[Write] = []
    if head.via:
        writes.append(access_index.put_filed(jurisdiction, head.via, head.id))
    if not uid.startswith(filer.BY_REPORT):
        writes.append(people.put_trace(jurisdiction, uid, people.FILED, head.id))
    if not head.protected:
        writes.append(report_filers.put_filer(jurisdiction, head.filed_month, head.id, uid))
        writes.append(report_filers.first_filed(jurisdiction, head.filed_month, uid))
    return writes


def with_contact(head: Report, contact: Mapping[str, str]) -> tuple[Report, list[Write]]:
    """The report with the filer of its corrected contact, and the index rows to write.

    Nothing changes for a report of a device: only reports of a channel are counted by contact.
    """
    jurisdiction, old = head.jurisdiction, head.filer
    uid = pseudonym(jurisdiction, contact) or filer.by_report(head.id)
    if head.via is None or old is None or old == uid:
        return head, []
    writes: list[Write] = [people.delete_trace(jurisdiction, old, people.FILED, head.id)]
    if report_filers.filer(jurisdiction, head.filed_month, head.id):
        writes.append(report_filers.put_filer(jurisdiction, head.filed_month, head.id, uid))
        writes.append(report_filers.first_filed(jurisdiction, head.filed_month, uid))
        if not {*people.filed(jurisdiction, old, 2)} - {head.id}:
            writes.append(report_filers.forget_reporter(jurisdiction, old))
    return replace(head, filer=uid), writes
