"""Whom an event tells, by rules/alerts.json: officials by level, the reporter by kind."""

import json
from functools import cache
from pathlib import Path
from typing import Any

OVERDUE = frozenset({"breach", "escalate"})
_RULES = Path(__file__).parent.parent / "rules" / "alerts.json"


@cache
def rules() -> dict[str, dict[str, str | None]]:
    """The table: {"officials": {action: level}, "citizens": {action: kind}}."""
    table: dict[str, dict[str, str | None]] = json.loads(_RULES.read_bytes())
    return table


def kinds() -> frozenset[str]:
    """The kinds of message that a citizen may get."""
    return frozenset(kind for kind in rules()["citizens"].values() if kind)


def messages(event: dict[str, Any]) -> list[dict[str, Any]]:
    """The outbox rows of an event; each has a stable ``dedupe`` of its own.

    A protected report's alert carries no place and no service; its reporter is not surveyed.
    """
    after, action = event["after"], event["action"]
    base = {
        "jurisdiction": event["jurisdiction"],
        "report": event["report"],
        "version": event["version"],
        "rules": event["rules"],
        "event": action,
        "at": event["at"],
        "protected": after["protected"],
    }
    found = []
    if level := rules()["officials"].get(action):
        row = {
            **base,
            "kind": "alert",
            "level": level,
            "unit": after["unit"],
            "due_at": after["due_at"],
        }
        if not after["protected"]:
            row |= {name: after[name] for name in ("district", "ward", "service", "state")}
        if action in OVERDUE:
            row |= _overdue(event)
        found.append({**row, "dedupe": _dedupe(event, level)})
    kind = rules()["citizens"].get(action)
    if kind and after["contactable"] and not (after["protected"] and kind == "ask"):
        found.append({**base, "kind": kind, "dedupe": _dedupe(event, kind)})
    return found


def _overdue(event: dict[str, Any]) -> dict[str, Any]:
    """Whom a breach or a level tells, and who holds the report; of a protected one, no more."""
    data = event["data"]
    holder = f"person:{data['person']}" if data.get("person") else f"unit:{data['unit']}"
    if event["after"]["protected"]:
        # Whatever the rung says: nobody outside the unit hears of it.
        return {"audience": [f"unit:{event['after']['unit']}"], "priority": data["priority"]}
    audience = sorted({holder if one == "holder" else one for one in data["tell"]})
    found = {"audience": audience, "priority": data["priority"]}
    held = {"unit": data["unit"], "person": data.get("person")}
    kept = ("target", "level", "code")
    step = {name: data[name] for name in kept if data.get(name) is not None}
    return {**found, "held_by": held, "overdue": {**step, "due": data["due"]}}


def _dedupe(event: dict[str, Any], level: str) -> str:
    return ":".join(
        (
            event["jurisdiction"],
            event["report"],
            str(event["version"]),
            event["action"],
            level,
        )
    )
