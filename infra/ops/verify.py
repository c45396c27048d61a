"""``python -m infra.ops verify``: check the timelines.

Each must be complete and chained, and match its head. Texts must match the digests in the events. A
missing text must be named by an event that erased or removed it; otherwise it is a fault.

Prints JSON, and exits 1 if anything is wrong. It reads the whole timeline.
"""

import json
import sys
from collections import defaultdict
from typing import Any


def main() -> int:
    """Print the faults."""
    results = check()
    print(json.dumps(results, indent=2, ensure_ascii=False))
    return 1 if results["faults"] else 0


def check() -> dict[str, Any]:
    """{"reports", "events", "faults": [[city, report, what]]}."""
    from chalicelib.domain import event_parts, hash_chain
    from chalicelib.domain.report_facts import fold, public_part
    from chalicelib.storage import report_texts, reports, timeline_rows

    links: dict[tuple[str, str], list[tuple[int, hash_chain.Entry]]] = defaultdict(list)
    for key, version, entry in timeline_rows.whole_chain():
        place, _, report = key.split("#")
        links[place, report].append((version, entry))
    faults = []
    for (place, report), rows in sorted(links.items()):
        chain = [entry for _, entry in sorted(rows)]
        found = hash_chain.faults(chain)
        events = [json.loads(event_parts.whole(one.text, one.inside)) for one in chain]
        head = reports.get(place, report)
        if head is None:
            found.append("there is no head")
        elif fold(events) != public_part(head) or chain[-1].hash != head.tail:
            found.append("the head is not what its events say")
        found += hash_chain.text_faults(events, report_texts.all_texts(place, report))
        faults += [[place, report, one] for one in found]
    return {
        "reports": len(links),
        "events": sum(len(one) for one in links.values()),
        "faults": faults,
    }


if __name__ == "__main__":
    sys.exit(main())
