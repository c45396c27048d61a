"""What each audience sees of a report: field by field from an allow-list, never by removal."""

import json
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.photos import shown
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow.table import table
from chalicelib.services.photos import photo_views
from chalicelib.services.platform import urls
from chalicelib.storage.people import text_name
from chalicelib.storage.reports import Card

DESCRIPTION, LANDMARK = text_name(1, "description"), text_name(1, "landmark")
_DATA_INSIDE = frozenset({"person", "proof", "former"})
# That somebody looked at a contact, suspects a report, or took it for a protected matter is
# nothing for everybody to see.
_CHAIN = ("version", "at", "action", "hash", "prev")
_SEALED = frozenset(
    {
        "contact_read", "unreachable", "flag", "flag_again", "photo_reused", "protect", "return",
        "protect_lapse", "contact_corrected", "filer_read",
    }
)  # fmt: skip


# What is left of a private report for everybody, and what stands in the place of the rest.
_OUTSIDE = frozenset(
    {
        "id", "code", "version", "state", "status", "resolution", "service", "group", "lat", "long",
        "ward", "district", "unit", "agency", "agency_due", "filed_at", "updated_at",
        "acknowledged_at", "acknowledge_due", "due_at", "clock", "scheduled_until", "finished_at",
        "closed_at", "reopened", "refused", "channel", "private", "near",
    }
)  # fmt: skip
_BARE: dict[str, Any] = {
    **dict.fromkeys(_OUTSIDE),
    "description": None, "landmark": None, "outside": None, "merged_into": None, "rating": None,
    "hidden_texts": [], "supports": 0, "photos": 0, "after_photos": 0, "pictures": [],
}  # fmt: skip


def public(
    report: Report, texts: dict[str, str], city: City, *, private: bool = False
) -> dict[str, Any]:
    """The public view: never the reporter, a contact, or who among the staff holds it.

    ``private``: for who may see what is private, so with the place that its service allows.
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
        "acknowledge_due": iso(report.acknowledge_due),
        "due_at": iso(report.due_at),
        "clock": state["clock"],
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
            dict(zip(("version", "field", "by", "reason"), one, strict=True))
            for one in report.hidden_texts
        ],
        "near": bool(report.outside_m),
    }


def private_for_public(report: Report, city: City) -> dict[str, Any]:
    """A private report as everybody sees it: how it stands, with whom and until when, in which
    ward; no words, no picture, no other report, a coarse place."""
    known = public(report, {}, city)
    return {name: known[name] if name in _OUTSIDE else empty for name, empty in _BARE.items()}


def case(
    report: Report, texts: dict[str, str], city: City, open_actions: list[str]
) -> dict[str, Any]:
    """The officials' view: the public one, and who holds it and what may be done."""
    return {
        **public(report, texts, city),
        "lat": report.lat,
        "long": report.long,
        "protected": report.protected,
        **({"protection": _proposal(report)} if report.protection else {}),
        "holder": report.holder,
        "offered_to": report.offered_to,
        "held_by": list(report.held_by),
        "answers": report.answers,
        "pictures": photo_views.for_officials(report),
        "flags": list(report.flags),
        "flagged": report.flagged,
        "outside_m": report.outside_m,
        "accuracy_m": report.accuracy_m,
        "contactable": report.contactable,
        "pauses": [list(pause) for pause in report.pauses],
        "city_due_at": iso(report.city_due_at),
        "disputed": report.disputed,
        "open_actions": open_actions,
    }


def receipt(
    report: Report, city: City, close: list[dict[str, Any]], personal: list[dict[str, Any]]
) -> dict[str, Any]:
    """What the reporter gets back: ids, place, promise, possible duplicates, and what looks
    personal in their words (``text_moderation.find_personal_data``)."""
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


def action_answer(report: Report) -> dict[str, Any]:
    """What an action answers: enough to go on without another request."""
    return {
        "id": report.id,
        "version": report.version,
        "state": report.state,
        "resolution": report.resolution,
        "unit": report.unit,
        "holder": report.holder,
        "offered_to": report.offered_to,
        "due_at": iso(report.due_at),
        "scheduled_until": _iso(report.scheduled_until),
        "merged_into": report.merged_into,
    }


