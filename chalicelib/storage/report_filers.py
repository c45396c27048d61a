"""Who filed which report in which month, and each filer's first month: figures count people."""

import json

from chalicelib.storage import tables
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Delete, Put, Update, read


def put_filer(jurisdiction: str, month: str, report: str, uid: str) -> Put:
    """Record who filed a report in which month: for the weight of one reporter in figures."""
    row = tables.Person(f"{jurisdiction}#FILED#{month}", report, doc=dump({"uid": uid}))
    return Put("filer", row)


def first_filed(jurisdiction: str, month: str, uid: str) -> Update:
    """Record the month of a person's first report, if none is recorded."""
    row = tables.Person(f"{jurisdiction}#REPORTERS#ALL", uid)
    return Update("reporter", row, [tables.Person.doc.set(tables.Person.doc | month)])


def filed_by(jurisdiction: str, month: str, uid: str) -> Update:
    """Record a person's first month, if no earlier one is recorded."""
    row = tables.Person(f"{jurisdiction}#REPORTERS#ALL", uid)
    later = tables.Person.doc.does_not_exist() | (tables.Person.doc > month)
    return Update("reporter", row, [tables.Person.doc.set(month)], later)


def forget_reporter(jurisdiction: str, uid: str) -> Delete:
    """Remove somebody from the count of people who have filed."""
    return Delete("reporter", tables.Person(f"{jurisdiction}#REPORTERS#ALL", uid))


def rename_filer(jurisdiction: str, uid: str, nobody: str) -> list[Put | Delete]:
    """The writes that rename a filer in the count of people, with the same first month.

    Empty if the uid is not counted.
    """
    key = f"{jurisdiction}#REPORTERS#ALL"

    def action() -> tables.Person | None:
        try:
            return tables.Person.get(key, uid, consistent_read=True)
        except tables.Person.DoesNotExist:
            return None

    if (row := read(action)) is None:
        return []
    renamed = tables.Person(key, nobody, doc=row.doc)
    return [Put("nobody", renamed), Delete("reporter", tables.Person(key, uid))]


def filer(jurisdiction: str, month: str, report: str) -> str | None:
    """Who filed a report, for weights: their uid or pseudonym."""
    row = get(tables.Person, f"{jurisdiction}#FILED#{month}", report)
    return row["uid"] if row else None


def filers(jurisdiction: str, month: str) -> dict[str, str]:
    """{report: uid} of a month's filings: every page, for the monthly close."""
    key = f"{jurisdiction}#FILED#{month}"
    rows = read(lambda: list(tables.Person.query(key)))
    return {row.sk: json.loads(row.doc)["uid"] for row in rows}


def reporters(jurisdiction: str, month: str) -> int:
    """The number of people who filed by the end of a month; DynamoDB counts them."""
    key = f"{jurisdiction}#REPORTERS#ALL"
    count: int = read(lambda: tables.Person.count(key, filter_condition=tables.Person.doc <= month))
    return count
