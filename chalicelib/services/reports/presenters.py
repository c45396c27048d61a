"""What each audience sees of a report. Each view lists its fields, so a new field is in no view
until it is added there.

Tests: tests/integration/test_permissions.py
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from chalicelib.domain.city.city import City
from chalicelib.domain.photos import shown
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow.table import table
from chalicelib.services.photos import photo_views
from chalicelib.services.platform import urls
from chalicelib.services.platform.answer_types import (
    ActionAnswer,
    Area,
    CaseView,
    ListedReport,
    Names,
    NearReport,
    Passage,
    PhoneView,
    PublicView,
    ReportReceipt,
)
from chalicelib.storage.report_lists import Card
from chalicelib.storage.report_texts import text_name

DESCRIPTION, LANDMARK = text_name(1, "description"), text_name(1, "landmark")
ADDRESS = text_name(1, "address")
# The fields of a private report that everybody sees, and the values of all other fields.
_PRIVATE_FIELDS = frozenset(
    {
        "id", "code", "version", "state", "status", "resolution", "service", "group", "lat", "long",
        "ward", "district", "unit", "agency", "agency_due", "filed_at", "updated_at",
        "acknowledged_at", "acknowledge_due", "due_at", "old_due_at", "clock", "scheduled_until",
        "finished_at", "closed_at", "reopened", "refused", "channel", "private", "near",
    }
)  # fmt: skip
_PRIVATE_VIEW: dict[str, Any] = {
    **dict.fromkeys(_PRIVATE_FIELDS),
    "description": None, "landmark": None, "outside": None, "merged_into": None, "rating": None,
    "hidden_texts": [], "supports": 0, "photos": 0, "after_photos": 0, "pictures": [],
}  # fmt: skip


def public(
    report: Report, texts: dict[str, str], city: City, *, private: bool = False
) -> PublicView:
    """The public view: without the reporter, the contact, and the official who holds it.

    ``private``: for a reader who may see a private report; shows the more exact place that its
    service allows.
    """
    state = table()["states"][report.state]
    lat7, long7 = report.service_place if private else report.public_place
    return {
        "id": report.id,
        "code": report.code,
        "version": report.version,
        "state": report.state,
        "status": state["open311"],
        "resolution": report.resolution,
        "service": code_and_name(report.service, city.services[report.service].name),
        "group": report.group,
        "description": texts.get(DESCRIPTION),
        "landmark": texts.get(LANDMARK),
        "lat": lat7 / 1e7,
        "long": long7 / 1e7,
        "ward": area(city, report.ward),
        "district": area(city, report.district),
        "unit": code_and_name(report.unit, city.units[report.unit].name),
        "agency": code_and_name(report.agency, city.units[report.agency].name)
        if report.agency
        else None,
        "agency_due": _iso(report.agency_due),
        "outside": _outside(report),
        "filed_at": iso(report.filed_at),
        "updated_at": iso(report.changed_at),
        "acknowledged_at": _iso(report.acknowledged_at),
        "acknowledge_due": _promised(report, report.acknowledge_due),
        "due_at": _promised(report, report.due_at),
        "old_due_at": _iso(report.old_due_at),
        "clock": "stopped" if report.history else state["clock"],
        "scheduled_until": _iso(report.scheduled_until),
        "finished_at": _iso(report.finished_at),
        "closed_at": _iso(report.closed_at),
        "merged_into": report.merged_into,
        "supports": report.supports,
        "rating": report.rating,
        "reopened": sum(report.flow.get("reopened", {}).values()),
        "refused": sum(report.flow.get("refused", {}).values()),
        "photos": shown(report, report.photos),
        "after_photos": shown(report, report.after_photos),
        "pictures": photo_views.for_public(report),
        "channel": report.channel,
        "private": report.private,
        "hidden_texts": [
            {"version": version, "field": field, "by": by, "reason": reason}
            for version, field, by, reason in report.hidden_texts
        ],
        "near": bool(report.outside_m),
    }


def private_for_public(report: Report, city: City) -> PublicView:
    """A private report as everybody sees it: state, unit, deadlines, ward and a coarse place;
    without texts, pictures and ids of other reports."""
    view: Mapping[str, Any] = public(report, {}, city)
    shown = {
        name: view[name] if name in _PRIVATE_FIELDS else empty
        for name, empty in _PRIVATE_VIEW.items()
    }
    return cast(PublicView, shown)


def case(report: Report, texts: dict[str, str], city: City, open_actions: list[str]) -> CaseView:
    """The officials' view: the public one, and holder, flags, exact place and possible actions."""
    more = {
        "lat": report.lat,
        "long": report.long,
        "protected": report.protected,
        "holder": report.holder,
        "offered_to": report.offered_to,
        "held_by": list(report.held_by),
        "answers": report.answers,
        "pictures": photo_views.for_officials(report),
        "flags": list(report.flags),
        "flagged": report.flagged,
        "address": texts.get(ADDRESS),
        "outside_m": report.outside_m,
        "accuracy_m": report.accuracy_m,
        "contactable": report.contactable,
        "pauses": [list(pause) for pause in report.pauses],
        "city_due_at": _promised(report, report.city_due_at),
        "disputed": report.disputed,
        "open_actions": open_actions,
    }
    if report.protection:
        more["protection"] = _proposal(report)
    return cast(CaseView, {**public(report, texts, city), **more})


