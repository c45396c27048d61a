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
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

GENESIS = "0" * 64
# A function writes the moment at which it began, and runs at most this long.
CLOCKS = timedelta(minutes=15)
_SECONDS = 30
Fetch = Callable[[str], dict[str, Any]]


def main(words: list[str]) -> int:
    """Print what was checked and each fault; 1 if there is one."""
    if len(words) != 2 or not words[0].startswith(("https://", "http://")):
        print("proof URL REPORT", file=sys.stderr)
        return 2
    address, report = words

    def fetch(path: str) -> dict[str, Any]:
        url = f"{address.rstrip('/')}{path}"
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # nosec B310
            document: dict[str, Any] = json.load(answer)
            return document

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
    city = page["jurisdiction"]
    faults = chain_faults(events, city, report)
    days = fetch("/v1/record?limit=100")["days"]
    inclusion = fetch(f"/v1/reports/{quote(report)}/inclusion")["inclusion"]
    if inclusion is not None and inclusion["day"] not in {row["day"] for row in days}:
        # The list came from a cache, and a day was sealed since.
        days = fetch(f"/v1/record?limit=100&before={int(inclusion['day']) + 1:08}")["days"]
    faults += day_faults(days, city)
    if inclusion is not None:
        faults += inclusion_faults(inclusion, days, events, city, report)
    return {
        "day": inclusion["day"] if inclusion else None,
        "events": len(events),
        "withheld": sum(event["event"] is None for event in events),
        "tail": events[-1]["hash"] if events else GENESIS,
        "faults": faults,
    }


def chain_faults(events: list[dict[str, Any]], city: str, report: str) -> list[str]:
    """What is wrong with the events of a proof; an event that is withheld is only a link."""
    faults, previous = [], GENESIS
    moment: datetime | None = None
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
        at = datetime.fromisoformat(event["at"].replace("Z", "+00:00"))
        if moment is not None and at < moment - CLOCKS:
            faults.append(f"event {number} is older than the one before")
        moment = at
    return faults


def day_faults(days: list[dict[str, Any]], city: str) -> list[str]:
    """What is wrong with the daily roots, newest first, each chained to the next in the list."""
    faults = []
    for number, row in enumerate(days):
        document = json.loads(row["document"])
        if hashlib.sha256(row["document"].encode()).hexdigest() != row["hash"]:
            faults.append(f"the root of {row['day']} does not match its hash")
        if (document["jurisdiction"], document["day"]) != (city, row["day"]):
            faults.append(f"the root of {row['day']} is of another city or day")
        if number + 1 < len(days) and document["prev"] != days[number + 1]["hash"]:
            faults.append(f"the root of {row['day']} does not follow the one before")
    return faults


def inclusion_faults(
    inclusion: dict[str, Any],
    days: list[dict[str, Any]],
    events: list[dict[str, Any]],
    city: str,
    report: str,
) -> list[str]:
    """What is wrong with the path from a report to the root of its month (RFC 6962)."""
    months = {
        row["month"]: row["root"]
        for day in days
        if day["day"] == inclusion["day"]
        for row in json.loads(day["document"])["months"]
    }
    values = [city, report, inclusion["version"], inclusion["hash"]]
    leaf = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    value = hashlib.sha256(b"\x00" + leaf.encode()).digest()
    for step in inclusion["path"]:
        other = bytes.fromhex(step["hash"])
        both = other + value if step["side"] == "left" else value + other
        value = hashlib.sha256(b"\x01" + both).digest()
    faults = []
    if value.hex() != months.get(inclusion["month"]):
        faults.append(f"the report is not in the root of {inclusion['day']}")
    hashes = {row["version"]: row["hash"] for row in events}
    if hashes.get(inclusion["version"]) != inclusion["hash"]:
        faults.append(f"the chain does not contain the event in the root of {inclusion['day']}")
    return faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
