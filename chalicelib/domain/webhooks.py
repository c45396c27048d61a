"""Which events are sent to which webhook, and what they say in the other system's words.

An event is public if everybody sees it in the report's timeline (``domain.event_parts``). When a
report is hidden, a system that has it is told that it is gone, and nothing else.
"""

from functools import cache
from typing import Any

from chalicelib import rules
from chalicelib.domain import event_parts
from chalicelib.domain.city.city import City
from chalicelib.domain.city.hook import OTHERS, Hook
from chalicelib.domain.message_types import WebhookMessage
from chalicelib.domain.report_facts import hidden_in
from chalicelib.domain.timeline_types import Event, Facts
from chalicelib.domain.workflow.table import table

# What a delivery says: an event; that the report is public (again); that it is not any more.
EVENT, SHOWN, GONE = "event", "shown", "gone"
LONGEST_ID = 200
_CLOSED = "closed"


@cache
def _rules() -> dict[str, Any]:
    data: dict[str, Any] = rules.load("webhooks")
    return data


@cache
def event_names() -> frozenset[str]:
    """The events that a webhook may name: every event that is public."""
    alerts = rules.load("alerts")
    names = {*table()["actions"], *alerts["officials"], *alerts["citizens"]}
    names |= {name for kind in ("removing", "quiet", "others") for name in _rules()[kind]}
    return frozenset(names - event_parts.officials_only() - set(_rules()["never"]))


def words_for() -> tuple[list[str], list[str]]:
    """(states, resolutions) that a webhook may have a word for."""
    return list(table()["states"]), list(table()["resolutions"])


def waits() -> list[int]:
    """Seconds before the second, third and each further attempt."""
    return list(_rules()["waits"])


def tries(*, refused: bool) -> int:
    """How many attempts an event gets; fewer if the answer says that the event is wrong."""
    return int(_rules()["refused_tries"]) if refused else len(_rules()["waits"]) + 1


def messages(event: Event, city: City) -> list[WebhookMessage]:
    """The messages that tell the sender of a report's new event, one for each webhook."""
    jurisdiction, report, version = event["jurisdiction"], event["report"], event["version"]
    return [
        {
            "kind": "webhook",
            "jurisdiction": jurisdiction,
            "report": report,
            "hook": hook.code,
            "version": version,
            "dedupe": f"{jurisdiction}:{report}:{version}:webhook:{hook.code}",
        }
        for hook in city.hooks.values()
        if _may_concern(event, hook)
    ]


def _may_concern(event: Event, hook: Hook) -> bool:
    """Whether an event may have to be sent; what the other system already has does not matter."""
    was_shown = event["before"] is not None and not hidden_in(event["before"])
    return kind(event, hook, told=was_shown) is not None


def kind(event: Event, hook: Hook, *, told: bool) -> str | None:
    """What an event says to a webhook: ``EVENT``, ``SHOWN``, ``GONE``, or ``None`` for nothing.

    ``told``: whether the other system has the report.
    """
    before, after, action = event["before"], event["after"], event["action"]
    if hidden_in(after):
        return GONE if told else None
    if action in _rules()["never"] or after.get("history") or event["at"] < hook.since:
        return None
    removes = action in _rules()["removing"]
    # A copy must lose what is removed, also if the report has left the filter.
    in_scope = any(_concerns(facts, hook) for facts in (before, after) if facts)
    if not in_scope and not (removes and told):
        return None
    if before and hidden_in(before):
        return SHOWN
    if action in event_parts.officials_only():
        return None
    wanted = action not in _rules()["quiet"] if hook.events is None else action in hook.events
    return EVENT if wanted or removes else None


def removes(event: Event) -> bool:
    """Whether a copy must lose something by the event, so that it cannot be left out."""
    return hidden_in(event["after"]) or event["action"] in _rules()["removing"]


def _concerns(facts: Facts, hook: Hook) -> bool:
    service = hook.services is None or facts["service"] in hook.services
    return service and (hook.districts is None or facts["district"] in hook.districts)


def their_state(hook: Hook, state: str, resolution: str | None) -> str | None:
    """The other system's word for a state; a closed report's resolution may have its own."""
    word = hook.states.get(resolution or "") if state == _CLOSED else None
    return word or hook.states.get(state) or hook.states.get(OTHERS)


def their_category(hook: Hook, service: str) -> str | None:
    """The other system's code for a service."""
    return hook.categories.get(service) or hook.categories.get(OTHERS)


def their_id(hook: Hook, answer: Any) -> str | None:
    """The other system's id of the report, from its answer; ``None`` if it has none there."""
    for name in hook.outside_id:
        answer = answer.get(name) if isinstance(answer, dict) else None
    if isinstance(answer, bool) or not isinstance(answer, str | int):
        return None
    text = str(answer).strip()
    return text if 0 < len(text) <= LONGEST_ID and text.isprintable() else None
