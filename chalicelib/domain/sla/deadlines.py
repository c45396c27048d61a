"""The promise of a report: its deadlines, frozen at filing, by service, district and calendar."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chalicelib.domain.city.business_hours import Calendar
from chalicelib.domain.city.city import City
from chalicelib.domain.city.service import Service, Target


@dataclass(frozen=True)
class Promise:
    """By when the city acknowledges and resolves; ``city_…`` are by the city's own targets."""

    acknowledge_due: datetime
    due_at: datetime
    city_acknowledge_due: datetime
    city_due_at: datetime


def promise(service: Service, district: str, filed_at: datetime, city: City) -> Promise:
    """The deadlines of a report; a district's override changes its own, never the city's."""
    calendar = city.calendar
    return Promise(
        acknowledge_due=due(acknowledge_target(service, district, city), filed_at, calendar),
        due_at=due(resolve_target(service, district, city), filed_at, calendar),
        city_acknowledge_due=due(service.acknowledge, filed_at, calendar),
        city_due_at=due(service.resolve, filed_at, calendar),
    )


def acknowledge_target(service: Service, district: str, city: City) -> Target:
    """The acknowledge target that holds in a district."""
    own = city.overrides.get((district, service.code))
    return (own and own.acknowledge) or service.acknowledge


def resolve_target(service: Service, district: str, city: City) -> Target:
    """The resolve target that holds in a district."""
    own = city.overrides.get((district, service.code))
    return (own and own.resolve) or service.resolve


def due(target: Target, start: datetime, calendar: Calendar) -> datetime:
    """When a target that starts at ``start`` falls due (aware UTC)."""
    span = timedelta(hours=target.hours)
    if target.clock == "working":
        return calendar.add_working(start, span)
    return start.astimezone(UTC) + span


def elapsed(start: datetime, end: datetime, clock: str, calendar: Calendar) -> timedelta:
    """The time between two moments that counts in a clock, ``calendar`` or ``working``."""
    if clock == "working":
        return calendar.working_between(start, end)
    return max(end.astimezone(UTC) - start.astimezone(UTC), timedelta())


def extend(
    moment: datetime, start: datetime, end: datetime, clock: str, calendar: Calendar
) -> datetime:
    """A deadline moved by a pause: by the time of it that counts in the same clock."""
    # In UTC: Python subtracts times of one zone without regard to daylight saving time.
    moment, start, end = (at.astimezone(UTC) for at in (moment, start, end))
    if end <= start:
        return moment
    if clock == "working":
        missed = calendar.working_between(start, end)
        return calendar.add_working(moment, missed) if missed else moment
    return moment + (end - start)
