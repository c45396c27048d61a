"""The end of the time of personal data: a schedule erases by class what a city keeps no longer.

Closed reports are gone through month by month of their closing and desk by desk, once a class;
where the walk has got to is kept, so that a run that breaks off is continued by the next and a
night looks at a day's reports. ``preview`` counts the same and writes nothing. A report that
fails is noted (``DEAD#retention``), holds up no other, and is tried again.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

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
from chalicelib.domain.scorecards.statistics import shifted
from chalicelib.domain.timestamps import iso, parse
from chalicelib.services.city import cities
from chalicelib.services.people import report_retention
from chalicelib.services.photos.storage_keys import ORIGINALS_FOLDER
from chalicelib.storage import city as store
from chalicelib.storage import control, files, late, people, reach, reports, secrecy, tallies
from chalicelib.storage.transactions import Refused, Unavailable, Unknown, commit

PAGE = 100
DEAD = "retention"
# The hours of a city's night in which the schedule works.
NIGHT = (1, 4)
# For so long officials may still read what somebody leaves on a report whose time is over.
GRACE = timedelta(days=30)
# Reports in a row without an answer of AWS.
STRIKES = 3
_CHAIN_AT_MOST = 20
_FIRST = "201001"


class _BrokenOff(Exception):
    """AWS is away, or the time is over: the next run goes on."""


@dataclass(frozen=True)
class _Place:
    """Where a walk has got to: all that was closed until ``done`` is looked at; of what was closed
    after it until ``until``, all before this row of this month's desk."""

    done: str
    until: str
    month: str = ""
    desk: str = ""
    row: str = ""


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
    def place(self) -> str:
        return self.city.jurisdiction

    def cutoff(self, kind: str) -> datetime | None:
        return cutoff(self.city.retention, kind, self.now)


