"""Who filed a report, and the index rows by which figures and erasures know it."""

from collections.abc import Mapping

from chalicelib.domain import filer
from chalicelib.domain.actor import Principal
from chalicelib.domain.filer import Filer
from chalicelib.domain.report import Report
from chalicelib.services import signing
from chalicelib.storage import channels, people
from chalicelib.storage.transactions import Write

_DIGITS = 32


def of(actor: Principal, report: str, contact: Mapping[str, str]) -> Filer:
    """Who files ``report`` with this contact (``{}``: none was left)."""
    return filer.of(actor, report, pseudonym(actor.jurisdiction, contact))


def pseudonym(jurisdiction: str, contact: Mapping[str, str]) -> str | None:
    """``c_`` and 32 hex digits: the same for one contact however it is written, in this city
    alone; ``None`` without e-mail and phone."""
    name = filer.contact_name(contact)
    if name is None:
        return None
    mac = signing.mac("filer", f"{jurisdiction}|{name}", signing.lasting())
    return f"{filer.BY_CONTACT}{mac[:_DIGITS]}"


def remembered(head: Report) -> list[Write]:
    """The rows of a report just filed: whom the month counts, and where its filer is looked for.

    Figures count no protected report. One that stands for itself needs no index.
    """
    place, who = head.jurisdiction, head.filer
    if who is None:
        return []
    writes: list[Write] = []
    if head.via:
        writes.append(channels.put_filed(place, head.via, head.id))
    if not who.startswith(filer.BY_REPORT):
        writes.append(people.put_trace(place, who, people.FILED, head.id))
    if not head.protected:
        writes.append(people.put_filer(place, head.filed_month, head.id, who))
        writes.append(people.first_filed(place, head.filed_month, who))
    return writes
