"""The checks of ``infra.ops verify``, on rows as they are stored.

They start from three sides. A head must have its events, and events their head. An event must have
its texts, and texts their event. The tallies must be the sum of the events. So what was deleted on
one side is missed by another.

Tests: tests/integration/test_verify.py
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chalicelib.domain import event_parts, hash_chain, tallies
from chalicelib.domain.hash_chain import Entry
from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import fold, public_part
from chalicelib.domain.timestamps import parse
from chalicelib.storage.record import Record, Row

# Clocks of two functions differ; a function runs at most this long.
_CLOCKS = timedelta(minutes=15)
# Rows of ``control`` are kept a little longer; then nobody can tell that an event was counted.
_MARKED = timedelta(days=29)
_MAKES = frozenset({"file", "import"})
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, AssertionError)
# The events that hide a text and keep its original for auditors.
_HIDES, _REMOVES = "text_hidden", frozenset({"text_corrected", "text_erased", "erased"})
Fault = list[str]


@dataclass
class _Stored:
    """The rows of one report."""

    head: Row | None = None
    events: list[Row] = field(default_factory=list)
    texts: dict[str, Row] = field(default_factory=dict)
    originals: dict[str, Row] = field(default_factory=dict)
    score: Row | None = None
    codes: list[str] = field(default_factory=list)


def faults(record: Record) -> list[Fault]:
    """[city, report, what is wrong] of everything that does not fit together."""
    reports = _by_report(record)
    versions = {(row["pk"].partition("#")[0], row["sk"].removeprefix("V#")) for row in record.city}
    listed: list[Fault] = []
    for (city, report), stored in sorted(reports.items()):
        try:
            listed += [
                [city, report, fault] for fault in _of_report(city, report, stored, versions)
            ]
        except _UNREADABLE as error:
            listed.append([city, report, f"cannot be read: {type(error).__name__}"])
    return listed + _tally_faults(record, reports)


def _by_report(record: Record) -> dict[tuple[str, str], _Stored]:
    reports: dict[tuple[str, str], _Stored] = defaultdict(_Stored)
    for row in record.reports:
        city, kind, name = row["pk"].split("#")
        if kind == "K":
            reports[city, row["doc"] or ""].codes.append(name)
        else:
            reports[city, name].head = row
    for row in record.timeline:
        city, _, name = row["pk"].split("#")
        reports[city, name].events.append(row)
    for row in record.people:
        city, kind, name = row["pk"].split("#")
        stored = reports[city, name]
        (stored.texts if kind == "T" else stored.originals)[row["sk"]] = row
    for row in record.figures:
        city, kind, name = row["pk"].split("#")
        if kind == "ROW":
            reports[city, name].score = row
    return reports


def _of_report(
    city: str, report: str, stored: _Stored, versions: set[tuple[str, str]]
) -> Iterator[str]:
    rows = sorted(stored.events, key=lambda row: int(row["version"]))
    if stored.head is None:
        yield "there is no head"
    if not rows:
        yield "there are no events"
        return
    entries = [Entry(row["event"], row["hash"], row["inside"], row["salt"]) for row in rows]
    broken = hash_chain.faults(entries)
    yield from broken
    if [row["version"] for row in rows] != list(range(1, len(rows) + 1)):
        yield "the numbers of the events have a gap"
    for entry in entries:
        if entry.inside and event_parts.overlap(json.loads(entry.text), json.loads(entry.inside)):
            number = json.loads(entry.text)["version"]
            yield f"event {number} says in its inside part what is public"
    events = [json.loads(event_parts.whole(entry.text, entry.inside)) for entry in entries]
    yield from _order_faults(city, report, events)
    missing = sorted({event["rules"] for event in events if (city, event["rules"]) not in versions})
    for name in missing:
        yield f"the city's version {name} is missing"
    if stored.head is not None:
        yield from _head_faults(report, stored, events, entries[-1].hash)
    if stored.score is not None:
        yield from _score_faults(stored.score, events)
    yield from _text_faults(events, stored)


def _order_faults(city: str, report: str, events: list[Any]) -> Iterator[str]:
    before: Any = None
    for number, event in enumerate(events, start=1):
        if (event["jurisdiction"], event["report"]) != (city, report):
            yield f"event {number} is of another report"
        if (event["action"] in _MAKES) != (number == 1):
            yield f"event {number} cannot be there: {event['action']}"
        if event["before"] != (before["after"] if before else None):
            yield f"event {number} does not begin where the last one ended"
        if before and parse(event["at"]) < parse(before["at"]) - _CLOCKS:
            yield f"event {number} is older than the one before"
        before = event


def _head_faults(report: str, stored: _Stored, events: list[Any], tail: str) -> Iterator[str]:
    assert stored.head
    doc = json.loads(stored.head["doc"])
    head = Report.from_doc(doc)
    read = head.to_doc()
    same = all(doc[name] == value for name, value in read.items() if name in doc)
    if fold(events) != public_part(head) or head.tail != tail or not same:
        yield "the head is not what its events say"
    if (head.id, head.version, stored.head["version"]) != (report, len(events), len(events)):
        yield "the head has another number than its last event"
    if stored.codes != [head.code]:
        yield "the tracking code does not lead here"


def _score_faults(row: Row, events: list[Any]) -> Iterator[str]:
    number = int(row["version"])
    event = events[number - 1] if 0 < number <= len(events) else None
    if event is None or (event.get("score") or {}) != json.loads(row["doc"]):
        yield "the row for the scorecards is not what its event says"


def _text_faults(events: list[Any], stored: _Stored) -> Iterator[str]:
    docs = {name: json.loads(row["doc"]) for name, row in stored.texts.items()}
    # A hidden or corrected text is replaced by a copy of the newer text, which has no salt.
    copies = {name: doc for name, doc in docs.items() if "now" in doc}
    texts = {
        name: (doc["text"], bytes.fromhex(doc["salt"]))
        for name, doc in docs.items()
        if "now" not in doc
    }
    yield from hash_chain.text_faults(events, texts)
    hidden, removed, audiences = set[str](), set[str](), dict[str, str]()
    for event in events:
        named = {hash_chain.text_name(*text) for text in event["data"].get("texts", ())}
        if event["action"] == _HIDES:
            hidden |= named
        elif event["action"] in _REMOVES:
            removed |= named
        for word in event["words"]:
            audiences[hash_chain.text_name(event["version"], word["field"])] = word["audience"]
    for name, doc in docs.items():
        if doc["audience"] != audiences.get(name):
            yield f"text {name} is for others than its event says"
    for name, doc in copies.items():
        newest = docs.get(doc["now"])
        if name not in hidden | removed or newest is None or newest["text"] != doc["text"]:
            yield f"text {name} is replaced by what no event says"
    for name, doc in docs.items():
        root = doc.get("root")
        if root and docs.get(root, {}).get("now") != name:
            yield f"text {root} does not show the text {name}, which replaced it"
    # What stood for a hidden text has no original of its own.
    masks = {
        hash_chain.text_name(event["version"], word["field"])
        for event in events
        if event["action"] == _HIDES
        for word in event["words"]
    }
    for name in sorted(hidden - removed - masks - stored.originals.keys()):
        yield f"the original of text {name} is missing, and no event says that it was erased"
    for name, row in sorted(stored.originals.items()):
        doc = json.loads(row["doc"])
        committed = _commitment(events, name)
        if name not in hidden or name in removed:
            yield f"an original of text {name} is there, and no event says so"
        elif "salt" not in doc:
            continue  # Hidden before originals kept their salt.
        elif hash_chain.commitment(doc["text"], bytes.fromhex(doc["salt"])) != committed:
            yield f"the original of text {name} is not what its event commits to"


def _commitment(events: list[Any], name: str) -> str | None:
    for event in events:
        for word in event["words"]:
            if hash_chain.text_name(event["version"], word["field"]) == name:
                stated: str = word["commitment"]
                return stated
    return None


def _tally_faults(record: Record, reports: dict[tuple[str, str], _Stored]) -> list[Fault]:
    """Tallies that are not the sum of the events. Events that wait to be counted may be missing."""
    marked = {tuple(row["pk"].split("#")[i] for i in (0, 3, 4)) for row in record.control}
    sums: list[Counter[tuple[str, ...]]] = [Counter(), Counter(), Counter()]
    moments: list[str] = []
    deltas: list[tuple[str, bool, dict[tuple[str, ...], int]]] = []
    for (city, report), stored in reports.items():
        for row in stored.events:
            try:
                event = json.loads(event_parts.whole(row["event"], row["inside"]))
                moved: dict[tuple[str, ...], int] = {
                    (city, month, area, measure): n
                    for (month, area), changes in tallies.deltas(event).items()
                    for measure, n in changes.items()
                }
                parse(event["at"])
            except _UNREADABLE:
                continue  # A fault of its report already.
            moments.append(event["at"])
            counted = (city, report, str(row["version"])) in marked
            deltas.append((event["at"], counted, moved))
    newest = parse(max(moments)) if moments else None
    for at, counted, moved in deltas:
        recent = newest is not None and parse(at) > newest - _MARKED
        for number, holds in enumerate((True, counted, counted or not recent)):
            if holds:
                sums[number].update(moved)
    stored_tallies = {
        (*row["pk"].split("#")[::2], row["sk"], measure): row[measure]
        for row in record.figures
        if "#TALLY#" in row["pk"]
        for measure in tallies.MEASURES
    }
    keys = stored_tallies.keys() | sums[0].keys()
    wrong = {
        key[:3]
        for key in keys
        if stored_tallies.get(key, 0) not in {totals[key] for totals in sums}
    }
    return [
        [city, "-", f"the tally {month}/{area} is not the sum of the events"]
        for city, month, area in sorted(wrong)
    ]
