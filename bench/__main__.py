"""``python -m bench``: what a request costs, as ratios within one run; also build/bench/spine.json.

CPU is this process's own (``time.process_time``); the emulator runs in another process and is not
counted. Each figure of requests is the median of batches that alternate with the bare route.
"""

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from bench import cold, requests
from bench.failures import reported
from bench.stack import running_stack

OUT = Path("build") / "bench" / "spine.json"
BOUNDS = {
    "cold_start / boto3 client": 1.5,
    "report by id / bare route": 40.0,
    "warm boundary look-up, µs of CPU": 50.0,
}


def main() -> int:
    """Print the table and write it, also figures beyond their bounds."""
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder)) as environment:
        os.environ.update(environment)
        rows = requests.measure()
        rows |= cold.measure()
    figures = {
        name: {"value": value, **_bound(name, value)} for name, value in sorted(rows.items())
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    for name, row in figures.items():
        bound = f"  (bound {row['bound']}, holds: {row['holds']})" if "bound" in row else ""
        print(f"{name:42} {row['value']:>10.2f}{bound}")
    return 0


def _bound(name: str, value: float) -> dict[str, float | bool]:
    return {"bound": BOUNDS[name], "holds": value <= BOUNDS[name]} if name in BOUNDS else {}


def median(values: list[float]) -> float:
    """The median, for the measuring modules."""
    return statistics.median(values)


if __name__ == "__main__":
    sys.exit(reported(main))
