"""Which reports nobody outside may know of, and the desk of those proposed for protection."""

import json
from collections.abc import Iterable

from chalicelib.domain.report import Report as Head
from chalicelib.storage import tables
from chalicelib.storage.reports import packed, protected_desk
from chalicelib.storage.rows import get_all
from chalicelib.storage.transactions import Delete, Put, Write

# The state by which a unit's protected desk lists what is proposed to it.
PROPOSED = "proposed"


def proposal(before: Head, after: Head) -> list[Write]:
    """What keeps that desk right after a change: the row of an open proposal, or its removal."""
    key, wanted = f"{after.jurisdiction}#PR#{after.id}", after.protection
    if not wanted:
        return [Delete("proposal", tables.Report(key))] if before.protection else []
    row = tables.Report(
        key,
        version=after.version,
        doc=after.id,
        m=packed(after, wanted["service"]),
        qpk=f"{after.jurisdiction}#{protected_desk(wanted['unit'])}#{PROPOSED}",
        qsk=f"{wanted['until']}#{after.id}",
    )
    return [Put("proposal", row)]


def heads(jurisdiction: str, wanted: Iterable[str]) -> dict[str, Head]:
    """The heads of those of the reports that there are, read consistently, a hundred a call."""
    keys = [{"pk": {"S": f"{jurisdiction}#R#{one}"}} for one in sorted(set(wanted))]
    rows = get_all(tables.Report.Meta.table_name, keys, consistent=True)
    found = (Head.from_doc(json.loads(row["doc"]["S"])) for row in rows)
    return {one.id: one for one in found}


def secret(jurisdiction: str, wanted: Iterable[str]) -> set[str]:
    """Those of the reports that nobody outside may know of."""
    return {one.id for one in heads(jurisdiction, wanted).values() if one.secret}
