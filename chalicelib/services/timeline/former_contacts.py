"""The contact that a report had before it was corrected: kept for some time, and warned.

The thief of a phone could correct the contact and then claim the report; all warnings would go to
the thief. So an old contact is kept next to the new one (``Report.former``). It gets a message that
it was replaced, and one for every claim, with a link that gives back report and contact. An old
contact that was replaced at once was a typing error and may be a stranger's: it gets no message.

Tests: tests/integration/test_corrected_contact.py
"""

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.notifications import reachability
from chalicelib.domain.report import Report
from chalicelib.domain.row_types import Contact
from chalicelib.domain.timestamps import iso, parse
from chalicelib.services.identity import filers
from chalicelib.storage import people
from chalicelib.storage.transactions import Write

# Defaults for ``rules`` of city.json: an old contact is kept only if it was the contact for so many
# hours; it is kept for so many days.
SETTLED_HOURS, KEPT_DAYS = 1, 30


def keep_former(
    report: Report, contact: Contact, city: City, now: datetime
) -> tuple[Report, list[Write]]:
    """The report whose contact is being replaced by ``contact``, with the old one kept, and the
    rows to write.

    If an older contact is still kept, it stays; a second correction does not replace it.
    """
    jurisdiction, since = report.jurisdiction, report.contact_since or iso(report.filed_at)
    after = replace(report, contact_since=iso(now))
    settled = now - parse(since) >= timedelta(
        hours=city.rules.get("contact_settled_hours", SETTLED_HOURS)
    )
    if reference(report, now) or not (settled and report.contact):
        return after, []
    old = people.contact(jurisdiction, report.contact)
    if old is None or all(old.get(way) in (None, contact.get(way)) for way in reachability.WAYS):
        return after, []
    ref = ids.token_bytes(16).hex()
    days = timedelta(days=city.rules.get("former_contact_days", KEPT_DAYS))
    after = replace(after, former=ref, former_until=iso(now + days))
    writes: list[Write] = [people.put_contact(jurisdiction, ref, old, days)]
    if report.reporter:
        trace = people.put_trace(jurisdiction, report.reporter, people.CONTACT, report.id, ref)
        writes.append(trace)
    return after, writes


def reference(report: Report, now: datetime) -> str | None:
    """The reference of the former contact, or ``None`` if none is kept any more."""
    until = report.former_until
    return report.former if until and parse(until) > now else None


def restore(report: Report, now: datetime) -> tuple[Report, list[Write]]:
    """The report with its former contact again, if that is kept, and the rows to write."""
    jurisdiction, former = report.jurisdiction, reference(report, now)
    old = people.contact(jurisdiction, former) if former else None
    if former is None or old is None:
        return report, []
    after, writes = filers.with_contact(report, old)
    ref = report.contact or former
    writes = [*writes, people.put_contact(jurisdiction, ref, old)]
    if ref != former:
        writes.append(people.delete_contact(jurisdiction, former))
        if report.reporter:
            writes.append(
                people.delete_trace(
                    jurisdiction, report.reporter, people.CONTACT, report.id, former
                )
            )
    after = replace(
        after, contact=ref, contactable=reachability.contactable(old), contact_since=iso(now),
        former=None, former_until=None,
    )  # fmt: skip
    return after, writes
