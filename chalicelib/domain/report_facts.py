"""What events hold of a report: facts, changed fields, and the head rebuilt from its events.

Tests: tests/unit/test_report.py
"""

from collections.abc import Iterable
from typing import Any

from chalicelib.domain.report import NOTES, PRIVATE, Report
from chalicelib.domain.timeline_types import Event, Facts, HeadChanges
from chalicelib.domain.timestamps import iso

# The event by which a report follows its city into a new version.
MOVED = "moved"


def facts(report: Report) -> Facts:
    """What counters and lists use of a report, as JSON values; events hold it before and after."""
    counted: Facts = {
        "state": report.state,
        "resolution": report.resolution,
        "service": report.service,
        "district": report.district,
        "ward": report.ward,
        "unit": report.unit,
        "holder": report.holder,
        "agency": report.agency,
        "protected": report.protected,
        "contactable": report.contactable,
        "due_at": iso(report.shown_due) if report.shown_due else None,
        "place": list(report.public_place),
        "late": report.late,
        "filed_day": report.filed_day,
        "filed_month": report.filed_month,
        "closed_month": report.closed_month,
        "closed_at": iso(report.closed_at) if report.closed_at else None,
        "picture": next((photo for photo in report.photos if _is_ready(report, photo)), None),
        "supports": report.supports,
        "support_month": report.support_month,
        "rating": report.rating,
        "rating_month": report.rating_month,
        "flow": report.flow,
    }
    # Only present where they hold, so that the bytes of ordinary events stay the same.
    if report.offered_to:
        counted["offered_to"] = report.offered_to
    if report.secret and not report.protected:
        counted["secret"] = True
    if report.undone:
        counted["undone"] = True
    if report.history:
        counted["history"] = True
    if report.private:
        counted["private"] = True
    if report.shown_at:
        counted["shown_at"] = iso(report.shown_at)
    return counted


def secret_in(facts: Facts) -> bool:
    """``Report.secret`` of an event's facts."""
    return bool(facts["protected"] or facts.get("secret"))


def promised_in(facts: Facts) -> str | None:
    """``Report.shown_due`` of an event's facts; events of older versions have another deadline."""
    return None if facts.get("history") else facts["due_at"]


def hidden_in(facts: Facts) -> bool:
    """``Report.hidden`` of an event's facts."""
    return bool(secret_in(facts) or facts.get("private"))


def _is_ready(report: Report, photo: str) -> bool:
    picture = report.pictures.get(photo)
    return picture is not None and picture["state"] == "ready"


def changes(before: Report | None, after: Report) -> HeadChanges:
    """The fields that an event sets, without ``PRIVATE`` ones; ``None`` is back at the default."""
    old = before.to_doc() if before else {}
    new = after.to_doc()
    return {
        name: new.get(name)
        for name in sorted(old.keys() | new.keys())
        if name not in PRIVATE and old.get(name) != new.get(name)
    }


def decided(before: Report, after: Report, action: str = "") -> int:
    """``Report.decided`` of the head ``after``: the last version that changed more than notes.

    An older head without this value counts all its versions so far as decisions.
    """
    if action == MOVED or changes(before, after).keys() <= NOTES:
        return before.decided or before.version
    return after.version


def noted(event: Event) -> bool:
    """Whether an event changes nothing that anybody decides by.

    Examples: a breach, a level, a support, a photo that is ready, a look at the contact, new codes
    for the same place.
    """
    return event["action"] == MOVED or bool(event["set"].keys() <= NOTES)


def fold(events: Iterable[Event]) -> dict[str, Any]:
    """The head's document without its private fields, from its events (oldest first)."""
    doc: dict[str, Any] = {}
    for event in events:
        doc.update(event["set"])
    return {name: value for name, value in doc.items() if value is not None}


def public_part(report: Report) -> dict[str, Any]:
    """The head's document without its private fields; ``fold`` must give the same."""
    return {name: value for name, value in report.to_doc().items() if name not in PRIVATE}
