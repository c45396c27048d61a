"""``python -m infra.ops rebuild``: recompute every projection from the timeline.

Prints what differed.
It reads the whole timeline by a Scan. Run it on a local stack that is stopped or idle, or on a
deployment if a count may be wrong.
"""

import json
import sys


def main() -> int:
    """Print the differences. Returns 1 if there are any."""
    from chalicelib.services.projections import monthly_counts

    outcome = monthly_counts.rebuild()
    print(json.dumps(outcome, indent=2, ensure_ascii=False))
    return 1 if outcome["changed"] else 0


if __name__ == "__main__":
    sys.exit(main())