def nightly(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Erase in each city where it is night what is over its time; how much of each class."""
    done: Counter[str] = Counter()
    for place in cities.jurisdictions():
        city = cities.current(place, now)
        if NIGHT[0] <= now.astimezone(city.zone).hour < NIGHT[1]:
            done.update(keep(city, now, may_go_on))
    return dict(+done)


def keep(city: City, now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> dict[str, int]:
    """Erase what is over its time in one city, while ``may_go_on`` says so; how much of each class,
    and how many reports ``failed``."""
    run = _Run(city, now, may_go_on, Counter(), cache(partial(_first, city)))
    try:
        _try_again(run)
        for kind in OF_REPORTS:
            _reports(run, kind)
        _late(run)
        _originals(run)
        _addresses(run)
    except (_BrokenOff, Unavailable, Unknown):
        observability.logger.warning("retention was broken off", extra={"done": run.done.total()})
    return dict(+run.done)


def preview(city: City, now: datetime) -> dict[str, dict[str, Any]]:
    """What the next run would erase: {class: {"days", "count", "oldest", "newest"}}, of reports the
    moments at which they were over, of originals and addresses since when they are kept."""
    found: dict[str, dict[str, Any]] = {}
    first = cache(partial(_first, city))
    for kind in CLASSES:
        until = cutoff(city.retention, kind, now)
        moments: list[datetime] = []
        if until is not None:
            if kind == ORIGINALS:
                moments = [ids.moment(photo) for photo in _old_originals(city.jurisdiction, until)]
            elif kind == ADDRESSES:
                moments = list(_old_addresses(city.jurisdiction, until))
            else:
                moments = list(_counted(city, kind, until, first))
        found[kind] = {
            "days": city.retention.get(setting(kind)),
            "count": len(moments),
            "oldest": iso(min(moments)) if moments else None,
            "newest": iso(max(moments)) if moments else None,
        }
    return found


def begin_again(jurisdiction: str) -> None:
    """Look at every closed report once more: tables were set back, or old reports imported."""
    for kind in OF_REPORTS:
        if control.place_of(_work(jurisdiction, kind)):
            control.keep_place(_work(jurisdiction, kind), None)


def _reports(run: _Run, kind: str) -> None:
    until = run.cutoff(kind)
    if until is None:
        return
    start = _place(run.city, kind, until, run.first)
    # Where the walk began is not looked for again.
    control.keep_place(_work(run.place, kind), json.dumps(vars(start)))
    while start.done < start.until:
        for heads, after in _closed(run.city, start):
            for head in heads:
                _erase_family(run, kind, head, until)
            control.keep_place(_work(run.place, kind), json.dumps(vars(after)))
        start = _Place(start.until, iso(until))
        control.keep_place(_work(run.place, kind), json.dumps(vars(start)))


def _place(city: City, kind: str, until: datetime, first: Callable[[], str]) -> _Place:
    held = control.place_of(_work(city.jurisdiction, kind))
    start = _Place(**json.loads(held)) if held else _Place(first(), iso(until))
    # With more days than before, or nothing under way, this run's end is the present one.
    anew = start.until > iso(until) or not start.month
    return _Place(start.done, iso(until)) if anew else start


def _work(jurisdiction: str, kind: str) -> str:
    return f"{DEAD}:{jurisdiction}:{kind}"


def _first(city: City) -> str:
    """The first moment of the first month in which anything was filed."""
    since = store.first_since(city.jurisdiction)
    last = city.month(parse(since)) if since else _FIRST
    month = _FIRST
    while month < last and not tallies.has_month(city.jurisdiction, month):
        month = shifted(month, 1)
    return iso(city.bounds(month)[0])


def _closed(city: City, start: _Place) -> Iterator[tuple[list[Report], _Place]]:
    """Pages of the reports closed after ``start``, each with the place to go on from after it."""
    month, last = city.month(parse(start.done)), city.month(parse(start.until))
    desks = _desks(city)
    while month <= last:
        for desk in desks:
            here = (start.month, start.desk)
            if (month, desk) < here:
                continue
            after = start.row if (month, desk) == here else f"{start.done}~"
            for page in _pages(city.jurisdiction, desk, month, after, f"{start.until}~"):
                heads = secrecy.heads(city.jurisdiction, [card.id for _, card in page])
                found = [heads[card.id] for _, card in page if card.id in heads]
                yield found, replace(start, month=month, desk=desk, row=page[-1][0])
        month = shifted(month, 1)


def _pages(place: str, desk: str, month: str, after: str, until: str) -> Iterator[list[Any]]:
    while page := reports.queue_page(place, desk, month, after, until, PAGE):
        yield page
        if len(page) < PAGE:
            return
        after = page[-1][0]


def _desks(city: City) -> list[str]:
    """The desks of closed reports: of every district and every unit that any version had."""
    place = city.jurisdiction
    units = set(city.units)
    for version in set(store.history(place)) - {city.version}:
        units |= set(cities.at(place, version).units)
    districts = cities.districts(city)
    return sorted([*(f"S#{one}" for one in districts), *(f"XS#{one}" for one in units)])


def _over(kind: str, head: Report, until: datetime) -> datetime | None:
    """When a report's time in a class began, if it is over."""
    over = ended(chain(head))
    if over is None or over[0] > until or kind not in (CONTACT, over[1]):
        return None
    return over[0]


def chain(head: Report) -> Iterator[Report]:
    """A report, the original that it is merged into, and so on."""
    found: Report | None = head
    for _ in range(_CHAIN_AT_MOST):
        if found is None:
            return
        yield found
        if not found.merged_into:
            return
        found = reports.get(found.jurisdiction, found.merged_into)


def _family(head: Report) -> Iterator[Report]:
    """A report and those merged into it, whose time is over when its is."""
    asked, seen = [head], {head.id}
    while asked:
        yield (one := asked.pop())
        if one.merged:
            for name in people.duplicates(one.jurisdiction, one.id):
                duplicate = reports.get(one.jurisdiction, name) if name not in seen else None
                seen.add(name)
                if duplicate and duplicate.merged_into == one.id:
                    asked.append(duplicate)


def _erase_family(run: _Run, kind: str, head: Report, until: datetime) -> None:
    if not run.may_go_on():
        raise _BrokenOff
    try:
        if _over(kind, head, until) is None:
            return
        for one in _family(head):
            if _is_due(kind, one):
                _erase(kind, one, run.now)
                run.done[kind] += 1
        run.strikes = 0
    except (Unavailable, Unknown) as away:
        run.strikes += 1
        _note(run, kind, head.id, away)
        if run.strikes == STRIKES:
            raise _BrokenOff from away
    except Exception as error:  # noqa: BLE001  (a poison report must not stop the others)
        observability.unhandled(error, "retention")
        _note(run, kind, head.id, error)
        run.done["failed"] += 1


def _is_due(kind: str, head: Report) -> bool:
    """Whether a report has anything of a class."""
    left = report_retention.reachable if kind == CONTACT else report_retention.holds
    return left(head)


def _erase(kind: str, head: Report, now: datetime) -> None:
    if kind == CONTACT:
        report_retention.forget_contacts(head, now)
    else:
        report_retention.forget_people(head, now)


def _late(run: _Run) -> None:
    """What people left on reports that were closed already, ``GRACE`` after they did: the walk may
    have gone past them. Where it has not, it will come."""
    while page := late.notes(run.place, run.now - GRACE, PAGE):
        for at, report in page:
            head = reports.get(run.place, report)
            for kind in OF_REPORTS if head else ():
                until = run.cutoff(kind)
                if head and until:
                    _erase_family(run, kind, head, until)
            commit([late.delete(run.place, at, report)])


def _note(run: _Run, kind: str, report: str, error: Exception) -> None:
    note = {"error": type(error).__name__, "at": iso(run.now), "class": kind}
    control.put_dead(run.place, DEAD, f"{report}:{kind}", note)


def _try_again(run: _Run) -> None:
    """What failed before, first: a note goes when its report is done."""
    for note in control.dead(run.place, DEAD, PAGE):
        report, kind = note["name"].split(":")
        failed = run.done["failed"]
        head, until = reports.get(run.place, report), run.cutoff(kind)
        if head is not None and until is not None:
            _erase_family(run, kind, head, until)
        if run.strikes == 0 and run.done["failed"] == failed:
            control.forget_dead(run.place, DEAD, note["name"])


def _counted(
    city: City, kind: str, until: datetime, first: Callable[[], str]
) -> Iterator[datetime]:
    """When the reports were over of which a run would erase something."""
    seen = set[str]()
    for heads, _ in _closed(city, _place(city, kind, until, first)):
        for head in heads:
            over = _over(kind, head, until)
            for one in _family(head) if over else ():
                if over and one.id not in seen and _is_due(kind, one):
                    seen.add(one.id)
                    yield over


def _originals(run: _Run) -> None:
    until = run.cutoff(ORIGINALS)
    for photo in _old_originals(run.place, until) if until else ():
        if not run.may_go_on():
            raise _BrokenOff
        files.delete_all(f"{ORIGINALS_FOLDER}/{run.place}/{photo}")
        run.done[ORIGINALS] += 1


def _old_originals(place: str, until: datetime) -> Iterator[str]:
    """The photos whose original is kept and came before, the oldest first, but those of reports
    that are open."""
    last = ids.floor(until)
    for key in files.keys(f"{ORIGINALS_FOLDER}/{place}/"):
        photo = key.rpartition("/")[2]
        if photo >= last:
            return
        found = reports.photo(place, photo)
        used = found[1].get("report") if found else None
        head = reports.get(place, used) if used else None
        if head is None or not head.open:
            yield photo


def _addresses(run: _Run) -> None:
    until = run.cutoff(ADDRESSES)
    page = reach.noted(run.place, "", until, PAGE) if until else []
    while page and until:
        for at, address in page:
            if not run.may_go_on():
                raise _BrokenOff
            run.done[ADDRESSES] += _forget_address(run.place, at, address, until)
        page = reach.noted(run.place, "#".join(page[-1]), until, PAGE)


def _forget_address(place: str, at: str, address: str, until: datetime) -> bool:
    """Forget an address whose last use is as old, and the note that it was to be looked at."""
    docs, note = reach.kept(place, address), reach.delete_note(place, at, address)
    old = max([at, *(one["at"] for one in docs.values() if "at" in one)], key=parse)
    over = bool(docs) and parse(old) <= until
    gone = [reach.drop(place, address, name, doc) for name, doc in docs.items()] if over else []
    try:
        commit([note, *gone])
    except Refused:
        return False  # Something was chosen just now: its own note is younger.
    return over


def _old_addresses(place: str, until: datetime) -> Iterator[datetime]:
    seen, after = set[str](), ""
    while page := reach.noted(place, after, until, PAGE):
        after = "#".join(page[-1])
        for at, address in page:
            docs = reach.kept(place, address) if address not in seen else {}
            last = max([parse(at), *(parse(one["at"]) for one in docs.values() if "at" in one)])
            if docs and last <= until:
                seen.add(address)
                yield last
