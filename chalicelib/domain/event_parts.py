"""The two parts of an event of schema 2: what everybody may see and check, and the rest.

The public part is hashed; it commits to the inside part (``hash_chain.seal``). Both have the shape
of the whole event, each with some of its fields, so ``merged`` gives the event again. How much is
public depends on the report when the event is written: nothing but the chain for an event that only
officials see or of a protected report; no texts and reasons for a private report. What fields there
are is data (rules/public_record.json).

Tests: tests/unit/test_event_parts.py
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from chalicelib import rules

SCHEMA = 2
# In every public part; ``hash_chain.seal`` adds ``inside`` and ``prev``.
_ALWAYS = ("schema", "jurisdiction", "report", "version", "at")


@cache
def _rules() -> dict[str, Any]:
    loaded: dict[str, Any] = rules.load("public_record")
    return loaded


def officials_only() -> frozenset[str]:
    """The actions of which the public sees only the chain."""
    return frozenset(_rules()["officials_only"])


def split(event: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(public part, inside part) of a whole event."""
    public = {name: event[name] for name in _ALWAYS}
    states = [facts for facts in (event["before"], event["after"]) if facts]
    protected = any(facts["protected"] for facts in states)
    if not protected and event["action"] not in officials_only():
        public |= {"action": event["action"], "rules": event["rules"]}
        fields = ["actor", "after"]
        if not any(facts.get("private") for facts in states):
            fields.append("data")
            public["words"] = [word for word in event["words"] if word["audience"] == "public"]
        public |= {
            name: {key: value for key, value in event[name].items() if key in _rules()[name]}
            for name in fields
        }
    return public, _rest(event, public)


def merged(public: Mapping[str, Any], inside: Mapping[str, Any]) -> dict[str, Any]:
    """The whole event again, with the fields of its chain."""
    event = dict(public)
    for name, value in inside.items():
        known = event.get(name)
        if isinstance(known, dict) and isinstance(value, Mapping):
            event[name] = {**known, **value}
        elif isinstance(known, list) and isinstance(value, list):
            event[name] = [*known, *value]
        else:
            event[name] = value
    return event


def whole(text: str, inside: str | None) -> str:
    """The whole event as JSON, from its stored parts; an event of schema 1 has only one."""
    if inside is None:
        return text
    return json.dumps(merged(json.loads(text), json.loads(inside)), ensure_ascii=False)


def overlap(public: Mapping[str, Any], inside: Mapping[str, Any]) -> bool:
    """Whether the inside part names a field that is public, so that it could say another thing."""
    for name, value in inside.items():
        shown = public.get(name)
        if isinstance(shown, dict) and isinstance(value, Mapping):
            if shown.keys() & value.keys():
                return True
        elif name in public and not (isinstance(shown, list) and isinstance(value, list)):
            return True
    return False


def shows_contents(public: Mapping[str, Any]) -> bool:
    """Whether the public part holds what a private report does not show."""
    return "data" in public


def _rest(event: Mapping[str, Any], public: Mapping[str, Any]) -> dict[str, Any]:
    rest: dict[str, Any] = {}
    for name, value in event.items():
        shown = public.get(name)
        if isinstance(shown, dict) and isinstance(value, Mapping):
            rest[name] = {key: each for key, each in value.items() if key not in shown}
        elif isinstance(shown, list):
            rest[name] = [item for item in value if item not in shown]
        elif name not in public:
            rest[name] = value
    return {name: value for name, value in rest.items() if value or name not in public}
