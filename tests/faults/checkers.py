"""The invariants, each as a function from what is stored to what is wrong with it.

I1  no acknowledged report is lost          I5  the timeline is whole, legal and equals the head
I2  one report a key, one answer a key      I6  an acknowledged change is there exactly once
I3  each alert at least once, no other      I7  recomputing and repeating change nothing
I4  tallies equal a recount                 I8  a photo is used once, by its ticket's owner
I9  nothing is dead or forgotten            I10 personal data is in ``people`` alone
I11 each breach and each level is one event a round, and none that is due is missing
I12 a right holds only where its own grant holds (drills.py)
I13 an erasure changes nothing of another person's (channels.py)
I14 an alert reaches somebody as long as anybody can be reached (drills.py)
I15 n faults cause at most n repetitions of what leaves the system
I16 another system gets a report's events in order, and all of them (webhooks.py)
F1  trouble in AWS is never an unhandled error
"""

import hashlib
import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from chalicelib import rules
from chalicelib.domain import hash_chain
from chalicelib.domain.city.limits import PERSON_LIMITS
from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import fold, public_part, secret_in
from chalicelib.domain.timestamps import parse
from chalicelib.errors import kinds
from tests.faults.clients import Answered, Record
from tests.faults.state import Event, Row, State

GENESIS = "0" * 64
CANARY = "canary"
_RUNNING = ("submitted", "assigned", "in_progress", "coordinated")
_WORKFLOW = rules.load("workflow")
_MAKES = ("file", "import")
_TICKETS = {"pending": "issued", "ready": "ready", "refused": "refused"}
_ALERTS = {
    part: {
        **rules.load("alerts")[part],
        **{name: row["alert"][part] for name, row in _WORKFLOW["actions"].items()},
    }
    for part in ("officials", "citizens")
}


def check(state: State, record: Record) -> list[str]:
    """Everything that is wrong, each line beginning with the invariant's name."""
    found = [f"F1 {crash}" for crash in record.crashes]
    for checker in (lost, doubled, answered, changed):
        found += checker(state, record)
    for stored in (alerted, counted, newest, chained, worded, pictured, private, limited):
        found += stored(state)
    return found


def lost(state: State, record: Record) -> list[str]:
    """I1: each report that somebody was promised is there, whole."""
    found = []
    for one in record.answers:
        if one.kind == "file" and one.answer:
            report, code = one.answer["id"], one.answer["code"]
            if report not in state.heads or not state.timelines.get(report):
                found.append(f"I1 report {report} was acknowledged and is lost")
            elif state.codes.get(code) != report:
                found.append(f"I1 tracking code {code} does not lead to {report}")
    return found


def doubled(state: State, record: Record) -> list[str]:
    """I2: at most one report for an operation, and the same answer every time."""
    filed: Counter[str] = Counter()
    for events in state.timelines.values():
        made = [event for event in events if event.says["action"] in _MAKES]
        filed.update(event.says["op"] for event in made)
    found = [f"I2 operation {op} made {n} reports" for op, n in filed.items() if n > 1]
    if len(state.heads) != filed.total():
        found.append(f"I2 {len(state.heads)} heads of {filed.total()} reports filed")
    answers: dict[str, str] = {}
    for one in record.answers:
        if one.answer:
            text = json.dumps(_lasting(one.answer), sort_keys=True)
            if answers.setdefault(one.op, text) != text and one.kind != "support":
                found.append(f"I2 operation {one.op} was answered in two ways")
    return found


def answered(state: State, record: Record) -> list[str]:
    """I2: what was answered is what the idempotency row keeps; no row without an effect."""
    found = []
    written = state.by_operation()
    for one in record.answers:
        row = state.operations.get(one.op)
        if one.answer and (row is not None or one.kind != "support"):
            kept = _lasting(one.answer)
            kept.pop("claim_secret", None)
            if record.erasing and row is not None and _is_blank(row):
                continue
            # The row also keeps which claim secret a receipt shows; the answer says the secret.
            held = _lasting((row or {"answer": {}})["answer"])
            held.pop("generation", None)
            if row is None or held != kept:
                found.append(f"I2 {one.kind} {one.op} is not remembered as it was answered")
    found += [
        f"I2 idempotency row {op} stands for nothing"
        for op, row in state.operations.items()
        if op not in written and "photo" not in row["answer"]
    ]
    return found


