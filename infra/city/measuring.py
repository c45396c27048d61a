"""Reads and checks the scorecard settings and the escalation ladders of a city."""

from typing import Any

from chalicelib.domain.scorecards.measures import scored
from infra.city.fields import Fields
from infra.city.people import ROLES

# name: (lowest, highest, whether it is a whole number, default)
SETTINGS: dict[str, tuple[float, float, bool, float]] = {
    "rank_from": (1, 10_000, True, 10),
    "audit_from": (1, 10_000, True, 30),
    "audit_prior": (0, 1000, True, 5),
    "audit_sample": (1, 1000, True, 12),
    "unaudited_pass_rate": (0, 1, False, 0.5),
    "reporter_cap": (1, 10_000, True, 25),
    "shrink_n": (0, 10_000, True, 20),
    "old_factor": (1, 20, False, 3),
    "recurrence_m": (1, 1000, False, 30),
    # A scorecard looks back two months; with a longer wait some repairs would never be scored.
    "recurrence_days": (1, 60, True, 60),
}
PRIORITIES = ("normal", "high", "urgent")
HOLDER, EVERY_GROUP = "holder", "*"
_MOST_RUNGS = 8
_LARGEST_SHARE = 20
# The verifiers' audits of this many months count together.
_AUDIT_MONTHS = 3


def scoring(one: Fields) -> dict[str, Any]:
    """The scorecard's weights in percent, and its settings with their defaults filled in."""
    weights = one.inner("weights")
    given = {
        name: int(weights.number(name, 0, 100, whole=True))
        for name in scored()
        if weights.has(name)
    }
    if weights.names() and sum(given.values()) != 100:
        one.fault("weights", f"must add up to 100, not {sum(given.values())}")
    weights.close()
    settings: dict[str, Any] = {"weights": given}
    for name, (low, high, whole, default) in SETTINGS.items():
        value = one.number(name, low, high, whole=whole, default=default)
        settings[name] = int(value) if whole else float(value)
    reach = _AUDIT_MONTHS * settings["audit_sample"]
    if settings["audit_from"] > reach:
        one.fault("audit_from", f"can never be reached: three samples are {reach} closings")
    one.close()
    return settings


def escalation(one: Fields, groups: set[str]) -> dict[str, Any]:
    """The ladders by service group ("*" for the other groups), and the hours of their alerts."""
    settings = {
        "per_hour": int(one.number("per_hour", 1, 10_000, whole=True, default=20)),
        "morning_hour": int(one.number("morning_hour", 0, 23, whole=True, default=7)),
        "ladders": _ladders(one, groups),
    }
    one.close()
    return settings


def _ladders(one: Fields, groups: set[str]) -> dict[str, list[dict[str, Any]]]:
    inner = one.inner("ladders")
    if one.has("ladders") and not inner.has(EVERY_GROUP):
        inner.fault(EVERY_GROUP, "is missing: the ladder of the groups without one of their own")
    ladders = {}
    for name in inner.names():
        rows = inner.each(name)
        if name != EVERY_GROUP and name not in groups:
            inner.fault(name, "is no group of services.json, nor *")
        if isinstance(inner.raw(name), list) and not 1 <= len(rows) <= _MOST_RUNGS:
            inner.fault(name, f"must have 1 to {_MOST_RUNGS} rungs, not {len(rows)}")
        ladders[name] = _rungs(rows)
    inner.close()
    return ladders


def _rungs(rows: list[Fields]) -> list[dict[str, Any]]:
    rungs = []
    last = 0.0
    for row in rows:
        share = float(row.number("share", 0, _LARGEST_SHARE))
        if row.has("share") and share <= last:
            row.fault("share", f"must be more than {last:g}: every rung is higher than the last")
        last = max(last, share)
        told = row.choices("tell", {HOLDER, *ROLES}, "role")
        if row.has("tell") and not told:
            row.fault("tell", f"must name somebody: {HOLDER}, {', '.join(ROLES)}")
        rungs.append({"share": share, "tell": told, "priority": row.choice("priority", PRIORITIES)})
        row.close()
    return rungs