def list_row(card: Card, city: City, *, inside: bool, proposed: bool = False) -> dict[str, Any]:
    """A row of a list; ``inside`` adds who holds it, ``proposed`` that it waits for an answer of
    the protected unit."""
    row = {
        "id": card.id,
        "version": card.version,
        "state": card.state,
        "service": card.service,
        "ward": card.ward,
        "unit": card.unit,
        "due_at": card.due_at,
        "filed_at": card.filed_at,
        "lat": card.lat7 / 1e7,
        "long": card.long7 / 1e7,
        "supports": card.priority,
        "photo": card.photo,
    }
    name = city.areas[card.ward].name if card.ward in city.areas else card.ward
    row["ward_name"] = name
    if proposed:
        row["proposed"] = True
    return {**row, "holder": card.holder} if inside else row


def timeline(
    links: list[tuple[str, str]],
    texts: dict[str, dict[str, Any]],
    *,
    inside: bool,
    whole: bool = False,
) -> list[dict[str, Any]]:
    """The events for the public (or for officials): words of that audience, hash and chain.

    What happened while a report was protected is for its reporter (``whole``) and officials.
    """
    rows = []
    for text, stamp in links:
        event = json.loads(text)
        sealed = event["action"] in _SEALED or (while_protected(event) and not whole)
        if sealed and not inside:
            rows.append(_sealed(event, stamp))
            continue
        words = {
            one["field"]: texts[name]["text"]
            for one in event["words"]
            if (inside or one["audience"] == "public")
            and (name := text_name(event["version"], one["field"])) in texts
        }
        actor = event["actor"]
        rows.append(
            {
                **_sealed(event, stamp),
                "action": event["action"],
                "by": {
                    "kind": actor["kind"],
                    "role": actor["role"],
                    "unit": actor["unit"],
                    **({"uid": actor["uid"]} if inside else {}),
                },
                "state": event["after"]["state"],
                "resolution": event["after"]["resolution"],
                "unit": event["after"]["unit"],
                "due_at": event["after"]["due_at"],
                "data": {
                    key: value
                    for key, value in event["data"].items()
                    if inside or not _kept_inside(key, event["data"])
                },
                "words": words,
            }
        )
    return rows


def without_other_reports(report: Report, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a timeline without the other report in which a picture of the reporter's was
    used before: that would tell whose both are. Where officials used one before is told."""
    return [
        {**row, "data": {**row["data"], "of": None}} if _links(report, row) else row for row in rows
    ]


def _links(report: Report, row: dict[str, Any]) -> bool:
    data = row.get("data", {})
    of = data.get("of")
    return bool(of and of.get("report") != report.id and data.get("photo") in report.photos)


def bare_timeline(links: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """The events of a private report for everybody: what was done and by whom, without words,
    reasons, pictures or the number of another report."""
    kept = ("by", "state", "resolution", "unit", "due_at")
    rows = timeline(links, {}, inside=False)
    return [{name: row[name] for name in (*_CHAIN, *kept) if name in row} for row in rows]


def _kept_inside(key: str, data: dict[str, Any]) -> bool:
    return key in _DATA_INSIDE or (bool(data.get("private")) and key in ("duplicate", "private"))


def _proposal(report: Report) -> dict[str, Any]:
    """What a report is proposed for, to which unit, by whose unit, and until when."""
    names = ("service", "unit", "by_unit", "since", "until")
    return {name: report.protection[name] for name in names}


def while_protected(event: dict[str, Any]) -> bool:
    """Whether an event is of a time when its report was protected."""
    return bool(event["after"]["protected"] or (event["before"] or {}).get("protected"))


def _outside(report: Report) -> dict[str, str] | None:
    """{"unit", "request"} as long as that unit has the report; no request is known at once."""
    has_it = report.outside.get("unit") in (report.unit, report.agency)
    return {"request": "", **report.outside} if report.outside and has_it else None


def phone_numbers(city: City, service: str) -> list[dict[str, Any]]:
    """Whom to call about a service, the most fitting first."""
    return [
        {"name": one.name, "number": one.number, "hours": one.hours}
        for one in city.numbers_for(city.services[service])
    ]


def code_and_name(code: str, name: dict[str, str]) -> dict[str, Any]:
    """A code with its name in every language."""
    return {"code": code, "name": name}


def area(city: City, code: str) -> dict[str, str]:
    """An area's code and name."""
    return {"code": code, "name": city.areas[code].name}


def _sealed(event: dict[str, Any], stamp: str) -> dict[str, Any]:
    return {
        "version": event["version"],
        "at": event["at"],
        "action": "inside",
        "hash": stamp,
        "prev": event["prev"],
    }


def _iso(moment: Any) -> str | None:
    return iso(moment) if moment else None
