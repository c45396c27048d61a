"""``python -m infra.ops verify``: check the record from three sides.

Heads, events, texts and tallies must say the same (``infra.ops.record_check``). Prints JSON, and
exits 1 if anything is wrong. It reads all tables.

Tests: tests/integration/test_verify.py
"""

import json
import sys
from typing import Any


def main() -> int:
    """Print the faults."""
    results = check()
    print(json.dumps(results, indent=2, ensure_ascii=False))
    return 1 if results["faults"] else 0


def check() -> dict[str, Any]:
    """{"reports", "events", "faults": [[city, report, what]]}."""
    from chalicelib.storage import city as city_store
    from chalicelib.storage import record
    from infra.ops import record_check, root_check

    stored = record.everything()
    faults = record_check.faults(stored)
    for city in city_store.jurisdictions():
        faults += root_check.faults(city, stored)
    return {
        "reports": sum("#R#" in row["pk"] for row in stored.reports),
        "events": len(stored.timeline),
        "faults": faults,
    }


if __name__ == "__main__":
    sys.exit(main())
