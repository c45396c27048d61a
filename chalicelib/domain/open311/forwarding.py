"""Which reports are forwarded to the Open311 server of their unit, and with which fields.

A report is forwarded each time that it comes to such a unit, and again whenever it is work again:
refused, reopened, or no longer a duplicate.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib import ids
from chalicelib.domain.actions.context import unoffered
from chalicelib.domain.city.city import City
from chalicelib.domain.city.unit import Open311Server
from chalicelib.domain.message_types import ForwardJob, ForwardMessage
from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import facts, secret_in
from chalicelib.domain.sla import custody
from chalicelib.domain.timeline_types import Event, EventData, Facts

FORWARDED = "forwarded"
AGAIN = frozenset({"refuse", "reopen", "unmerge"})
SENT, TRYING, FAILED = "sent", "trying", "failed"
_MARK = re.compile(rf"\[Tanggap {ids.PATTERN}(-\d+)?\]")
_IMPORT = "import"


def unit_of(facts: Facts, city: City) -> str | None:
    """The unit with its own system that has the report: the agency first, then the unit.

    ``None`` for a secret report, which is never forwarded.
    """
    if secret_in(facts):
        return None
    units = [unit for unit in (facts["agency"], facts["unit"]) if unit]
    private = bool(facts.get("private"))
    return next((unit for unit in units if _takes(unit, private, city)), None)


def job(event: Event, city: City) -> ForwardJob | None:
    """The forwarding job of an event, {unit, round}; ``None`` if there is nothing to forward."""
    before, after, action = event["before"], event["after"], event["action"]
    if after["state"] == "closed" or secret_in(after) or action in (_IMPORT, FORWARDED):
        return None
    offered = event["set"].get("offered_to")
    if offered and _takes(offered, bool(after.get("private")), city):
        return {"unit": offered, "round": event["version"]}
    unit = unit_of(after, city)
    if event["data"].get("outside") == "has_it":
        return None  # Given back after a proposal for protection: the unit's system still has it.
    was = unit_of(before, city) if before else None
    if unit is None or (unit == was and action not in AGAIN):
        return None
    return {"unit": unit, "round": event["version"]}


def concerns(report: Report, unit: str, city: City) -> bool:
    """Whether a unit with its own system has the report or is offered it."""
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


def event_data(report: Report) -> EventData:
    """The data of the event by which the unit's system has the report: the unit, and the number
    there if it is known."""
    data: EventData = {"unit": report.outside["unit"]}
    if "request" in report.outside:
        data["request"] = report.outside["request"]
    return data


def message(jurisdiction: str, report: str, unit: str, turn: int) -> ForwardMessage:
    """The outbox message that starts the forwarding of a report."""
    return {
        "kind": "forward",
        "jurisdiction": jurisdiction,
        "report": report,
        "unit": unit,
        "round": turn,
        "dedupe": f"{jurisdiction}:{report}:{turn}:forward:{unit}",
    }


def server_of(city: City, unit: str) -> Open311Server | None:
    """The Open311 server of a unit, if it has one."""
    office = city.units.get(unit)
    return office.outside if office else None


def mark(report: str, turn: int) -> str:
    """The end of a forwarded description, by which the request can be found again."""
    return f"[Tanggap {report}-{turn}]"


def came_from_outside(description: str) -> bool:
    """Whether another Tanggap forwarded this: forwarding it again would make a loop."""
    return bool(_MARK.search(description))


def code_there(service: str, chosen: Open311Server) -> tuple[str, dict[str, str]]:
    """(service code, attributes) of a service on the other server."""
    row = chosen.services.get(service) or chosen.services.get("*") or {}
    return row.get("code", service), row.get("attributes", {})


@dataclass(frozen=True)
class Shown:
    """What another system may show of a report: its texts, its page, the address of a picture."""

    description: str
    landmark: str
    link: str
    picture: str | None


def fields(report: Report, turn: int, shown: Shown, chosen: Open311Server) -> list[tuple[str, str]]:
    """The form fields of a request: only public data of the report, and nothing about its reporter.

    A private report is sent with its text and place, which the unit needs, but without a picture:
    pictures have public addresses.
    """
    code, attributes = code_there(report.service, chosen)
    lat7, long7 = report.service_place
    text = "\n".join(
        part for part in (shown.description, shown.link, mark(report.id, turn)) if part
    )
    pairs = [
        ("service_code", code), ("lat", f"{lat7 / 1e7:.7f}"), ("long", f"{long7 / 1e7:.7f}"),
        ("address_string", shown.landmark), ("description", text),
        ("media_url", shown.picture or ""),
        *((f"attribute[{name}]", value) for name, value in sorted(attributes.items())),
    ]  # fmt: skip
    return [(name, value) for name, value in pairs if value]
