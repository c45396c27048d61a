"""A small city folder without faults, as data that tests change and write."""

import json
from pathlib import Path
from typing import Any

Files = dict[str, Any]


def both(text: str) -> dict[str, str]:
    """The same text in both languages."""
    return {"en": text, "id": text}


def square(west: float, south: float) -> dict[str, Any]:
    """A square of 0.01 degrees."""
    east, north = west + 0.01, south + 0.01
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def ward(number: int, district: int) -> dict[str, Any]:
    """A ward east of the one before."""
    names = {"ward": f"W{number}", "title": f"Ward {number}", "in": f"D{district}"}
    shape = square(106.8 + number / 100, -6.2)
    return {
        "type": "Feature",
        "properties": {**names, "in_title": f"District {district}", "real": True},
        "geometry": shape,
    }


def target(hours: float, clock: str = "calendar") -> dict[str, Any]:
    """A target in hours."""
    return {"hours": hours, "clock": clock}


def service(code: str, **more: Any) -> dict[str, Any]:
    """A service of the districts."""
    given = {"code": code, "name": both(code), "group": "all", "unit": "district"}
    return {**given, "acknowledge": target(4), "resolve": target(24, "working"), **more}


def files() -> Files:
    """A folder without faults: two districts, three wards."""
    limit = [{"n": 5, "seconds": 600}]
    kinds = ("device", "devices", "address", "cell", "tickets")
    entries = [
        {"level": "district", "code": "in", "name": "in_title"},
        {"level": "ward", "code": "ward", "name": "title", "parent": "in"},
    ]
    question = {"code": "size", "type": "singlevaluelist", "label": both("Size?")}
    options = [{"key": "big", "name": both("Big")}, {"key": "small", "name": both("Small")}]
    record = {
        "ref": "s_officer-{district}",
        "subject": "officer-{district}",
        "name": "Officer of {name}",
        "unit": "unit-{district}",
        "home_district": "{district}",
        "grants": [{"role": "officer", "districts": ["{district}"], "services": ["*"]}],
        "endpoints": [{"protocol": "email", "endpoint": "officer-{district}@example.org"}],
    }
    return {
        "city.json": {
            "jurisdiction": "town",
            "name": both("Town"),
            "time_zone": "Asia/Jakarta",
            "emergency": "112",
            "languages": ["id", "en"],
            "levels": ["city", "district", "ward"],
            "boundaries": {
                "areas": [{"level": "city", "code": "C", "name": "Town"}],
                "files": [{"file": "wards.geojson", "where": {"real": True}, "areas": entries}],
            },
            "limits": dict.fromkeys(kinds, limit),
            "rules": {
                "reopen_days": 30,
                "refuse_days": 14,
                "lapse_days": 14,
                "needs_info_days": 7,
                "near_m": 100,
                "duplicate_m": 250,
            },
        },
        "wards.geojson": {
            "type": "FeatureCollection",
            "features": [ward(1, 1), ward(2, 1), ward(3, 2)],
        },
        "services.json": {
            "groups": [{"code": "all", "name": both("All")}],
            "services": [
                service("hole", questions=[{**question, "options": options}]),
                service("violence", unit="bureau", protected=True),
            ],
        },
        "units.json": {
            "for_each_district": [
                {
                    "code": "unit-{district}",
                    "name": both("Unit of {name}"),
                    "kind": "district",
                    "districts": ["{district}"],
                }
            ],
            "units": [{"code": "bureau", "name": both("B"), "kind": "bureau", "districts": ["*"]}],
        },
        "staff.json": {
            "issuer": "https://id.town.example",
            "for_each_district": [record],
            "staff": [
                {
                    "ref": "s_bureau",
                    "subject": "bureau",
                    "name": "Bureau",
                    "unit": "bureau",
                    "grants": [{"role": "officer", "districts": ["*"], "services": ["violence"]}],
                    "permissions": ["contact"],
                }
            ],
        },
        "calendar.json": {
            "working": {
                "mon": [["08:00", "12:00"], ["13:00", "16:00"]],
                "tue": [["08:00", "16:00"]],
            },
            "holidays": [{"date": "2027-01-01", "name": both("New Year"), "basis": "fixed"}],
        },
        "scoring.json": {
            "weights": {"on_time": 60, "verified": 40},
            "rank_from": 10,
            "audit_from": 30,
        },
        "overrides.csv": "district,service,acknowledge_hours,acknowledge_clock,"
        "resolve_hours,resolve_clock\nD2,hole,,,8,working\n",
    }


def write(folder: Path, given: Files) -> Path:
    """The folder with these files."""
    folder.mkdir(exist_ok=True)
    for name, value in given.items():
        text = value if isinstance(value, str) else json.dumps(value, indent=1)
        (folder / name).write_text(text, encoding="utf-8")
    return folder
