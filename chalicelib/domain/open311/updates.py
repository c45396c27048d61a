"""The rows of mySociety's servicerequestupdates extension: what events tell other systems.

Tests: tests/integration/test_updates.py
"""

from functools import cache
from typing import Any, NotRequired, TypedDict

from chalicelib.domain.report_facts import hidden_in
from chalicelib.domain.timeline_types import Event, Facts
from chalicelib.domain.workflow.table import open311
from chalicelib.rules import load

UNCHANGED = "unchanged"


class UpdateRow(TypedDict):
    """An update: ``words`` names the public texts of its event; ``code`` is our own state or
    resolution, finer than the status; ``photos`` are the event's."""

    report: str
    version: int
    at: str
    status: str
    words: list[str]
    code: NotRequired[str]
    photos: NotRequired[list[str]]


@cache
def rules() -> dict[str, Any]:
    """Statuses for states, resolutions and actions, and actions for statuses from outside."""
    table: dict[str, Any] = load("open311")
    return table


@cache
def told() -> dict[str, str]:
    """{event: status} of the events that make an update: actions, and others of open311.json."""
    return {**rules()["events"], **open311()}


def row_of(event: Event) -> UpdateRow | None:
    """The update of an event.

    ``None`` for a hidden report, an internal comment, or an event without news.
    """
    action, after = event["action"], event["after"]
    words = [word["field"] for word in event["words"] if word["audience"] == "public"]
    if hidden_in(after) or action not in told() or (action == "comment" and not words):
        return None
    word, photos = status(action, after), event["data"].get("photos")
    row: UpdateRow = {
        "report": event["report"],
        "version": event["version"],
        "at": event["at"],
        "status": word,
        "words": words,
    }
    if word != UNCHANGED:
        row["code"] = after["resolution"] or after["state"]
    if photos:
        row["photos"] = photos
    return row


def known(status: str) -> str:
    """The status of a row; rows of older versions have some that other systems do not know."""
    word: str = rules()["former"].get(status, status)
    return word


def status(action: str, after: Facts) -> str:
    """The extension's status after an action. Done work is not fixed before somebody confirms it:
    in GeoReport's requests it is open, too."""
    table, own = rules(), told().get(action)
    own = None if own == "state" else own
    word: str = (
        own
        or table["resolutions"].get(after["resolution"] or "")
        or table["states"].get(after["state"], UNCHANGED)
    )
    return word
