"""Rows of an old system with every fault of docs/import.md, and what pandas makes of them.

``pandas`` reads the CSV on its own and computes the counts that the import must give.
"""

import csv
import io
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from tests.support.world import SIDE, SOUTH, WARDS, WEST

ZONE = "Asia/Jakarta"
FORM = "%d/%m/%Y %H:%M:%S"
MAPPING: dict[str, Any] = {
    "source": "oldtown",
    "columns": {"id": "no", "created": "opened", "closed": "closed", "lat": "lat", "long": "lon",
                "service": "kind", "status": "state", "description": "text", "landmark": "near"},
    "statuses": {"Baru": "open", "Selesai": "unverified", "Ditolak": "rejected",
                 "Beres": "verified"},
    "services": {"LUBANG": "pothole", "Sampah*": "litter", "/(?:.* )?lampu(?: .*)?/": "lamp",
                 "Kekerasan": "violence"},
    "dates": FORM,
    "separator": ";",
    "encoding": "latin-1",
}  # fmt: skip
NAMES = list(MAPPING["columns"].values())
KINDS = ("LUBANG", "Sampah", "Sampah basah", "LAMPU jalan", "lampu", "Kekerasan")
_CODES = {"LUBANG": "pothole", "Kekerasan": "violence"}
_SECRETS = ("siti@example.org", "0812-3456-7890", "+62 812 3456 7890")
_NORTH, _EAST = SOUTH + SIDE, WEST + len(WARDS) * SIDE

# The change of a right row that makes each fault.
FAULTS: dict[str, Any] = {
    "id_unusable": lambda dice, _: {"no": dice.choice(("a b", "x" * 65, "siti@example.org"))},
    "duplicate_id": None,
    "created_unreadable": lambda dice, _: {"opened": dice.choice(("", "5 Maret", "31/02/2024"))},
    "created_in_the_future": lambda dice, _: {"opened": "01/01/2124 00:00:00"},
    "created_before_1970": lambda dice, _: {"opened": "01/01/1950 00:00:00"},
    "closed_unreadable": lambda dice, _: {"state": "Selesai", "closed": "kemarin"},
    "closed_before_created": lambda dice, _: {"state": "Ditolak", "closed": "01/01/2001 00:00:00"},
    "closed_in_the_future": lambda dice, _: {"state": "Beres", "closed": "01/01/2124 00:00:00"},
    "unknown_status": lambda dice, _: {"state": dice.choice(("", "Tutup"))},
    "unknown_service": lambda dice, _: {"kind": dice.choice(("Pohon", "lubang", "LAMPUNG"))},
    "place_unreadable": lambda dice, _: {"lat": dice.choice(("", "x", "nan", "1e300", "-inf"))},
    "place_zero": lambda dice, _: {"lat": "0", "lon": "0.0"},
    "place_in_whole_degrees": lambda dice, _: {"lat": "-6", "lon": "107"},
    "place_swapped": lambda _, row: {"lat": row["lon"], "lon": row["lat"]},
    "outside_area": lambda dice, _: {"lat": f"{-7.5 + dice.random() / 10:.6f}"},
    "personal_data_hidden": lambda dice, _: {"text": f"Hubungi {dice.choice(_SECRETS)} ya"},
}  # fmt: skip


