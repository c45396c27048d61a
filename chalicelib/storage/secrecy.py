"""Protected reports among many, and the queue of reports proposed for protection."""

import json
from collections.abc import Iterable

from chalicelib.domain.report import Report as Head
from chalicelib.storage import tables
from chalicelib.storage.report_lists import packed, protected_desk
from chalicelib.storage.rows import get_all
from chalicelib.storage.transactions import Delete, Put, Write

# The state under which a unit's protected queue lists the proposals to it.
PROPOSED = "proposed"


def proposal(before: Head, after: Head) -> list[Write]:
    """The writes for that queue after a change: the row of an open proposal, or its removal."""
    key, proposed = f"{after.jurisdiction}#PR#{after.id}", after.protection
    if not proposed:
        return [Delete("proposal", tables.Report(key))] if before.protection else []
    row = tables.Report(
        key,
        version=after.version,
        doc=after.id,
        m=packed(after, proposed["service"]),
        qpk=f"{after.jurisdiction}#{protected_desk(proposed['unit'])}#{PROPOSED}",
        qsk=f"{proposed['until']}#{after.id}",
    )
    return [Put("proposal", row)]


def heads(jurisdiction: str, report_ids: Iterable[str]) -> dict[str, Head]:
    """{id: head} of the existing reports, read consistently, a hundred a call."""
    keys = [{"pk": {"S": f"{jurisdiction}#R#{report_id}"}} for report_id in sorted(set(report_ids))]
    rows = get_all(tables.Report.Meta.table_name, keys, consistent=True)
    reports = (Head.from_doc(json.loads(row["doc"]["S"])) for row in rows)
    return {report_id.id: report_id for report_id in reports}


def secret(jurisdiction: str, report_ids: Iterable[str]) -> set[str]:
    """The ids of those reports that are protected."""
    return {report.id for report in heads(jurisdiction, report_ids).values() if report.secret}
