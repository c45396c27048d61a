"""Random tampering with stored rows, as somebody with all rights over the tables could do it.

``play`` makes a city in which reports lived; ``tampered`` changes a copy of its rows in one way.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import fields
from random import Random
from typing import Any

from chalicelib.domain import hash_chain
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import PRIVATE
from chalicelib.services.people import erasure
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.reports import text_correction, text_moderation
from chalicelib.storage import record
from chalicelib.storage.record import Record, Row
from tests.support.random_reports import Lives
from tests.support.world import JURISDICTION, World, citizen, official

Tampering = Callable[[Record, Random], str]


def play(world: World, seed: int = 1) -> Record:
    """The rows of a city after some weeks, with hidden, erased and corrected texts."""
    lives = Lives(world, seed)
    lives.play(reports=8, steps=90, hours=4)
    reports = [
        world.file(citizen(f"tamper{n}"), description=f"A hole, {n}", landmark="A corner")["id"]
        for n in range(5)
    ]
    correct(world, reports[4], citizen("tamper4"))
    hide(world, reports[0], 1)
    hide(world, reports[0], 2)
    hide(world, reports[1], 1)
    world.advance(days=31)
    text_moderation.erase_due_originals(world.now)
    hide(world, reports[2], 1)
    erasure.erase(JURISDICTION, reports[3], world.now)
    world.advance(minutes=1)
    world.project()
    return record.everything()


def hide(world: World, report: str, version: int) -> None:
    """Hide a description wholly."""
    body = {"version": version, "field": "description", "reason": "abuse"}
    world.advance(minutes=1)
    who = official("officer1")
    op = keyed_operation(who, "hideText", f"hide {report} {version}", "-")
    text_moderation.hide(who, op, report, body, world.now)


def correct(world: World, report: str, who: Principal) -> None:
    """Correct a description, by its reporter."""
    op = keyed_operation(who, "correctReport", f"correct {report}", "-")
    world.advance(minutes=1)
    text_correction.correct(who, op, report, {"description": "A larger hole"}, world.now)


def tampered(stored: Record, rng: Random) -> tuple[Record, str]:
    """A copy of the rows with one change, and what it is."""
    return by(rng.choice(KINDS), stored, rng)


def by(kind: Tampering, stored: Record, rng: Random) -> tuple[Record, str]:
    """The same with one kind of change."""
    rows = copy.deepcopy(stored)
    while (done := kind(rows, rng)) == "":
        pass  # Nothing was changed; another choice changes something.
    return rows, done


def _of(rows: list[Row], kind: str) -> list[Row]:
    return [row for row in rows if f"#{kind}#" in row["pk"]]


def _edit_event(rows: Record, rng: Random) -> str:
    row, name = rng.choice(rows.timeline), rng.choice(["event", "inside", "salt", "hash"])
    text = row[name]
    place = rng.randrange(len(text))
    letter = rng.choice([one for one in "0123456789abcdef" if one != text[place]])
    row[name] = text[:place] + letter + text[place + 1 :]
    return f"edit: letter {place} of the {name} of {row['pk']} v{row['version']}"


def _edit_head(rows: Record, rng: Random) -> str:
    row = rng.choice(_of(rows.reports, "R"))
    doc = json.loads(row["doc"])
    name = rng.choice(sorted(doc.keys() - (PRIVATE - {"tail"})))
    value = doc[name]
    doc[name] = value + 1 if isinstance(value, int) else [] if value else "x"
    if isinstance(value, str):
        doc[name] = value[:-1] + ("1" if value[-1:] != "1" else "2")
    if isinstance(value, bool):
        doc[name] = not value
    row["doc"] = json.dumps(doc)
    return f"edit: {name} of the head {row['pk']}"


def _edit_text(rows: Record, rng: Random) -> str:
    row = rng.choice(rows.people)
    doc = json.loads(row["doc"])
    doc["text"] += "!"
    row["doc"] = json.dumps(doc)
    return f"edit: text {row['pk']} {row['sk']}"


def _edit_audience(rows: Record, rng: Random) -> str:
    row = rng.choice(_of(rows.people, "T"))
    doc = json.loads(row["doc"])
    doc["audience"] = "inside" if doc["audience"] == "public" else "public"
    row["doc"] = json.dumps(doc)
    return f"edit: audience of text {row['pk']} {row['sk']}"


def _edit_tally(rows: Record, rng: Random) -> str:
    row = rng.choice(_of(rows.figures, "TALLY"))
    row["received"] += rng.choice([-1, 1])
    return f"edit: tally {row['pk']} {row['sk']}"


def _edit_score(rows: Record, rng: Random) -> str:
    row = rng.choice([one for one in _of(rows.figures, "ROW") if one["doc"] != "{}"])
    row["doc"] = json.dumps({**json.loads(row["doc"]), "state": "tampered"})
    return f"edit: row for the scorecards {row['pk']}"


def _delete_row(rows: Record, rng: Random) -> str:
    table = rng.choice([rows.timeline, rows.people, rows.reports, _of(rows.figures, "TALLY")])
    row = rng.choice(table)
    if "received" in row and not any(isinstance(value, int) and value for value in row.values()):
        return ""
    for held in (rows.timeline, rows.people, rows.reports, rows.figures):
        held[:] = [one for one in held if one is not row]
    return f"delete: {row['pk']} {row.get('sk', row.get('version'))}"


def _delete_last_event(rows: Record, rng: Random) -> str:
    pk = rng.choice(rows.timeline)["pk"]
    last = max(row["version"] for row in rows.timeline if row["pk"] == pk)
    rows.timeline[:] = [row for row in rows.timeline if (row["pk"], row["version"]) != (pk, last)]
    return f"delete: last event of {pk}"


def _delete_events(rows: Record, rng: Random) -> str:
    pk = rng.choice(rows.timeline)["pk"]
    rows.timeline[:] = [row for row in rows.timeline if row["pk"] != pk]
    return f"delete: all events of {pk}"


def _wipe_report(rows: Record, rng: Random) -> str:
    row = rng.choice(_of(rows.reports, "R"))
    if json.loads(row["doc"])["protected"]:
        return ""  # It is in no tally: only the daily root knows of it.
    report = row["pk"].split("#")[2]
    for table in (rows.reports, rows.timeline, rows.people, rows.figures, rows.control):
        table[:] = [one for one in table if report not in one["pk"] and one.get("doc") != report]
    return f"delete: everything of {report}"


def _insert_event(rows: Record, rng: Random) -> str:
    pk = rng.choice(rows.timeline)["pk"]
    chain = _chain(rows, pk)
    last = chain[-1]
    event = {**json.loads(last["event"]), "version": last["version"] + 1}
    salt = bytes.fromhex(last["salt"])
    forged = hash_chain.seal(_unsealed(event), json.loads(last["inside"]), salt, last["hash"])
    rows.timeline.append({"pk": pk, "version": last["version"] + 1, **_stored(forged)})
    return f"insert: an event at the end of {pk}"


def _insert_text(rows: Record, rng: Random) -> str:
    row = copy.deepcopy(rng.choice(_of(rows.people, "T")))
    row["sk"] = row["sk"].replace("#", "#forged_")
    rows.people.append(row)
    return f"insert: text {row['pk']} {row['sk']}"


def _insert_head(rows: Record, rng: Random) -> str:
    row = copy.deepcopy(rng.choice(_of(rows.reports, "R")))
    row["pk"] += "X"
    rows.reports.append(row)
    return f"insert: head {row['pk']}"


def _insert_tally(rows: Record, rng: Random) -> str:
    row = {**rng.choice(_of(rows.figures, "TALLY")), "received": 1}
    row["sk"] += rng.choice("XYZ")
    rows.figures.append(row)
    return f"insert: tally {row['pk']} {row['sk']}"


def _reorder(rows: Record, rng: Random) -> str:
    chain = _chain(rows, rng.choice(rows.timeline)["pk"])
    if len(chain) < 2:
        return ""
    one, other = rng.sample(chain, 2)
    one["version"], other["version"] = other["version"], one["version"]
    return f"reorder: events of {one['pk']}"


def _back_date(rows: Record, rng: Random) -> str:
    """A moment is changed, and everything after it sealed again, but not in the head."""
    pk = rng.choice(rows.timeline)["pk"]
    chain = _chain(rows, pk)
    first = rng.randrange(len(chain))
    event = json.loads(chain[first]["event"])
    year = int(event["at"][:4])
    event["at"] = f"{year - rng.choice([1, 2])}{event['at'][4:]}"
    chain[first]["event"] = json.dumps(event)
    _seal_again(chain, first)
    return f"back-date: {pk} v{first + 1}"


def _seal_again(chain: list[Row], first: int) -> None:
    for number in range(first, len(chain)):
        row = chain[number]
        previous = chain[number - 1]["hash"] if number else hash_chain.GENESIS
        event, inside = _unsealed(json.loads(row["event"])), json.loads(row["inside"])
        row |= _stored(hash_chain.seal(event, inside, bytes.fromhex(row["salt"]), previous))


def _swap(rows: Record, rng: Random) -> str:
    table = rng.choice([rows.timeline, _of(rows.people, "T"), _of(rows.reports, "R")])
    one, other = rng.sample(table, 2)
    if one["pk"] == other["pk"] or one.get("doc", "") == other.get("doc"):
        return ""
    one["pk"], other["pk"] = other["pk"], one["pk"]
    return f"swap: {one['pk']} and {other['pk']}"


def _wipe_table(rows: Record, rng: Random) -> str:
    names = [one.name for one in fields(rows) if one.name != "control"]
    name = rng.choice(names)
    getattr(rows, name).clear()
    return f"wipe: {name}"


def _chain(rows: Record, pk: str) -> list[Row]:
    return sorted((row for row in rows.timeline if row["pk"] == pk), key=lambda row: row["version"])


def _unsealed(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name not in ("inside", "prev")}


def _stored(entry: hash_chain.Entry) -> Row:
    return {"event": entry.text, "hash": entry.hash, "inside": entry.inside, "salt": entry.salt}


KINDS: tuple[Tampering, ...] = (
    _edit_event, _edit_head, _edit_text, _edit_audience, _edit_tally, _edit_score, _delete_row,
    _delete_last_event, _delete_events, _wipe_report, _insert_event, _insert_text, _insert_head,
    _insert_tally, _reorder, _back_date, _swap, _wipe_table,
)  # fmt: skip
