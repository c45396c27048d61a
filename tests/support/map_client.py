"""A client that loads the map once, and then asks only for changes."""

import json
from datetime import datetime
from typing import Any

from chalicelib.services.map import changes, viewport
from tests.support.world import JURISDICTION, SIDE, SOUTH, WARDS, WEST

CITY = f"{WEST},{SOUTH},{WEST + len(WARDS) * SIDE},{SOUTH + SIDE}"

Features = dict[str, dict[str, Any]]


def look(now: datetime, bbox: str = CITY, **asked: Any) -> dict[str, Any]:
    """The map's answer for a box, the whole city by default."""
    view = viewport.ViewQuery(bbox, **{"limit": 5000, **asked})
    found: dict[str, Any] = json.loads(viewport.view(JURISDICTION, view, now))
    return found


def by_id(answer: dict[str, Any]) -> Features:
    """The answer's features by the report's id."""
    found = {feature["id"]: feature for feature in answer["features"]}
    assert len(found) == len(answer["features"])
    return found


class Watcher:
    """A map that only changes update; ``repeats`` counts features that came twice."""

    def __init__(self, now: datetime) -> None:
        answer = look(now)
        self.cursor: str = answer["changes"]
        self.there = by_id(answer)
        self.repeats = 0

    def sleep(self, now: datetime) -> None:
        """Let time pass in which nothing happens."""
        self.cursor = json.loads(changes.since(JURISDICTION, None, now))["cursor"]

    def poll(self, now: datetime) -> int:
        """Ask until there are no more changes; how many reports were added or removed."""
        many, more = 0, True
        while more:
            answer = json.loads(changes.since(JURISDICTION, self.cursor, now))
            self.cursor = answer["cursor"]
            for one in answer["upsert"]:
                self.repeats += self.there.get(one["id"]) == one
                self.there[one["id"]] = one
            for report in answer["remove"]:
                self.there.pop(report, None)
            many += len(answer["upsert"]) + len(answer["remove"])
            more = answer.get("more", False)
        return many
