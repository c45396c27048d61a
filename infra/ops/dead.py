"""``python -m infra.ops dead``: show what could not be processed, and count dead-lettered messages.

Prints JSON: the notes of every city by source (the newest ``MOST`` each), and the number of
messages in each dead-letter queue, with stream records and runs of schedules that failed. Exits 1
if there is anything.
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
    chosen = settings()
    names = (
        chosen.messages_queue, chosen.photos_queue, chosen.forwards_queue, chosen.webhooks_queue,
    )  # fmt: skip
    waiting = {f"{name}-dead": queues.waiting(f"{name}-dead") for name in names}
    # Stream records that failed: on AWS and in the local stack, which makes the queue when needed.
    for name in (f"{settings().table_prefix}-failures", "project_timeline-poison"):
        if queues.exists(name):
            waiting[name] = queues.waiting(name)
    return {"notes": notes, "queues": waiting}


if __name__ == "__main__":
    sys.exit(main())
