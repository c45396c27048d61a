"""Many histories of people of whom some are erased (``tests.support.random_people``):

    python -m tests.erasures [HISTORIES] [STEPS]     by default 50 histories of 60 steps
    python -m tests.erasures HISTORIES STEPS over    the same, until the time of everything is over

Prints for each history what is left of erased people and what others lost; exits 1 if there is
anything.
"""

import os
import sys

from tests.support import aws, personal_data_search


def main(words: list[str]) -> int:
    """Play them."""
    os.environ.update(aws.ENVIRONMENT, POWERTOOLS_LOG_LEVEL="CRITICAL")
    from tests.support.random_people import PEOPLE, check, outlive

    histories, steps = int(words[0]) if words else 50, int(words[1]) if words[1:] else 60
    wrong = 0
    for seed in range(histories):
        with aws.start(), personal_data_search.versions_kept(), personal_data_search.quick():
            found = outlive(seed, steps) if "over" in words else check(seed, steps)
        wrong += bool(found)
        print(f"history {seed}: {found or 'nothing is left'}", flush=True)
    print(f"{histories} histories of {PEOPLE} people: {wrong} with something left or lost")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
