"""The month's live tallies, and the recomputation of every counter from the timeline."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain import tallies
from chalicelib.domain.map import heat_counters
from chalicelib.domain.sla import periods
from chalicelib.domain.tallies import MEASURES
from chalicelib.services.city import cities
from chalicelib.storage import heat as heat_store
from chalicelib.storage import reports, score_rows
from chalicelib.storage import tallies as store
from chalicelib.storage.transactions import commit

# Attributes moved in one expression.
_AT_ONCE = 100


def month(jurisdiction: str, month: str, now: datetime) -> dict[str, Any]:
    """Every district's and ward's tallies of a month, and the city's sum: one Query."""
    city = cities.current(jurisdiction, now)
    rows = store.month(jurisdiction, month)
    total: Counter[str] = Counter()
    districts, wards = [], []
    for area, measures in sorted(rows.items()):
        district, _, ward = area.partition("/")
        code = ward or district
        name = city.areas[code].name if code in city.areas else code
        row = {
            "code": code,
            "name": name,
            **{one: measures.get(one, 0) for one in MEASURES},
        }
        if ward:
            wards.append({**row, "district": district})
        else:
            total.update(measures)
            districts.append(row)
    return {
        "month": month,
        "city": {one: total[one] for one in MEASURES},
        "districts": districts,
        "wards": wards,
    }


Key = tuple[str, str, str]
Counts = dict[Key, dict[str, int]]
Contributions = Callable[[dict[str, Any] | None], Counter[Key]]


def recount(contributions: Contributions = tallies.contributions) -> Counts:
    """{(jurisdiction, month, area): measures} from the last event of every report (a Scan).

    With ``heat_counters.contributions``: {(jurisdiction, partition, place): counts} of the places.
    """
    last: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    for text, _ in reports.whole_timeline():
        event = json.loads(text)
        key = (event["jurisdiction"], event["report"])
        if key not in last or last[key][0] < event["version"]:
            last[key] = (event["version"], event["after"])
    found: Counts = {}
    for (jurisdiction, _), (_, after) in last.items():
        for (group, name, measure), n in contributions(after).items():
            row = found.setdefault((jurisdiction, group, name), {})
            row[measure] = row.get(measure, 0) + n
    return found


def _rebuild_rows() -> list[dict[str, Any]]:
    """Put right every report's row in the scorecards; what differed."""
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for text, _ in reports.whole_timeline():
        event = json.loads(text)
        key = (event["jurisdiction"], event["report"])
        if key not in last or last[key]["version"] < event["version"]:
            last[key] = {name: event.get(name) for name in ("version", "score", "rules")}
    differing = []
    for (place, report), event in sorted(last.items()):
        was, row = score_rows.score(place, report), event["score"] or {}
        if was == row:
            continue
        month = periods.last_month(row, cities.at(place, event["rules"])) if row else None
        put = score_rows.put_score(place, report, event["version"], row or None, month)
        differing.append({"report": f"{place}/{report}", "was": was, "is": row})
        commit([replace(put, condition=None)])
    return differing


def rebuild() -> dict[str, Any]:
    """Recompute every counter, correct what differs, and say what did: nothing, if all is well."""
    tallied, placed = recount(), recount(heat_counters.contributions)
    differing = []
    for key, have, want in _different(tallied, store.everything()):
        differing.append({"area": "/".join(key), "was": have, "is": want})
        commit([store.replace(*key, want)])
    for key, have, want in _different(placed, heat_store.everything()):
        moved = {name: n - have.get(name, 0) for name, n in want.items()}
        moved |= {name: -n for name, n in have.items() if name not in want}
        differing.append({"place": "/".join(key), "was": have, "is": want})
        names = sorted(moved)
        for start in range(0, len(names), _AT_ONCE):
            part = {name: moved[name] for name in names[start : start + _AT_ONCE]}
            commit([heat_store.add(*key, part)])
    differing += _rebuild_rows()
    return {
        "tallies": len(tallied),
        "places": len(placed),
        "changed": len(differing),
        "differences": differing[:20],
    }


def _different(
    right: Counts, there: Iterable[tuple[str, str, str, dict[str, int]]]
) -> Iterator[tuple[Key, dict[str, int], dict[str, int]]]:
    """(key, what is there, what is right) of the rows that are wrong; zeros count as nothing."""
    known = {(place, group, name): counts for place, group, name, counts in there}
    for key in sorted(right.keys() | known.keys()):
        want = {name: n for name, n in right.get(key, {}).items() if n}
        have = {name: n for name, n in known.get(key, {}).items() if n}
        if want != have:
            yield key, have, want
