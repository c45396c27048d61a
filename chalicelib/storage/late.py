"""What people left on a report that was closed already: notes for the schedule of retention, whose
walk may have gone past the report."""

from datetime import datetime

from chalicelib.domain.timestamps import iso
from chalicelib.storage import tables
from chalicelib.storage.transactions import Delete, Put, read


def put(jurisdiction: str, report: str, now: datetime) -> Put:
    """Note that somebody left something on a closed report."""
    return Put("late", tables.Person(_key(jurisdiction), f"{iso(now)}#{report}"))


def notes(jurisdiction: str, until: datetime, limit: int) -> list[tuple[str, str]]:
    """The notes made until then, the oldest first: (at, report)."""
    past = tables.Person.sk <= f"{iso(until)}~"
    rows = read(lambda: list(tables.Person.query(_key(jurisdiction), past, limit=limit)))
    return [(at, report) for row in rows for at, report in [row.sk.split("#", 1)]]


def delete(jurisdiction: str, at: str, report: str) -> Delete:
    """The schedule has looked at it."""
    return Delete("late", tables.Person(_key(jurisdiction), f"{at}#{report}"))


def _key(jurisdiction: str) -> str:
    return f"{jurisdiction}#LATE#ALL"
