"""Which officials an event alerts, by rules/alerts.json: level and audience.

An action's row gives the ``level`` and the audience (``null``: no alert, on purpose). Words in an
audience: ``unit`` (which answers for the report), ``holder`` (the official who has it, else that
unit), ``called`` (the agency, or the unit that it is offered to), ``left`` (those who had it or
were called in before, and are not any more), ``tell`` (as the clock's step says), ``arrived``
(officials of the district that the report has come to), ``judges`` (verifiers of that district if
the report waits for them), a role over the report's district and service, or ``district:<role>`` if
the grant must name the district. The first is the main addressee. ``by``: the kind of actor whose
action alerts at all. ``sometimes``: the alert is only for others than the actor and their unit, and
may have no addressee. Messages to citizens are in ``domain.notifications.citizen_news``.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from chalicelib.domain.message_types import Alert, CitizenMessage, Overdue
from chalicelib.domain.notifications import citizen_news
from chalicelib.domain.report_facts import promised_in, secret_in
from chalicelib.domain.timeline_types import Event, EventData, Facts
from chalicelib.domain.workflow import table as workflow
from chalicelib.rules import load

OVERDUE = frozenset({"breach", "escalate"})
LOCAL = "district:"
FLAG = "flag"
_ARRIVED = [f"{LOCAL}officer", f"{LOCAL}district_head"]


@cache
def rules() -> dict[str, Any]:
    """The table: {"climb": [[whom]], "officials": {action: row}, "citizens": {action: kind}}."""
    table: dict[str, Any] = load("alerts")
    officials = {**table["officials"], **workflow.alerts("officials")}
    return {**table, "officials": officials, "citizens": citizen_news.table()}


def always_alerting() -> frozenset[str]:
    """The actions that always alert officials."""
    rows = rules()["officials"].items()
    return frozenset(name for name, row in rows if row and not row.get("sometimes"))


def sometimes_alerting() -> frozenset[str]:
    """The actions that alert officials only if others had a part in the report."""
    rows = rules()["officials"].items()
    return frozenset(name for name, row in rows if row and row.get("sometimes"))


def messages(event: Event) -> list[Alert | CitizenMessage]:
    """The outbox rows of an event; each has a stable ``dedupe`` of its own.

    A protected report's alert names no place and no service; its reporter is not surveyed.
    """
    action = event["action"]
    rows: list[Alert | CitizenMessage] = []
    row = rules()["officials"].get(action)
    if row and action == "protect":
        rows += _proposed(event, row)
    elif row and not event["data"].get("joined") and _is_by(row, event):
        # Not if the breach of the same moment has already alerted.
        rows += _alert(event, row)
    if news := citizen_news.message(event):
        rows.append(news)
    return rows


def _is_by(row: dict[str, Any], event: Event) -> bool:
    kind: str = event["actor"]["kind"]
    return bool(row.get("by", kind) == kind)


def _alert(event: Event, row: dict[str, Any]) -> Iterator[Alert]:
    after = event["after"]
    level = row["level"]
    addressees = audience(event, row["audience"])
    if row.get("sometimes"):
        addressees = (
            []
            if after["protected"]
            else [addressee for addressee in addressees if addressee not in _own(event)]
        )
        if not addressees:
            return
    if event["actor"]["kind"] == "system":
        level = row.get("by_the_clock", level)
    if after["protected"]:
        # Only the unit may know, also if the row or the ladder names others.
        addressees = [f"unit:{after['unit']}"]
    message = _message(event, level, after["unit"], addressees, level)
    if after["protected"]:
        if event["action"] in OVERDUE:
            message["priority"] = event["data"]["priority"]
        yield message
        return
    message["district"], message["ward"] = after["district"], after["ward"]
    message["service"], message["state"] = after["service"], after["state"]
    if after["agency"]:
        message["agency"] = after["agency"]
    if after.get("offered_to"):
        message["offered_to"] = after["offered_to"]
    message["held_by"] = {"unit": after["unit"], "person": after["holder"]}
    if after.get("history"):
        message["history"] = True
    if event["action"] == FLAG:
        # The flagged text or picture and the reason, as codes.
        message["flag"] = event["data"]
    if event["action"] in OVERDUE:
        data = event["data"]
        message["priority"], message["overdue"] = data["priority"], _overdue(data)
        message["held_by"] = {"unit": data["unit"], "person": data.get("person")}
    yield message


def audience(event: Event, words: list[str]) -> list[str]:
    """``unit:<code>``, ``person:<reference>`` and roles for the words of a row, each once."""
    before, after, data = event["before"], event["after"], event["data"]
    called = _called(after)
    names: dict[str, list[str]] = {
        "unit": [f"unit:{after['unit']}"],
        "holder": [_holder(after)],
        "called": called,
        "left": [word for word in _all(before) if word not in _all(after)],
        "arrived": [],
        "judges": [],
    }
    # A report proposed for protection must not be shown to more officials.
    if before and before["district"] != after["district"] and not secret_in(after):
        names["arrived"] = _ARRIVED
        names["judges"] = ["verifier"] if after["state"] == "work_done" else []
    if event["action"] in OVERDUE:
        held = f"person:{data['person']}" if data.get("person") else f"unit:{data['unit']}"
        names["holder"] = [held]
        names["tell"] = [who for word in data["tell"] for who in names.get(word, [word])]
    return list(dict.fromkeys(who for word in words for who in names.get(word, [word])))


def _holder(facts: Facts) -> str:
    return f"person:{facts['holder']}" if facts["holder"] else f"unit:{facts['unit']}"


def _called(facts: Facts) -> list[str]:
    called = facts.get("agency") or facts.get("offered_to")
    return [f"unit:{called}"] if called else []


def _own(event: Event) -> list[str]:
    """The actor and their unit, as in an audience."""
    actor = event["actor"]
    return [f"person:{actor.get('uid')}", f"unit:{actor.get('unit')}"]


def _all(facts: Facts | None) -> list[str]:
    if facts is None:
        return []
    return list(dict.fromkeys([_holder(facts), f"unit:{facts['unit']}", *_called(facts)]))


def _proposed(event: Event, row: dict[str, Any]) -> Iterator[Alert]:
    """The alerts of a proposal for protection.

    One is for the unit that may take it, one for those whom the row names; neither says what the
    report is about.
    """
    after, level = event["after"], row["level"]
    unit = event["set"]["protection"]["unit"]
    taker = _message(event, level, unit, [f"unit:{unit}"], level)
    taker["protected"] = True
    yield taker
    addressees = audience(event, row["audience"])
    sealed = _message(event, level, after["unit"], addressees, f"{level}_sealed")
    sealed["district"], sealed["service"] = after["district"], after["service"]
    sealed["sealed"] = True
    yield sealed


def _message(event: Event, level: str, unit: str, audience: list[str], name: str) -> Alert:
    """What every alert has; ``name`` distinguishes it from other alerts of its event."""
    return {
        "jurisdiction": event["jurisdiction"],
        "report": event["report"],
        "version": event["version"],
        "rules": event["rules"],
        "event": event["action"],
        "at": event["at"],
        "protected": event["after"]["protected"],
        "kind": "alert",
        "level": level,
        "unit": unit,
        "due_at": promised_in(event["after"]),
        "audience": audience,
        "dedupe": _dedupe(event, name),
    }


def _overdue(data: EventData) -> Overdue:
    """What was missed, by the data of a breach or escalation."""
    overdue: Overdue = {"due": data["due"]}
    if data.get("target") is not None:
        overdue["target"] = data["target"]
    if data.get("level") is not None:
        overdue["level"] = data["level"]
    if data.get("code") is not None:
        overdue["code"] = data["code"]
    if data.get("joins") is not None:
        overdue["level"] = data["joins"]
    return overdue


def _dedupe(event: Event, level: str) -> str:
    return ":".join(
        (
            event["jurisdiction"],
            event["report"],
            str(event["version"]),
            event["action"],
            level,
        )
    )