def receipt(
    report: Report, city: City, close: list[NearReport], personal: list[Passage]
) -> ReportReceipt:
    """What the reporter gets back: ids, ward, deadlines, possible duplicates (``close``), and
    passages that look like personal data (``text_moderation.find_personal_data``)."""
    return {
        "id": report.id,
        "code": report.code,
        "version": report.version,
        "state": report.state,
        "service": code_and_name(report.service, city.services[report.service].name),
        "protected": report.protected,
        "private": report.private,
        "ward": area(city, report.ward),
        "district": area(city, report.district),
        "unit": code_and_name(report.unit, city.units[report.unit].name),
        "filed_at": iso(report.filed_at),
        "acknowledge_due": iso(report.acknowledge_due),
        "due_at": iso(report.due_at),
        "flags": list(report.flags),
        "outside_m": report.outside_m,
        "possible_duplicates": close,
        "personal_data": personal,
        "track": urls.in_city(report.jurisdiction, f"/v1/track/{report.code}"),
        "emergency": city.emergency if report.protected else None,
        "numbers": phone_numbers(city, report.service),
    }


def action_answer(report: Report) -> ActionAnswer:
    """The answer to an action: the report's new state, holder and deadlines."""
    return {
        "id": report.id,
        "version": report.version,
        "state": report.state,
        "resolution": report.resolution,
        "unit": report.unit,
        "holder": report.holder,
        "offered_to": report.offered_to,
        "due_at": _promised(report, report.due_at),
        "scheduled_until": _iso(report.scheduled_until),
        "merged_into": report.merged_into,
    }


def list_row(card: Card, city: City, *, inside: bool, proposed: bool = False) -> ListedReport:
    """A row of a list of reports. ``inside``: with its holder, for officials. ``proposed``: it is
    proposed to the protected unit, which has not answered yet."""
    row: ListedReport = {
        "id": card.id,
        "version": card.version,
        "state": card.state,
        "service": card.service,
        "ward": card.ward,
        "ward_name": city.areas[card.ward].name if card.ward in city.areas else card.ward,
        "unit": card.unit,
        "due_at": card.due_at,
        "filed_at": card.filed_at,
        "lat": card.lat7 / 1e7,
        "long": card.long7 / 1e7,
        "supports": card.priority,
        "photo": card.photo,
    }
    if proposed:
        row["proposed"] = True
    if inside:
        row["holder"] = card.holder
    return row


def _proposal(report: Report) -> dict[str, Any]:
    """The protection that is proposed for a report: service, units, since and until when."""
    names = ("service", "unit", "by_unit", "since", "until")
    return {name: report.protection[name] for name in names}


def _outside(report: Report) -> dict[str, str] | None:
    """{"unit", "request"} of a report that a unit's own server has, as long as the unit has it.

    ``request`` is empty until that server has answered.
    """
    unit_has_it = report.outside.get("unit") in (report.unit, report.agency)
    return {"request": "", **report.outside} if report.outside and unit_has_it else None


def phone_numbers(city: City, service: str) -> list[PhoneView]:
    """Telephone numbers for a service, the most specific first."""
    return [
        {"name": phone.name, "number": phone.number, "hours": phone.hours}
        for phone in city.numbers_for(city.services[service])
    ]


def code_and_name(code: str, name: dict[str, str]) -> Names:
    """A code with its name in every language."""
    return {"code": code, "name": name}


def area(city: City, code: str) -> Area:
    """An area's code and name."""
    return {"code": code, "name": city.areas[code].name}


def _promised(report: Report, moment: datetime) -> str | None:
    """A deadline of the report; for an old system's report nobody here has promised anything."""
    return None if report.history else iso(moment)


def _iso(moment: Any) -> str | None:
    return iso(moment) if moment else None
