"""Run more races and histories, or one of them again, from the command line:

    python -m tests.faults histories FIRST LAST     every seed from FIRST up to LAST
    python -m tests.faults clocks FIRST LAST        the same, of histories of the clocks
    python -m tests.faults races FAULTS [NAME ...]  every schedule with at most so many faults

    python -m tests.faults mixed FIRST LAST         keys, erasures, imports, two city versions
    python -m tests.faults channels FIRST LAST      people who file through keys and officials
    python -m tests.faults webhooks FIRST LAST      events sent to another system, with kills
    python -m tests.faults rights                   every right of every pair of grants
    python -m tests.faults stale                    a stale version of every action
    python -m tests.faults recipients               an alert where one official alone is reachable

Prints what is broken with its seed or race and its schedule, and exits 1 if anything is.
``--first`` before these stops at the first.
"""

import os
import sys
from collections.abc import Iterator

from tests.support import aws


def main(arguments: list[str]) -> int:
    """Run what is asked for."""
    first = arguments[:1] == ["--first"]
    kind, *rest = arguments[first:]
    # The product's own log of the failures that are made here would bury the findings.
    os.environ.update(aws.ENVIRONMENT, POWERTOOLS_LOG_LEVEL="CRITICAL")
    broken = 0
    with aws.start():
        for story in _stories(kind, rest):
            broken += 1
            print(story, end="\n\n", flush=True)
            if first:
                break
    print(f"{broken} broken")
    return int(bool(broken))


def _stories(kind: str, rest: list[str]) -> Iterator[str]:
    if kind in ("rights", "stale", "recipients"):
        from tests.faults import drills

        if kind == "recipients":
            return drills.of_recipients()
        return drills.of_grants() if kind == "rights" else drills.of_versions()
    if kind == "mixed":
        return _mixed(*map(int, rest))
    if kind == "channels":
        return _channels(*map(int, rest))
    if kind == "webhooks":
        return _webhooks(*map(int, rest))
    return _races(rest) if kind == "races" else _histories(kind, *map(int, rest))


def _mixed(first: int, last: int) -> Iterator[str]:
    from tests.faults.mixed import play

    for seed in range(first, last):
        if (result := play(seed)).faults:
            yield result.story()


def _channels(first: int, last: int) -> Iterator[str]:
    from tests.faults.channels import play

    for seed in range(first, last):
        if (result := play(seed)).faults:
            yield result.story()


def _webhooks(first: int, last: int) -> Iterator[str]:
    from tests.faults.webhooks import interleaved, play

    for seed in range(first, last):
        for result in (play(seed), interleaved(seed, 0), interleaved(seed, 0.1)):
            if result.faults:
                yield result.story()


def _histories(kind: str, first: int, last: int) -> Iterator[str]:
    from tests.faults.histories import play

    for seed in range(first, last):
        if (result := play(seed, clocks=kind == "clocks")).faults:
            yield result.story()


def _races(rest: list[str]) -> Iterator[str]:
    from tests.faults.races import RACES, exhaust

    for name in rest[1:] or RACES:
        for found in exhaust(name, int(rest[0])):
            if found.faults:
                yield f"race and seed {name}\n{found}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
