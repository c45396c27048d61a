"""Erasure of who filed a report: reporter, filer and contact, and the rows that name them.

Tests: tests/integration/test_erasure.py
"""

from datetime import datetime

from chalicelib.domain.city.city import City
from chalicelib.domain.report import Report, anonymous, is_anonymous
from chalicelib.services.people import preferences
from chalicelib.services.people.erasure_events import Person, add_erasure
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition
from chalicelib.storage import people, report_filers, reports
from chalicelib.storage.transactions import Write


def remove_reporter(person: Person, report: str, now: datetime) -> None:
    """Remove reporter, filer and contact from a report, and its index rows of ``former`` uids."""
    head = reports.get(person.jurisdiction, report)
    if head is None or is_anonymous(head):
        return

    def change(seen: Seen, city: City) -> Addition | None:
        current = seen.report
        if person.spares(current):
            return None
        return Addition(anonymous(current), {}, _anonymous_rows(person, current), person.data([]))

    add_erasure(person.jurisdiction, report, change, now)


def former_reporter_writes(person: Person, report: str) -> list[Write]:
    """The writes that remove a person from the rows of a report that somebody else has claimed."""
    jurisdiction, uid = person.jurisdiction, person.uid or ""
    head = reports.get(jurisdiction, report)
    if head is None or head.reporter == uid:
        return []
    writes: list[Write] = []
    if report_filers.filer(jurisdiction, head.filed_month, report) == uid:
        writes.append(
            report_filers.put_filer(jurisdiction, head.filed_month, report, person.nobody)
        )
    before = people.details(jurisdiction, uid, people.CLAIMED_FROM, report)
    holder: str | None = head.reporter or people.released_uid(report)
    visited = set[str]()
    while holder and holder not in visited:
        visited.add(holder)
        former = people.details(jurisdiction, holder, people.CLAIMED_FROM, report)
        if uid in former:
            writes.append(
                people.delete_trace(jurisdiction, holder, people.CLAIMED_FROM, report, uid)
            )
            for uid_before in sorted({*before} - {*former, holder}):
                writes.append(
                    people.put_trace(jurisdiction, holder, people.CLAIMED_FROM, report, uid_before)
                )
            break
        holder = next((uid_before for uid_before in former if uid_before not in visited), None)
    return writes


def _anonymous_rows(person: Person, head: Report) -> list[Write]:
    """The writes that make all rows of a report's reporter anonymous."""
    jurisdiction, writes = person.jurisdiction, list[Write]()
    if head.contact:
        writes += preferences.deletions(jurisdiction, head.contact)
    if head.former:
        # If both contacts have the same address, its preferences are erased with the other one.
        both = [people.contact(jurisdiction, ref) for ref in (head.former, head.contact or "")]
        same = len({preferences.key(contact) for contact in both if contact}) < len(
            [contact for contact in both if contact]
        )
        deletion = [people.delete_contact(jurisdiction, head.former)]
        writes += deletion if same else preferences.deletions(jurisdiction, head.former)
    if report_filers.filer(jurisdiction, head.filed_month, head.id):
        # Stays as one anonymous filer of the month, because figures count filers.
        writes.append(
            report_filers.put_filer(jurisdiction, head.filed_month, head.id, person.nobody)
        )
    if (
        head.filer
        and head.filer != person.uid
        and not _filed_others(jurisdiction, head.filer, head.id)
    ):
        writes += report_filers.rename_filer(jurisdiction, head.filer, person.nobody)
    if head.merged_into and head.reporter:
        # The original keeps a row that names its duplicate.
        old = people.right_name(head.reporter, head.id)
        new = people.right_name(person.nobody, head.id)
        writes.append(people.delete_mark(jurisdiction, head.merged_into, people.RIGHT, old))
        writes.append(people.put_mark(jurisdiction, head.merged_into, people.RIGHT, new))
    reporter = head.reporter or people.released_uid(head.id)
    names = {name for name in (reporter, head.filer, person.uid) if name}
    for uid in sorted(names):
        writes += _index_deletions(jurisdiction, uid, head.id)
    for uid in sorted(person.former - names):
        writes += _index_deletions(jurisdiction, uid, head.id)
    return writes


def _index_deletions(jurisdiction: str, uid: str, report: str) -> list[Write]:
    """The deletions of the index rows that say that somebody had this report."""
    writes: list[Write] = [people.delete_trace(jurisdiction, uid, people.FILED, report)]
    for kind in (people.CLAIMED_FROM, people.CONTACT):
        for detail in people.details(jurisdiction, uid, kind, report):
            writes.append(people.delete_trace(jurisdiction, uid, kind, report, detail))
    return writes


def _filed_others(jurisdiction: str, filer: str, report: str) -> bool:
    """Whether the index names other reports of a pseudonym."""
    rows = people.traces(jurisdiction, filer, people.FILED, 2)
    return any(kind == people.FILED and other != report for kind, other, _ in rows)
