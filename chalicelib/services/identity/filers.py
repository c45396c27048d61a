"""Who filed a report, and the index rows by which figures and erasures know it."""

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.domain import filer
from chalicelib.domain.filer import Filer
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.services.platform import signing
from chalicelib.storage import access_index, people
from chalicelib.storage.transactions import Write

_DIGITS = 32


def filer_of(actor: Principal, report: str, contact: Mapping[str, str]) -> Filer:
    """Who files ``report`` with this contact (``{}``: none was left)."""
    return filer.of(actor, report, pseudonym(actor.jurisdiction, contact))


def pseudonym(jurisdiction: str, contact: Mapping[str, str]) -> str | None:
    """``c_`` and 32 hex digits: the same for one contact however it is written, in this city
    alone; ``None`` without e-mail and phone."""
    name = filer.contact_name(contact)
    if name is None:
        return None
    mac = signing.mac("filer", f"{jurisdiction}|{name}", signing.pseudonym_key())
    return f"{filer.BY_CONTACT}{mac[:_DIGITS]}"


def filing_rows(head: Report) -> list[Write]:
    """The rows of a report just filed: whom the month counts, and where its filer is looked for.

    Figures count no protected report. One that stands for itself needs no index.
    """
    place, who = head.jurisdiction, head.filer
    if who is None:
        return []
    writes: list[Write] = []
    if head.via:
        writes.append(access_index.put_filed(place, head.via, head.id))
    if not who.startswith(filer.BY_REPORT):
        writes.append(people.put_trace(place, who, people.FILED, head.id))
    if not head.protected:
        writes.append(people.put_filer(place, head.filed_month, head.id, who))
        writes.append(people.first_filed(place, head.filed_month, who))
    return writes


def with_contact(head: Report, contact: Mapping[str, str]) -> tuple[Report, list[Write]]:
    """The report with its corrected contact as its filer, and the rows that say so.

    Only what came through a channel is counted by its contact.
    """
    place, old = head.jurisdiction, head.filer
    who = pseudonym(place, contact) or filer.by_report(head.id)
    if head.via is None or old is None or old == who:
        return head, []
    writes: list[Write] = [people.delete_trace(place, old, people.FILED, head.id)]
    if people.filer(place, head.filed_month, head.id):
        writes.append(people.put_filer(place, head.filed_month, head.id, who))
        writes.append(people.first_filed(place, head.filed_month, who))
        if not {*people.filed(place, old, 2)} - {head.id}:
            writes.append(people.forget_reporter(place, old))
    return replace(head, filer=who), writes
