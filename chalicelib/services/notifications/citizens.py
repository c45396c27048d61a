"""The addressees of a report's message by page: reporter, reporters of duplicates, followers.

Tests: tests/integration/test_citizen_messages.py
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.message_types import AddresseePage
from chalicelib.domain.notifications.citizen_news import FORMER
from chalicelib.domain.report import Report
from chalicelib.storage import people, reach, report_lists, reports

PAGE = 25
# How many levels of merged reports are followed.
DEPTH = 8
_OWN = 3


@dataclass(frozen=True)
class Addressee:
    """A person to write to: kind of message, contact, language; ``own`` is the report that they
    filed themselves, if any."""

    kind: str
    contact: str
    language: str | None
    own: str | None


def page(
    report: Report, kinds: dict[str, str], cursor: AddresseePage
) -> tuple[list[Addressee], list[AddresseePage]]:
    """(addressees of this page, cursors of the pages that follow); {} is the first cursor.

    ``kinds``: the kind of message for each relation.
    """
    addressees: list[Addressee] = []
    next_pages: list[AddresseePage] = []
    if not cursor and (kind := kinds.get("reporter")):
        addressees += _reporter_of(report, kind)
    stage, depth = cursor.get("stage", "duplicate"), cursor.get("depth", 0)
    report_id = cursor.get("of", report.id)
    if stage == "duplicate" and "duplicate" in kinds and (report.merged or depth):
        rows = reach.marks(report.jurisdiction, report_id, people.RIGHT, cursor.get("after"), PAGE)
        for name, _ in rows:
            duplicate = reports.get(report.jurisdiction, name.rsplit("#", 1)[1])
            if duplicate and not duplicate.secret:
                addressees += _reporter_of(duplicate, kinds["duplicate"])
        if len(rows) == PAGE:
            next_pages.append({**cursor, "stage": "duplicate", "after": rows[-1][0]})
        if "after" not in cursor:
            more, last = _by_contact(report.jurisdiction, report_id, "", kinds["duplicate"])
            addressees += more
            next_pages += [{**cursor, "stage": "contact", "after": last}] if last else []
        if depth < DEPTH and "after" not in cursor:
            merged_ids = people.marks(report.jurisdiction, report_id, people.VIA, people.WAYS_LIMIT)
            next_pages += [
                {"stage": "duplicate", "of": merged_id, "depth": depth + 1}
                for merged_id in merged_ids
            ]
    if stage == "contact" and "duplicate" in kinds:
        more, last = _by_contact(
            report.jurisdiction, report_id, cursor.get("after", ""), kinds["duplicate"]
        )
        addressees += more
        next_pages += [{**cursor, "after": last}] if last else []
    if "follower" in kinds and not depth:
        if stage in ("duplicate", "contact") and "after" in cursor:
            return addressees, next_pages
        after = cursor.get("after") if stage == "follower" else None
        rows = reach.marks(report.jurisdiction, report.id, people.FOLLOW, after, PAGE)
        for uid, doc in rows:
            addressees += _follower(report, uid, doc, kinds["follower"])
        if len(rows) == PAGE:
            next_pages.append({"stage": "follower", "after": rows[-1][0]})
    return addressees, next_pages


def filer_of(jurisdiction: str, report_id: str, kind: str) -> list[Addressee]:
    """The person who filed a report, if they left a contact."""
    report = reports.get(jurisdiction, report_id)
    return list(_reporter_of(report, kind)) if report and not report.secret else []


def _by_contact(
    jurisdiction: str, original: str, after: str, kind: str
) -> tuple[list[Addressee], str]:
    """(those who left only a contact with a duplicate: no account has a right by it; the name of
    the last row if there may be more)."""
    rows = reach.marks(jurisdiction, original, people.DUPLICATE, after, PAGE)
    addressees: list[Addressee] = []
    for name, _ in rows:
        duplicate = reports.get(jurisdiction, name)
        if duplicate and duplicate.reporter is None and not duplicate.secret:
            addressees += _reporter_of(duplicate, kind)
    return addressees, rows[-1][0] if len(rows) == PAGE else ""


def _reporter_of(report: Report, kind: str) -> Iterator[Addressee]:
    if kind in FORMER and report.former:
        yield Addressee(kind, report.former, report.language, None)
    if kind == FORMER[-1]:
        return
    if report.contact and report.contactable:
        yield Addressee(kind, report.contact, report.language, report.id)


def _follower(report: Report, uid: str, doc: dict[str, Any], kind: str) -> Iterator[Addressee]:
    """A follower, by the contact left for following, else by that of their newest own report."""
    if ref := doc.get("contact"):
        yield Addressee(kind, ref, doc.get("language"), None)
        return
    for _, card in report_lists.of_reporter(report.jurisdiction, uid, None, _OWN):
        own = reports.get(report.jurisdiction, card.id)
        if own and own.contact and own.contactable and not own.secret:
            yield Addressee(kind, own.contact, own.language, None)
            return
