"""Finding the same photo, or nearly the same, in two reports, or before and after one repair.

Tests: tests/integration/test_photos.py
"""

from dataclasses import replace
from datetime import datetime

from chalicelib.domain import photos
from chalicelib.domain.city.city import City
from chalicelib.domain.principal import system
from chalicelib.domain.timeline_types import PhotoOf
from chalicelib.services.photos.storage_keys import JPEG_NAME, MASTER_NAME, Files
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import files, photo_hashes, photo_tickets, reports
from chalicelib.storage.photo_hashes import Use

REUSED = "photo_reused"


def register_use(jurisdiction: str, report: str, photo: str, now: datetime) -> None:
    """Keep the files of a photo that a report uses, and flag the report if it was used elsewhere.

    The photo's own row is written before the search. So of two photos used at the same moment, at
    least one finds the other. The later use is flagged.
    """
    head, stored = reports.get(jurisdiction, report), photo_tickets.photo(jurisdiction, photo)
    if head is None or stored is None or stored[1]["state"] != photos.READY:
        return
    ticket = stored[1]
    names = Files(jurisdiction, photo, ticket["cut"]).by_name(ticket["rev"])
    hidden = head.pictures[photo]["state"] == photos.HIDDEN
    for name, key in names.items():
        if name == JPEG_NAME and not ticket.get("jpeg"):
            continue  # Made by an older version.
        if name == MASTER_NAME or not hidden:
            files.mark_used(key)
    kind = head.pictures[photo]["kind"]
    use = Use(photo, report, kind, ticket["used"], ticket["sha256"], ticket["likeness"])
    photo_hashes.put(jurisdiction, use)
    stored = photo_tickets.photo(jurisdiction, photo)
    if stored is None or stored[1]["state"] == photos.ERASED:
        # The photo was erased meanwhile.
        photo_hashes.forget(jurisdiction, photo, use.sha256, use.likeness)
        return
    others = [
        other
        for other in photo_hashes.near(jurisdiction, use)
        if (other.report, other.kind) != (report, kind)
    ]
    before = [other for other in others if _order(other) < _order(use)]
    if before:
        _flag(jurisdiction, use, min(before, key=use.differs), now)
    for later in others:
        if _order(later) > _order(use):
            _flag(jurisdiction, later, use, now)


def _order(use: Use) -> tuple[str, str]:
    return use.used, use.photo


def _flag(jurisdiction: str, later: Use, first: Use, now: datetime) -> None:
    actor = system(jurisdiction)
    original = reports.get(jurisdiction, first.report)
    # The id of a secret report must not appear in the timeline of another one.
    named = original is not None and (not original.secret or first.report == later.report)

    def change(seen: Seen, city: City) -> Addition:
        flags = seen.report.flags
        after = replace(seen.report, flags=flags if REUSED in flags else (*flags, REUSED))
        of: PhotoOf | None = {"report": first.report, "photo": first.photo} if named else None
        alike = "same" if later.sha256 == first.sha256 else "near"
        return Addition(after, {}, data={"photo": later.photo, "of": of, "alike": alike})

    add(actor, keyed_operation(actor, REUSED, later.photo, ""), later.report, REUSED, change, now)