def changed(state: State, record: Record) -> list[str]:
    """I6: an acknowledged change is one event of its version; a refused one is none."""
    found = []
    written = state.by_operation()
    supporters = state.marks("SUP")
    for one in record.answers:
        events = [event for report, event in written.get(one.op, []) if report == one.report]
        if one.refusal:
            if written.get(one.op) and not _may_refuse(one, state, record):
                found.append(f"I6 {one.kind} {one.op} was refused ({one.refusal}) and is there")
        elif one.kind == "support":
            # After an erasure the number stays, and the mark is gone.
            if one.who not in supporters[one.report or ""] and not record.erasing:
                found.append(f"I6 support {one.op} was acknowledged and is lost")
        elif [event.version for event in events] != [(one.answer or {})["version"]]:
            found.append(
                f"I6 {one.kind} {one.op} was acknowledged and is there {len(events)} times"
            )
    return found


def _tells(event: dict[str, Any]) -> bool:
    """Whether an event is to be told to any citizen, by a look of its own at the table."""
    after, asks = event["after"], bool(event["data"].get("asks"))
    row = _ALERTS["citizens"].get("doubt" if asks else event["action"])
    if row is None or (row.get("when") == "claimed" and "claims" not in event["set"]):
        return False
    by_citizen = event["actor"]["kind"] == "citizen"
    secret = after["protected"] or after.get("secret")
    if row.get("when") == "for_somebody" and (event["actor"]["kind"] != "staff" or secret):
        return False
    if row.get("when") == "words":
        audiences = [one["audience"] for one in event["words"]]
        if by_citizen or "public" not in audiences:
            return False
    if not (secret or after.get("private")) and (row["duplicate"] or row["follower"]):
        return True
    named = event["data"].get("by") in ("duplicate", "contact")
    own = by_citizen and not named and not asks and row["reporter"] != "claimed"
    asked = secret and row["reporter"] == "ask"
    return bool(row["reporter"] and after["contactable"] and not own and not asked)


def _others(row: dict[str, Any], event: dict[str, Any]) -> bool:
    """Whether anybody except the actor and their unit has or had a part in the report."""
    before, after, by = event["before"] or {}, event["after"], event["actor"]
    if after["protected"]:
        return False
    parts: set[tuple[str, str]] = set()
    if "called" in row["audience"] and (called := after["agency"] or after.get("offered_to")):
        parts.add(("unit", called))
    if "holder" in row["audience"]:
        held = after["holder"]
        parts.add(("person", held) if held else ("unit", after["unit"]))
    if "left" in row["audience"] and before:
        kept = {after["unit"], after["agency"] or after.get("offered_to")}
        gone = {before["unit"], before["agency"] or before.get("offered_to")} - kept - {None}
        parts |= {("unit", one) for one in gone}
        if before["holder"] not in (None, after["holder"]):
            parts.add(("person", before["holder"]))
    moved = before and before["district"] != after["district"]
    judges = "judges" in row["audience"] and moved and after["state"] == "work_done"
    if judges and not after.get("secret"):
        return True
    return bool(parts - {("person", by["uid"]), ("unit", by["unit"])})


def _first_page(name: str) -> str:
    """The message that a queued page belongs to."""
    head, told, _ = name.partition(":told")
    return head + told if told else name


