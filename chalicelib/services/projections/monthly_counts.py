"""The month's live tallies, and the recomputation of every counter from the timeline.

Tests: tests/integration/test_state_machine.py
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any, TypedDict

from chalicelib import clock
from chalicelib.domain import tallies
from chalicelib.domain.map import heat_counters
from chalicelib.domain.sla import periods
from chalicelib.domain.tallies import MEASURES
from chalicelib.domain.timeline_types import Event, Facts, ScoreRow
from chalicelib.services.city import cities
from chalicelib.services.platform import set_aside
from chalicelib.services.projections import timeline_events
from chalicelib.storage import control, score_rows, timeline_rows
from chalicelib.storage import heat as heat_store
from chalicelib.storage import tallies as store
from chalicelib.storage.transactions import commit

# Attributes changed in one expression.
_AT_ONCE = 100


class MonthTallies(TypedDict):
    """A month's live tallies: each row has ``code``, ``name`` and ``domain.tallies.MEASURES``."""

    month: str
    city: dict[str, int]
    districts: list[dict[str, Any]]
    wards: list[dict[str, Any]]


class Rebuilt(TypedDict):
    """How many counters there are, how many were corrected, and the first differences."""

    tallies: int
    places: int
    changed: int
    differences: list["Difference"]


def month(jurisdiction: str, month: str, now: datetime) -> MonthTallies:
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
            **{measure: measures.get(measure, 0) for measure in MEASURES},
        }
        if ward:
            wards.append({**row, "district": district})
        else:
            total.update(measures)
            districts.append(row)
    return {
        "month": month,
        "city": {measure: total[measure] for measure in MEASURES},
        "districts": districts,
        "wards": wards,
    }


Key = tuple[str, str, str]
Counts = dict[Key, dict[str, int]]
# What differs between the stored and the computed row of a report, an area or a place.
Difference = dict[str, Any]
Contributions = Callable[[Facts | None], Counter[Key]]


def recount(contributions: Contributions = tallies.contributions) -> Counts:
    """{(jurisdiction, month, area): measures} from the last event of every report (a Scan).

    With ``heat_counters.contributions``: {(jurisdiction, partition, place): counts}.
    """
    last: dict[tuple[str, str], tuple[int, Facts]] = {}
    for text, _ in timeline_rows.whole_timeline():
        event: Event = json.loads(text)
        key = (event["jurisdiction"], event["report"])
        if key not in last or last[key][0] < event["version"]:
            last[key] = (event["version"], event["after"])
    counts: Counts = {}
    run = set_aside.Run(timeline_events.SOURCE, clock.now())
    for (jurisdiction, report), (version, state) in last.items():
        try:
            contributed = contributions(state)
        except Exception as error:  # noqa: BLE001  (an event that cannot be read)
            run.set_aside(jurisdiction, f"{report}#{version}", error)
            continue
        for (group, name, measure), n in contributed.items():
            row = counts.setdefault((jurisdiction, group, name), {})
            row[measure] = row.get(measure, 0) + n
    return counts


def _rebuild_rows() -> list[Difference]:
    """Correct every report's row in the scorecards. Returns the differences."""
    last: dict[tuple[str, str], tuple[int, ScoreRow | None, str]] = {}
    for text, _ in timeline_rows.whole_timeline():
        event: Event = json.loads(text)
        key = (event["jurisdiction"], event["report"])
        if key not in last or last[key][0] < event["version"]:
            last[key] = (event["version"], event.get("score"), event["rules"])
    differing: list[Difference] = []
    for (jurisdiction, report), (version, row, rules) in sorted(last.items(), key=itemgetter(0)):
        stored = score_rows.score(jurisdiction, report)
        if stored == (row or {}):
            continue
        month = periods.last_month(row, cities.at(jurisdiction, rules)) if row else None
        put = score_rows.put_score(jurisdiction, report, version, row, month)
        differing.append({"report": f"{jurisdiction}/{report}", "was": stored, "is": row or {}})
        commit([replace(put, condition=None)])
    return differing


def rebuild() -> Rebuilt:
    """Recompute every counter and correct differences. Returns totals and the first differences.

    Events that cannot be read are noted again; the notes of all others are deleted.
    """
    for jurisdiction in cities.jurisdictions():
        while notes := control.dead(jurisdiction, timeline_events.SOURCE, _AT_ONCE):
            for note in notes:
                control.forget_dead(jurisdiction, timeline_events.SOURCE, note["name"])
    tallied, heat = recount(), recount(heat_counters.contributions)
    differing = []
    for key, stored, computed in _differences(tallied, store.scan_all()):
        differing.append({"area": "/".join(key), "was": stored, "is": computed})
        commit([store.replace(*key, computed)])
    for key, stored, computed in _differences(heat, heat_store.scan_all()):
        deltas = {name: n - stored.get(name, 0) for name, n in computed.items()}
        deltas |= {name: -n for name, n in stored.items() if name not in computed}
        differing.append({"place": "/".join(key), "was": stored, "is": computed})
        names = sorted(deltas)
        for start in range(0, len(names), _AT_ONCE):
            part = {name: deltas[name] for name in names[start : start + _AT_ONCE]}
            commit([heat_store.add(*key, part)])
    differing += _rebuild_rows()
    return {
        "tallies": len(tallied),
        "places": len(heat),
        "changed": len(differing),
        "differences": differing[:20],
    }


def _differences(
    computed: Counts, rows: Iterable[tuple[str, str, str, dict[str, int]]]
) -> Iterator[tuple[Key, dict[str, int], dict[str, int]]]:
    """(key, stored counts, computed counts) of the rows that differ; zeros are ignored."""
    stored = {(jurisdiction, group, name): counts for jurisdiction, group, name, counts in rows}
    for key in sorted(computed.keys() | stored.keys()):
        expected = {name: n for name, n in computed.get(key, {}).items() if n}
        was = {name: n for name, n in stored.get(key, {}).items() if n}
        if expected != was:
            yield key, was, expected
