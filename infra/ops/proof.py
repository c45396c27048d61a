"""``python -m infra.ops proof URL REPORT``: recompute a report's chain from public answers alone.

``URL`` is the address of the API, with the stage. This file needs nothing but Python, so that
anybody may copy it and check a city without its programs (docs/open-data.md).

Tests: tests/integration/test_record_proof.py
"""

import hashlib
import json
import sys
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

GENESIS = "0" * 64
_SECONDS = 30
Fetch = Callable[[str], dict[str, Any]]


def main(words: list[str]) -> int:
    """Print what was checked and each fault; 1 if there is one."""
    if len(words) != 2:
        print("proof URL REPORT", file=sys.stderr)
        return 2
    address, report = words

    def fetch(path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{address.rstrip('/')}{path}", timeout=_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    result = check(report, fetch)
    print(json.dumps(result, indent=2))
    return 1 if result["faults"] else 0


def check(report: str, fetch: Fetch) -> dict[str, Any]:
    """{"events", "withheld", "tail", "faults"} of a report; ``fetch`` gets a path's answer."""
    base = f"/v1/reports/{quote(report)}/proof"
    events: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": 0}
    while page["next"] is not None:
        page = fetch(f"{base}?after={page['next']}")
        events += page["events"]
    faults = chain_faults(events, page["jurisdiction"], report)
    return {
        "events": len(events),
        "withheld": sum(event["event"] is None for event in events),
        "tail": events[-1]["hash"] if events else GENESIS,
        "faults": faults,
    }


def chain_faults(events: list[dict[str, Any]], city: str, report: str) -> list[str]:
    """What is wrong with the events of a proof; an event that is withheld is only a link."""
    faults, previous, moment = [], GENESIS, ""
    for number, row in enumerate(events, start=1):
        if row["version"] != number or row["prev"] != previous:
            faults.append(f"event {number} does not follow the one before")
        previous = row["hash"]
        if row["event"] is None:
            continue
        event = json.loads(row["event"])
        # RFC 8785 of an object without fractions and with plain names.
        text = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if text != row["event"] or hashlib.sha256(text.encode()).hexdigest() != row["hash"]:
            faults.append(f"event {number} does not match its hash")
        said = (event["jurisdiction"], event["report"], event["version"], event["prev"])
        if said != (city, report, number, row["prev"]):
            faults.append(f"event {number} is of another report or place")
        if event["at"] < moment:
            faults.append(f"event {number} is older than the one before")
        moment = event["at"]
    return faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