def csv_text(seed: int, many: int, now: datetime) -> str:
    """A CSV of rows from 2005 until ``now``. Three of ten have a fault; each fault is there."""
    dice = random.Random(seed)
    rows: list[dict[str, str]] = []
    kinds = list(FAULTS)
    for number in range(many):
        row = _right(dice, number, now)
        if number and (number <= len(kinds) or dice.random() < 0.3):
            kind = kinds[number - 1] if number <= len(kinds) else dice.choice(kinds)
            change = FAULTS[kind]
            row |= change(dice, row) if change else {"no": dice.choice(rows)["no"]}
        rows.append(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, NAMES, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _right(dice: random.Random, number: int, now: datetime) -> dict[str, str]:
    since = datetime(2005, 1, 1, tzinfo=UTC)
    # Half of them in the last months, where a scorecard would see them.
    first = since if dice.random() < 0.5 else now - timedelta(days=100)
    opened = first + (now - timedelta(days=1) - first) * dice.random()
    closed = opened + (now - opened) * dice.random()
    state = dice.choice(("Baru", "Selesai", "Ditolak", "Beres"))
    return {
        "no": f"A-{number}",
        "opened": _local(opened),
        "closed": _local(closed) if state != "Baru" else "",
        "lat": f"{dice.uniform(SOUTH + 0.0001, _NORTH - 0.0001):.6f}",
        "lon": f"{dice.uniform(WEST + 0.0001, _EAST - 0.0001):.6f}",
        "kind": dice.choice(KINDS),
        "state": state,
        "text": dice.choice(("", "Lubang besar", 'Stra\u00dfe; "sudah" lama', "=1+1")),
        "near": dice.choice(("", "Masjid")),
    }


def _local(moment: datetime) -> str:
    return pd.Timestamp(moment).tz_convert(ZONE).strftime(FORM)


class Expected:
    """What the import of a CSV must give, computed by pandas."""

    def __init__(self, text: str, now: datetime) -> None:
        table = pd.read_csv(
            io.StringIO(text), sep=";", dtype=str, keep_default_na=False, encoding="latin-1"
        )
        opened, closed = (self._times(table[name]) for name in ("opened", "closed"))
        lat, long = (pd.to_numeric(table[name], errors="coerce") for name in ("lat", "lon"))
        present, first = pd.Timestamp(now), pd.Timestamp("1970-01-01", tz="UTC")
        is_closed = table["state"] != "Baru"
        service = self._services(table["kind"])
        faults = {
            "duplicate_id": table["no"].duplicated(),
            "id_unusable": ~table["no"].str.fullmatch(r"[A-Za-z0-9._:/#-]{1,64}"),
            "created_unreadable": opened.isna(),
            "created_before_1970": opened < first,
            "created_in_the_future": opened > present,
            "unknown_status": ~table["state"].isin(MAPPING["statuses"]),
            "closed_unreadable": is_closed & closed.isna(),
            "closed_before_created": is_closed & (closed < opened),
            "closed_in_the_future": is_closed & (closed > present),
            "place_unreadable": ~(lat.abs() <= 180) | ~(long.abs() <= 180),
            "place_zero": (lat.abs() < 1e-6) & (long.abs() < 1e-6),
            "place_in_whole_degrees": (lat == lat.round()) & (long == long.round()),
            "place_swapped": ~self._inside(lat, long) & self._inside(long, lat),
            "unknown_service": service == "",
            "outside_area": ~self._inside(lat, long),
        }
        finding = np.select(list(faults.values()), list(faults), default="")
        right = table.assign(
            service=service, opened=opened, closed=closed, status=table["state"],
            ward=((long - WEST) // SIDE), zone_month=opened.dt.tz_convert(ZONE).dt.strftime("%Y%m"),
            closed_month=closed.dt.tz_convert(ZONE).dt.strftime("%Y%m"),
        )[finding == ""]  # fmt: skip
        self.rows = len(table)
        self.imported = len(right)
        self.findings = Counter(kind for kind in finding if kind)
        hidden = right["text"].str.contains("@|62|0812", regex=True).sum()
        self.findings["personal_data_hidden"] = int(hidden)
        self.services = Counter(right["service"])
        self.statuses = Counter(right["status"].map(MAPPING["statuses"]))
        self.tallies = self._tallies(right)

    @staticmethod
    def _times(texts: Any) -> Any:
        local = pd.to_datetime(texts, format=FORM, errors="coerce")
        return local.dt.tz_localize(ZONE).dt.tz_convert("UTC")

    @staticmethod
    def _services(kinds: Any) -> Any:
        words = kinds.str.lower().str.split(" ")
        lamp = words.map(lambda parts: "lamp" if "lampu" in parts else "")
        waste = kinds.str.startswith("Sampah").map({True: "litter", False: ""})
        codes = kinds.map(_CODES).fillna("")
        codes = codes.where(codes != "", waste)
        return codes.where(codes != "", lamp)

    @staticmethod
    def _inside(lat: Any, long: Any) -> Any:
        return lat.between(SOUTH, _NORTH) & long.between(WEST, _EAST)

    @staticmethod
    def _tallies(right: Any) -> dict[tuple[str, str], Counter[str]]:
        """{(month, ward): {measure: n}} of the reports that are not protected."""
        tallies: dict[tuple[str, str], Counter[str]] = {}
        for _, row in right[right["service"] != "violence"].iterrows():
            ward = WARDS[int(row["ward"])]
            status = MAPPING["statuses"][row["status"]]
            opened = tallies.setdefault((row["zone_month"], ward), Counter())
            opened["received"] += 1
            if status == "open":
                opened["open"] += 1
            else:
                tallies.setdefault((row["closed_month"], ward), Counter())[status] += 1
        return tallies
