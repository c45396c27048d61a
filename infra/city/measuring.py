"""Reads and checks the scorecard settings and the escalation ladders of a city."""

from typing import Any

from chalicelib.domain.scorecards.measures import scored
from infra.city.fields import Fields
from infra.city.schemas.measuring import SETTINGS
from infra.city.schemas.people import EVERY_GROUP, MORNING_HOUR, PER_HOUR

# The verifiers' audits of this many months count together.
_AUDIT_MONTHS = 3


def scoring(fields: Fields) -> dict[str, Any]:
    """The scorecard's weights in percent, and its settings with their defaults filled in."""
    weights = fields.inner("weights")
    shares = {name: weights.whole(name) for name in scored() if weights.has(name)}
    if weights.names() and sum(shares.values()) != 100:
        fields.fault("weights", f"must add up to 100, not {sum(shares.values())}")
    settings: dict[str, Any] = {"weights": shares}
    for name, setting in SETTINGS.items():
        value = fields.number(name, setting["default"])
        settings[name] = int(value) if setting["type"] == "integer" else float(value)
    settings["bands"] = _bands(fields)
    reach = _AUDIT_MONTHS * settings["audit_sample"]
    if settings["audit_from"] > reach:
        fields.fault("audit_from", f"can never be reached: three samples are {reach} closings")
    return settings


def _bands(fields: Fields) -> list[dict[str, Any]]:
    bands: list[dict[str, Any]] = []
    for row in fields.each("bands"):
        low = row.number("from")
        if not bands and low != 0:
            row.fault("from", "must be 0 in the first band, so that every score has a band")
        if bands and low <= bands[-1]["from"]:
            row.fault("from", f"must be more than {bands[-1]['from']:g}: the lowest is first")
        if row.text("code") in {band["code"] for band in bands}:
            row.fault("code", "is used twice")
        bands.append({"code": row.text("code"), "name": row.both("name"), "from": low})
    return bands


def escalation(fields: Fields, groups: set[str]) -> dict[str, Any]:
    """The ladders by service group ("*" for the other groups), and the hours of their alerts."""
    return {
        "per_hour": fields.whole("per_hour", PER_HOUR["default"]),
        "morning_hour": fields.whole("morning_hour", MORNING_HOUR["default"]),
        "ladders": _ladders(fields, groups),
    }


def _ladders(fields: Fields, groups: set[str]) -> dict[str, list[dict[str, Any]]]:
    inner = fields.inner("ladders")
    ladders = {}
    for name in inner.names():
        if name != EVERY_GROUP and name not in groups:
            inner.fault(name, "is no group of services.json, nor *")
        ladders[name] = _rungs(inner.each(name))
    return ladders


def _rungs(rows: list[Fields]) -> list[dict[str, Any]]:
    rungs = []
    last = 0.0
    for row in rows:
        share = float(row.number("share"))
        if 0 < share <= last:
            row.fault("share", f"must be more than {last:g}: every rung is higher than the last")
        last = max(last, share)
        roles, priority = row.texts("tell"), row.text("priority")
        rungs.append({"share": share, "tell": roles, "priority": priority})
    return rungs