def alerted(state: State) -> list[str]:
    """I3: each alert and message that an event calls for left, and no other; none waits."""
    wanted: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for report, events in state.timelines.items():
        for event in events:
            says = event.says
            name = f"{says['jurisdiction']}:{report}:{event.version}:{says['action']}"
            row = _ALERTS["officials"].get(says["action"])
            by_them = row and row.get("by", says["actor"]["kind"]) == says["actor"]["kind"]
            nobody = row and row.get("sometimes") and not _others(row, says)
            # A rung of the moment of a broken promise is told with it.
            if row and by_them and not nobody and not says["data"].get("joined"):
                by = "by_the_clock" if says["actor"]["kind"] == "system" else "level"
                level = row.get(by, row["level"])
                wanted[f"{name}:{level}"] += 1
                if says["set"].get("protection"):
                    # Once for the unit that may take it, once for who is to know.
                    wanted[f"{name}:{level}_sealed"] += 1
            if _tells(says):
                asked[f"{name}:told"] += 1
            asked.update(_jobs(says, f"{says['jurisdiction']}:{report}:{event.version}"))
    found = [f"I3 {name} was called for {n} times" for name, n in wanted.items() if n > 1]
    for what, due, left in (
        ("alert", wanted, set(state.alerts())),
        ("message", asked, {_first_page(one) for one in state.queued()}),
    ):
        found += [f"I3 {what} {name} never left" for name in sorted(due.keys() - left)]
        found += [f"I3 {what} {name} left for nothing" for name in sorted(left - due.keys())]
    mails = sum(one.operation == "SendEmail" or "PhoneNumber" in one.fields for one in state.sent)
    # A row with a lease only says that a run is sending.
    marked = sum("#SENT#" in row["pk"] and "until" not in row for row in state.tables["control"])
    if mails < marked:
        found.append(f"I3 {marked} messages count as sent, {mails} were")
    return found + [f"I3 {name} waits in the outbox" for name in state.outbox()]


def once(state: State, faults: int) -> list[str]:
    """I15: alerts, messages and mails that left twice, if faults do not explain it.

    One fault may let one message leave again; a digest is one message with several alerts.
    """
    mails = [one for one in state.sent if one.operation == "SendEmail"]
    messages = [
        *([f"alert {key}" for key in keys] for keys in state.publications()),
        *([f"message {key}"] for key in state.queued()),
        *([f"mail {json.dumps(one.fields, sort_keys=True)[:300]}"] for one in mails),
    ]
    left: Counter[str] = Counter()
    repeated = 0
    for names in messages:
        repeated += any(name in left for name in names)
        left.update(names)
    if repeated <= faults:
        return []
    return [f"I15 {name} left {n} times" for name, n in sorted(left.items()) if n > 1]


def _jobs(says: dict[str, Any], name: str) -> list[str]:
    """A photo that is used is asked for, or looked for elsewhere once there are pictures of it."""
    pictures, data = says["set"].get("pictures", {}), says["data"]
    tasks = {"pending": "develop", "ready": "used"}
    found = [
        f"{name}:{tasks[pictures[one]['state']]}:{one}"
        for one in data.get("photos", [])
        # An erasure names photos too, and leaves nothing to do.
        if one in pictures and pictures[one]["state"] in tasks
    ]
    if says["action"] == "photo_ready" and data.get("first"):
        found.append(f"{name}:used:{data['photo']}")
    return found + [f"{name}:draw:{one}" for one in data.get("redrawn", []) if one in pictures]


def counted(state: State) -> list[str]:
    """I4: the tallies are what a recount over the heads gives."""
    right: Counter[tuple[str, str, str]] = Counter()
    for head in state.heads.values():
        if not head["protected"]:
            for area in (head["district"], f"{head['district']}/{head['ward']}"):
                for month, measure, n in _measures(head):
                    right[month, area, measure] += n
    expected = {key: n for key, n in right.items() if n}
    have = state.tallies()
    found = [
        f"I4 {'/'.join(key)} is {have.get(key, 0)}, a recount gives {expected.get(key, 0)}"
        for key in sorted(expected.keys() | have.keys())
        if have.get(key, 0) != expected.get(key, 0)
    ]
    supporters = state.marks("SUP")
    if any(event.says["action"] == "erased" for one in state.timelines.values() for event in one):
        return found
    return found + [
        f"I4 report {report} counts {head.get('supports', 0)} of {len(supporters[report])} supports"
        for report, head in state.heads.items()
        if head.get("supports", 0) != len(supporters[report])
    ]


