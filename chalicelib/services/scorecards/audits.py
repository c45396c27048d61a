"""The audit: a random sample of the month's closed reports that no reporter confirmed.

Before a month begins, the hash of its seed is published; after the month, the seed itself. Then
anybody can draw the same sample: in each district, the reports with the lowest
SHA-256(seed + report id). Before that nobody, officials included, can know the sample.

Tests: tests/integration/test_scorecards.py
"""

import hashlib
from datetime import datetime
from typing import Any

from chalicelib.domain.actions.city_succession import AREAS
from chalicelib.domain.city.city import City
from chalicelib.domain.principal import Principal
from chalicelib.domain.scorecards.card_types import Closing
from chalicelib.domain.scorecards.contributions import Window, closing_to_audit
from chalicelib.domain.timeline_types import ScoreRow
from chalicelib.domain.timestamps import shifted
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform import set_aside, signing
from chalicelib.services.scorecards import report_rows
from chalicelib.services.scorecards.compute import SOURCE
from chalicelib.services.timeline import secrecy
from chalicelib.storage import scorecards as store


def seed(jurisdiction: str, month: str) -> str:
    """The seed of a month's sample, derived from a secret, so that nobody can choose it."""
    return signing.mac("audit", f"{jurisdiction}|{month}", signing.pseudonym_key())


def commitment(jurisdiction: str, month: str) -> str:
    """The SHA-256 of the seed in hex, which is published before the month."""
    return hashlib.sha256(seed(jurisdiction, month).encode()).hexdigest()


def published(city: City, now: datetime) -> dict[str, Any]:
    """The hashes of this month's and the next month's seeds, and the seeds of the last three."""
    jurisdiction, current = city.jurisdiction, city.month(now)
    past = [shifted(current, -back) for back in (1, 2, 3)]
    return {
        "commitments": [
            {"month": month, "sha256": commitment(jurisdiction, month)}
            for month in (current, shifted(current, 1))
        ],
        "seeds": [
            {
                "month": month,
                "seed": seed(jurisdiction, month),
                "sha256": commitment(jurisdiction, month),
            }
            for month in past
        ],
    }


def draw(city: City, month: str, size: int, now: datetime) -> int:
    """Draw and store the sample of a past month, ``size`` reports per district. Returns its size.

    It is drawn from the districts of that month, and stored by the present districts, where
    verifiers look.
    """
    window, month_seed = Window.of(month, city, now), seed(city.jurisdiction, month)
    lots_by_district: dict[str, list[tuple[bytes, Closing, ScoreRow]]] = {}
    run = set_aside.Run(SOURCE, now)
    for stored, translate in report_rows.each(city, month):
        with run.item(city.jurisdiction, f"audit:{stored['report']}"):
            row = translate(stored)
            if (closing := closing_to_audit(row, window)) is not None:
                lot = hashlib.sha256(f"{month_seed}{closing['report']}".encode()).digest()
                lots_by_district.setdefault(row["district"], []).append((lot, closing, stored))
    run.finish()
    today = report_rows.code_history(cities.current(city.jurisdiction, now))
    drawn: list[Closing] = [
        {**closing, "district": today.row(stored)["district"]}
        for _, lots in sorted(lots_by_district.items())
        for _, closing, stored in sorted(lots, key=lambda drawn_lot: drawn_lot[0])[:size]
    ]
    store.put_sample(city.jurisdiction, month, drawn)
    return len(drawn)


def sample_district(city: City, month: str, district: str, report: str) -> str:
    """The district under which a month's sample has a report of ``district``.

    Its district may have another code in the present city version; a closed report keeps its old
    code.
    """
    today = report_rows.code_history(city).codes(AREAS, district)
    codes = {district, *(name for code in today for name in _codes(city, code))}
    sampled = (
        code for code in sorted(codes) if store.sampled(city.jurisdiction, month, code, report)
    )
    return next(sampled, district) if len(codes) > 1 else district


def _codes(city: City, district: str) -> list[str]:
    # A sample that was drawn before a district was renamed is stored under its old code.
    old = [code for code in cities.districts(city) if code not in city.areas]
    history = report_rows.code_history(city)
    return [district, *(code for code in old if district in history.codes(AREAS, code))]


def queue(
    actor: Principal, month: str | None, district: str, after: str | None, limit: int, now: datetime
) -> dict[str, Any]:
    """A page of a district's sample, for verifiers from other districts, auditors and city
    administrators. Raises ``Problem``: not_found, for others."""
    city = cities.current(actor.jurisdiction, now)
    roles = actor.roles(district)
    outside = "verifier" in roles and actor.home_district != district
    if not (outside or roles & {"auditor", "city_admin"}):
        raise Problem("not_found")
    chosen = month or shifted(city.month(now), -1)
    page = sorted(
        (row for code in _codes(city, district)
         for row in store.sample(actor.jurisdiction, chosen, code, after, limit + 1)),
        key=lambda row: row[0],
    )[: limit + 1]  # fmt: skip
    secret = secrecy.hidden_from(actor, [row["report"] for _, row in page[:limit]])
    return {
        "month": chosen,
        "district": district,
        "sample": [
            {name: row[name] for name in ("report", "resolution", "closed_at", "result")}
            for _, row in page[:limit]
            if row["report"] not in secret
        ],
        "next": page[limit - 1][0] if len(page) > limit else None,
    }
