"""Indexes for ``infra.ops exposed``: reports by channel, and contacts read by officials.

They name no citizen: a row has the uid of a key or of an official, and the id of a report.
"""

from datetime import datetime

from chalicelib.domain.timestamps import iso
from chalicelib.storage import tables
from chalicelib.storage.transactions import Put, read


def put_filed(jurisdiction: str, channel: str, report: str) -> Put:
    """Record that a report came through a key (``k_…``) or an official (``s_…``)."""
    return Put("channel", tables.Person(f"{jurisdiction}#CHANNEL#{channel}", report))


def filed_through(jurisdiction: str, channel: str, after: str, limit: int) -> list[str]:
    """A page of the reports that came through a channel, oldest first."""
    return _page(f"{jurisdiction}#CHANNEL#{channel}", after, limit)


def put_contact_read(
    jurisdiction: str, official: str, now: datetime, report: str, version: int
) -> Put:
    """Record that an official read a contact: the event ``contact_read`` of this version."""
    name = f"{iso(now)}#{report}#{version:08d}"
    return Put("contact_read", tables.Person(f"{jurisdiction}#READS#{official}", name))


def contacts_read(
    jurisdiction: str, official: str, after: str, limit: int
) -> list[tuple[str, str, int]]:
    """A page of the contacts that an official read after a moment or a row, oldest first:
    (moment, report, version)."""
    rows = _page(f"{jurisdiction}#READS#{official}", after, limit)
    parts = [name.split("#") for name in rows]
    return [(moment, report, int(version)) for moment, report, version in parts]


def count_texts(jurisdiction: str, report: str) -> int:
    """The number of texts stored for a report; DynamoDB counts them without sending them."""
    count: int = read(lambda: tables.Person.count(f"{jurisdiction}#T#{report}"))
    return count


def _page(key: str, after: str, limit: int) -> list[str]:
    beyond = tables.Person.sk > after if after else None
    rows = read(lambda: list(tables.Person.query(key, beyond, limit=limit)))
    return [row.sk for row in rows]
