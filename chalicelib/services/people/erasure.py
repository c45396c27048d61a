"""Forgetting a person: everything that they left, wherever it is.

The reports stay, with place, service and what the city did: they are the city's history. Timelines
stay whole, because they hold only commitments to texts (``domain.hash_chain``); an event "erased"
names each text and photo that is gone. Numbers stay as they are: what a person counted for is
counted for nobody from now on. What is to be found is said by the index of what a person left
(``services.timeline.traces``); for what was written before there was one, by the reports' own
timelines.

Every step may be repeated: whatever is done leaves the index, and the report that was named is the
last to lose its reporter, so that it leads to the rest.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib import clock, ids
from chalicelib.domain.city.city import CODE_LIMITS, PERSON_LIMITS
from chalicelib.domain.timestamps import iso, parse
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.people import preferences, report_erasure
from chalicelib.services.people.report_erasure import Left, Person
from chalicelib.storage import control, erasures, people, reports
from chalicelib.storage.transactions import Refused, Unavailable, Write, commit

PAGE = 200
_AT_ONCE = 40
_RATED = (*PERSON_LIMITS, *CODE_LIMITS)
_FORMER_AT_MOST = 20
ATTEMPTS = 6


@dataclass(frozen=True)
class _Job:
    """What one erasure is about: who, if anybody is known, which reports, which comes last."""

    person: Person
    reports: list[str]
    last: str | None


def erase(jurisdiction: str, who: str, now: datetime) -> list[str]:
    """Forget a person: whoever filed the report ``who``, or whose uid ``who`` is (``/v1/me``).

    Answers the ids of their reports. A report that came by a key or an official, and that nobody
    has claimed, is forgotten alone: others who used that channel are other people. Repeating it
    finishes what broke off. Raises ``Problem``: not_found.
    """
    head = reports.get(jurisdiction, who)
    uid = head.reporter if head else who
    if uid and not people.is_person(uid):
        uid = None
    theirs = _reports_of(jurisdiction, uid) if uid else []
    if head is None and not (theirs or (uid and _known(jurisdiction, uid))):
        if uid:
            _forget_rates(jurisdiction, uid, set(), now)
        raise Problem("not_found", field="report")
    if head is not None:
        theirs = [*(one for one in theirs if one != head.id), head.id]
    name = erasures.hashed(jurisdiction, uid) if uid else who
    before = erasures.known(jurisdiction, name)
    unfinished = before is not None and not before["done"]
    nobody = before["nobody"] if before and unfinished else f"erased-{ids.token_bytes(8).hex()}"
    known = sorted({*theirs, *(before["reports"] if before else ())})
    doc = {"at": iso(now), "reports": known, "nobody": nobody}
    erasures.keep(jurisdiction, name, {**doc, "done": False})
    job = _Job(Person(jurisdiction, uid, nobody), theirs, head.id if head else None)
    _run(job, now)
    # Whatever was copied before this moment may still hold something.
    erasures.keep(jurisdiction, name, {**doc, "done": True, "ended": iso(clock.now())})
    return sorted(theirs)


def _known(jurisdiction: str, uid: str) -> bool:
    """Whether somebody has left anything, or ever filed."""
    left = people.traces(jurisdiction, uid, "", 1)
    return bool(left or people.rename_filer(jurisdiction, uid, uid))


def again(record: dict[str, Any], uids: set[str], now: datetime) -> list[str]:
    """Repeat an erasure on rows of before it: ``uids`` are those of the rows whose hash is ``who``.

    The ids of the reports that were erased once more.
    """
    place, done = record["jurisdiction"], set[str]()
    for uid in sorted(uids):
        theirs = _reports_of(place, uid)
        _run(_Job(Person(place, uid, record["nobody"]), theirs, None), now)
        done |= set(theirs)
    for report in record["reports"]:
        if report not in done and (head := reports.get(place, report)):
            # Whoever had it then: others of theirs were not meant.
            person = Person(place, head.reporter, record["nobody"])
            report_erasure.erase(person, report, former(person, report), now)
            done.add(report)
    kept = {name: record[name] for name in _KEPT}
    erasures.keep(place, record["who"], {**kept, "done": True, "ended": iso(clock.now())})
    return sorted(done)


_KEPT = ("at", "reports", "nobody")


def made_since(records: list[dict[str, Any]], since: datetime) -> list[dict[str, Any]]:
    """The erasures that ended at a moment or after it, or never: each person's newest record."""
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for one in records:
        key = (one["jurisdiction"], one["who"])
        if one["at"] >= newest.get(key, one)["at"]:
            newest[key] = one
    late = {key: one for key, one in newest.items() if not _ended_before(one, since)}
    return [late[key] for key in sorted(late)]


