"""Pins: what the public map shows of a report, packed into one short text for index and log.

Coordinates are the public ones, rounded as the service asks. A pin says nothing that the public
view of the report does not say.
"""

from typing import NamedTuple

from chalicelib.domain.report import Report
from chalicelib.domain.report_facts import hidden_in
from chalicelib.domain.timeline_types import Facts

_LATE = "!"
# Of the layout of a packed pin. A change of ``Pin`` or of the order is a new version.
VERSION = "1"


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


def pin_in(report: str, facts: Facts | None) -> Pin | None:
    """The pin in an event's facts; ``None`` for no report, a hidden one, or an old event."""
    if facts is None or hidden_in(facts) or "place" not in facts:
        return None
    lat7, long7 = facts["place"]
    return Pin(
        report, facts["state"], facts["service"], facts["district"], facts["late"], lat7, long7
    )  # fmt: skip


def pack(pin: Pin) -> str:
    """The pin without its id, in the present layout: codes have no bar."""
    late = _LATE if pin.late else ""
    return f"{VERSION}|{pin.state}|{pin.service}|{pin.district}|{late}|{pin.lat7}|{pin.long7}"


def unpack(report: str, text: str) -> Pin:
    """The pin that was packed, by this version or an earlier one.

    Raises ValueError for the layout of a later version.
    """
    version, _, values = text.partition("|")
    if version != VERSION:
        values = _present_layout(version, text)
    state, service, district, late, lat7, long7 = values.split("|")
    return Pin(report, state, service, district, bool(late), int(lat7), int(long7))


def _present_layout(version: str, text: str) -> str:
    """A row of an earlier version in the present layout. A version that adds a filter gives older
    rows a value for it here, so that they need not be written again."""
    if not version.isdigit():
        # Before layouts had a version; the row begins with the state.
        return text
    raise ValueError(f"a pin of version {version}, which is later than {VERSION}")
