"""The verifiers' audit: a random sample of the closings that nobody confirmed.

Before a month begins, the hash of its seed is published; when the month is over, the seed is, and
anybody can draw the same sample: in each district the closings with the lowest
SHA-256(seed + report). Until then nobody, officers included, can know what will be drawn.
"""

import hashlib
from datetime import datetime
from typing import Any

from chalicelib.domain.actions.city_succession import AREAS
from chalicelib.domain.city.city import City
from chalicelib.domain.principal import Principal
from chalicelib.domain.scorecards.contributions import DISMISSED, Window
from chalicelib.domain.scorecards.statistics import shifted
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform import signing
from chalicelib.services.scorecards import report_rows
from chalicelib.services.timeline import secrecy
from chalicelib.storage import scorecards as store

AUDITED = DISMISSED | {"unverified"}


def seed(jurisdiction: str, month: str) -> str:
    """The seed of a month's sample: derived, so that it cannot be chosen afterwards."""
    return signing.mac("audit", f"{jurisdiction}|{month}", signing.pseudonym_key())


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
    """Draw the sample of a month that is over, ``size`` a district; how many closings it has.

    Districts are those of the month's cards; whoever audits finds a closing by its district of
    today.
    """
    window, chance = Window.of(month, city, now), seed(city.jurisdiction, month)
    found: dict[str, list[tuple[bytes, dict[str, Any], dict[str, Any]]]] = {}
    for kept, row in report_rows.read(city, month):
        if (closing := _closing(row, window)) is not None:
            lot = hashlib.sha256(f"{chance}{closing['report']}".encode()).digest()
            found.setdefault(row["district"], []).append((lot, closing, kept))
    today = report_rows.code_history(cities.current(city.jurisdiction, now))
    drawn = [
        {**closing, "district": today.row(kept)["district"]}
        for _, lots in sorted(found.items())
        for _, closing, kept in sorted(lots, key=lambda one: one[0])[:size]
    ]
    store.put_sample(city.jurisdiction, month, drawn)
    return len(drawn)


def sample_district(city: City, month: str, district: str, report: str) -> str:
    """The district under which the sample of a month has a report that lies in ``district``, which
    may be one of an older version: a closed report keeps its codes."""
    today = report_rows.code_history(city).codes(AREAS, district)
    desks = {district, *(one for code in today for one in _desks(city, code))}
    known = (one for one in sorted(desks) if store.sampled(city.jurisdiction, month, one, report))
    return next(known, district) if len(desks) > 1 else district


def _desks(city: City, district: str) -> list[str]:
    # A sample that was drawn before a district was renamed lies under the name of then.
    gone = [one for one in cities.districts(city) if one not in city.areas]
    codes = report_rows.code_history(city)
    return [district, *(one for one in gone if district in codes.codes(AREAS, one))]


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
    page = sorted(
        (row for one in _desks(city, district)
         for row in store.sample(actor.jurisdiction, chosen, one, after, limit + 1)),
        key=lambda row: row[0],
    )[: limit + 1]  # fmt: skip
    gone = secrecy.hidden_from(actor, [one["report"] for _, one in page[:limit]])
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
