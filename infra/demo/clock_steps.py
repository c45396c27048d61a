"""What the clock and the system did to the reports, counted from the officials' view of them."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from chalicelib.domain.notifications import alerts


class ClockSteps:
    """Breaches by target, escalations by level, other events of the system by action, and the
    comments of reporters."""

    def __init__(self) -> None:
        self.breached: Counter[str] = Counter()
        self.escalated: Counter[str] = Counter()
        self.steps: Counter[str] = Counter()
        self.comments = 0
        self._joined = 0

    def add(self, events: Iterable[dict[str, Any]]) -> None:
        """Count the events of one report."""
        for event in events:
            kind = event["by"]["kind"]
            self.comments += event["action"] == "comment" and kind == "citizen"
            if event["action"] == "breach":
                self.breached[event["data"]["target"]] += 1
            elif event["action"] == "escalate":
                self.escalated[str(event["data"]["level"])] += 1
                # Sent in one message with the breach of the same moment.
                self._joined += bool(event["data"].get("joined"))
            elif kind == "system":
                self.steps[event["action"]] += 1

    def alerts_due(self) -> int:
        """How many alerts these events must have caused."""
        always = alerts.always_alerting()
        always_told = sum(n for action, n in self.steps.items() if action in always)
        return (
            self.breached.total()
            + self.escalated.total()
            - self._joined
            + always_told
            + self.comments
        )

    def document(self) -> dict[str, Any]:
        """The counts as the demo's document has them."""
        return {
            "breached": dict(sorted(self.breached.items())),
            "escalated": dict(sorted(self.escalated.items())),
            "lapsed": self.steps["lapse"],
            "by_the_clock": dict(sorted(self.steps.items())),
        }
