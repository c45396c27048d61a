"""Compares the record with the daily roots, for ``infra.ops verify``.

The files of the last days are the authority, because they are locked. A report in a root must be in
the record, with the event that the root names. So a report that was deleted or rewritten everywhere
is noticed.

Tests: tests/integration/test_record_root.py
"""

import json
from typing import Any

from chalicelib.domain import hash_chain, merkle, record_days
from chalicelib.storage import files
from chalicelib.storage import record_roots as store
from chalicelib.storage.record import Record

# So many days are compared with each other, and so many with the record itself.
_DAYS, _DEEP = 30, 2
Fault = list[str]


def faults(city: str, record: Record) -> list[Fault]:
    """[city, report or "-", what is wrong] of a city."""
    rows = {row["day"]: row for row in store.roots(city, None, _DAYS)}
    keys = sorted(files.keys(f"record/{city}/days/"))[-_DAYS:]
    names = {key.rpartition("/")[2].removesuffix(".json") for key in keys}
    listed: list[Fault] = [
        [city, "-", f"the file of the root of {day} was replaced or deleted"]
        for day in store.replaced_days(city)
    ]
    documents: list[dict[str, Any]] = []
    previous: str | None = None
    for day in sorted(names | rows.keys())[-_DAYS:]:
        body = files.get(store.day_key(city, day))
        text, row = (body or b"").decode(errors="replace"), rows.get(day)
        if row is None or text != row["document"] or hash_chain.digest(body or b"") != row["hash"]:
            listed.append([city, "-", f"the root of {day} is not the same in table and file"])
        try:
            document = json.loads(text or (row or {}).get("document", ""))
            same = (document["jurisdiction"], document["day"]) == (city, day)
            months = {row["month"]: row["root"] for row in document["months"]}
            same = same and document["root"] == record_days.top(months)
            if not same or (previous is not None and document["prev"] != previous):
                listed.append([city, "-", f"the root of {day} does not follow the one before"])
            documents.append({**document, "months": months})
        except (KeyError, TypeError, ValueError):
            listed.append([city, "-", f"the root of {day} cannot be read"])
        previous = hash_chain.digest(body or b"")
    events = {
        (row["pk"].split("#")[2], row["version"]): row["hash"]
        for row in record.timeline
        if row["pk"].startswith(f"{city}#")
    }
    compared = set[tuple[str, str]]()
    for document in documents[-_DEEP:]:
        for month in sorted(document["months"].items()):
            if month not in compared:
                compared.add(month)
                listed += _month_faults(city, document["day"], month, events)
    return listed


def _month_faults(
    city: str, day: str, month: tuple[str, str], events: dict[tuple[str, int], str]
) -> list[Fault]:
    name, root = month
    tails = store.month(city, name, root)
    if tails is None or merkle.root(record_days.leaves(city, tails)) != root:
        return [[city, "-", f"the root of {day} does not match the file of month {name}"]]
    return [
        [city, tail.report, f"is in the root of {day} and not in the record"]
        for tail in tails
        if tail.report and events.get((tail.report, tail.version)) != tail.hash
    ]
