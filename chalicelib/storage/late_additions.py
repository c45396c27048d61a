"""Notes of what people add to closed reports, for the retention schedule.

The walk of the schedule may already have passed such a report.
"""

from datetime import datetime

from chalicelib.domain.timestamps import iso
from chalicelib.storage import tables
from chalicelib.storage.transactions import Delete, Put, read


def put(jurisdiction: str, report: str, now: datetime) -> Put:
    """Note that somebody added something to a closed report."""
    return Put("late", tables.Person(_key(jurisdiction), f"{iso(now)}#{report}"))


def notes(jurisdiction: str, until: datetime, limit: int) -> list[tuple[str, str]]:
    """The notes made until a moment, oldest first: (at, report)."""
    past = tables.Person.sk <= f"{iso(until)}~"
    rows = read(lambda: list(tables.Person.query(_key(jurisdiction), past, limit=limit)))
    return [(at, report) for row in rows for at, report in [row.sk.split("#", 1)]]


def delete(jurisdiction: str, at: str, report: str) -> Delete:
    """Delete a note, because the schedule has done its work."""
    return Delete("late", tables.Person(_key(jurisdiction), f"{at}#{report}"))


def _key(jurisdiction: str) -> str:
    return f"{jurisdiction}#LATE#ALL"
