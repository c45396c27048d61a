"""A town of three wards for tests of the services: two districts, an agency, a bureau, its people.

``publish()`` loads it into the AWS of ``tests.support.aws``; the actors are principals as the
routes make them. Places: ``SPOTS`` are (lat, long) inside each ward.
"""

import time
from datetime import timedelta
from functools import cache
from typing import Any

from chalicelib.domain.principal import Principal
from tests.support import aws

PLACE = "town"
DAY = timedelta(days=1)
_WARDS = {"A.1": (106.80, -6.20), "A.2": (106.82, -6.20), "B.1": (106.84, -6.20)}
_SIDE = 0.02
SPOTS = {ward: (south + _SIDE / 2, west + _SIDE / 2) for ward, (west, south) in _WARDS.items()}
ROLES = ("officer", "dispatcher", "district_head", "field_worker")
ISSUER = "https://id.town.example"


def _text(text: str) -> dict[str, str]:
    return {"en": text, "id": text}


def _service(code: str, group: str, hours: float, **more: Any) -> dict[str, Any]:
    return {
        "code": code,
        "name": _text(code),
        "group": group,
        "acknowledge": {"hours": 8, "clock": "calendar"},
        "resolve": {"hours": hours, "clock": "calendar"},
        "unit": "district",
        **more,
    }


def bundle() -> dict[str, Any]:
    """The town's rules as ``infra.city`` would write them."""
    areas = [{"code": "T", "name": "Town", "level": "city", "parent": None}]
    areas += [
        {"code": code, "name": f"District {code}", "level": "district", "parent": "T"}
        for code in "AB"
    ]
    areas += [
        {"code": ward, "name": f"Ward {ward}", "level": "ward", "parent": ward[0]}
        for ward in _WARDS
    ]
    return {
        "jurisdiction": PLACE,
        "version": "000000000001",
        "name": _text("Town"),
        "time_zone": "Asia/Jakarta",
        "emergency": "112",
        "languages": ["en", "id"],
        "levels": ["city", "district", "ward"],
        "areas": areas,
        "groups": [{"code": code, "name": _text(code)} for code in ("roads", "lamps", "safety")],
        "services": [
            _service("hole", "roads", 72),
            _service("crack", "roads", 240),
            _service("lamp", "lamps", 48),
            _service("violence", "safety", 24, unit="bureau", protected=True),
        ],
        "units": [
            {"code": "unit-a", "name": _text("A"), "kind": "district", "districts": ["A"]},
            {"code": "unit-b", "name": _text("B"), "kind": "district", "districts": ["B"]},
            {"code": "water", "name": _text("Water"), "kind": "agency", "districts": ["A", "B"]},
            {"code": "bureau", "name": _text("Bureau"), "kind": "bureau", "districts": []},
        ],
        "calendar": {
            "working": {day: [["08:00", "16:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
            "holidays": [{"date": "2026-02-17", "name": "Holiday"}],
        },
        "overrides": [],
        "scoring": {},
        "escalation": {
            "per_hour": 5,
            "morning_hour": 7,
            "ladders": {
                "*": [
                    {"share": 1.0, "tell": ["holder", "district_head"], "priority": "high"},
                    {"share": 1.5, "tell": ["dispatcher"], "priority": "high"},
                    {"share": 2.0, "tell": ["city_admin", "auditor"], "priority": "urgent"},
                ]
            },
        },
        "limits": {
            "device": [{"n": 40, "seconds": 600}],
            "address": [{"n": 200, "seconds": 3600}],
            "tickets": [{"n": 40, "seconds": 3600}],
        },
        "rules": {
            "reopen_days": 30,
            "refuse_days": 14,
            "lapse_days": 14,
            "needs_info_days": 7,
            "near_m": 100,
            "duplicate_m": 250,
        },
    }


def staff() -> list[dict[str, Any]]:
    """The town's officials: one of each role a district, a verifier of the bureau."""
    records = [
        _record(f"{role}-{district.lower()}", role, district) for role in ROLES for district in "AB"
    ]
    records.append(_record("officer-a2", "officer", "A"))
    verifier = _record("verifier", "verifier", "*", unit="bureau")
    return [*records, {**verifier, "permissions": ["contact"]}]


def _record(ref: str, role: str, district: str, unit: str | None = None) -> dict[str, Any]:
    return {
        "issuer": ISSUER,
        "subject": ref,
        "ref": f"s_{ref}",
        "name": ref,
        "unit": unit or f"unit-{district.lower()}",
        "home_district": None if district == "*" else district,
        "grants": [{"role": role, "districts": [district], "services": ["*"]}],
        "permissions": [],
        "active": True,
    }


@cache
def boundaries() -> bytes:
    """The index of the town's wards, which are squares side by side."""
    from chalicelib.domain.city.boundaries import build

    def square(west: float, south: float) -> list[list[list[tuple[float, float]]]]:
        east, north = round(west + _SIDE, 6), round(south + _SIDE, 6)
        ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
        return [[ring]]

    return build([(ward, square(*corner)) for ward, corner in _WARDS.items()])


def publish() -> None:
    """Load the town into the present AWS."""
    from chalicelib import clock
    from chalicelib.services.city import cities

    cities.publish(bundle(), boundaries(), staff(), clock.now())


def reset() -> None:
    """The town and nothing else, as a container that has served before sees it."""
    from chalicelib import clock
    from chalicelib.services.city import cities
    from chalicelib.services.city import staff as officials
    from chalicelib.settings import settings
    from chalicelib.storage import queues, signing_keys

    officials.forget()
    version = bundle()["version"]
    if PLACE not in cities._pointers:
        aws.fresh()
        publish()
        cities.boundaries(PLACE, cities.current(PLACE, clock.now()).version)
    else:
        aws.empty(but_cities=True)
    # What is known of them must not be older in one test than in another.
    cities._pointers[PLACE] = (clock.now(), version)
    signing_keys._cached = (time.monotonic(), aws.KEYS)
    for queue in (settings().messages_queue, settings().photos_queue):
        queues._url(queue)


def citizen(name: str) -> Principal:
    """A citizen by a device of their own."""
    return Principal("citizen", PLACE, uid=f"d_{name}")


def official(ref: str) -> Principal:
    """The official of this reference, without ``s_``."""
    from chalicelib.services.city.staff import principal

    return principal(PLACE, next(one for one in staff() if one["ref"] == f"s_{ref}"))
