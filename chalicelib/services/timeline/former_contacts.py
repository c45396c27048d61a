"""The contact that a report had before it was corrected: told of it, and of claims, for a time.

Whoever holds a stolen phone could correct the contact first and claim the report then, and every
warning would go to them. So an address that held for a while is kept beside the new one
(``Report.former``): it hears once that it was replaced, and of every claim, with a link that gives
the report and the contact back. One that was replaced at once was a slip of the pen: it may be a
stranger's, who hears nothing.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.notifications import reachability
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso, parse
from chalicelib.services.identity import filers
from chalicelib.storage import people
from chalicelib.storage.transactions import Write

# How long an address has to hold to be warned, and for how long it is kept then, if the city does
# not say (``rules`` of city.json).
SETTLED_HOURS, KEPT_DAYS = 1, 30


def keep_former(
    report: Report, contact: dict[str, Any], city: City, now: datetime
) -> tuple[Report, list[Write]]:
    """The report whose contact is being replaced by ``contact``, the one before kept beside.

    An earlier one that is still kept stays: a second correction does not push it out.
    """
    place, since = report.jurisdiction, report.contact_since or iso(report.filed_at)
    after = replace(report, contact_since=iso(now))
    settled = now - parse(since) >= timedelta(
        hours=city.rules.get("contact_settled_hours", SETTLED_HOURS)
    )
    if reference(report, now) or not (settled and report.contact):
        return after, []
    old = people.contact(place, report.contact)
    if old is None or all(old.get(way) in (None, contact.get(way)) for way in reachability.WAYS):
        return after, []
    ref = ids.token_bytes(16).hex()
    days = timedelta(days=city.rules.get("former_contact_days", KEPT_DAYS))
    after = replace(after, former=ref, former_until=iso(now + days))
    writes: list[Write] = [people.put_contact(place, ref, old, days)]
    if report.reporter:
        writes.append(people.put_trace(place, report.reporter, people.CONTACT, report.id, ref))
    return after, writes


def reference(report: Report, now: datetime) -> str | None:
    """The reference of the contact before, as long as it is kept."""
    until = report.former_until
    return report.former if until and parse(until) > now else None


def restore(report: Report, now: datetime) -> tuple[Report, list[Write]]:
    """The report with the contact that it had before, if that is kept."""
    place, former = report.jurisdiction, reference(report, now)
    old = people.contact(place, former) if former else None
    if former is None or old is None:
        return report, []
    after, writes = filers.with_contact(report, old)
    ref = report.contact or former
    writes = [*writes, people.put_contact(place, ref, old)]
    if ref != former:
        writes.append(people.delete_contact(place, former))
        if report.reporter:
            trace = people.delete_trace(place, report.reporter, people.CONTACT, report.id, former)
            writes.append(trace)
    after = replace(
        after, contact=ref, contactable=reachability.contactable(old), contact_since=iso(now),
        former=None, former_until=None,
    )  # fmt: skip
    return after, writes
