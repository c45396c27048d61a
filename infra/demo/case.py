"""One accepted report as the demo's people know it, and the body of each action on it."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from infra.demo.client import Actor
from infra.demo.officials import Place
from infra.demo.rows import words


@dataclass
class Case:
    """What the answers said; ``version`` is the last one that officials saw."""

    number: int
    id: str
    reporter: Actor
    place: Place
    filed_at: datetime
    contactable: bool
    offered: list[str]
    rng: random.Random
    version: int = 1
    state: str = "submitted"
    resolution: str | None = None
    holder: str | None = None
    refused: bool = False
    sham: bool = False
    steps: int = 0
    keys: int = field(default=0)

    @property
    def situation(self) -> str:
        """The state in the terms of the model (``STEPS``)."""
        if self.state == "closed":
            return f"closed/{self.resolution}"
        return "refused" if self.state == "in_progress" and self.refused else self.state

    def learn(self, answer: dict[str, Any]) -> None:
        """Take over what an answer says; some routes answer with fewer fields."""
        self.version = answer["version"]
        self.state = answer.get("state", self.state)
        self.resolution = answer.get("resolution", self.resolution)
        if "unit" in answer:
            unit = answer["unit"]
            code = unit["code"] if isinstance(unit, dict) else unit
            self.place = Place(code, self.place.district, self.place.service)
        self.holder = answer.get("holder", self.holder)


@dataclass(frozen=True)
class Rules:
    """What the demo read of the city's rules: hours by service, reasons by action, agencies."""

    hours: dict[str, float]
    reasons: dict[str, list[str]]
    agencies: list[str]


def said(case: Case, about: str) -> str:
    """One of the sentences of words.json."""
    return str(case.rng.choice(words()["notes"][about]))


def fields(case: Case, action: str, now: datetime, rules: Rules) -> dict[str, Any] | None:
    """The fields of an action, without version, photos, person and original.

    ``None`` if the city has no agency to coordinate with.
    """
    if action in ("start", "assign", "resume", "verify", "finish"):
        about = "start" if action == "resume" else action
        return {"note": said(case, about)}
    if action in ("refuse", "dispute", "reopen", "withdraw"):
        return {"reason": said(case, action)}
    if action in ("reject", "disown"):
        code = {"reason_code": case.rng.choice(rules.reasons[action])} if action == "reject" else {}
        return {**code, "text": said(case, action)}
    if action == "coordinate":
        others = [agency for agency in rules.agencies if agency != case.place.unit]
        if not others:
            return None
        return {"agency": case.rng.choice(others), "reason": said(case, action)}
    if action == "schedule":
        ahead = timedelta(hours=rules.hours[case.place.service] * case.rng.uniform(0.3, 1.6))
        return {"until": _iso(now + ahead), "reason": said(case, action)}
    if action == "decline":
        return {"reason_code": case.rng.choice(rules.reasons[action]), "reason": said(case, action)}
    if action == "ask":
        return {"question": said(case, action)}
    if action == "answer":
        return {"text": said(case, action)}
    return {}


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
