"""One close of a month in a process of its own: prints time, memory, calls, units as JSON."""

import json
import resource
import sys
import time
from datetime import timedelta
from typing import Any

from bench.counting import Counting


def main(jurisdiction: str, month: str, what: str) -> None:
    """Close the month as a draft, or compute its live figures."""
    from chalicelib.services.city import cities
    from chalicelib.services.scorecards import lifecycle
    from chalicelib.storage import files

    written: list[str] = []
    put = files.put

    def counted_put(key: str, body: bytes, kind: str, *, locked: bool = False) -> None:
        written.append(key)
        put(key, body, kind, locked=locked)

    setattr(files, "put", counted_put)  # noqa: B010  (mypy forbids assigning to a function)
    city = cities.at(jurisdiction, "bench")
    start, end = city.bounds(month)
    draft = what == "close"
    now = end + timedelta(days=16) if draft else start + timedelta(days=27, hours=1)
    stage = lifecycle.DRAFT if draft else lifecycle.LIVE
    began, cpu = time.perf_counter(), time.process_time()
    with Counting() as counted:
        assert lifecycle.close(city, month, stage, now) is not None
    figures: dict[str, Any] = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "calls": counted.calls.total(),
        "files": len(written),
        "read_units": counted.read_units,
        "write_units": counted.write_units,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