def _ended_before(record: dict[str, Any], moment: datetime) -> bool:
    return bool(record["done"]) and max(parse(record["at"]), parse(record["ended"])) < moment


def _reports_of(jurisdiction: str, uid: str) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = reports.of_reporter(jurisdiction, uid, after, PAGE)
        found += [card.id for _, card in page]
        if len(page) < PAGE:
            return found
        after = page[-1][0]


def _run(job: _Job, now: datetime) -> None:
    """Every step can be repeated, so a write that somebody overtook is tried with all the rest."""
    for _ in range(ATTEMPTS):
        try:
            return _erase_all(job, now)
        except Refused:
            continue
    raise Unavailable


def _erase_all(job: _Job, now: datetime) -> None:
    person = job.person
    for report in job.reports:
        if report != job.last:
            report_erasure.erase(person, report, former(person, report), now)
    if person.uid:
        commented = _traces(person, job.last, now)
        writes: list[Write] = list(people.rename_filer(person.place, person.uid, person.nobody))
        if writes:
            commit(writes)
        _forget_rates(person.place, person.uid, commented | set(job.reports), now)
    if job.last:
        report_erasure.erase(person, job.last, former(person, job.last), now)


def _forget_rates(jurisdiction: str, uid: str, commented: set[str], now: datetime) -> None:
    for kind in sorted({*cities.current(jurisdiction, now).limits, *_RATED}):
        control.forget_rates(jurisdiction, f"{kind}#{uid}")
    for report in sorted(commented):
        control.forget_rates(jurisdiction, f"report_comments#{uid}.{report}")


def former(person: Person, report: str) -> frozenset[str]:
    """Under which uids this person, or who gave them the report, had it before (claims)."""
    found, ask = set[str](), [person.uid or people.released(report)]
    while ask and len(found) < _FORMER_AT_MOST:
        names = people.details(person.place, ask.pop(), people.CLAIMED_FROM, report)
        ask += [one for one in names if one not in found]
        found |= set(names)
    return frozenset(found - {person.uid or ""})


def _traces(person: Person, last: str | None, now: datetime) -> set[str]:
    """Everything that the index names, page by page; a row goes with what it stands for.

    The reports on which there were texts.
    """
    assert person.uid is not None
    after, wrote_on = "", set[str]()
    while page := people.traces(person.place, person.uid, after, PAGE):
        after = people.trace_name(*page[-1])
        on: dict[str, Left] = defaultdict(Left)
        writes: list[list[Write]] = []
        for kind, report, detail in page:
            if kind == people.TEXT:
                on[report].texts.append(detail)
                wrote_on.add(report)
            elif kind == people.PHOTO:
                used = report_erasure.report_of(person.place, detail)
                on[used or ""].photos.append(detail)
            elif kind == people.REACHED_BY:
                # Alone: two contacts of one address have rows in common.
                gone = people.delete_trace(person.place, person.uid, kind, report, detail)
                commit([*preferences.forgotten(person.place, detail), gone])
            elif kind == people.CONTACT:
                report_erasure.forget_contact(person, report, detail, now)
            elif not (report == last and kind in (people.FILED, people.CLAIMED_FROM)):
                writes.append(_mark(person, kind, report, detail))
        for report, left in sorted(on.items()):
            if report:
                report_erasure.clear(person, report, left, now)
            else:
                report_erasure.unused(person, left.photos)
        for start in range(0, len(writes), _AT_ONCE):
            commit([one for several in writes[start : start + _AT_ONCE] for one in several])
    return wrote_on


def _mark(person: Person, kind: str, report: str, detail: str) -> list[Write]:
    place, uid = person.place, person.uid or ""
    writes: list[Write] = [people.delete_trace(place, uid, kind, report, detail)]
    if kind == people.CLAIMED_FROM:
        return writes
    if kind == people.FILED:
        return [*writes, *report_erasure.given_away(person, report)]
    name = uid if kind not in (people.FLAG, people.RIGHT) else f"{uid}#{detail}"
    writes.append(people.delete_mark(place, report, kind, name))
    if kind == people.RIGHT:
        # The original goes on knowing its duplicate.
        right = people.right_name(person.nobody, detail)
        writes.append(people.put_mark(place, report, kind, right))
    return writes
