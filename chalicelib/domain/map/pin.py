"""Pins: what the public map shows of a report, packed into one short text for index and log.

Coordinates are the public ones, rounded as the service asks. A pin says nothing that the public
view of the report does not say.
"""

from typing import Any, NamedTuple

from chalicelib.domain.report import Report, hidden_in

_LATE = "!"


class Pin(NamedTuple):
    """One report on the map. ``late``: its deadline was missed. 1e-7 degrees (WGS84)."""

    id: str
    state: str
    service: str
    district: str
    late: bool
    lat7: int
    long7: int


def pin_of(report: Report) -> Pin:
    """The pin of a head."""
    lat7, long7 = report.public_place
    return Pin(
        report.id, report.state, report.service, report.district, report.late, lat7, long7
    )  # fmt: skip


def pin_in(report: str, facts: dict[str, Any] | None) -> Pin | None:
    """The pin in an event's facts; ``None`` for no report, a hidden one, or an old event."""
    if facts is None or hidden_in(facts) or "place" not in facts:
        return None
    lat7, long7 = facts["place"]
    return Pin(
        report, facts["state"], facts["service"], facts["district"], facts["late"], lat7, long7
    )  # fmt: skip


def pack(pin: Pin) -> str:
    """The pin as text without its id, separated by bars, which codes cannot hold."""
    late = _LATE if pin.late else ""
    return f"{pin.state}|{pin.service}|{pin.district}|{late}|{pin.lat7}|{pin.long7}"


def unpack(report: str, text: str) -> Pin:
    """The pin that ``pack`` wrote."""
    state, service, district, late, lat7, long7 = text.split("|")
    return Pin(report, state, service, district, bool(late), int(lat7), int(long7))
