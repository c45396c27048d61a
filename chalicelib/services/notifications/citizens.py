"""Whom a report's message goes to, page by page: reporter, those of duplicates, followers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chalicelib.domain.notifications.citizen_news import FORMER
from chalicelib.domain.report import Report
from chalicelib.storage import people, reach, reports

PAGE = 25
# How far reports merged into reports that were merged are followed.
DEPTH = 8
_OWN = 3
Place = dict[str, Any]


@dataclass(frozen=True)
class Addressee:
    """Somebody to be told: in which relation, by which contact, in which language; ``own`` is the
    report that they filed themselves."""

    kind: str
    contact: str
    language: str | None
    own: str | None


def page(report: Report, tell: dict[str, str], place: Place) -> tuple[list[Addressee], list[Place]]:
    """(the addressees of this page, the pages that follow). ``place`` is {} for the first."""
    found: list[Addressee] = []
    more: list[Place] = []
    if not place and (kind := tell.get("reporter")):
        found += _filed(report, kind)
    stage, depth = place.get("stage", "duplicate"), place.get("depth", 0)
    about = place.get("of", report.id)
    if stage == "duplicate" and "duplicate" in tell and (report.merged or depth):
        rows = reach.marks(report.jurisdiction, about, people.RIGHT, place.get("after"), PAGE)
        for name, _ in rows:
            duplicate = reports.get(report.jurisdiction, name.rsplit("#", 1)[1])
            if duplicate and not duplicate.secret:
                found += _filed(duplicate, tell["duplicate"])
        if len(rows) == PAGE:
            more.append({**place, "stage": "duplicate", "after": rows[-1][0]})
        if depth < DEPTH and "after" not in place:
            ways = people.marks(report.jurisdiction, about, people.VIA, people.WAYS_LIMIT)
            more += [{"stage": "duplicate", "of": one, "depth": depth + 1} for one in ways]
    if "follower" in tell and not depth:
        if stage == "duplicate" and "after" in place:
            return found, more
        after = place.get("after") if stage == "follower" else None
        rows = reach.marks(report.jurisdiction, report.id, people.FOLLOW, after, PAGE)
        for uid, doc in rows:
            found += _follows(report, uid, doc, tell["follower"])
        if len(rows) == PAGE:
            more.append({"stage": "follower", "after": rows[-1][0]})
    return found, more


def _filed(report: Report, kind: str) -> Iterator[Addressee]:
    if kind in FORMER and report.former:
        yield Addressee(kind, report.former, report.language, None)
    if kind == FORMER[-1]:
        return
    if report.contact and report.contactable:
        yield Addressee(kind, report.contact, report.language, report.id)


def _follows(report: Report, uid: str, doc: dict[str, Any], kind: str) -> Iterator[Addressee]:
    """By the contact left for it, else by that of the person's own newest reports."""
    if ref := doc.get("contact"):
        yield Addressee(kind, ref, doc.get("language"), None)
        return
    for _, card in reports.of_reporter(report.jurisdiction, uid, None, _OWN):
        own = reports.get(report.jurisdiction, card.id)
        if own and own.contact and own.contactable and not own.secret:
            yield Addressee(kind, own.contact, own.language, None)
            return
