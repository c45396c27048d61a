"""What is sent to a webhook: one document for each event (docs/webhooks.md).

``event`` is the event's public part; ``report`` is the report as everybody sees it now, so a
repeated event has the same id and perhaps newer words. Nothing is in it that is not in these lists.

Tests: tests/integration/test_webhooks.py
"""

import json
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.domain import event_parts, photos, webhooks
from chalicelib.domain.city.city import City
from chalicelib.domain.city.hook import Hook
from chalicelib.domain.report import Report
from chalicelib.domain.timeline_types import Event
from chalicelib.domain.timestamps import iso
from chalicelib.services.photos import photo_views
from chalicelib.services.platform import urls
from chalicelib.services.reports import presenters
from chalicelib.storage import report_texts, reports
from chalicelib.storage.report_texts import text_name

FORMAT = 1
_OF_REPORT = (
    "id", "code", "service", "group", "description", "landmark", "lat", "long", "ward", "district",
    "unit", "channel", "filed_at", "updated_at", "due_at", "finished_at", "closed_at",
)  # fmt: skip
_IN_REPORT = (presenters.DESCRIPTION, presenters.LANDMARK)


class Contents(NamedTuple):
    """A report as it is now, with its public texts: those of the report and of one event."""

    report: Report
    texts: dict[str, str]


def read(event: Event) -> Contents | None:
    """The report of an event and the texts to send; ``None`` if nobody may see the report now.

    The texts are read before the head, and both consistently: what was public when it was read had
    not been hidden before.
    """
    jurisdiction, report = event["jurisdiction"], event["report"]
    public, _ = event_parts.split(event)
    own = [text_name(event["version"], word["field"]) for word in public.get("words", ())]
    stored = report_texts.named_texts(jurisdiction, report, [*_IN_REPORT, *own])
    head = reports.get(jurisdiction, report)
    if head is None or head.hidden:
        return None
    texts = {name: row["text"] for name, row in stored.items() if row["audience"] == "public"}
    return Contents(head, texts)


def delivery_id(event: Event) -> str:
    """The id of an event's delivery: the same at each repetition, as in Open311's updates."""
    return f"{event['report']}-{event['version']}"


def body(
    kind: str,
    event: Event,
    contents: Contents | None,
    hook: Hook,
    city: City,
    outside_id: str | None,
) -> bytes:
    """The document of an event. ``contents`` is ``None`` for a report that is gone: then the
    document only names the report."""
    if contents is None:
        about, shown = _ids(event), {"id": event["report"]}
    else:
        about = _event(kind, event, contents.texts, hook)
        shown = _report(contents, hook, city)
    data = {
        "jurisdiction": event["jurisdiction"],
        "event": about,
        "report": shown,
        "outside_id": outside_id,
    }
    name = event["action"] if kind == webhooks.EVENT else kind
    return _document(f"report.{name}", event["at"], data)


def ping(city: City, hook: Hook, now: datetime) -> bytes:
    """The document of a test event."""
    return _document("ping", iso(now), {"jurisdiction": city.jurisdiction, "hook": hook.code})


def _event(kind: str, event: Event, texts: dict[str, str], hook: Hook) -> dict[str, Any]:
    after = event["after"]
    about = {
        **_ids(event),
        "state": after["state"],
        "resolution": after["resolution"],
        "their_state": webhooks.their_state(hook, after["state"], after["resolution"]),
        "unit": after["unit"],
    }
    if kind != webhooks.EVENT:
        return about
    public, _ = event_parts.split(event)
    names = {word["field"]: text_name(event["version"], word["field"]) for word in public["words"]}
    return {
        **about,
        "action": public["action"],
        "by": public["actor"],
        "data": public["data"],
        "texts": {
            field: texts[name]
            for field, name in names.items()
            if name in texts and name not in _IN_REPORT
        },
    }


def _ids(event: Event) -> dict[str, Any]:
    return {"id": delivery_id(event), "version": event["version"], "at": event["at"]}


def _report(contents: Contents, hook: Hook, city: City) -> dict[str, Any]:
    report = contents.report
    view: dict[str, Any] = {**presenters.public(report, contents.texts, city)}
    jurisdiction = report.jurisdiction
    pictures = [
        photo_views.permanent_address(jurisdiction, report.id, p) for p in photos.ready(report)
    ]
    return {
        **{name: view[name] for name in _OF_REPORT},
        "category": webhooks.their_category(hook, report.service),
        "photos": pictures,
        "link": urls.in_city(jurisdiction, f"/v1/reports/{report.id}"),
    }


def _document(kind: str, at: str, data: dict[str, Any]) -> bytes:
    document = {"type": kind, "timestamp": at, "data": {"format": FORMAT, **data}}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
