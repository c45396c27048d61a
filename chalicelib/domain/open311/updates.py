"""The rows of mySociety's servicerequestupdates extension: what events tell other systems.

Tests: tests/unit/test_georeport.py
"""

from functools import cache
from typing import Any

from chalicelib.domain.report import hidden_in
from chalicelib.domain.workflow.table import open311
from chalicelib.rules import load


@cache
def rules() -> dict[str, Any]:
    """Statuses for states, resolutions and actions, and actions for statuses from outside."""
    table: dict[str, Any] = load("open311")
    return table


@cache
def told() -> dict[str, str]:
    """{event: status} of the events that make an update: actions, and others of open311.json."""
    return {**rules()["events"], **open311()}


def row_of(event: dict[str, Any]) -> dict[str, Any] | None:
    """{report, version, at, status, words}: ``words`` names the event's public texts.

    ``None`` for a hidden report, an internal comment, or an event without news.
    """
    action, after = event["action"], event["after"]
    words = [word["field"] for word in event["words"] if word["audience"] == "public"]
    if hidden_in(after) or action not in told() or (action == "comment" and not words):
        return None
    return {
        "report": event["report"],
        "version": event["version"],
        "at": event["at"],
        "status": status(action, after),
        "words": words,
    }


def status(action: str, after: dict[str, Any]) -> str:
    """The extension's status after an action."""
    table, own = rules(), told().get(action)
    own = None if own == "state" else own
    word: str = (
        own
        or table["resolutions"].get(after["resolution"] or "")
        or table["states"].get(after["state"], "unchanged")
    )
    return word
