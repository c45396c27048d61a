"""Retention: a schedule erases personal data, by class, when the city's time for it is over.

For each class it walks the closed reports (``closed_reports``). ``preview`` counts the same and
writes nothing. A report that fails is noted (``DEAD#retention``), does not stop the others, and is
tried again.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial

from chalicelib import ids, observability
from chalicelib.domain.city.city import City
from chalicelib.domain.people.retention import (
    ADDRESSES,
    CLASSES,
    CONTACT,
    OF_REPORTS,
    ORIGINALS,
    cutoff,
    ended,
    setting,
)
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso
from chalicelib.services.city import cities
from chalicelib.services.people import address_retention, photo_retention, report_retention
from chalicelib.services.people.closed_reports import (
    Cursor,
    closed_after,
    family,
    first_moment,
    merge_chain,
    resume_cursor,
    store_cursor,
)
from chalicelib.services.photos.storage_keys import ORIGINALS_FOLDER
from chalicelib.services.platform import set_aside
from chalicelib.services.platform.record_answer_types import RetentionPreview
from chalicelib.storage import control, files, late_additions, reach, reports
from chalicelib.storage.transactions import Unavailable, Unknown, commit

PAGE = 100
DEAD = "retention"
# The local hours in which the schedule works: from the first, before the second.
NIGHT = (1, 4)
# How long officials may read what somebody adds to a report whose retention time is over.
GRACE = timedelta(days=30)
# The run ends after so many reports in a row for which AWS did not answer.
STRIKES = 3


class _BrokenOff(Exception):
    """AWS does not answer, or the time is over; the next run continues."""


@dataclass
class _Run:
    """One run over a city."""

    city: City
    now: datetime
    may_go_on: Callable[[], bool]
    done: Counter[str]
    first: Callable[[], str]
    strikes: int = 0

    @property
    def jurisdiction(self) -> str:
        return self.city.jurisdiction

    def cutoff(self, kind: str) -> datetime | None:
        return cutoff(self.city.retention, kind, self.now)


def nightly(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Erase expired data in each city where it is night. Returns the number for each class."""
    done: Counter[str] = Counter()
    run = set_aside.Run(DEAD, now)
    for jurisdiction in cities.jurisdictions():
        with run.item(jurisdiction):
            city = cities.current(jurisdiction, now)
            if NIGHT[0] <= now.astimezone(city.zone).hour < NIGHT[1]:
                done.update(erase_expired(city, now, may_go_on))
    run.finish()
    return dict(+done)


def erase_expired(
    city: City, now: datetime, may_go_on: Callable[[], bool] = lambda: True
) -> dict[str, int]:
    """Erase expired data in one city, while ``may_go_on`` says so.

    Returns the number for each class, and how many reports ``failed``.
    """
    run = _Run(city, now, may_go_on, Counter(), cache(partial(first_moment, city)))
    try:
        _try_again(run)
        for kind in OF_REPORTS:
            _walk_reports(run, kind)
        _late_additions(run)
        _originals(run)
        _addresses(run)
    except (_BrokenOff, Unavailable, Unknown):
        observability.logger.warning("retention was broken off", extra={"done": run.done.total()})
    return dict(+run.done)


def preview(city: City, now: datetime) -> dict[str, RetentionPreview]:
    """What the next run would erase: {class: {"days", "count", "oldest", "newest"}}.

    The moments are, for reports, when their retention began; for originals and addresses, since
    when they have been stored.
    """
    classes: dict[str, RetentionPreview] = {}
    first = cache(partial(first_moment, city))
    for kind in CLASSES:
        until = cutoff(city.retention, kind, now)
        moments: list[datetime] = []
        if until is not None:
            if kind == ORIGINALS:
                moments = [
                    ids.moment(photo)
                    for photo in photo_retention.old_originals(city.jurisdiction, until)
                ]
            elif kind == ADDRESSES:
                moments = list(address_retention.old_addresses(city.jurisdiction, until))
            else:
                moments = list(_counted(city, kind, until, first))
        classes[kind] = {
            "days": city.retention.get(setting(kind)),
            "count": len(moments),
            "oldest": iso(min(moments)) if moments else None,
            "newest": iso(max(moments)) if moments else None,
        }
    return classes


