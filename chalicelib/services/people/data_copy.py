"""A copy of all data that is stored about a person, made from the index that an erasure reads.

So everything that can be erased can be read. A device that lost a report to another device (a
stolen phone, for example) only learns that something is stored. The city's own copy
(``infra.ops copy``) leaves out nothing. A page reads at most as many reports and index rows as it
has items.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.domain.report import PERSONAL, Report
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.people import erasure, preferences
from chalicelib.services.people.erasure_events import Person
from chalicelib.services.people.report_contents import passed_on, reporter_photos, reporter_texts
from chalicelib.services.photos import photo_views
from chalicelib.services.photos.storage_keys import Files
from chalicelib.services.platform.cursors import make_cursor, open_cursor
from chalicelib.storage import (
    people,
    photo_tickets,
    reach,
    report_lists,
    report_texts,
    reports,
    secrecy,
)

# Each item costs about ten reads (``READS_AT_MOST`` of chalicelib/http/operation.py).
PAGE = 15
_ORIGINALS_AT_MOST, _TIMELINE_PAGES = 100, 2
_FILED, _LEFT = "filed", "left"
KINDS = {
    people.CONTACT: "contact",
    people.REACHED_BY: "contact",
    people.TEXT: "text",
    people.PHOTO: "photo",
    people.SUPPORT: "support",
    people.FOLLOW: "follow",
    people.FLAG: "flag",
    people.RIGHT: "duplicate",
}


@dataclass(frozen=True)
class _Reader:
    """Whose copy this is. ``whole``: made by the city, which has checked who asks."""

    jurisdiction: str
    uid: str | None
    whole: bool = False
    heads: dict[str, Report] = field(default_factory=dict)

    def owns(self, head: Report) -> bool:
        """Whether this person is the reporter now."""
        return self.uid is not None and head.reporter == self.uid

    def lost(self, head: Report) -> bool:
        """Whether they were the reporter and somebody else is now: then they may not read it."""
        if self.whole or self.owns(head) or self.uid is None:
            return False
        return bool(people.details(self.jurisdiction, self.uid, people.FILED, head.id))


def own_data(actor: Principal, limit: int, cursor: str | None, now: datetime) -> dict[str, Any]:
    """A page of all data about the caller. Raises ``Problem``: not_found for an API key."""
    if FOR_MANY in actor.permissions:
        raise Problem("not_found")
    filters = {"j": actor.jurisdiction, "u": actor.uid, "k": "data"}
    start = open_cursor(cursor, filters, now)
    reader = _Reader(actor.jurisdiction, actor.uid)
    items, after = _page(reader, start or f"{_FILED} ", min(limit, PAGE))
    return {
        "items": items,
        "cursor": make_cursor(after, filters, now) if after else None,
    }


def of_report(jurisdiction: str, report: str) -> Iterator[dict[str, Any]]:
    """All data about the reporter of a report; of that report alone if it has no reporter.

    Raises ``Problem``: not_found.
    """
    head = reports.get(jurisdiction, report)
    if head is None:
        raise Problem("not_found", field="report")
    reader = _Reader(jurisdiction, head.reporter, whole=True)
    if head.reporter is None:
        yield _report_item(reader, head)
        yield from _said_elsewhere(reader, report)
        return
    after: str | None = f"{_FILED} "
    while after:
        items, after = _page(reader, after, PAGE)
        for item in items:
            yield item
            if item["kind"] == "report":
                yield from _said_elsewhere(reader, item["report"])


def _said_elsewhere(reader: _Reader, report: str) -> Iterator[dict[str, Any]]:
    """What another system passed on from the person who filed a report, kept on its original."""
    own = frozenset({people.released_uid(report)})
    for other, left in passed_on(reader.jurisdiction, report):
        head = reports.get(reader.jurisdiction, other)
        if head is not None and other != report:
            yield {
                **_empty_item("text", other),
                "texts": _texts(head, left.texts, own),
                "photos": [_photo_view(head, photo) for photo in left.photos],
            }


def _page(reader: _Reader, start: str, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """The items after a cursor, and the cursor of the next page."""
    part, _, key = start.partition(" ")
    uid = reader.uid or ""
    if part == _FILED:
        page = report_lists.of_reporter(reader.jurisdiction, uid, key or None, limit)
        heads = secrecy.heads(reader.jurisdiction, [card.id for _, card in page])
        items = [_report_item(reader, heads[card.id]) for _, card in page if card.id in heads]
        return items, f"{_FILED} {page[-1][0]}" if len(page) == limit else f"{_LEFT} "
    rows = people.traces(reader.jurisdiction, uid, key, limit)
    report_ids = {report for _, report, _ in rows if report != "-"}
    reader.heads.update(secrecy.heads(reader.jurisdiction, report_ids))
    items = [item for row in rows if (item := _trace_item(reader, *row))]
    return items, f"{_LEFT} {people.trace_name(*rows[-1])}" if len(rows) == limit else None


def _report_item(reader: _Reader, head: Report) -> dict[str, Any]:
    """One of the person's reports: what they wrote and what is stored with it."""
    before = (
        erasure.former_uids(Person(reader.jurisdiction, reader.uid, ""), head.id)
        if reader.whole
        else ()
    )
    own = frozenset({reader.uid or people.released_uid(head.id), *before})
    # A request reads the first events; the index names the person's texts in all later ones.
    names = list(reporter_texts(head, own, None if reader.whole else _TIMELINE_PAGES))
    if reader.uid:
        names += people.details(reader.jurisdiction, reader.uid, people.TEXT, head.id)
    return {
        **_empty_item("report", head.id),
        "about": _about(head),
        **_contact(reader, head, head.contact),
        "texts": _texts(head, list(dict.fromkeys(names)), own),
        "photos": [_photo_view(head, photo) for photo in reporter_photos(head, own)],
    }


