"""What anybody may read of the daily roots, and the proof that a report is in the newest one.

Tests: tests/integration/test_record_root.py
"""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from chalicelib.domain import merkle, record_days
from chalicelib.domain.principal import Principal
from chalicelib.domain.record_days import Tail
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.reports import queries
from chalicelib.storage import record_roots as store
from chalicelib.storage import reports

# Characters of documents in one answer: API Gateway passes on 6 MB at most.
_LARGEST = 2_000_000


def days(jurisdiction: str, before: str | None, limit: int, now: datetime) -> dict[str, Any]:
    """The newest roots: day, document and its hash. Raises ``Problem``: unknown_jurisdiction."""
    cities.current(jurisdiction, now)
    rows = store.roots(jurisdiction, before, limit)
    size = 0
    page: list[dict[str, Any]] = []
    for row in rows:
        size += len(row["document"])
        if page and size > _LARGEST:
            break
        page.append(row)
    more = len(page) < len(rows) or len(rows) == limit
    return {"days": page, "next": page[-1]["day"] if more else None}


def inclusion(actor: Principal, report_id: str) -> dict[str, Any]:
    """The path from a report that the actor may see to the newest root; ``None`` for a report that
    is not in it yet. Raises ``Problem``: not_found."""
    queries.public(actor, report_id)
    jurisdiction = actor.jurisdiction
    answer: dict[str, Any] = {"jurisdiction": jurisdiction, "id": report_id, "inclusion": None}
    newest = next(iter(store.roots(jurisdiction, None, 1)), None)
    if newest is None:
        return answer
    roots = {row["month"]: row["root"] for row in json.loads(newest["document"])["months"]}
    report = reports.get(jurisdiction, report_id)
    names = [store.month_of(report_id)]
    if report and report.secret:
        # Others must not learn that a report was secret on that day.
        names.insert(0, record_days.HIDDEN)
    for month in names:
        if month in roots:
            tails, leaves = _month(jurisdiction, month, roots[month])
            if report_id in tails:
                break
    else:
        return answer
    tail = tails[report_id]
    position = leaves.index(tail.leaf(jurisdiction))
    path = [*tail.first_steps(), *merkle.path(leaves, position)]
    shown = {
        "day": newest["day"],
        "month": month,
        "version": tail.version,
        "hash": tail.hash,
        "path": [{"side": side, "hash": other} for side, other in path],
    }
    return {**answer, "inclusion": shown}


@lru_cache(maxsize=4)
def _month(jurisdiction: str, month: str, root: str) -> tuple[dict[str, Tail], list[str]]:
    """({report: its tail}, the leaves) of a month; the file of a root never changes."""
    tails = store.month(jurisdiction, month, root)
    if tails is None:
        raise Problem("unavailable", headers={"Retry-After": "60"})
    by_report = {tail.report: tail for tail in tails if tail.report}
    return by_report, record_days.leaves(jurisdiction, tails)
