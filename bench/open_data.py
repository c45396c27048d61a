"""``python -m bench.open_data``: writing a month of open data; also build/bench/open_data.json.

Rows are made up, and files are measured and dropped. The figures are the time and memory of writing
(rows to GeoReport, five formats, digests), without DynamoDB and S3, which would add pages of 1,000
rows, ten BatchGets for each, and one upload for each file.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.failures import reported

OUT = Path("build") / "bench" / "open_data.json"
TEXT = "Lubang di depan pasar, sudah dua minggu, kemarin ada motor jatuh."
BOUNDS = {"seconds": 600.0, "peak memory, MiB": 512.0}


def main() -> int:
    """Print the table and write it, also figures beyond their bounds."""
    parser = argparse.ArgumentParser("python -m bench.open_data")
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = _measure(parser.parse_args().rows)
    figures = {name: {"value": value, **_bound(name, value)} for name, value in rows.items()}
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    for name, row in figures.items():
        bound = f"  (bound {row['bound']:g}, holds: {row['holds']})" if "bound" in row else ""
        print(f"{name:32} {row['value']:>14,.1f}{bound}")
    return 0


def _bound(name: str, value: float) -> dict[str, float | bool]:
    return {"bound": BOUNDS[name], "holds": value <= BOUNDS[name]} if name in BOUNDS else {}


def _measure(many: int) -> dict[str, float]:
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    from chalicelib.domain.city.city import City
    from chalicelib.services.city import cities
    from chalicelib.services.open_data import publishing
    from chalicelib.services.platform import set_aside
    from infra.city.load import prepare

    bundle = prepare(Path("infra/cities/demo")).bundle
    city = City.from_json(bundle)
    sizes: list[int] = []

    def keep(key: str, file: Any, content_type: str, name: str) -> None:
        sizes.append(file.seek(0, 2))

    began = time.perf_counter()
    with (
        patch("chalicelib.storage.open311_requests.of_month", lambda *_: _pages(city, many)),
        patch(
            "chalicelib.storage.open311_requests.descriptions",
            lambda _, ids: dict.fromkeys(ids, TEXT),
        ),
        patch("chalicelib.storage.files.put_file", keep),
        patch.object(cities, "at", lambda *_: city),
    ):
        run = set_aside.Run(publishing.SOURCE, datetime(2026, 12, 1, tzinfo=UTC))
        publishing._write_month(run, city, "202611")
    seconds = time.perf_counter() - began
    return {
        "rows": many,
        "seconds": seconds,
        "rows a second": many / seconds,
        "bytes written": sum(sizes),
        "peak memory, MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _pages(city: Any, many: int) -> Iterator[list[dict[str, Any]]]:
    from chalicelib import ids
    from chalicelib.domain.timestamps import iso

    ward = city.areas_of_level(-1)[0].code
    district, _ = city.district_and_path(ward)
    at = datetime(2026, 11, 1, tzinfo=UTC)
    row = {
        "rules": city.version, "state": "submitted", "resolution": None, "service": "banjir",
        "district": district, "ward": ward, "unit": city.unit_for("banjir", district),
        "agency": None, "due_at": iso(at + timedelta(days=2)), "place": [-61750000, 1068000000],
        "closed_at": None, "picture": None, "updated": iso(at),
    }  # fmt: skip
    for start in range(0, many, 1000):
        yield [
            {**row, "id": ids.new_ulid(at + timedelta(seconds=start))}
            for _ in range(min(1000, many - start))
        ]


if __name__ == "__main__":
    sys.exit(reported(main))