def _about(head: Report) -> dict[str, Any]:
    return {
        "code": head.code,
        "service": head.service,
        "state": head.state,
        "filed_at": iso(head.filed_at),
        "channel": head.channel,
        "language": head.language,
        "lat": head.lat,
        "long": head.long,
        "accuracy_m": head.accuracy_m,
        "client_time": head.client_time,
        "private": head.private,
        "answers": head.answers,
        "rating": head.rating,
        "rated_at": iso(head.rated_at) if head.rated_at else None,
        **{name: getattr(head, name) for name in sorted(PERSONAL)},
    }


def _trace_item(reader: _Reader, kind: str, report: str, detail: str) -> dict[str, Any] | None:
    """One row of the index; ``None`` if the report's own item already contains it."""
    if kind not in KINDS:
        return None
    if kind == people.PHOTO:
        return _upload_item(reader, detail)
    head = reader.heads.get(report)
    item = _empty_item(KINDS[kind], report)
    if head is None:
        return item  # The report is gone.
    if kind == people.CONTACT:
        if reader.owns(head) and head.contact == detail:
            return None
        return {**item, **_contact(reader, head, detail)}
    if kind == people.REACHED_BY:
        return {**item, **_contact_data(reader.jurisdiction, detail)}
    if kind == people.TEXT:
        if reader.owns(head):
            return None
        if reader.lost(head):
            return {**item, "kept": True}
        texts = _texts(head, [detail], frozenset({reader.uid or ""}))
        return {**item, "texts": texts}
    return {**item, "detail": None if detail == "-" else detail}


def _contact(reader: _Reader, head: Report, ref: str | None) -> dict[str, Any]:
    """The contact if this person gave it, else only whether there is one.

    The present reporter may have claimed the report and need not be the one who gave the contact.
    """
    if ref is None:
        return {}
    gave = reader.uid and head.filer == reader.uid
    gave = gave or ref in people.details(
        reader.jurisdiction, reader.uid or "", people.CONTACT, head.id
    )
    if reader.whole or (reader.owns(head) and gave):
        return _contact_data(reader.jurisdiction, ref)
    return {"kept": True}


def _contact_data(jurisdiction: str, ref: str) -> dict[str, Any]:
    """A contact, and the preferences of its address."""
    contact = people.contact(jurisdiction, ref)
    if contact is None:
        return {}
    chosen, dead = reach.person(jurisdiction, preferences.key(contact))
    choices = {
        "notify": chosen.get("notify", "all"),
        "way": chosen.get("way"),
        "bounced": sorted(dead),
    }
    return {"contact": contact, "notifications": choices, "kept": True}


def _texts(head: Report, names: list[str], own: frozenset[str]) -> list[dict[str, Any]]:
    """These texts as stored, and the originals of texts that officials have masked."""
    jurisdiction = head.jurisdiction
    stored = report_texts.named_texts(jurisdiction, head.id, names)
    items = [
        _text(name, doc["text"], doc["audience"], hidden=False)
        for name, doc in stored.items()
        # Skip a copy of a newer text that is listed under its own name.
        if doc.get("now") not in stored
    ]
    if head.hidden_texts:
        hidden = report_texts.originals(jurisdiction, head.id, _ORIGINALS_AT_MOST)
        items += [
            _text(name, doc["text"], doc["audience"], hidden=True)
            for name, doc in hidden.items()
            if name in names or doc.get("by") in own
        ]
    return items


def _text(name: str, text: str, audience: str, *, hidden: bool) -> dict[str, Any]:
    version, _, text_field = name.partition("#")
    name_and_text = {"version": int(version), "field": text_field, "text": text}
    return {**name_and_text, "audience": audience, "hidden": hidden}


def _photo_view(head: Report, photo: str) -> dict[str, Any]:
    shown = {view["id"]: view for view in photo_views.for_officials(head)}
    view = shown.get(photo, {"state": "pending", "small": None, "large": None})
    return {
        "id": photo,
        **{name: view[name] for name in ("state", "small", "large")},
        "facts": None,
    }


def _upload_item(reader: _Reader, photo: str) -> dict[str, Any] | None:
    """A photo that they uploaded; ``None`` if the item of their own report already has it."""
    ticket = photo_tickets.photo(reader.jurisdiction, photo)
    if ticket is None:
        return None
    doc, item = ticket[1], _empty_item("photo", ticket[1].get("report") or "-")
    if used := doc.get("report"):
        head = reports.get(reader.jurisdiction, used)
        if head is None or (reader.owns(head) and photo in reporter_photos(head, _only(reader))):
            return None
        if not reader.whole and doc.get("owner") != reader.uid:
            return {**item, "kept": True}
        return {**item, "photos": [_photo_view(head, photo)]}
    shown: Mapping[str, Any] = {"small": None, "large": None}
    if doc["state"] == "ready":
        stored = Files(reader.jurisdiction, photo, doc["cut"])
        shown = stored.shown(doc["rev"], doc["width"], doc["height"])
    facts = people.photo_facts(reader.jurisdiction, photo)
    return {**item, "photos": [{"id": photo, "state": doc["state"], **shown, "facts": facts}]}


def _empty_item(kind: str, report: str) -> dict[str, Any]:
    return {
        "kind": kind, "report": None if report == "-" else report, "detail": None, "about": None,
        "kept": False, "contact": None, "notifications": None, "texts": [], "photos": [],
    }  # fmt: skip


def _only(reader: _Reader) -> frozenset[str]:
    return frozenset({reader.uid or ""})
