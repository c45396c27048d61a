"""Moving open reports to the codes of a new city version, and away from officials who left.

Each report is moved by one event, written over the version that was read. Reports that were moved
already are skipped, so a run can be repeated or interrupted. A report on which somebody acts before
the run reaches it is moved by that action (``follow_city``).

Tests: tests/integration/test_city_versions.py
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.domain.actions.city_succession import (
    AREAS,
    PROPOSAL,
    SERVICES,
    UNITS,
    Succession,
    follow,
    successors,
    without_successor,
)
from chalicelib.domain.city.city import City
from chalicelib.domain.principal import Principal, system
from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import MOVED
from chalicelib.domain.sla import custody
from chalicelib.domain.timeline_types import EventData
from chalicelib.domain.workflow import permissions
from chalicelib.domain.workflow.table import table
from chalicelib.services.city import cities, staff
from chalicelib.services.platform.idempotency import KeyedOperation, write_with_key
from chalicelib.services.timeline.change import Change, change_writes
from chalicelib.storage import city as store
from chalicelib.storage import report_lists, reports
from chalicelib.storage.secrecy import PROPOSED
from chalicelib.storage.transactions import Refused, Unavailable

LEFT = "holder_left"
ATTEMPTS = 6
_OPEN = [state for state in table()["states"] if state != "closed"]
Keeps = Callable[[Report], bool]


@dataclass
class Moves:
    """What a run has done: reports with new codes, reports whose holder left, and reports that a
    person must look at; each (report, explanation)."""

    moved: list[tuple[str, str]] = field(default_factory=list)
    freed: list[tuple[str, str]] = field(default_factory=list)
    doubts: list[tuple[str, str]] = field(default_factory=list)

    def add(self, later: "Moves") -> None:
        """Add what a later run has done."""
        self.moved += later.moved
        self.freed += later.freed
        self.doubts += [doubt for doubt in later.doubts if doubt not in self.doubts]


def follow_city(report: Report, now: datetime) -> City | None:
    """The city version to act by on this report.

    It is the present one, or the report's own if its service has no successor. ``None``: the report
    has just been moved to the present version, and must be read again.
    """
    present = cities.current(report.jurisdiction, now)
    if report.city_version == present.version:
        return present
    succession = _moved(report, present, now)
    if succession is None:
        return cities.at(report.jurisdiction, report.city_version)
    if not succession.changed:
        return present
    _write_move(report, succession, _keeps_now, now)
    return None


def run(jurisdiction: str, now: datetime) -> Moves:
    """Move every open report to the present version, and free those whose holder left.

    Reads the queues page by page, of every district that the city has or had, and of every unit.
    """
    present = cities.current(jurisdiction, now)
    officials = {
        record["ref"]: staff.principal(jurisdiction, record)
        for record in store.all_staff(jurisdiction)
        if record.get("active", True)
    }

    def keeps(report: Report) -> bool:
        return _holds(officials.get(report.holder or ""), report)

    # A queue row does not show the agency, or the unit that the report is offered to.
    done, moved_units = Moves(), bool(present.successors.get(UNITS))
    for desk, card in _cards(present, present):
        same = (
            successors(AREAS, card.ward, present) == (card.ward,)
            and successors(SERVICES, card.service, present) == (card.service,)
            and successors(UNITS, card.unit, present) == (card.unit,)
            and desk == _district(present, card.ward)
            and not (moved_units and card.state != "submitted")
        )
        if not same or not _may_hold(officials, desk, card):
            _move(jurisdiction, card.id, present, keeps, now, done)
    return done


def codes_without_successor(old: City, new: City) -> list[tuple[str, str, list[str]]]:
    """(kind, code, reports) of codes that open reports use, and that ``new``, a version that is not
    published yet, neither contains nor gives a successor."""
    gone = without_successor(old, new)
    reports_of: dict[tuple[str, str], list[str]] = {}
    if not gone:
        return []
    for _, card in _cards(old, new):
        for code in ((AREAS, card.ward), (UNITS, card.unit), (SERVICES, card.service)):
            if code in gone:
                reports_of.setdefault(code, []).append(card.id)
    return [(*code, ids) for code, ids in sorted(reports_of.items())]


def _move(
    jurisdiction: str, report_id: str, present: City, keeps: Keeps, now: datetime, done: Moves
) -> None:
    for _ in range(ATTEMPTS):
        report = reports.get(jurisdiction, report_id)
        if report is None or not (report.open or report.protection):
            return
        succession = None
        if report.city_version != present.version:
            succession = _moved(report, present, now)
            if succession is None:
                done.doubts.append((report.id, f"service {report.service} is gone"))
                return
        try:
            if succession is not None and succession.changed:
                _write_move(report, succession, keeps, now)
                changed = (
                    f"{what} {was} → {new}" for what, (was, new) in succession.changed.items()
                )
                done.moved.append((report.id, ", ".join(changed)))
                done.doubts += [
                    (report.id, f"{code} has no successor") for code in succession.doubts
                ]
                if report.open and report.holder and not keeps(succession.report):
                    done.freed.append((report.id, report.holder))
            elif report.open and report.holder and not keeps(report):
                _free(report, now)
                done.freed.append((report.id, report.holder))
        except Refused:
            continue
        return
    raise Unavailable


def _write_move(report: Report, succession: Succession, keeps: Keeps, now: datetime) -> None:
    after = replace(succession.report, version=report.version + 1, changed_at=now)
    was = {what: code for what, (code, _) in succession.changed.items() if what != PROPOSAL}
    _write(report, after, MOVED, {"was": was}, now)
    if after.open and after.holder and not keeps(after):
        head = reports.get(after.jurisdiction, after.id)
        if head is not None and head.version == after.version:
            _free(head, now)


def _free(report: Report, now: datetime) -> None:
    freed = replace(report, holder=None, version=report.version + 1, changed_at=now)
    _write(report, custody.with_holder(freed, now), LEFT, {"person": report.holder}, now)


def _write(before: Report, after: Report, name: str, data: EventData, now: datetime) -> None:
    jurisdiction = after.jurisdiction
    scope = f"{name}|{after.id}|{after.version}|{after.city_version}"
    op = KeyedOperation(jurisdiction, hashlib.sha256(scope.encode()).hexdigest()[:40], "")
    change = Change(name, before, after, data=data)
    writes = change_writes(change, system(jurisdiction), op, now)
    write_with_key(op, writes, {"id": after.id, "version": after.version})


def _moved(report: Report, present: City, now: datetime) -> Succession | None:
    old = cities.at(report.jurisdiction, report.city_version)

    def ward_at(lat: float, long: float) -> str | None:
        return cities.boundaries(present.jurisdiction, present.version).locate(lat, long).ward

    return follow(report, old, present, ward_at, now)


def _keeps_now(report: Report) -> bool:
    return _holds(staff.by_ref(report.jurisdiction, report.holder or ""), report)


def _holds(person: Principal | None, report: Report) -> bool:
    """Whether an official may still hold a report: active, of its unit, with a role over it."""
    if person is None or person.unit not in (report.unit, report.agency):
        return False
    return bool(permissions.over(person, report).roles())


def _may_hold(officials: dict[str, Principal], desk: str | None, card: report_lists.Card) -> bool:
    """Whether the holder in a row seems right; if not, the head is read."""
    if card.holder is None:
        return True
    person = officials.get(card.holder)
    return bool(person and person.unit == card.unit and person.roles(desk, card.service))


def _district(city: City, ward: str) -> str | None:
    return city.district_and_path(ward)[0] if ward in city.areas else None


def _cards(old: City, new: City) -> Iterator[tuple[str | None, report_lists.Card]]:
    """(district, row) of every open report, and of closed ones that are proposed for protection.

    The district of a protected report is ``None``: its row does not tell it.
    """
    districts = sorted({*cities.districts(old), *(area.code for area in new.areas_of_level(-2))})
    # The unit of a district never has a protected report.
    known = {**old.units, **new.units}
    units = {code for code, unit in known.items() if unit.kind != "district"}
    units |= new.successors.get(UNITS, {}).keys() - known.keys()
    desks: list[tuple[str | None, str]] = [
        (district, report_lists.district_desk(district)) for district in districts
    ]
    desks += [(None, report_lists.protected_desk(unit)) for unit in sorted(units)]
    for name, desk in desks:
        for state in [*_OPEN, *([PROPOSED] if name is None else [])]:
            after: str | None = None
            while True:
                page = report_lists.queue_page(
                    old.jurisdiction, desk, state, after, None, reports.PAGE
                )
                yield from ((name, card) for _, card in page)
                if len(page) < reports.PAGE:
                    break
                after = page[-1][0]