def newest(state: State) -> list[str]:
    """I4: the rows that a report has in scorecards and lists are those of its newest event."""
    found = []
    for report, events in state.timelines.items():
        last = events[-1]
        for kind, row in state.rows_of(report).items():
            if row["version"] != last.version:
                found.append(f"I4 the {kind} row of {report} is of v{row['version']}, not the last")
            if kind == "ROW" and json.loads(row["doc"]) != (last.says["score"] or {}):
                found.append(f"I4 the {kind} row of {report} is another than its last event's")
    return found


def noted(state: State) -> list[str]:
    """I5: the last event of a report is noted for the daily root, as long as notes are kept."""
    notes = [
        (row["sk"], json.loads(row["doc"]))
        for row in state.tables["control"]
        if "#TAILS#" in row["pk"]
    ]
    last = {report: events[-1] for report, events in state.timelines.items()}
    newest_moment = max((parse(event.says["at"]) for event in last.values()), default=None)
    return [
        f"I5 v{event.version} of {report} is not noted for the daily root"
        for report, event in last.items()
        if newest_moment and parse(event.says["at"]) > newest_moment - timedelta(days=25)
        if (report, _note(event)) not in notes
    ]


def _note(event: Event) -> dict[str, Any]:
    # A secret report is noted for a tree of its own: in its month's it would show.
    secret = {"secret": True} if secret_in(event.says["after"]) else {}
    return {"v": event.version, "h": event.hash, **secret}


def chained(state: State) -> list[str]:
    """I5: events 1..version without a gap, chained, legal, and together the head."""
    found = noted(state)
    for report, events in state.timelines.items():
        head = state.heads.get(report)
        if head is None:
            found.append(f"I5 {report} has events and no head")
            continue
        versions = [event.version for event in events]
        if versions != list(range(1, head.get("version", 1) + 1)):
            found.append(f"I5 {report} at version {head.get('version', 1)} has events {versions}")
            continue
        before: Event | None = None
        for event in events:
            found += [f"I5 {report} v{event.version} {fault}" for fault in _faults(event, before)]
            before = event
        if head["tail"] != events[-1].hash:
            found.append(f"I5 {report} does not name its last event")
        if fold(event.says for event in events) != public_part(Report.from_doc(head)):
            found.append(f"I5 {report} is not the fold of its events")
    return found


def worded(state: State) -> list[str]:
    """I5: each text that an event commits to is stored and matches, and no other is; a missing text
    was named by a later event, and erased texts are gone."""
    texts = state.texts()
    found = [
        f"I5 {report} {fault}"
        for report, events in state.timelines.items()
        for fault in hash_chain.text_faults([one.says for one in events], _kept(texts, report))
    ]
    for report, events in state.timelines.items():
        # What a later event names was hidden, corrected or erased.
        gone = {tuple(one) for event in events for one in event.says["data"].get("texts", ())}
        for event in events:
            for word in event.says["words"]:
                row = texts.pop((report, f"{event.version:08d}#{word['field']}"), None)
                if row is None and (event.version, word["field"]) in gone:
                    continue
                if row is None:
                    found.append(f"I5 {report} v{event.version} {word['field']} is lost")
                    continue
                salted = bytes.fromhex(row["salt"]) + row["text"].encode()
                if hashlib.sha256(salted).hexdigest() != word["commitment"]:
                    found.append(f"I5 {report} v{event.version} {word['field']} is another text")
    return found + [f"I5 text {name} of {report} has no event" for report, name in texts]


