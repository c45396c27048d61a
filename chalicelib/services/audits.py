"""The verifiers' audit: a random sample of the closings that nobody confirmed.

Before a month begins, the hash of its seed is published; when the month is over, the seed is, and
anybody can draw the same sample: in each district the closings with the lowest
SHA-256(seed + report). Until then nobody, officers included, can know what will be drawn.
"""

import hashlib
from datetime import datetime
from typing import Any

from chalicelib.domain.actor import Principal
from chalicelib.domain.city import City
from chalicelib.domain.contributions import DISMISSED, Window
from chalicelib.domain.scoring import shifted
from chalicelib.errors import Problem
from chalicelib.services import cities, secrecy, signing
from chalicelib.storage import cards as store
from chalicelib.storage import scores

AUDITED = DISMISSED | {"unverified"}


def seed(jurisdiction: str, month: str) -> str:
    """The seed of a month's sample: derived, so that it cannot be chosen afterwards."""
    return signing.mac("audit", f"{jurisdiction}|{month}", signing.lasting())


def commitment(jurisdiction: str, month: str) -> str:
    """What is published of the seed beforehand: its SHA-256, in hex."""
    return hashlib.sha256(seed(jurisdiction, month).encode()).hexdigest()


def published(city: City, now: datetime) -> dict[str, Any]:
    """The commitments of this month and the next, and the seeds of the months that are over."""
    place, current = city.jurisdiction, city.month(now)
    return {
        "commitments": [
            {"month": month, "sha256": commitment(place, month)}
            for month in (current, shifted(current, 1))
        ],
        "seeds": [
            {"month": month, "seed": seed(place, month), "sha256": commitment(place, month)}
            for month in (shifted(current, -back) for back in (1, 2, 3))
        ],
    }


def draw(city: City, month: str, size: int, now: datetime) -> int:
    """Draw the sample of a month that is over, ``size`` a district; how many closings it has."""
    window, chance = Window.of(month, city, now), seed(city.jurisdiction, month)
    drawn: list[dict[str, Any]] = []
    for district in cities.districts(city):
        rows = scores.scores(city.jurisdiction, district, month)
        found = [closing for row in rows if (closing := _closing(row, window)) is not None]
        found.sort(key=lambda one: hashlib.sha256(f"{chance}{one['report']}".encode()).digest())
        drawn += [{**one, "district": district} for one in found[:size]]
    store.put_sample(city.jurisdiction, month, drawn)
    return len(drawn)


def queue(
    actor: Principal, month: str | None, district: str, after: str | None, limit: int, now: datetime
) -> dict[str, Any]:
    """A page of a district's sample for a verifier from outside it; ``not_found`` for others."""
    city = cities.current(actor.jurisdiction, now)
    roles = actor.roles(district)
    outside = "verifier" in roles and actor.home_district != district
    if not (outside or roles & {"auditor", "city_admin"}):
        raise Problem("not_found")
    chosen = month or shifted(city.month(now), -1)
    page = store.sample(actor.jurisdiction, chosen, district, after, limit + 1)
    gone = secrecy.unknown(actor, [one["report"] for _, one in page[:limit]])
    return {
        "month": chosen,
        "district": district,
        "sample": [
            {name: one[name] for name in ("report", "resolution", "closed_at", "result")}
            for _, one in page[:limit]
            if one["report"] not in gone
        ],
        "next": page[limit - 1][0] if len(page) > limit else None,
    }


def _closing(row: dict[str, Any], window: Window) -> dict[str, Any] | None:
    # The last closing only: one that was undone has been answered for already.
    last = row["rounds"][-1]
    if row.get("anonymous"):
        return None
    if last["resolution"] not in AUDITED or not window.holds(last["closed_at"]):
        return None
    return {
        "report": row["report"],
        "resolution": last["resolution"],
        "closed_at": last["closed_at"],
    }
