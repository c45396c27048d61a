"""Which reports go to the Open311 server of a unit that has a system of its own, and as what.

A report goes out once each time that it comes to such a unit, and once more whenever it is work
again: refused, reopened, or no duplicate any more.
"""

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.actions.context import unoffered
from chalicelib.domain.city.city import City, Open311Server
from chalicelib.domain.report import Report, facts, secret_in
from chalicelib.domain.sla import custody

FORWARDED = "forwarded"
AGAIN = frozenset({"refuse", "reopen", "unmerge"})
SENT, TRYING, FAILED = "sent", "trying", "failed"
_MARK = re.compile(r"\[Tanggap [0-9A-HJKMNP-TV-Z]{26}(-\d+)?\]")
_IMPORT = "import"


def unit_of(facts: dict[str, Any], city: City) -> str | None:
    """The unit with a system of its own that has the report: the agency first, then who answers
    for it. ``None`` for a secret report, which goes nowhere."""
    if secret_in(facts):
        return None
    held = [facts[name] for name in ("agency", "unit") if facts[name]]
    private = bool(facts.get("private"))
    return next((one for one in held if _takes(one, private, city)), None)


def job(event: dict[str, Any], city: City) -> dict[str, Any] | None:
    """What an event leaves to the function that passes reports on: {unit, round}."""
    before, after, action = event["before"], event["after"], event["action"]
    if after["state"] == "closed" or secret_in(after) or action in (_IMPORT, FORWARDED):
        return None
    offered = event["set"].get("offered_to")
    if offered and _takes(offered, bool(after.get("private")), city):
        return {"unit": offered, "round": event["version"]}
    unit = unit_of(after, city)
    if event["data"].get("outside") == "has_it":
        return None  # Proposed for protection and given back: the unit's system has it still.
    was = unit_of(before, city) if before else None
    if unit is None or (unit == was and action not in AGAIN):
        return None
    return {"unit": unit, "round": event["version"]}


def concerns(report: Report, unit: str, city: City) -> bool:
    """Whether a unit with a system of its own has the report, or is offered it."""
    if not report.open or report.secret:
        return False
    if report.private and not _takes(unit, True, city):
        return False
    return unit in (report.offered_to, unit_of(facts(report), city))


def _takes(unit: str, private: bool, city: City) -> bool:
    server = server_of(city, unit)
    return server is not None and (server.private or not private)


def taken(report: Report, unit: str, request: str | None, now: datetime) -> Report:
    """The report once the unit's system has it: a unit that was offered it has accepted by that."""
    there = {"unit": unit, **({"request": request} if request else {})}
    if report.offered_to == unit:
        report = unoffered(replace(report, unit=unit, holder=None))
    return custody.with_holder(replace(report, outside=there), now)


def message(jurisdiction: str, report: str, unit: str, turn: int) -> dict[str, Any]:
    """What asks the function that passes reports on to do so."""
    known = {"kind": "forward", "jurisdiction": jurisdiction, "report": report}
    dedupe = f"{jurisdiction}:{report}:{turn}:forward:{unit}"
    return {**known, "unit": unit, "round": turn, "dedupe": dedupe}


def server_of(city: City, unit: str) -> Open311Server | None:
    """How a unit's own system is reached, if it has one."""
    found = city.units.get(unit)
    return found.outside if found else None


def mark(report: str, turn: int) -> str:
    """What a description ends with, so that this very request can be found again."""
    return f"[Tanggap {report}-{turn}]"


def came_from_outside(description: str) -> bool:
    """Whether another Tanggap passed this on already: it would go in circles."""
    return bool(_MARK.search(description))


def code_there(service: str, chosen: Open311Server) -> tuple[str, dict[str, str]]:
    """(service code, attributes) by which the other system knows a service."""
    found = chosen.services.get(service) or chosen.services.get("*") or {}
    return found.get("code", service), found.get("attributes", {})


def fields(
    report: Report,
    turn: int,
    description: str,
    landmark: str,
    link: str,
    picture: str | None,
    chosen: Open311Server,
) -> list[tuple[str, str]]:
    """The form of a request: what everybody may know of the report, and nothing of its reporter.

    Of a private one also the words and the place that the unit works by, but no picture: those
    are behind addresses for everybody.
    """
    code, attributes = code_there(report.service, chosen)
    lat7, long7 = report.service_place
    text = "\n".join(part for part in (description, link, mark(report.id, turn)) if part)
    pairs = [
        ("service_code", code), ("lat", f"{lat7 / 1e7:.7f}"), ("long", f"{long7 / 1e7:.7f}"),
        ("address_string", landmark), ("description", text), ("media_url", picture or ""),
        *((f"attribute[{name}]", value) for name, value in sorted(attributes.items())),
    ]  # fmt: skip
    return [(name, value) for name, value in pairs if value]
