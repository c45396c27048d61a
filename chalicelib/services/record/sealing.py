"""Each day's root of a city's record: one hash over the last event of every report.

It is chained to the day before, published in a locked file and on the alerts' topic. A report
that was deleted everywhere is still in the roots that others hold. A run writes what is missing,
so a run that is missed, repeated or broken off changes nothing.

Tests: tests/integration/test_record_root.py
"""

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chalicelib import ids
from chalicelib.domain import merkle, record_days
from chalicelib.domain.message_types import RecordRoot
from chalicelib.domain.record_days import Tail
from chalicelib.domain.timestamps import iso
from chalicelib.services.platform import set_aside
from chalicelib.storage import city as city_store
from chalicelib.storage import control
from chalicelib.storage import record_roots as store
from chalicelib.storage.transactions import Refused, commit

SOURCE = "seal_record"
PAGE = 1000
# A day is sealed so long after its end: by then every function that began in it has ended.
SETTLED = timedelta(hours=1)
# Notes of a day's events are kept a little longer.
DAYS_BACK = 28
_DAY = timedelta(days=1)


def seal_all(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> list[str]:
    """Write every city's missing roots, while there is time. Returns ``city day`` of each."""
    done: list[str] = []
    run = set_aside.Run(SOURCE, now)
    for jurisdiction in city_store.jurisdictions():
        with run.item(jurisdiction):
            _complete(jurisdiction)
            for day in _missing(jurisdiction, now):
                if not may_go_on():
                    return done
                if seal(run, jurisdiction, day):
                    done.append(f"{jurisdiction} {day}")
    run.finish()
    return done


def seal(run: set_aside.Run, jurisdiction: str, day: str) -> bool:
    """Write the root of one day; ``False`` if another run has written it."""
    before = next(iter(store.roots(jurisdiction, day, 1)), None)
    held = json.loads(before["document"])["months"] if before else []
    months = {row["month"]: row["root"] for row in held}
    changed: dict[str, list[Tail]] = defaultdict(list, {record_days.HIDDEN: []})
    # Also the day before: an event may have been written just after that day was sealed.
    for back in range(1 if before else DAYS_BACK, -1, -1):
        each = _shifted(day, -back)
        after = ""
        while page := store.tails(jurisdiction, each, after, PAGE):
            for report, note in page:
                # It is retried for one day. After that, only the note tells of the fault.
                with run.item(jurisdiction, f"tail:{report}", keep=None):
                    tree = store.tree_of(report, note)
                    changed[tree].append(store.tail_of(report, note))
            after = page[-1][0]
    for month, newer in sorted(changed.items()):
        months[month] = _write_month(jurisdiction, month, months.get(month), newer)
    text, stamp = record_days.document(
        jurisdiction, day, months, before["hash"] if before else None
    )
    message: RecordRoot = {
        "kind": "record_root", "jurisdiction": jurisdiction, "day": day, "hash": stamp,
        "dedupe": f"{jurisdiction}:record:{day}",
    }  # fmt: skip
    name = f"{iso(run.now)}#{message['dedupe']}"
    try:
        commit([store.put_root(jurisdiction, day, text, stamp), control.put_outbox(name, message)])
    except Refused:
        return False
    store.put_day(jurisdiction, day, text)
    return True


def _write_month(jurisdiction: str, month: str, root: str | None, newer: list[Tail]) -> str:
    known = store.month(jurisdiction, month, root) if root else []
    if known is None:
        raise ValueError(f"the file of month {month} is missing")
    join = record_days.hidden_with if month == record_days.HIDDEN else record_days.month_with
    tails = join(known, newer, lambda: ids.token_bytes(32))
    if root and tails == sorted(known):
        return root
    root = merkle.root(record_days.leaves(jurisdiction, tails))
    store.put_month(jurisdiction, month, root, tails)
    return root


def _complete(jurisdiction: str) -> None:
    """Write the file of the newest day, if a run was broken off before that."""
    for row in store.roots(jurisdiction, None, 1):
        store.put_day(jurisdiction, row["day"], row["document"])


def _missing(jurisdiction: str, now: datetime) -> list[str]:
    """The days that have ended and have no root, oldest first."""
    last = now - SETTLED - _DAY
    newest = next(iter(store.roots(jurisdiction, None, 1)), None)
    days = [store.day_of(last - _DAY * back) for back in range(DAYS_BACK, -1, -1)]
    return [day for day in days if day > newest["day"]] if newest else days[-1:]


def _shifted(day: str, days: int) -> str:
    moment = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
    return store.day_of(moment + timedelta(days=days))