def _kept(texts: dict[tuple[str, str], Row], report: str) -> dict[str, tuple[str, bytes]]:
    """The texts of a report by name, without copies that stand in the place of another."""
    rows = {name: row for (owner, name), row in texts.items() if owner == report}
    return {
        name: (row["text"], bytes.fromhex(row["salt"]))
        for name, row in rows.items()
        if "now" not in row
    }


def pictured(state: State) -> list[str]:
    """I8: a photo belongs to the one report that its ticket names."""
    shown: Counter[str] = Counter()
    found = []
    for report, events in state.timelines.items():
        for event in events:
            erased = event.says["action"] == "erased"
            photos = [] if erased else event.says["data"].get("photos", [])
            for photo in photos:
                shown[photo] += 1
                ticket = state.tickets.get(photo, {})
                if ticket.get("report") != report:
                    found.append(f"I8 {report} shows photo {photo} that is not its own")
    found += [f"I8 photo {photo} is shown {n} times" for photo, n in shown.items() if n > 1]
    made = Counter(
        event.says["data"]["photo"]
        for events in state.timelines.values()
        for event in events
        if event.says["data"].get("first")
    )
    found += [f"I8 photo {photo} became ready {n} times" for photo, n in made.items() if n > 1]
    found += [
        f"I8 photo {photo} of {report} is {picture['state']}, its ticket {ticket['state']}"
        for report, head in state.heads.items()
        for photo, picture in head.get("pictures", {}).items()
        if picture["state"] in _TICKETS
        and (ticket := state.tickets[photo])["state"] != _TICKETS[picture["state"]]
    ]
    return found + [
        f"I8 photo {photo} is used up and shown nowhere"
        for photo, ticket in state.tickets.items()
        if "report" in ticket and not shown[photo]
    ]


def private(state: State) -> list[str]:
    """I10: personal data is only in ``people``, and not in messages to officials."""
    places = {name: json.dumps(rows) for name, rows in state.tables.items() if name != "people"}
    for one in state.sent:
        if one.operation == "SendMessage" or "TopicArn" in one.fields:
            places[f"{one.service}.{one.operation}"] = json.dumps(one.fields)
    found = [f"I10 personal data in {name}" for name, text in places.items() if CANARY in text]
    public = json.dumps(state.tables["timeline"]) + json.dumps(state.tables["figures"])
    return found + (["I10 a reporter's pseudonym in the timeline"] if '"d_' in public else [])


def limited(state: State) -> list[str]:
    """I4: no rate bucket holds more than its limit lets through."""
    from tests.support import warm_city

    hour = {("alerts", "3600"): warm_city.bundle()["escalation"]["per_hour"]}
    limits = hour | {
        (kind, str(limit["seconds"])): limit["n"]
        for kind, several in {**PERSON_LIMITS, **warm_city.bundle()["limits"]}.items()
        for limit in several
    }
    return [
        f"I4 rate bucket {row['pk']} counts {row['used']}"
        for row in state.tables["control"]
        if "#RATE#" in row["pk"]
        and row["used"] > limits[row["pk"].split("#")[2], row["sk"].split("#")[0]]
    ]


def clocked(state: State, now: datetime) -> list[str]:
    """I11: after a last sweep at ``now``, counted from the timelines by rules of our own."""
    from tests.support import warm_city

    bundle = warm_city.bundle()
    hours = {one["code"]: one["resolve"]["hours"] for one in bundle["services"]}
    shares = [rung["share"] for rung in bundle["escalation"]["ladders"]["*"]]
    found = [f"I9 dead: {one}" for one in state.dead()]
    for report, events in state.timelines.items():
        once: Counter[tuple[str, Any]] = Counter()
        paused = False
        for event in events:
            says = event.says
            if says["action"] == "reopen":
                once, paused = Counter(), False
            elif says["action"] == "breach":
                once["breach", says["data"]["target"]] += 1
            elif says["action"] == "escalate":
                once["level", says["data"]["level"]] += 1
            paused |= says["after"]["state"] in ("needs_info", "scheduled")
            overruled = says["action"] == "verify" and says["before"]["state"] == "work_done"
            if overruled and says["actor"]["kind"] == "staff":
                del once["breach", "resolve"]
        found += [f"I11 {report} has {n} events of {what}" for what, n in once.items() if n > 1]
        levels = sorted(level for kind, level in once if kind == "level")
        if levels != list(range(1, len(levels) + 1)):
            found.append(f"I11 {report} has the levels {levels}")
        head = state.heads[report]
        if head.get("state", "submitted") in _RUNNING and not paused:
            since = datetime.fromisoformat(head["clock_from"])
            target = timedelta(hours=hours[head["service"]])
            due = sum(since + target * share < now for share in shares)
            if len(levels) < due:
                found.append(f"I11 {report} has {len(levels)} levels of {due}")
            if since + target < now and not once["breach", "resolve"]:
                found.append(f"I11 {report} is late and no event says so")
    return found


