"""Random tampering with a city's tables: ``python -m tests.tampering N [seed]``.

``infra.ops verify`` must find each of the N; what it does not find is printed.
"""

import os
import sys
from collections import Counter
from random import Random

from tests.support import aws

USAGE = "python -m tests.tampering N [seed]"


def main(arguments: list[str]) -> int:
    """Tamper, verify, and tell what was not found; 1 if anything was not."""
    if not arguments or not all(one.isdigit() for one in arguments):
        print(USAGE)
        return 2
    os.environ.update(aws.ENVIRONMENT, POWERTOOLS_LOG_LEVEL="CRITICAL")
    from infra.ops import record_check
    from tests.support import tampering
    from tests.support.world import World

    count, seed = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 1
    with aws.start():
        stored = tampering.play(World(), seed)
    untouched = record_check.faults(stored)
    missed, kinds, rng = [], Counter[str](), Random(seed)
    for _ in range(count):
        rows, what = tampering.tampered(stored, rng)
        kinds[what.partition(":")[0]] += 1
        if not record_check.faults(rows):
            missed.append(what)
    told = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    print(f"{count - len(missed)} of {count} found; {told}")
    for what in (*missed, *(f"nothing was touched, but: {fault}" for fault in untouched)):
        print(f"  {what}")
    return 1 if missed or untouched else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
