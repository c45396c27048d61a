"""Rows of judged months whose report nobody may know of any more: made anonymous, once for all.

``hide_rows`` runs this, and it alone may replace a file that is locked. A row keeps what totals are
made of (district, original service, outcome, share, weight) and loses report, ward, holder and
time. Each file replaced leaves a tombstone with both digests, in the month and as a locked file of
its own. Every step may run twice or be killed half-way.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.scorecards.statistics import shifted
from chalicelib.domain.scorecards.totals import MonthTotals
from chalicelib.domain.timestamps import iso, parse
from chalicelib.services.city import cities
from chalicelib.services.scorecards import compute
from chalicelib.storage import files
from chalicelib.storage import scorecards as store
from chalicelib.storage.transactions import Refused, commit

PAGE = 50
# A computation that had begun before may still write the old rows: they are looked at again.
SURE = timedelta(hours=1)
LIVE = "live"


def anonymise_hidden(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> list[str]:
    """Make the rows of every report that became protected anonymous; the files replaced."""
    done: list[str] = []
    for jurisdiction in cities.jurisdictions():
        for report, asked in store.to_anonymise(jurisdiction, PAGE):
            for month in _months(asked["month"], cities.current(jurisdiction, now).month(now)):
                if not may_go_on():
                    return done
                done += _month(jurisdiction, month, report, now)
            if now - parse(asked["at"]) >= SURE:
                commit([store.delete_to_anonymise(jurisdiction, report)])
    return done


def _months(first: str, last: str) -> Iterator[str]:
    # An open report is in every month's rows from its filing on, a repair two months later still.
    while first <= last:
        yield first
        first = shifted(first, 1)


def _month(place: str, month: str, report: str, now: datetime) -> list[str]:
    held = store.month(place, month)
    if held is None:
        return []
    city = cities.at(place, held["rules"])
    found = [
        (key, body, told)
        for folder in _folders(held)
        for district in compute.districts(city)
        if (made := _anonymous(city, month, folder, district, report, now))
        for key, body, told in [made]
    ]
    because = [one for one in held.get("because", []) if one != report]
    if not found and len(because) == len(held.get("because", [])):
        return []
    told = {(one["folder"], one["district"], one["was"]): one for one in held.get("tombstones", [])}
    told |= {(one["folder"], one["district"], one["was"]): one for _, _, one in found}
    doc = {
        **held,
        "edition": held["edition"] + 1,
        "tombstones": sorted(told.values(), key=lambda one: (one["at"], one["district"])),
        **({"because": because} if "because" in held else {}),
    }
    try:
        commit([store.put_month(place, month, doc, held["edition"])])
    except Refused:
        return []  # The month was computed meanwhile: the next run sees what there is then.
    for key, body, one in found:
        locked = one["folder"] != LIVE
        if locked:
            grave = f"scorecards/{place}/{month}/{one['folder']}/tombstones"
            name = f"{grave}/{one['district']}-{one['was'][:12]}.json"
            files.put(name, json.dumps(one).encode(), "application/json", locked=True)
        files.replace(key, body, "application/gzip", locked=locked)
    return [key for key, _, _ in found]


def _anonymous(
    city: City, month: str, folder: str, district: str, report: str, now: datetime
) -> tuple[str, bytes, dict[str, Any]] | None:
    """(key, new file, its tombstone) of a file that has rows of the report; ``None`` of others."""
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


def _folders(held: dict[str, Any]) -> list[str]:
    """Every folder that a month's rows were ever written to."""
    known = [*held["history"], held] if held["revision"] else held["history"]
    revisions = {f"r{one['revision']}-{one['digest'][:12]}" for one in known if one["revision"]}
    return sorted({LIVE, held["folder"], *revisions})
