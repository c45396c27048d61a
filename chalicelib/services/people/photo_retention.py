"""Stored originals of photos whose retention is over.

Tests: tests/integration/test_retention.py
"""

from collections.abc import Iterator
from datetime import datetime

from chalicelib import ids
from chalicelib.services.photos.storage_keys import ORIGINALS_FOLDER
from chalicelib.storage import files, photo_tickets, reports


def old_originals(jurisdiction: str, until: datetime) -> Iterator[str]:
    """The photos whose stored original is older than ``until``, oldest first. Skips photos of open
    reports."""
    last = ids.floor(until)
    for key in files.keys(f"{ORIGINALS_FOLDER}/{jurisdiction}/"):
        photo = key.rpartition("/")[2]
        if photo >= last:
            return
        ticket = photo_tickets.photo(jurisdiction, photo)
        report_id = ticket[1].get("report") if ticket else None
        head = reports.get(jurisdiction, report_id) if report_id else None
        if head is None or not head.open:
            yield photo
