"""How and when to reach a person: by their contact, their choice, and what has not bounced."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.input.contact_methods import METHODS, first_address
from chalicelib.domain.notifications.citizen_news import ALWAYS, ASKING
from chalicelib.domain.row_types import Choice, Contact

WAYS = tuple(METHODS)
# What a person may choose to hear.
CHOICES = ("all", "asked", "digest", "nothing")


@dataclass(frozen=True)
class Plan:
    """The way to send by, and until when to wait (``None``: send now)."""

    way: str
    until: datetime | None = None


def contactable(contact: Contact) -> bool:
    """Whether a person with this contact may be written to at all."""
    way = contact.get("safe", {}).get("way")
    if way == "none":
        return False
    return bool(contact.get(way) if way else first_address(contact))


def way(contact: Contact, wish: str | None, dead: frozenset[str]) -> str | None:
    """The way to use: only the safe one if one is named, else the preferred, else the first.

    ``dead`` ways have bounced and are left out; ``None`` if no way is left.
    """
    safe = contact.get("safe", {}).get("way")
    ways = [safe] if safe else sorted(WAYS, key=lambda candidate: candidate != wish)
    return next(
        (candidate for candidate in ways if contact.get(candidate) and candidate not in dead), None
    )


def plan(
    contact: Contact,
    choice: Choice,
    dead: frozenset[str],
    kind: str,
    city: City,
    now: datetime,
) -> Plan | None:
    """How a message of ``kind`` goes out; ``None`` if it does not.

    ``choice``: {"notify", "way"} of ``CHOICES`` and ``WAYS``; ``dead``: ways that bounced.
    """
    chosen = way(contact, choice.get("way"), dead)
    wish = choice.get("notify", "all") if kind not in ALWAYS else "all"
    if chosen is None or wish == "nothing" or (wish == "asked" and kind not in ASKING):
        return None
    at = now
    if wish == "digest":
        at = _next(time(city.morning_hour), city, now)
    at = _safe(contact.get("safe", {}), city, at)
    return Plan(chosen, at if at > now else None)


def _safe(safe: dict[str, Any], city: City, at: datetime) -> datetime:
    """The first moment from ``at`` on within the safe hours."""
    if not safe.get("from") or not safe.get("until"):
        return at
    start, end = time.fromisoformat(safe["from"]), time.fromisoformat(safe["until"])
    local = at.astimezone(city.zone).time()
    inside = start <= local < end if start < end else local >= start or local < end
    return at if inside or start == end else _next(start, city, at)


def _next(hour: time, city: City, now: datetime) -> datetime:
    local = now.astimezone(city.zone)
    moment = datetime.combine(local.date(), hour, tzinfo=city.zone)
    if moment <= local:
        moment = datetime.combine(local.date() + timedelta(days=1), hour, tzinfo=city.zone)
    return moment.astimezone(now.tzinfo)
