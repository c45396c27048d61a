"""Making rows of published months anonymous when their report has become secret.

Only ``hide_rows`` runs this; only it may replace a locked file. A row keeps what totals are made of
(district, original service, outcome, share, weight) and loses report, ward, holder and time. Each
replaced file leaves a tombstone with the hashes of the old and the new file, in the month's
document and as a locked file. Each step can run twice or be interrupted.

Tests: tests/integration/test_protection.py
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.card_types import ScoreMonth
from chalicelib.domain.scorecards.totals import MonthTotals
from chalicelib.domain.timestamps import iso, parse, shifted
from chalicelib.services.city import cities
from chalicelib.services.platform import set_aside
from chalicelib.services.scorecards import compute
from chalicelib.storage import files
from chalicelib.storage import scorecards as store
from chalicelib.storage.transactions import Refused, commit

PAGE = 50
# A computation that started before may still write the old rows, so look again for this long.
RECHECK = timedelta(hours=1)
LIVE = "live"
SOURCE = "hide_rows"


def anonymise_hidden(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> list[str]:
    """Make the rows of every report that became protected anonymous. Returns the replaced files."""
    done: list[str] = []
    run = set_aside.Run(SOURCE, now)
    for jurisdiction in cities.jurisdictions():
        with run.item(jurisdiction):
            last, after = cities.current(jurisdiction, now).month(now), ""
            while may_go_on() and (page := store.to_anonymise(jurisdiction, PAGE, after)):
                for report, note in page:
                    with run.item(jurisdiction, report):
                        settled = now - parse(note["at"]) >= RECHECK
                        for month in _months(note["month"], last):
                            if not may_go_on():
                                return done
                            replaced = _month(jurisdiction, month, report, now)
                            settled = settled and replaced is not None
                            done += replaced or []
                        if settled:
                            commit([store.delete_to_anonymise(jurisdiction, report)])
                after = page[-1][0] if len(page) == PAGE else "~"
    run.finish()
    return done


def _months(first: str, last: str) -> Iterator[str]:
    # An open report has rows in every month since its filing, and its repair for two more months.
    while first <= last:
        yield first
        first = shifted(first, 1)


def _month(jurisdiction: str, month: str, report: str, now: datetime) -> list[str] | None:
    """Make a report's rows of a month anonymous. Returns the replaced files; ``None`` if the month
    was computed meanwhile, so that the next run must try again."""
    held = store.month(jurisdiction, month)
    if held is None:
        return []
    city = cities.at(jurisdiction, held["rules"])
    replaced = [
        (key, body, tombstone)
        for folder in _folders(held)
        for district in compute.districts(city)
        if (made := _anonymous(city, month, folder, district, report, now))
        for key, body, tombstone in [made]
    ]
    because = [other for other in held.get("because", []) if other != report]
    if not replaced and len(because) == len(held.get("because", [])):
        return []
    tombstones = [*held.get("tombstones", []), *(tombstone for _, _, tombstone in replaced)]
    by_file = {(row["folder"], row["district"], row["was"]): row for row in tombstones}
    doc: ScoreMonth = {
        **held,
        "edition": held["edition"] + 1,
        "tombstones": sorted(by_file.values(), key=lambda row: (row["at"], row["district"])),
    }
    if "because" in held:
        doc["because"] = because
    try:
        commit([store.put_month(jurisdiction, month, doc, held["edition"])])
    except Refused:
        return None
    for key, body, tombstone in replaced:
        locked = tombstone["folder"] != LIVE
        if locked:
            grave = f"scorecards/{jurisdiction}/{month}/{tombstone['folder']}/tombstones"
            name = f"{grave}/{tombstone['district']}-{tombstone['was'][:12]}.json"
            files.put(name, json.dumps(tombstone).encode(), "application/json", locked=True)
        files.replace(key, body, "application/gzip", locked=locked)
    return [key for key, _, _ in replaced]


def _anonymous(
    city: City, month: str, folder: str, district: str, report: str, now: datetime
) -> tuple[str, bytes, dict[str, Any]] | None:
    """(key, new file, tombstone) for a file with rows of the report; ``None`` for other files."""
    key = compute.rows_key(city.jurisdiction, month, folder, district)
    old = files.get(key)
    if not old:
        return None
    totals, lines, changed = MonthTotals(city), list[str](), 0
    for name, contribution, weight in compute.unpacked(old):
        if name == report:
            name, contribution, changed = "", totals.anonymous(contribution), changed + 1
        lines.append(compute.packed_line(name, contribution, weight))
    if not changed:
        return None
    new = compute.packed(lines)
    tombstone = {
        "folder": folder,
        "district": district,
        "at": iso(now),
        "was": hashlib.sha256(old).hexdigest(),
        "is": hashlib.sha256(new).hexdigest(),
        "rows": changed,
    }
    return key, new, tombstone


def _folders(held: ScoreMonth) -> list[str]:
    """Every folder that has or had rows of a month."""
    known = [*held["history"], held] if held["revision"] else held["history"]
    revisions = {f"r{row['revision']}-{row['digest'][:12]}" for row in known if row["revision"]}
    return sorted({LIVE, held["folder"], *revisions})
