"""The outbox's way out: publish with the row's stable dedupe key, then delete the row.

Killed in between, the row is published again under the same key; it is never lost. A row that
cannot be published at all is noted among the dead letters, so that it blocks no other.
"""

from collections.abc import Callable
from typing import Any

from chalicelib.services import alerts
from chalicelib.storage import control, queues

PAGE = 50


def drain(may_go_on: Callable[[], bool] = lambda: True) -> int:
    """Publish what waits, oldest first, while ``may_go_on`` says so; how many went out.

    Raises ``Unavailable`` where SNS, SQS or DynamoDB do not answer; what waits goes on waiting.
    """
    published = 0
    while may_go_on():
        page = control.outbox(PAGE)
        for name, message in page:
            published += _publish(name, message)
            control.remove_outbox(name)
        if len(page) < PAGE:
            break
    return published


def _publish(name: str, message: dict[str, Any]) -> int:
    try:
        if message["kind"] == "alert":
            alerts.publish(message)
        else:
            queues.send_message(message)
    except (LookupError, ValueError, TypeError) as error:
        note = {"message": message, "error": type(error).__name__}
        control.put_dead(message["jurisdiction"], "outbox", name, note)
        return 0
    return 1
