"""``python -m infra.ops rebuild``: recompute every projection from the timeline.

Prints what differed.
It reads the whole timeline (a Scan, the only one): run it against the local stack while that is
stopped or idle, or against a deployment when a tally is doubted.
"""

import json
import sys


def main() -> int:
    """Print what the rebuild found; exit 1 if anything differed."""
    from chalicelib.services.projections import monthly_counts

    outcome = monthly_counts.rebuild()
    print(json.dumps(outcome, indent=2, ensure_ascii=False))
    return 1 if outcome["changed"] else 0


if __name__ == "__main__":
    sys.exit(main())
