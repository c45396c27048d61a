"""Filter policies of SNS subscriptions, parsed once each."""

import json
from functools import lru_cache
from typing import Any

# For each attribute, the values that match: the only kind of policy that the product makes.
Plain = tuple[tuple[str, frozenset[str]], ...]


def matching(original: Any, sns: Any) -> Any:
    """ministack's check of a filter policy, with each policy parsed once.

    A message's attributes are parsed once for all subscriptions of a topic.
    """
    parsed = lru_cache(4096)(_parsed)
    last: list[Any] = [None, {}]

    def values_of(attributes: dict[str, Any]) -> dict[str, list[str]]:
        if last[0] is not attributes:
            values = {name: sns._attr_candidate_values(one) for name, one in attributes.items()}
            last[:] = [attributes, values]
        known: dict[str, list[str]] = last[1]
        return known

    def matches(held: dict[str, Any], attributes: dict[str, Any], message: str = "") -> bool:
        named = held.get("attributes", {})
        policy, plain = parsed(named.get("FilterPolicy") or "")
        scope = named.get("FilterPolicyScope", "MessageAttributes")
        if not isinstance(policy, dict) or scope == "MessageBody":
            return bool(original(held, attributes, message))
        if plain is None:
            return bool(sns._policy_matches(policy, sns._attribute_lookup(attributes)))
        values = values_of(attributes)
        return all(not wanted.isdisjoint(values.get(name, ())) for name, wanted in plain)

    return matches


def _parsed(text: str) -> tuple[Any, Plain | None]:
    """The policy, and its plain form if every rule is a text that must be equal."""
    try:
        policy = json.loads(text)
    except ValueError:
        return None, None
    if not isinstance(policy, dict) or "$or" in policy:
        return policy, None
    plain = []
    for name, rules in policy.items():
        if not isinstance(rules, list) or not all(isinstance(rule, str) for rule in rules):
            return policy, None
        plain.append((name, frozenset(rules)))
    return policy, tuple(plain)
