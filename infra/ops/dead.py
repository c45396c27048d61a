"""``python -m infra.ops dead``: show what could not be processed, and count dead-lettered messages.

Prints JSON: the notes of every city by source (the newest ``MOST`` each), and the number of
messages in each dead-letter queue. Exits 1 if there is anything.
"""

import json
import sys
from typing import Any

MOST = 100


def main() -> int:
    """Print the dead letters."""
    dead_letters = look()
    print(json.dumps(dead_letters, indent=2, ensure_ascii=False))
    return 1 if dead_letters["notes"] or any(dead_letters["queues"].values()) else 0


def look() -> dict[str, Any]:
    """{"notes": {"<city> <source>": [{"name", …}]}, "queues": {name: messages}}."""
    from chalicelib.settings import settings
    from chalicelib.storage import city, control, queues

    notes = {}
    for jurisdiction in city.jurisdictions():
        for source in control.DEAD_SOURCES:
            if rows := control.dead(jurisdiction, source, MOST):
                notes[f"{jurisdiction} {source}"] = rows
    names = (settings().messages_queue, settings().photos_queue, settings().forwards_queue)
    return {
        "notes": notes,
        "queues": {f"{one}-dead": queues.waiting(f"{one}-dead") for one in names},
    }


if __name__ == "__main__":
    sys.exit(main())