def _measures(head: dict[str, Any]) -> list[tuple[str, str, int]]:
    filed = head["filed_month"]
    rows = [(filed, "received", 1)]
    if head.get("state") == "closed":
        rows.append((head["closed_month"], head["resolution"], 1))
    else:
        rows.append((filed, "open", 1))
    for measure, months in head.get("flow", {}).items():
        rows += [(month, measure, n) for month, n in months.items()]
    if head.get("supports"):
        rows.append((head["support_month"], "supported", head["supports"]))
    if head.get("rating"):
        rows += [(head["rating_month"], "ratings", 1)]
        rows += [(head["rating_month"], "rating_sum", head["rating"])]
    return rows


def _faults(event: Event, before: Event | None) -> list[str]:
    found = []
    says = event.says
    if hashlib.sha256(event.text.encode()).hexdigest() != event.hash:
        found.append("does not match its hash")
    inside, salt = event.stored.inside or "", bytes.fromhex(event.stored.salt or "")
    if hashlib.sha256(salt + inside.encode()).hexdigest() != says["inside"]:
        found.append("has another inside part than it commits to")
    if says["prev"] != (before.hash if before else GENESIS):
        found.append("does not follow the one before")
    if says["version"] != event.version:
        found.append("says another version")
    if says["before"] != (before.says["after"] if before else None):
        found.append("starts from other facts than the one before left")
    state = says["after"]["state"]
    rule = _WORKFLOW["actions"].get(says["action"])
    if rule is None:
        # Filing, comments, supports: nothing that moves a report.
        if says["action"] != "import" and state != (
            says["before"]["state"] if before else "submitted"
        ):
            found.append(f"moves the report by {says['action']}")
    elif says["before"]["state"] not in rule["from"] or state not in _ends(says["action"], rule):
        found.append(f"is no legal {says['action']}: {says['before']['state']} to {state}")
    return found


def _lasting(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without the duplicates that have become secret since: a replay leaves them out."""
    return {name: value for name, value in answer.items() if name != "possible_duplicates"}


def _is_blank(row: dict[str, Any]) -> bool:
    # The answers to an erased person are gone; the fact that the key was used is not.
    return set(row["answer"]) <= {"id", "version"}


def _may_refuse(one: Answered, state: State, record: Record) -> bool:
    # Of two taps at once the slower may be told 409; what is there may be another body's.
    done = any(other.op == one.op and other.answer for other in record.answers)
    mine = state.operations[one.op]["body"] == one.body
    # A photo is too old at one moment and not at the next, where the clock is set back.
    passing = one.refusal == "unknown_photo" or kinds()[one.refusal or ""]["status"] == 409
    return not mine or (done and passing)


def _ends(action: str, rule: dict[str, Any]) -> set[str]:
    if rule["to"] == "same":
        return set(_WORKFLOW["states"])
    if rule["to"] == "back":
        return set(_WORKFLOW["states"]) - {"closed", "work_done", "needs_info"}
    # A report that nobody held when it was closed waits to be assigned again.
    return {rule["to"], "submitted"} if action == "reopen" else {rule["to"]}
