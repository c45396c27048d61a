"""Hostile requests over all public routes: ``python -m tests.hostile N [seed]``.

No answer may be a 5xx, and none may read more than ``READS_AT_MOST``.
"""

import os
import sys
import time

from tests.support import aws

USAGE = "python -m tests.hostile N [seed]"
SHOWN = 20


def main(arguments: list[str]) -> int:
    """Send the requests and print the faults; 1 if there are any."""
    if not arguments or not all(one.isdigit() for one in arguments):
        print(USAGE)
        return 2
    # The product's own log would bury the findings.
    os.environ.update(aws.ENVIRONMENT, POWERTOOLS_LOG_LEVEL="CRITICAL")
    from chalicelib.http.operation import READS_AT_MOST
    from tests.support import hostile_city

    count, seed = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1
    began = time.monotonic()
    with hostile_city.start() as city:
        faults = city.ask(count, seed)
    statuses = ", ".join(f"{n} of {status}" for status, n in sorted(faults.statuses.items()))
    print(f"{count} requests of seed {seed} in {time.monotonic() - began:.0f} s: {statuses}")
    print(f"the most reads ({READS_AT_MOST} are allowed):")
    for name, reads in sorted(faults.reads.items(), key=lambda pair: -pair[1])[:SHOWN]:
        print(f"  {reads:4} {name}")
    print(f"faults: {len(faults.found)}")
    for fault in faults.found[:SHOWN]:
        print(f"  {fault[:1500]}")
    return 1 if faults.found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
