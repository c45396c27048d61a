"""Erasing a person: all personal data that they left, wherever it is.

The reports stay, with place, service and what the city did: they are the city's history. Timelines
stay whole, because they hold only commitments to texts (``domain.hash_chain``). An event "erased"
names each text and photo that was erased. Figures do not change: what the person counted for
stays counted, under an anonymous name. The index of what a person left
(``services.timeline.traces``) says what to erase; for data older than the index, the timelines of
the reports do.

Every step may be repeated. What is done leaves the index. The named report loses its reporter last,
because it is the way to find the rest.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from chalicelib import clock, ids
from chalicelib.domain.city.limits import CODE_LIMITS, PERSON_LIMITS
from chalicelib.domain.row_types import Erasure, NamedErasure
from chalicelib.domain.timestamps import iso, parse
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.people import (
    photo_erasure,
    preferences,
    report_contents,
    report_erasure,
    reporter_erasure,
)
from chalicelib.services.people.erasure_events import Person
from chalicelib.services.people.report_contents import Contents
from chalicelib.storage import control, erasures, people, report_filers, report_lists, reports
from chalicelib.storage.transactions import Refused, Unavailable, Write, commit

PAGE = 200
_AT_ONCE = 40
_RATED = (*PERSON_LIMITS, *CODE_LIMITS)
_FORMER_AT_MOST = 20
ATTEMPTS = 6


@dataclass(frozen=True)
class _Job:
    """One erasure: the person (with a uid if it is known), their reports, and the last report."""

    person: Person
    reports: list[str]
    last: str | None


def erase(jurisdiction: str, who: str, now: datetime) -> list[str]:
    """Erase a person. ``who`` is the id of a report that they filed, or their uid (``/v1/me``).

    Returns the ids of their reports. A report that came through a key or an official and that
    nobody has claimed is erased alone: the other reports of that channel are of other people. A
    repetition finishes an erasure that was interrupted. Raises ``Problem``: not_found.
    """
    head = reports.get(jurisdiction, who)
    uid = head.reporter if head else who
    if uid and not people.is_person(uid):
        uid = None
    theirs = _reports_of(jurisdiction, uid) if uid else []
    if head is None and not (theirs or (uid and _exists(jurisdiction, uid))):
        if uid:
            _forget_rates(jurisdiction, uid, set(), now)
        raise Problem("not_found", field="report")
    if head is not None:
        theirs = [*(report_id for report_id in theirs if report_id != head.id), head.id]
    name = erasures.hashed(jurisdiction, uid) if uid else who
    before = erasures.get_record(jurisdiction, name)
    unfinished = before is not None and not before["done"]
    nobody = before["nobody"] if before and unfinished else f"erased-{ids.token_bytes(8).hex()}"
    report_ids = sorted({*theirs, *(before["reports"] if before else ())})
    doc: Erasure = {"at": iso(now), "reports": report_ids, "nobody": nobody, "done": False}
    erasures.put_record(jurisdiction, name, doc)
    job = _Job(Person(jurisdiction, uid, nobody), theirs, head.id if head else None)
    _run(job, now)
    # A backup from before this moment may still contain the data.
    erasures.put_record(jurisdiction, name, {**doc, "done": True, "ended": iso(clock.now())})
    return sorted(theirs)


def _exists(jurisdiction: str, uid: str) -> bool:
    """Whether this uid has left any data, or ever filed a report."""
    left = people.traces(jurisdiction, uid, "", 1)
    return bool(left or report_filers.rename_filer(jurisdiction, uid, uid))


def repeat(record: NamedErasure, uids: set[str], now: datetime) -> list[str]:
    """Repeat an erasure on restored rows. ``uids``: the uids in those rows whose hash is ``who``.

    Returns the ids of the reports that were erased again.
    """
    jurisdiction, done = record["jurisdiction"], set[str]()
    for uid in sorted(uids):
        theirs = _reports_of(jurisdiction, uid)
        _run(_Job(Person(jurisdiction, uid, record["nobody"]), theirs, None), now)
        done |= set(theirs)
    for report in record["reports"]:
        if report not in done and (head := reports.get(jurisdiction, report)):
            # Only this report: the erasure was not about other reports of its present reporter.
            person = Person(jurisdiction, head.reporter, record["nobody"])
            report_erasure.erase(person, report, former_uids(person, report), now)
            done.add(report)
    doc: Erasure = {
        "at": record["at"],
        "reports": record["reports"],
        "nobody": record["nobody"],
        "done": True,
        "ended": iso(clock.now()),
    }
    erasures.put_record(jurisdiction, record["who"], doc)
    return sorted(done)


def ended_since(records: list[NamedErasure], since: datetime) -> list[NamedErasure]:
    """The newest erasure of each person, if it ended at or after a moment or is unfinished."""
    newest: dict[tuple[str, str], NamedErasure] = {}
    for record in records:
        key = (record["jurisdiction"], record["who"])
        if record["at"] >= newest.get(key, record)["at"]:
            newest[key] = record
    late = {key: record for key, record in newest.items() if not _ended_before(record, since)}
    return [late[key] for key in sorted(late)]


def _ended_before(record: NamedErasure, moment: datetime) -> bool:
    return bool(record["done"]) and max(parse(record["at"]), parse(record["ended"])) < moment


def _reports_of(jurisdiction: str, uid: str) -> list[str]:
    report_ids: list[str] = []
    after = None
    while True:
        page = report_lists.of_reporter(jurisdiction, uid, after, PAGE)
        report_ids += [card.id for _, card in page]
        if len(page) < PAGE:
            return report_ids
        after = page[-1][0]


def _run(job: _Job, now: datetime) -> None:
    """Run all steps. If another write came first, run them again: every step can be repeated."""
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
            report_erasure.erase(person, report, former_uids(person, report), now)
    if person.uid:
        commented = _traces(person, job.last, now)
        writes: list[Write] = list(
            report_filers.rename_filer(person.jurisdiction, person.uid, person.nobody)
        )
        if writes:
            commit(writes)
        _forget_rates(person.jurisdiction, person.uid, commented | set(job.reports), now)
    if job.last:
        report_erasure.erase(person, job.last, former_uids(person, job.last), now)


def _forget_rates(jurisdiction: str, uid: str, commented: set[str], now: datetime) -> None:
    for kind in sorted({*cities.current(jurisdiction, now).limits, *_RATED}):
        control.forget_rates(jurisdiction, f"{kind}#{uid}")
    for report in sorted(commented):
        control.forget_rates(jurisdiction, f"report_comments#{uid}.{report}")


def former_uids(person: Person, report: str) -> frozenset[str]:
    """The uids that had this report before, by the chain of claims."""
    uids, queue = set[str](), [person.uid or people.released_uid(report)]
    while queue and len(uids) < _FORMER_AT_MOST:
        names = people.details(person.jurisdiction, queue.pop(), people.CLAIMED_FROM, report)
        queue += [name for name in names if name not in uids]
        uids |= set(names)
    return frozenset(uids - {person.uid or ""})


def _traces(person: Person, last: str | None, now: datetime) -> set[str]:
    """Erase everything that the index names, page by page, each row with its data.

    Returns the reports on which the person wrote texts.
    """
    assert person.uid is not None
    after, wrote_on = "", set[str]()
    while page := people.traces(person.jurisdiction, person.uid, after, PAGE):
        after = people.trace_name(*page[-1])
        by_report: dict[str, Contents] = defaultdict(Contents)
        writes: list[list[Write]] = []
        for kind, report, detail in page:
            if kind == people.TEXT:
                by_report[report].texts.append(detail)
                wrote_on.add(report)
            elif kind == people.PHOTO:
                used = report_contents.report_of(person.jurisdiction, detail)
                by_report[used or ""].photos.append(detail)
            elif kind == people.REACHED_BY:
                # In a transaction of its own: two contacts of one address share rows.
                gone = people.delete_trace(person.jurisdiction, person.uid, kind, report, detail)
                commit([*preferences.deletions(person.jurisdiction, detail), gone])
            elif kind == people.CONTACT:
                report_erasure.forget_contact(person, report, detail, now)
            elif not (report == last and kind in (people.FILED, people.CLAIMED_FROM)):
                writes.append(_mark(person, kind, report, detail))
        for report, left in sorted(by_report.items()):
            if report:
                report_erasure.erase_contents(person, report, left, now)
            else:
                photo_erasure.erase_unused_uploads(person, left.photos)
        for start in range(0, len(writes), _AT_ONCE):
            commit([write for several in writes[start : start + _AT_ONCE] for write in several])
    return wrote_on


def _mark(person: Person, kind: str, report: str, detail: str) -> list[Write]:
    jurisdiction, uid = person.jurisdiction, person.uid or ""
    writes: list[Write] = [people.delete_trace(jurisdiction, uid, kind, report, detail)]
    if kind == people.CLAIMED_FROM:
        return writes
    if kind == people.FILED:
        return [*writes, *reporter_erasure.former_reporter_writes(person, report)]
    name = uid if kind not in (people.FLAG, people.RIGHT) else f"{uid}#{detail}"
    writes.append(people.delete_mark(jurisdiction, report, kind, name))
    if kind == people.RIGHT:
        # The original keeps a row that names its duplicate.
        right = people.right_name(person.nobody, detail)
        writes.append(people.put_mark(jurisdiction, report, kind, right))
    return writes
