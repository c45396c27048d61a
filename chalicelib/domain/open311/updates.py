"""What an event tells another system in the words of mySociety's servicerequestupdates."""

from functools import cache
from typing import Any

from chalicelib.domain.report import hidden_in
from chalicelib.rules import load


@cache
def rules() -> dict[str, Any]:
    """The statuses of states, resolutions and actions, and what a status from outside does."""
    found: dict[str, Any] = load("open311")
    return found


def row_of(event: dict[str, Any]) -> dict[str, Any] | None:
    """{report, version, at, status, words}: ``words`` names the event's public texts.

    ``None`` for what is nobody's business: a hidden report, a comment inside, a bookkeeping
    event.
    """
    action, after = event["action"], event["after"]
    words = [one["field"] for one in event["words"] if one["audience"] == "public"]
    if hidden_in(after) or action not in rules()["told"] or (action == "comment" and not words):
        return None
    return {
        "report": event["report"],
        "version": event["version"],
        "at": event["at"],
        "status": status(action, after),
        "words": words,
    }


def status(action: str, after: dict[str, Any]) -> str:
    """The extension's word for how things stand after an action."""
    table = rules()
    found: str = (
        table["actions"].get(action)
        or table["resolutions"].get(after["resolution"] or "")
        or table["states"].get(after["state"], "unchanged")
    )
    return found
