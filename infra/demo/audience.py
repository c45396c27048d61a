"""Which officials each alert reached, and why.

The product's own rule decides (``services.notifications.officials``). An alert that reaches nobody
has an empty list. Messages that are not urgent are counted by official and hour.
"""

import json
from collections import Counter
from datetime import datetime
from typing import Any

AT_MOST = 20
URGENT = "urgent"


class Audience:
    """The recipients of the run's messages."""

    def __init__(self) -> None:
        self._told: list[dict[str, Any]] = []
        self._hours: Counter[tuple[str, str]] = Counter()

    def take(self, document: dict[str, Any], attributes: dict[str, Any], now: datetime) -> None:
        """Record a message: the ``document`` for machines, its attributes, and its time."""
        # Imported once the stack has named its region and tables.
        from chalicelib.services.notifications import alerts

        # The announcement of a scorecard has its audience only in the attributes.
        whom = document.get("audience") or json.loads(attributes["audience"]["Value"])
        to = alerts.recipients({**document, "audience": whom})
        priority = attributes.get("priority", {}).get("Value", "normal")
        self._told.append(
            {
                "event": document["event"],
                "about": document.get("report") or document.get("dedupe"),
                "priority": priority,
                "to": [{"official": ref, "why": why} for ref, why in to],
            }
        )
        if priority != URGENT:
            hour = now.strftime("%Y-%m-%dT%H")
            self._hours.update((ref, hour) for ref, _ in to)

    def document(self) -> dict[str, Any]:
        """Every message's audience, how many reached nobody, and the most in one hour."""
        (official, hour), most = max(
            self._hours.items(), key=lambda hour: (hour[1], hour[0]), default=(("", ""), 0)
        )
        return {
            "messages_to_officials": len(self._told),
            "messages_to_nobody": sum(not message["to"] for message in self._told),
            "fullest_hour": {"official": official, "hour": hour, "messages": most},
            "audiences": self._told,
        }
