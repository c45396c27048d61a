"""``python -m bench.clocks``: the cost of SLA clock and monthly close; build/bench/clocks.json.

Calls and items are counted at the client, so they do not depend on the machine. Units are
DynamoDB's: half a read unit for each 4 KB of an eventually consistent page, a write unit for each
KB of an item. Time and memory are those of a process that does only the close; the local stack runs
in another process.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.clocks_city import MONTH, fill_heads, fill_rows, publish
from bench.counting import Counting
from bench.failures import BenchError, reported, run
from bench.stack import running_stack

OUT = Path("build") / "bench" / "clocks.json"
OPEN, BREACHES = 500, 40
WARDS = 267


def main() -> int:
    """Print the table and write it, also figures beyond their bounds."""
    parser = argparse.ArgumentParser("python -m bench.clocks", description=__doc__)
    parser.add_argument("--reports", type=int, default=60_000, help="rows of the month")
    parser.add_argument("--open", type=int, default=OPEN, help="open reports at 1x")
    options = parser.parse_args()
    figures: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder, running_stack(Path(folder)) as environment:
        os.environ.update(environment)
        _sweeps(figures, options.open)
        _close(figures, options.reports)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(figures, indent=2) + "\n")
    for name, row in figures.items():
        bound = f"  (bound {row['bound']}, holds: {row['holds']})" if "bound" in row else ""
        print(f"{name:52} {row['value']:>12,.2f}{bound}")
    return 0


def _sweeps(figures: dict[str, dict[str, Any]], size: int) -> None:
    """Sweep the same number of breaches among 1, 4 and 16 times as many open reports."""
    from chalicelib.services.sla import sweep

    read: dict[int, float] = {}
    there = 0
    for number, times in enumerate((1, 4, 16)):
        city, now = publish("sweeps", WARDS)
        fill_heads(city, now, times * size - there, overdue=0, first=there)
        fill_heads(city, now, BREACHES, overdue=BREACHES, first=1_000_000 * (number + 1))
        there = times * size
        with Counting() as counted:
            done = sweep.sweep(now)
        if done != {"breach": BREACHES}:
            raise BenchError(f"the sweep should have found {BREACHES} breaches, and did {done}")
        read[times] = counted.reads
        _row(figures, f"sweep, {BREACHES} breaches, reads at {times}x open", counted.reads)
    _row(figures, "sweep, reads at 4x / at 1x", read[4] / read[1], 1.1)
    _row(figures, "sweep, reads at 16x / at 1x", read[16] / read[1], 1.1)
    with Counting() as counted:
        done = sweep.sweep(now)
    if done:
        raise BenchError(f"nothing was due any more, and the sweep did {done}")
    _row(figures, "sweep with nothing due, calls", counted.calls.total(), 1)


def _close(figures: dict[str, dict[str, Any]], reports: int) -> None:
    """Run a month's close and a live one, each in a process of its own."""
    city, now = publish("closing", WARDS)
    fill_rows(city, now, reports)
    for what, bounds in (("close", (60, 512)), ("live", (None, None))):
        command = [sys.executable, "-m", "bench.clocks_close", city.jurisdiction, MONTH, what]
        row = json.loads(run(command).splitlines()[-1])
        title = f"{what}, {reports} reports in {WARDS} wards"
        _row(figures, f"{title}, s", row["seconds"], bounds[0])
        _row(figures, f"{title}, s of CPU", row["cpu"])
        _row(figures, f"{title}, peak MB", row["peak_mb"], bounds[1])
        for name in ("calls", "files", "read_units", "write_units"):
            _row(figures, f"{title}, {name.replace('_', ' ')}", row[name])


def _row(
    figures: dict[str, dict[str, Any]], name: str, value: float, bound: float | None = None
) -> None:
    limit = {} if bound is None else {"bound": bound, "holds": value <= bound}
    figures[name] = {"value": value, **limit}


if __name__ == "__main__":
    sys.exit(reported(main))