def _walk_reports(run: _Run, kind: str) -> None:
    until = run.cutoff(kind)
    if until is None:
        return
    start = resume_cursor(run.city, kind, until, run.first)
    # Store the start, so that it is not searched for again.
    store_cursor(run.jurisdiction, kind, start)
    while start.done < start.until:
        for heads, after in closed_after(run.city, start):
            for head in heads:
                _erase_family(run, kind, head, until)
            store_cursor(run.jurisdiction, kind, after)
        start = Cursor(start.until, iso(until))
        store_cursor(run.jurisdiction, kind, start)


def _expired_at(kind: str, head: Report, until: datetime) -> datetime | None:
    """When a report's retention in a class began, if it has expired; else ``None``."""
    over = ended(merge_chain(head))
    if over is None or over[0] > until or kind not in (CONTACT, over[1]):
        return None
    return over[0]


def _erase_family(run: _Run, kind: str, head: Report, until: datetime) -> None:
    if not run.may_go_on():
        raise _BrokenOff
    try:
        if _expired_at(kind, head, until) is None:
            return
        for report in family(head):
            if _is_due(kind, report):
                _erase(kind, report, run.now)
                run.done[kind] += 1
        run.strikes = 0
    except (Unavailable, Unknown) as away:
        run.strikes += 1
        _record_failure(run, kind, head.id, away)
        if run.strikes == STRIKES:
            raise _BrokenOff from away
    except Exception as error:  # noqa: BLE001  (a poison report must not stop the others)
        observability.unhandled(error, DEAD, set_aside.METRIC)
        _record_failure(run, kind, head.id, error)
        run.done["failed"] += 1


def _is_due(kind: str, head: Report) -> bool:
    """Whether a report has any data of a class."""
    left = report_retention.has_contacts if kind == CONTACT else report_retention.has_personal_data
    return left(head)


def _erase(kind: str, head: Report, now: datetime) -> None:
    if kind == CONTACT:
        report_retention.forget_contacts(head, now)
    else:
        report_retention.forget_people(head, now)


def _late_additions(run: _Run) -> None:
    """Erase what people added to reports after closing, ``GRACE`` later.

    The walk may already have passed such a report. If it has not, it will come to it.
    """
    while page := late_additions.notes(run.jurisdiction, run.now - GRACE, PAGE):
        for at, report in page:
            head = reports.get(run.jurisdiction, report)
            for kind in OF_REPORTS if head else ():
                until = run.cutoff(kind)
                if head and until:
                    _erase_family(run, kind, head, until)
            commit([late_additions.delete(run.jurisdiction, at, report)])


def _record_failure(run: _Run, kind: str, report: str, error: Exception) -> None:
    note = {**set_aside.note_of(error, run.now), "class": kind}
    control.put_dead(run.jurisdiction, DEAD, f"{report}:{kind}", note)


def _try_again(run: _Run) -> None:
    """Retry the reports that failed before; a note is deleted when its report is done."""
    for note in control.dead(run.jurisdiction, DEAD, PAGE):
        if note["name"] == set_aside.CITY:
            continue
        report, kind = note["name"].split(":")
        failed = run.done["failed"]
        head, until = reports.get(run.jurisdiction, report), run.cutoff(kind)
        if head is not None and until is not None:
            _erase_family(run, kind, head, until)
        if run.strikes == 0 and run.done["failed"] == failed:
            control.forget_dead(run.jurisdiction, DEAD, note["name"])


def _counted(
    city: City, kind: str, until: datetime, first: Callable[[], str]
) -> Iterator[datetime]:
    """When the retention began of each report that a run would erase data from."""
    seen = set[str]()
    for heads, _ in closed_after(city, resume_cursor(city, kind, until, first)):
        for head in heads:
            over = _expired_at(kind, head, until)
            for report in family(head) if over else ():
                if over and report.id not in seen and _is_due(kind, report):
                    seen.add(report.id)
                    yield over


def _originals(run: _Run) -> None:
    until = run.cutoff(ORIGINALS)
    for photo in photo_retention.old_originals(run.jurisdiction, until) if until else ():
        if not run.may_go_on():
            raise _BrokenOff
        files.delete_all(f"{ORIGINALS_FOLDER}/{run.jurisdiction}/{photo}")
        run.done[ORIGINALS] += 1


def _addresses(run: _Run) -> None:
    until = run.cutoff(ADDRESSES)
    page = reach.address_entries(run.jurisdiction, "", until, PAGE) if until else []
    while page and until:
        for at, address in page:
            if not run.may_go_on():
                raise _BrokenOff
            run.done[ADDRESSES] += address_retention.forget_address(
                run.jurisdiction, at, address, until
            )
        page = reach.address_entries(run.jurisdiction, "#".join(page[-1]), until, PAGE)
