"""``python -m infra.ops backfill``: write every head again in its current form.

Needed after a release that adds an index or changes the format of a row (see the CHANGELOG). It
works in pages, stores its position after each page, and continues there when it is started again.
A head that changes in the meantime already has the new form. Reports, versions and timelines do not
change. Afterwards the index of personal data is written for old rows
(``infra.ops.backfill_traces``).
"""

import json
import sys
from typing import Any

PAGE = 100


def main() -> int:
    """Continue until done. Returns how many heads were written and passed over."""
    from infra.ops import backfill_traces

    print(json.dumps({**run(), **backfill_traces.run()}))
    return 0


def run(pages: int | None = None) -> dict[str, Any]:
    """``main`` for at most so many pages: {"written", "overtaken", "done"}."""
    from chalicelib.clock import now
    from chalicelib.domain.record_days import Tail
    from chalicelib.domain.sla import timers
    from chalicelib.domain.timestamps import iso
    from chalicelib.services.city import cities
    from chalicelib.services.open311 import request_views
    from chalicelib.storage import (
        access_index,
        control,
        open311_requests,
        people,
        record_roots,
        reports,
        scorecards,
    )
    from chalicelib.storage.transactions import Refused, commit
    from infra.ops import backfill_filers

    counts = {"written": 0, "overtaken": 0}
    cursor = control.stored_cursor("backfill")
    is_judged = backfill_filers.judged()
    while pages is None or pages > 0:
        heads, cursor = reports.heads_page(cursor, PAGE)
        for head in heads:
            city = cities.promised(head)
            head, rows = backfill_filers.with_filer(head, is_judged)
            if head.via:
                rows.append(access_index.put_filed(head.jurisdiction, head.via, head.id))
            tail = Tail(head.id, head.version, head.tail)
            rows.append(record_roots.put_known_tail(head.jurisdiction, tail, head.secret, now()))
            put = reports.put_head(head, timers.next_due(head, city), seen=head.version)
            if head.history and not head.hidden:
                # Older rows have a deadline, which nobody here promised.
                row = request_views.row_of(head)
                rows.append(open311_requests.put_known(head.jurisdiction, row, head.version))
            if head.merged_into:
                # Older merges left no row of the duplicate, whose filer is asked by its contact.
                kind, original = people.DUPLICATE, head.merged_into
                rows.append(people.put_mark(head.jurisdiction, original, kind, head.id))
            try:
                commit([put, *rows])
                backfill_filers.register(head, is_judged)
                counts["written"] += 1
                if head.protected:
                    # Rows from before anonymous rows: marks of counted reports contain the id.
                    commit(
                        [
                            scorecards.put_to_anonymise(
                                head.jurisdiction, head.id, head.filed_month, iso(now())
                            )
                        ]
                    )
            except Refused:
                counts["overtaken"] += 1
        control.store_cursor("backfill", cursor)
        if cursor is None:
            return {**counts, "done": True}
        pages = None if pages is None else pages - 1
    return {**counts, "done": False}


if __name__ == "__main__":
    sys.exit(main())
