"""Filter policies of SNS subscriptions, parsed once each."""

import json
from functools import lru_cache
from typing import Any


def matching(original: Any, sns: Any) -> Any:
    """ministack's check of a filter policy, with each policy parsed once."""

    @lru_cache(4096)
    def policy_of(text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            return None

    def matches(held: dict[str, Any], attributes: dict[str, Any], message: str = "") -> bool:
        named = held.get("attributes", {})
        policy = policy_of(named.get("FilterPolicy") or "")
        scope = named.get("FilterPolicyScope", "MessageAttributes")
        if not isinstance(policy, dict) or scope == "MessageBody":
            return bool(original(held, attributes, message))
        return bool(sns._policy_matches(policy, sns._attribute_lookup(attributes)))

    return matches
