"""Photo tickets: whose upload a photo is, what it looks like, which report uses it."""

import json
from collections.abc import Iterable
from datetime import timedelta

from chalicelib import clock
from chalicelib.domain.row_types import Ticket
from chalicelib.storage import tables
from chalicelib.storage.reports import get_row
from chalicelib.storage.rows import get_all
from chalicelib.storage.transactions import Put

# A photo can be used for a day (``services.photos.tickets``).
UNUSED_KEPT = timedelta(days=2)


def put_photo(jurisdiction: str, photo: str, ticket: Ticket, *, seen: int | None) -> Put:
    """Write a photo's ticket: new, or over version ``seen``. It expires unless a report uses the
    photo, as the photo's files do."""
    condition = tables.Report.pk.does_not_exist() if seen is None else tables.Report.version == seen
    expiry = None if "report" in ticket else int((clock.wall() + UNUSED_KEPT).timestamp())
    row = tables.Report(
        f"{jurisdiction}#P#{photo}", version=(seen or 0) + 1, doc=json.dumps(ticket), ttl=expiry
    )
    return Put(f"photo:{photo}", row, condition)


def photo(jurisdiction: str, photo: str) -> tuple[int, Ticket] | None:
    """(version, ticket) of a photo, read consistently."""
    row = get_row(f"{jurisdiction}#P#{photo}")
    return (int(row.version), json.loads(row.doc)) if row else None


def photos(jurisdiction: str, wanted: Iterable[str]) -> dict[str, tuple[int, Ticket]]:
    """{photo: (version, ticket)} of the existing photos, read consistently, a hundred a call."""
    keys = [{"pk": {"S": f"{jurisdiction}#P#{photo}"}} for photo in sorted(set(wanted))]
    rows = get_all(tables.Report.Meta.table_name, keys, consistent=True)
    return {
        row["pk"]["S"].rpartition("#")[2]: (int(row["version"]["N"]), json.loads(row["doc"]["S"]))
        for row in rows
    }
