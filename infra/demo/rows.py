"""The reports to file: rows of the Qlue archive by time, or made-up ones.

words.json gives the service: the first one of its list with a word that occurs in title or text (in
lower case), else the default.
"""

import csv
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.domain.city.boundaries import Boundaries

WIB = timezone(timedelta(hours=7))
START = datetime(2017, 2, 20, tzinfo=WIB)
REPORTS = Path("reports") / "qlue_2017-02.csv"
MADE_UP = 300
_STORMS, _STORM_HOURS = 12, 60.0
_ELSEWHERE_SHARE = 0.02
# South, west, north, east: the box for the centres of the made-up storms.
_BOX = (-6.36, 106.70, -6.10, 106.96)
_CLUSTER_DEGREES = 0.0012
_LONGEST_LANDMARK = 200


@dataclass(frozen=True)
class Row:
    """One report to file. ``ward`` is the archive's ward code: "" if the place is outside the
    city, ``None`` without an archive."""

    number: int
    at: datetime
    lat: float
    long: float
    service: str
    description: str
    landmark: str
    ward: str | None = None


@cache
def words() -> dict[str, Any]:
    """words.json: which words mean which service, and the texts that people write."""
    document: dict[str, Any] = json.loads((Path(__file__).parent / "words.json").read_bytes())
    return document


def service_of(text: str, offered: Iterable[str]) -> str:
    """The service of a title and text, among the services that the city offers."""
    lower = f"{text.lower()} "
    for entry in words()["services"]:
        if entry["service"] in offered and any(word in lower for word in entry["words"]):
            return str(entry["service"])
    return str(words()["default"])


def archive(data: Path, offered: Iterable[str]) -> list[Row]:
    """The archive's Qlue rows by time.

    A title is filed as a landmark; an empty text as no description.
    """
    with (data / REPORTS).open(encoding="utf-8", newline="") as file:
        taken = [line for line in csv.DictReader(file) if line["source"] == "qlue"]
    rows = [_row(number, line, offered) for number, line in enumerate(taken)]
    return sorted(rows, key=lambda row: (row.at, row.number))


def made_up(boundaries: Boundaries, seed: int, offered: Iterable[str]) -> list[Row]:
    """Reports around the centres of storms in the city, over three days; a few lie outside."""
    rng = random.Random(f"{seed}:made-up")
    centres = [_inside(boundaries, rng) for _ in range(_STORMS)]
    kinds = [kind for kind in words()["texts"] if kind in offered]
    rows = []
    for number in range(MADE_UP):
        lat, long = rng.choice(centres)
        away = 1.0 if rng.random() < _ELSEWHERE_SHARE else 0.0
        kind = rng.choice(kinds)
        hours = 7 + rng.betavariate(2, 3) * _STORM_HOURS
        row = Row(
            number=number,
            at=START + timedelta(seconds=round(hours * 3600)),
            lat=round(rng.gauss(lat, _CLUSTER_DEGREES) - away, 6),
            long=round(rng.gauss(long, _CLUSTER_DEGREES), 6),
            service=kind,
            description=rng.choice(words()["texts"][kind]),
            landmark="",
        )
        rows.append(row)
    return sorted(rows, key=lambda row: (row.at, row.number))


def _row(number: int, line: dict[str, str], offered: Iterable[str]) -> Row:
    at = datetime.fromisoformat(line["created_at_local_utc7"]).replace(tzinfo=WIB)
    title, text = line["title"].strip(), line["text"].strip()
    return Row(
        number,
        at,
        float(line["lat"]),
        float(line["lon"]),
        service_of(f"{title} {text}", offered),
        text,
        title[:_LONGEST_LANDMARK],
        line["kemendagri_code"],
    )


def _inside(boundaries: Boundaries, rng: random.Random) -> tuple[float, float]:
    south, west, north, east = _BOX
    while True:
        lat, long = rng.uniform(south, north), rng.uniform(west, east)
        if boundaries.locate(lat, long).distance_m == 0:
            return lat, long
