"""The month's live tallies, and their recomputation from the timeline."""

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain import rounds
from chalicelib.domain.tallies import MEASURES, contributions
from chalicelib.services import cities
from chalicelib.storage import figures as store
from chalicelib.storage import reports, scores
from chalicelib.storage.transactions import commit


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


def recount() -> dict[tuple[str, str, str], dict[str, int]]:
    """{(jurisdiction, month, area): measures} from the last event of every report (a Scan)."""
    last: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    for text, _ in reports.whole_timeline():
        event = json.loads(text)
        key = (event["jurisdiction"], event["report"])
        if key not in last or last[key][0] < event["version"]:
            last[key] = (event["version"], event["after"])
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    for (jurisdiction, _), (_, after) in last.items():
        for (when, area, measure), n in contributions(after).items():
            row = found.setdefault((jurisdiction, when, area), {})
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
        was, row = scores.score(place, report), event["score"] or {}
        if was == row:
            continue
        month = rounds.last_month(row, cities.at(place, event["rules"])) if row else None
        put = scores.put_score(place, report, event["version"], row or None, month)
        differing.append({"report": f"{place}/{report}", "was": was, "is": row})
        commit([replace(put, condition=None)])
    return differing


def rebuild() -> dict[str, Any]:
    """Recompute every tally, correct what differs, and say what did: nothing, if all is well."""
    right = recount()
    known = {(place, when, area): row for place, when, area, row in store.everything()}
    differing = []
    for key in sorted(right.keys() | known.keys()):
        want = {name: n for name, n in right.get(key, {}).items() if n}
        have = {name: n for name, n in known.get(key, {}).items() if n}
        if want != have:
            differing.append({"area": "/".join(key), "was": have, "is": want})
            commit([store.replace(*key, want)])
    differing += _rebuild_rows()
    return {
        "tallies": len(right),
        "changed": len(differing),
        "differences": differing[:20],
    }
