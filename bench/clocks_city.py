"""A made-up city for the bench of the clocks: wards, open reports, and a month of rows."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.city.boundaries import build
from chalicelib.domain.city.city import City
from chalicelib.domain.timeline_types import ScoreRow
from chalicelib.domain.timestamps import iso

MONTH = "202611"
DISTRICTS, SERVICES = 44, 20
_NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
_BATCH = 25
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def publish(name: str, wards: int) -> tuple[City, datetime]:
    """Publish the city. Returns it and the time of the bench."""
    from chalicelib.services.city import cities

    rules = bundle(name, wards)
    cities.publish(rules, build([(_ward(0), [[_square()]])]), [], _NOW)
    return City.from_json(rules), _NOW


def fill_heads(city: City, now: datetime, many: int, *, overdue: int, first: int) -> None:
    """Write acknowledged open reports; ``overdue`` of them have a breach that is not yet noted."""
    from chalicelib.domain.report import Report
    from chalicelib.domain.sla import custody, timers
    from chalicelib.storage import reports
    from chalicelib.storage.transactions import commit

    puts: list[Any] = []
    for number in range(first, first + many):
        late = number - first < overdue
        filed = now - timedelta(hours=49 if late else 1)
        ward = _ward(number % 267)
        district, _ = city.district_and_path(ward)
        head = Report(
            id=id_of(number), code=id_of(number)[-8:], jurisdiction=city.jurisdiction,
            city_version=city.version, service="s00", group="g", protected=False, ward=ward,
            district=district, unit=f"u-{district}", lat7=-61_000_000, long7=1_068_000_000,
            channel="api", language="id", filed_at=filed, changed_at=filed, clock_from=filed,
            acknowledge_due=filed + timedelta(hours=8), due_at=filed + timedelta(hours=48),
            city_due_at=filed + timedelta(hours=48), filed_month=MONTH, acknowledged_at=filed,
            tail="0" * 64,
        )  # fmt: skip
        head = custody.with_holder(head, filed)
        puts.append(reports.put_head(head, timers.next_due(head, city), seen=None))
        if len(puts) == _BATCH:
            commit(puts)
            puts = []
    if puts:
        commit(puts)


def fill_rows(city: City, now: datetime, many: int) -> None:
    """Write a month of score rows, as the projection writes them."""
    from chalicelib.domain.sla import periods
    from chalicelib.storage import score_rows
    from chalicelib.storage.transactions import commit

    puts: list[Any] = []
    for row in _rows(city, many):
        last = periods.last_month(row, city)
        puts.append(score_rows.put_score(city.jurisdiction, row["report"], 5, row, last))
        if len(puts) == _BATCH:
            commit(puts)
            puts = []
    if puts:
        commit(puts)


def _rows(city: City, many: int) -> Iterator[ScoreRow]:
    rng = random.Random(2026)
    start, end = city.bounds(MONTH)
    month = (end - start).total_seconds()
    for number in range(many):
        ward = _ward(rng.randrange(267))
        district, _ = city.district_and_path(ward)
        service = f"s{rng.randrange(SERVICES):02d}"
        unit = f"u-{district}" if rng.random() < 0.8 else f"a-{rng.randrange(8)}"
        officer = f"s_officer-{district}-{rng.randrange(3)}"
        filed = start + timedelta(seconds=rng.random() * month)
        due = filed + timedelta(hours=48)
        heard = filed + timedelta(hours=rng.expovariate(1 / 6))
        stop = heard + timedelta(hours=rng.expovariate(1 / 30))
        done = rng.random() < 0.85
        resolution = rng.choices(["verified", "unverified", "rejected"], [7, 2, 1])[0]
        closed = stop + timedelta(hours=rng.expovariate(1 / 24))
        held = [ward, unit, officer]
        share = rng.randrange(1, 1_000_000)
        marks = [["finished", iso(stop), *held]]
        if done and rng.random() < 0.4:
            marks += [
                ["yes", iso(closed), *held],
                [f"stars_{rng.randint(1, 5)}", iso(closed), *held],
            ]
        yield {
            "report": id_of(number),
            "version": 5,
            "service": service,
            "ward": ward,
            "district": district,
            "unit": unit,
            "lat7": round((-6.1 + rng.random() / 5) * 1e7),
            "long7": round((106.7 + rng.random() / 5) * 1e7),
            "filed_at": iso(filed),
            "filed_month": MONTH,
            "state": "closed" if done else "in_progress",
            "rounds": [
                {
                    "service": service,
                    "from": iso(filed),
                    "acknowledge_due": iso(filed + timedelta(hours=8)),
                    "acknowledged_at": iso(heard),
                    "due": iso(due),
                    "stop": iso(stop) if done else None,
                    "closed_at": iso(closed) if done else None,
                    "resolution": resolution if done else None,
                    "held": held,
                    "shares": [[*held, share], [ward, unit, None, 1_000_000 - share]],
                    "acknowledge_shares": [[*held, 1_000_000]],
                }
            ],
            "holds": [[iso(filed), ward, unit, None], [iso(heard), *held]],
            "marks": marks if done else [],
        }


def bundle(name: str, wards: int) -> dict[str, Any]:
    """The rules of a made-up city."""

    def both(text: str) -> dict[str, str]:
        return {"en": text, "id": text}

    districts = [f"d{number:02d}" for number in range(DISTRICTS)]
    areas: list[dict[str, Any]] = [{"code": "c", "name": "City", "level": "city", "parent": None}]
    areas += [{"code": d, "name": d, "level": "district", "parent": "c"} for d in districts]
    areas += [
        {"code": _ward(n), "name": _ward(n), "level": "ward", "parent": districts[n % DISTRICTS]}
        for n in range(wards)
    ]
    units = [
        {"code": f"u-{d}", "name": both(d), "kind": "district", "districts": [d]} for d in districts
    ]
    units += [
        {"code": f"a-{n}", "name": both(f"a{n}"), "kind": "agency", "districts": districts}
        for n in range(8)
    ]
    target = {"clock": "calendar"}
    weights = {"on_time": 40, "acknowledged_on_time": 15, "verified": 15, "satisfaction": 10}
    return {
        "jurisdiction": name,
        "version": "bench",
        "name": both(name),
        "time_zone": "Asia/Jakarta",
        "emergency": "112",
        "languages": ["id", "en"],
        "levels": ["city", "district", "ward"],
        "areas": areas,
        "groups": [{"code": "g", "name": both("g")}],
        "services": [
            {
                "code": f"s{n:02d}",
                "name": both(f"s{n}"),
                "group": "g",
                "unit": "district",
                "acknowledge": {"hours": 8, **target},
                "resolve": {"hours": 48, **target},
            }
            for n in range(SERVICES)
        ],
        "units": units,
        "calendar": {"working": {"mon": [["08:00", "16:00"]]}, "holidays": []},
        "overrides": [],
        "scoring": {"weights": {**weights, "case_mix": 10, "overdue_carried": 10}},
        "limits": {},
        "rules": {
            "reopen_days": 30, "refuse_days": 14, "lapse_days": 14, "needs_info_days": 7,
            "near_m": 100, "duplicate_m": 250,
        },
    }  # fmt: skip


def _ward(number: int) -> str:
    return f"w{number:03d}"


def id_of(number: int) -> str:
    """A number as an id of 26 letters."""
    digits = ""
    for _ in range(26):
        number, digit = divmod(number, 32)
        digits = _ALPHABET[digit] + digits
    return digits


def _square() -> list[tuple[float, float]]:
    return [(106.8, -6.2), (106.9, -6.2), (106.9, -6.1), (106.8, -6.1), (106.8, -6.2)]
