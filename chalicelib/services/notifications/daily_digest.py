"""The morning notice to each unit: reports due by tomorrow morning, and overdue reports.

One for each unit and local day. A marker in the transaction of the outbox row prevents a second
one; a notice that was missed in the morning is sent later the same day.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.message_types import Notice
from chalicelib.domain.timestamps import iso, parse
from chalicelib.domain.workflow.table import clock, table
from chalicelib.services.city import cities
from chalicelib.services.notifications.alert_texts import LINES
from chalicelib.services.platform import set_aside, urls
from chalicelib.services.platform.catalogue import official_text
from chalicelib.storage import control, report_lists
from chalicelib.storage.transactions import Refused, commit

# Of each queue and state so many overdue and so many due reports are read. If there are more, the
# notice says "200+".
MOST = 200
SOURCE = "warn_units"
_DAY = timedelta(days=1)


@dataclass
class UnitNotice:
    """The content of one unit's notice. ``hidden``: protected reports that fall due;
    ``protected``: all protected ones, due or overdue."""

    due: list[report_lists.Card] = field(default_factory=list)
    hidden: int = 0
    overdue: int = 0
    protected: int = 0
    more_due: bool = False
    more_overdue: bool = False

    def take(self, card: report_lists.Card, *, late: bool, protected: bool) -> None:
        """Count a report that falls due or is overdue."""
        self.protected += protected
        if late:
            self.overdue += 1
        elif protected:
            self.hidden += 1
        else:
            self.due.append(card)


def notify(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> int:
    """Write every notice that is due by ``now`` and missing. Returns how many."""
    made = 0
    run = set_aside.Run(SOURCE, now)
    for jurisdiction in cities.jurisdictions():
        with run.item(jurisdiction):
            made += _notify_city(run, cities.current(jurisdiction, now), now, may_go_on)
    run.finish()
    return made


def _notify_city(
    run: set_aside.Run, city: City, now: datetime, may_go_on: Callable[[], bool]
) -> int:
    local, made = now.astimezone(city.zone), 0
    done = f"morning:{local.date().isoformat()}"
    if local.hour < city.morning_hour or control.noticed(city.jurisdiction, done):
        return 0
    failed = run.failed
    for unit, notice in sorted(_unit_notices(run, city, now).items()):
        if not may_go_on():
            return made
        with run.item(city.jurisdiction, f"unit:{unit}"):
            made += _notify(city, unit, notice, now)
    if run.away is None and run.failed == failed:
        _commit_once(control.put_notice_marker(city.jurisdiction, done))
    return made


def _unit_notices(run: set_aside.Run, city: City, now: datetime) -> dict[str, UnitNotice]:
    """The notice of each unit, read from the queues of districts and states."""
    notices: dict[str, UnitNotice] = {}
    jurisdiction = city.jurisdiction
    states = [state for state in table()["states"] if clock(state) == "running"]
    # Two reads, so that a long backlog does not hide what falls due today.
    for late, after, until in ((True, None, now), (False, now, now + _DAY)):
        start, end = iso(after) + "~" if after else None, iso(until) + "~"
        for queue, protected in _queues(city):
            for state in states:
                rows: list[tuple[str, report_lists.Card]] = []
                with run.item(jurisdiction, f"queue:{queue}:{state}:{late}"):
                    rows = report_lists.queue_page(jurisdiction, queue, state, start, end, MOST)
                for _, card in rows:
                    with run.item(jurisdiction, card.id):
                        _take(notices, city, card, late=late, protected=protected)
                        for unit in _units(card) if len(rows) == MOST else ():
                            notices[unit].more_overdue |= late
                            notices[unit].more_due |= not late
    # Units that no longer exist get no notice.
    return {unit: notice for unit, notice in notices.items() if unit in city.units}


def _units(card: report_lists.Card) -> set[str]:
    """The unit that holds a report, and the unit that is called in."""
    return {card.unit, *([card.called_unit] if card.called_unit else [])}


def _take(
    notices: dict[str, UnitNotice],
    city: City,
    card: report_lists.Card,
    *,
    late: bool,
    protected: bool,
) -> None:
    if not late:
        _line(card, city)  # A row that cannot be written as a line fails here, alone.
    for unit in _units(card):
        notices.setdefault(unit, UnitNotice()).take(card, late=late, protected=protected)


def _queues(city: City) -> Iterator[tuple[str, bool]]:
    for area in city.areas_of_level(-2):
        yield report_lists.district_desk(area.code), False
    for unit in sorted({service.unit for service in city.services.values() if service.protected}):
        yield report_lists.protected_desk(unit), True


def _notify(city: City, unit: str, notice: UnitNotice, now: datetime) -> int:
    local = now.astimezone(city.zone)
    name = f"morning:{local.date().isoformat()}:{unit}"
    due = sorted(notice.due, key=lambda card: (card.due_at or "", card.id))
    districts = {city.district_and_path(card.ward)[0] for card in due if card.ward in city.areas}
    message: Notice = {
        "kind": "notice",
        "jurisdiction": city.jurisdiction,
        "rules": city.version,
        "event": "morning",
        "level": "morning",
        "unit": unit,
        "district": sorted(districts | city.units[unit].districts),
        "service": sorted(city.services),
        "audience": [f"unit:{unit}"],
        "dedupe": f"{city.jurisdiction}:{name}",
        "due": [card.id for card in due],
        "overdue": notice.overdue,
        "more": notice.more_due or notice.more_overdue,
        "subject": official_text(city, "morning.subject"),
        "text": compose(city, unit, due, notice, local),
    }
    return _commit_once(control.put_notice(city.jurisdiction, name, iso(now), message))


def compose(
    city: City, unit: str, due: list[report_lists.Card], notice: UnitNotice, local: datetime
) -> str:
    """The text of a notice: two numbers, the next ``LINES`` reports, the link to the queue."""
    due_count = len(due) + notice.hidden
    lines = [
        official_text(
            city,
            "morning.text",
            unit=city.text(city.units[unit].name),
            date=local.strftime("%d-%m-%Y"),
            due=f"{due_count}{'+' * notice.more_due}",
            overdue=f"{notice.overdue}{'+' * notice.more_overdue}",
        )
    ]
    lines += [_line(card, city) for card in due[:LINES]]
    if len(due) > LINES:
        lines.append(official_text(city, "digest.more", n=len(due) - LINES))
    if notice.protected:
        lines.append(official_text(city, "morning.protected", n=notice.protected))
    link = urls.in_city(city.jurisdiction, "/v1/queue")
    return "\n".join([*lines, official_text(city, "morning.queue", link=link)])


def _line(card: report_lists.Card, city: City) -> str:
    assert card.due_at is not None, "a report without a deadline is never due"
    due = parse(card.due_at).astimezone(city.zone)
    ward = city.areas[card.ward].name if card.ward in city.areas else card.ward
    in_city = card.service in city.services
    service = city.text(city.services[card.service].name) if in_city else card.service
    return official_text(
        city, "morning.line", due=due.strftime("%d-%m %H:%M"), service=service, ward=ward
    )


def _commit_once(writes: list[Any]) -> int:
    try:
        commit(writes)
    except Refused:
        return 0  # Made already.
    return 1
