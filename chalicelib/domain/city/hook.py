"""A webhook of a city: another system that is sent the public events of reports.

Tests: tests/unit/test_webhooks.py
"""

from dataclasses import dataclass, field
from typing import Any

# For every state or service that has no entry of its own.
OTHERS = "*"


@dataclass(frozen=True)
class Hook:
    """One webhook. A filter that is ``None`` lets everything pass.

    ``states``: {our state or resolution: their word}; ``categories``: {our service: their code};
    "*" is for all others. ``outside_id``: the path to their id of a report in the answer's JSON.
    ``since``: events before this moment are not sent. ``token_header``: the header in which their
    access token is sent, if they want one.
    """

    code: str
    url: str
    events: frozenset[str] | None = None
    services: frozenset[str] | None = None
    districts: frozenset[str] | None = None
    states: dict[str, str] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)
    outside_id: tuple[str, ...] = ()
    since: str = ""
    token_header: str = ""


def read_hook(row: dict[str, Any]) -> Hook:
    """The webhook of a row of a bundle."""
    events, services, districts = (
        None if row.get(name) is None else frozenset(row[name])
        for name in ("events", "services", "districts")
    )
    return Hook(
        row["code"],
        row["url"],
        events,
        services,
        districts,
        row.get("states", {}),
        row.get("categories", {}),
        tuple(row.get("outside_id", ())),
        row.get("since", ""),
        row.get("token_header", ""),
    )
