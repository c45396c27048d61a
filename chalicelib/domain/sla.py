"""The promise of a report: frozen at filing from its service, its district and the calendar."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.domain.calendar import Calendar
from chalicelib.domain.city import City, Service, Target


@dataclass(frozen=True)
class Promise:
    """By when the city acknowledges and resolves; ``city_due_at`` is the city's own target."""

    acknowledge_due: datetime
    due_at: datetime
    city_due_at: datetime


def promise(service: Service, district: str, filed_at: datetime, city: City) -> Promise:
    """The deadlines of a report; a district's override shapes its own, never the city's."""
    own = city.overrides.get((district, service.code))
    acknowledge = (own and own.acknowledge) or service.acknowledge
    resolve = (own and own.resolve) or service.resolve
    return Promise(
        acknowledge_due=due(acknowledge, filed_at, city.calendar),
        due_at=due(resolve, filed_at, city.calendar),
        city_due_at=due(service.resolve, filed_at, city.calendar),
    )


def due(target: Target, start: datetime, calendar: Calendar) -> datetime:
    """When a target that starts at ``start`` falls due, aware UTC."""
    span = timedelta(hours=target.hours)
    if target.clock == "working":
        return calendar.add_working(start, span)
    return start.astimezone(UTC) + span


def extend(
    moment: datetime, start: datetime, end: datetime, clock: str, calendar: Calendar
) -> datetime:
    """A deadline moved by a pause: by the time that would have counted, in the same clock."""
    # In UTC, because Python subtracts zoned times without regard to a change of the clock.
    moment, start, end = (one.astimezone(UTC) for one in (moment, start, end))
    if end <= start:
        return moment
    if clock == "working":
        missed = calendar.working_between(start, end)
        return calendar.add_working(moment, missed) if missed else moment
    return moment + (end - start)
