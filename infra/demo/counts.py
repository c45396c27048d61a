"""The counts of the demo, all from answers of the API."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from infra.demo.client import Reply
from infra.demo.rows import Row


@dataclass
class Counts:
    """The counts of one run."""

    filed: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wards: Counter[str] = field(default_factory=Counter)
    ward_names: dict[str, str] = field(default_factory=dict)
    services: Counter[str] = field(default_factory=Counter)
    as_recorded: int = 0
    recorded: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    actions_refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    given_up: int = 0
    nobody: int = 0
    photos: int = 0

    def filing(self, row: Row, reply: Reply) -> None:
        """Count the answer to a filing, and whether it names the ward that the archive names."""
        self.filed += 1
        ward = ""
        if reply.accepted:
            reported_ward = reply.body["ward"]
            ward = reported_ward["code"]
            self.accepted += 1
            self.wards[ward] += 1
            self.ward_names[ward] = reported_ward["name"]
            self.services[reply.body["service"]["code"]] += 1
        else:
            self.refused[reply.problem] += 1
        if row.ward is not None:
            self.recorded += 1
            self.as_recorded += ward == row.ward

    def action(self, name: str, reply: Reply) -> None:
        """Count the answer to an action."""
        if reply.accepted:
            self.actions[name] += 1
        else:
            self.actions_refused[name, reply.problem] += 1

    def document(self) -> dict[str, Any]:
        """The counts as JSON values, sorted."""
        refused: dict[str, dict[str, int]] = {}
        for (name, problem), n in sorted(self.actions_refused.items()):
            refused.setdefault(name, {})[problem] = n
        return {
            "filed": self.filed,
            "accepted": self.accepted,
            "refused": dict(sorted(self.refused.items())),
            "wards": dict(sorted(self.wards.items())),
            "services": dict(sorted(self.services.items())),
            "ward_as_recorded": {"rows": self.recorded, "agree": self.as_recorded},
            "actions": dict(sorted(self.actions.items())),
            "actions_refused": refused,
            "given_up": self.given_up,
            "nobody_competent": self.nobody,
            "photos": self.photos,
        }
