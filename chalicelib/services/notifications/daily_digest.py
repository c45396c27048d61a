"""The morning's notice to each unit: what falls due by tomorrow morning, and what is overdue.

One a unit and local day, by a marker in the transaction of its outbox row: running twice sends
nothing twice, and a morning that was missed is made up for later the same day.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib import observability
from chalicelib.domain.city.city import City
from chalicelib.domain.timestamps import iso, parse
from chalicelib.domain.workflow.table import clock, table
from chalicelib.services.city import cities
from chalicelib.services.notifications.alert_texts import LINES
from chalicelib.services.platform import urls
from chalicelib.services.platform.catalogue import tell
from chalicelib.storage import control, reports
from chalicelib.storage.transactions import Refused, Unavailable, Unknown, commit

# Of a district's state as many overdue and as many due are read; beyond, the notice says "200+".
MOST = 200
_DAY = timedelta(days=1)


@dataclass
class Desk:
    """What one unit has to know this morning; of protected reports, only how many."""

    due: list[reports.Card] = field(default_factory=list)
    hidden: int = 0
    overdue: int = 0
    protected: int = 0
    more_due: bool = False
    more_overdue: bool = False

    def take(self, card: reports.Card, *, late: bool, protected: bool) -> None:
        """Take in a report that falls due, or is overdue."""
        self.protected += protected
        if late:
            self.overdue += 1
        elif protected:
            self.hidden += 1
        else:
            self.due.append(card)


def notify(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> int:
    """Make every notice that is due by ``now`` and not made yet; how many."""
    made = 0
    for jurisdiction in cities.jurisdictions():
        try:
            made += _morning(cities.current(jurisdiction, now), now, may_go_on)
        except (Unavailable, Unknown):
            raise
        except Exception as error:  # noqa: BLE001  (a city's own fault, of whatever kind)
            # The next hour tries again; the other cities must not wait for it.
            observability.unhandled(error, "morning")
    return made


def _morning(city: City, now: datetime, may_go_on: Callable[[], bool]) -> int:
    local, made = now.astimezone(city.zone), 0
    done = f"morning:{local.date().isoformat()}"
    if local.hour < city.morning_hour or control.noticed(city.jurisdiction, done):
        return 0
    for unit, desk in sorted(_desks(city, now).items()):
        if not may_go_on():
            return made
        made += _notify(city, unit, desk, now)
    _once(control.put_notice_marker(city.jurisdiction, done))
    return made


def _desks(city: City, now: datetime) -> dict[str, Desk]:
    """By unit, read district by district and state by state."""
    desks: dict[str, Desk] = {}
    # Apart, so that a long backlog does not hide what falls due today.
    for late, after, until in ((True, None, now), (False, now, now + _DAY)):
        start, end = iso(after) + "~" if after else None, iso(until) + "~"
        for place, protected in _places(city):
            for state in table()["states"]:
                if clock(state) != "running":
                    continue
                rows = reports.queue_page(city.jurisdiction, place, state, start, end, MOST)
                for _, card in rows:
                    # Whoever answers for it, and whoever is called to it.
                    for unit in {card.unit, *([card.called] if card.called else [])}:
                        desk = desks.setdefault(unit, Desk())
                        desk.take(card, late=late, protected=protected)
                        if len(rows) == MOST:
                            desk.more_overdue |= late
                            desk.more_due |= not late
    # A unit that the city has no more has nobody to tell.
    return {unit: desk for unit, desk in desks.items() if unit in city.units}


def _places(city: City) -> Iterator[tuple[str, bool]]:
    for area in city.areas_of_level(-2):
        yield reports.district_desk(area.code), False
    for unit in sorted({one.unit for one in city.services.values() if one.protected}):
        yield reports.protected_desk(unit), True


def _notify(city: City, unit: str, desk: Desk, now: datetime) -> int:
    local = now.astimezone(city.zone)
    name = f"morning:{local.date().isoformat()}:{unit}"
    due = sorted(desk.due, key=lambda card: (card.due_at, card.id))
    districts = {city.district_and_path(card.ward)[0] for card in due if card.ward in city.areas}
    message = {
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
        "overdue": desk.overdue,
        "more": desk.more_due or desk.more_overdue,
        "subject": tell(city, "morning.subject"),
        "text": compose(city, unit, due, desk, local),
    }
    return _once(control.put_notice(city.jurisdiction, name, iso(now), message))


def compose(city: City, unit: str, due: list[reports.Card], desk: Desk, local: datetime) -> str:
    """The notice on a phone: two numbers, the next twenty, the queue."""
    falling = len(due) + desk.hidden
    lines = [
        tell(
            city,
            "morning.text",
            unit=city.text(city.units[unit].name),
            date=local.strftime("%d-%m-%Y"),
            due=f"{falling}{'+' * desk.more_due}",
            overdue=f"{desk.overdue}{'+' * desk.more_overdue}",
        )
    ]
    lines += [_line(card, city) for card in due[:LINES]]
    if len(due) > LINES:
        lines.append(tell(city, "digest.more", n=len(due) - LINES))
    if desk.protected:
        lines.append(tell(city, "morning.protected", n=desk.protected))
    link = urls.to(city.jurisdiction, "/v1/queue")
    return "\n".join([*lines, tell(city, "morning.queue", link=link)])


def _line(card: reports.Card, city: City) -> str:
    due = parse(card.due_at).astimezone(city.zone)
    ward = city.areas[card.ward].name if card.ward in city.areas else card.ward
    known = card.service in city.services
    service = city.text(city.services[card.service].name) if known else card.service
    return tell(city, "morning.line", due=due.strftime("%d-%m %H:%M"), service=service, ward=ward)


def _once(writes: list[Any]) -> int:
    try:
        commit(writes)
    except Refused:
        return 0  # Made already.
    return 1
