"""A copy for a person of all that is held on them, from the index that an erasure reads.

So what can be erased can be read. Whoever has lost a report to another device (a stolen phone, say)
is told no more than that something is kept; the city's own copy (``infra.ops copy``) leaves out
nothing. A page costs at most so many reports and index rows as it has items.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.people import erasure, preferences
from chalicelib.services.people.report_erasure import Person, photos_of, words
from chalicelib.services.photos import photo_views
from chalicelib.services.photos.storage_keys import Files
from chalicelib.services.platform.cursors import make_cursor, open_cursor
from chalicelib.storage import people, reach, reports, secrecy

PAGE = 50
_ORIGINALS_AT_MOST = 100
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
    """For whom a copy is: ``whole`` for the city, which asked who it is, else for a token."""

    place: str
    uid: str | None
    whole: bool = False
    heads: dict[str, Report] = field(default_factory=dict)

    def owns(self, head: Report) -> bool:
        """Whether the report is theirs now."""
        return self.uid is not None and head.reporter == self.uid

    def lost(self, head: Report) -> bool:
        """Whether it was theirs, and is another's: then it is shut to them."""
        if self.whole or self.owns(head) or self.uid is None:
            return False
        return bool(people.details(self.place, self.uid, people.FILED, head.id))


def mine(actor: Principal, limit: int, cursor: str | None, now: datetime) -> dict[str, Any]:
    """A page of all that is held on the caller; ``not_found`` for another system."""
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
    """All that is held on whoever filed a report; on nobody else if its person is not known: then
    of that report alone. Raises ``Problem``: not_found.
    """
    head = reports.get(jurisdiction, report)
    if head is None:
        raise Problem("not_found", field="report")
    reader = _Reader(jurisdiction, head.reporter, whole=True)
    if head.reporter is None:
        yield _report(reader, head)
        return
    after: str | None = f"{_FILED} "
    while after:
        items, after = _page(reader, after, PAGE)
        yield from items


def _page(reader: _Reader, start: str, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """Items from a place on, and the place to go on from."""
    part, _, key = start.partition(" ")
    uid = reader.uid or ""
    if part == _FILED:
        page = reports.of_reporter(reader.place, uid, key or None, limit)
        heads = secrecy.heads(reader.place, [card.id for _, card in page])
        items = [_report(reader, heads[card.id]) for _, card in page if card.id in heads]
        return items, f"{_FILED} {page[-1][0]}" if len(page) == limit else f"{_LEFT} "
    left = people.traces(reader.place, uid, key, limit)
    asked = {report for _, report, _ in left if report != "-"}
    reader.heads.update(secrecy.heads(reader.place, asked))
    items = [one for row in left if (one := _left(reader, *row))]
    return items, f"{_LEFT} {people.trace_name(*left[-1])}" if len(left) == limit else None


def _report(reader: _Reader, head: Report) -> dict[str, Any]:
    """One report of theirs: what they said and what is kept with it."""
    before = erasure.former(Person(reader.place, reader.uid, ""), head.id) if reader.whole else ()
    own = frozenset({reader.uid or people.released(head.id), *before})
    names = list(words(head, own))
    if reader.uid:
        names += people.details(reader.place, reader.uid, people.TEXT, head.id)
    return {
        **_item("report", head.id),
        "about": _about(head),
        **_contact(reader, head, head.contact),
        "texts": _texts(head, list(dict.fromkeys(names)), own),
        "photos": [_photo(head, photo) for photo in photos_of(head, own)],
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
    }


def _left(reader: _Reader, kind: str, report: str, detail: str) -> dict[str, Any] | None:
    """One row of the index; ``None`` where the report's own item has it."""
    if kind not in KINDS:
        return None
    if kind == people.PHOTO:
        return _upload(reader, detail)
    head = reader.heads.get(report)
    item = _item(KINDS[kind], report)
    if head is None:
        return item  # The report is gone.
    if kind == people.CONTACT:
        if reader.owns(head) and head.contact == detail:
            return None
        return {**item, **_contact(reader, head, detail)}
    if kind == people.REACHED_BY:
        return {**item, **_reached(reader.place, detail)}
    if kind == people.TEXT:
        if reader.owns(head):
            return None
        if reader.lost(head):
            return {**item, "kept": True}
        texts = _texts(head, [detail], frozenset({reader.uid or ""}))
        return {**item, "texts": texts}
    return {**item, "detail": None if detail == "-" else detail}


def _contact(reader: _Reader, head: Report, ref: str | None) -> dict[str, Any]:
    """The contact where the one who asks gave it, else whether there is one.

    The present holder of a report need not be the one who gave it: they may have been handed it.
    """
    if ref is None:
        return {}
    gave = reader.uid and head.filer == reader.uid
    gave = gave or ref in people.details(reader.place, reader.uid or "", people.CONTACT, head.id)
    if reader.whole or (reader.owns(head) and gave):
        return _reached(reader.place, ref)
    return {"kept": True}


def _reached(place: str, ref: str) -> dict[str, Any]:
    """A contact, and what was chosen for its address."""
    contact = people.contact(place, ref)
    if contact is None:
        return {}
    chosen, dead = reach.person(place, preferences.key(contact))
    wish = {
        "notify": chosen.get("notify", "all"),
        "way": chosen.get("way"),
        "bounced": sorted(dead),
    }
    return {"contact": contact, "notifications": wish, "kept": True}


def _texts(head: Report, names: list[str], own: frozenset[str]) -> list[dict[str, Any]]:
    """These texts as they are kept, and what officials have hidden of theirs."""
    place = head.jurisdiction
    kept = people.some_texts(place, head.id, names)
    found = [
        _text(name, doc["text"], doc["audience"], hidden=False)
        for name, doc in kept.items()
        # A copy of a newer text that is told by its own name.
        if doc.get("now") not in kept
    ]
    if head.hidden_texts:
        hidden = people.originals(place, head.id, _ORIGINALS_AT_MOST)
        found += [
            _text(name, doc["text"], doc["audience"], hidden=True)
            for name, doc in hidden.items()
            if name in names or doc.get("by") in own
        ]
    return found


def _text(name: str, text: str, audience: str, *, hidden: bool) -> dict[str, Any]:
    version, _, text_field = name.partition("#")
    return {
        "version": int(version),
        "field": text_field,
        "text": text,
        "audience": audience,
        "hidden": hidden,
    }


def _photo(head: Report, photo: str) -> dict[str, Any]:
    shown = {one["id"]: one for one in photo_views.inside(head)}
    one = shown.get(photo, {"state": "pending", "small": None, "large": None})
    return {"id": photo, **{name: one[name] for name in ("state", "small", "large")}, "facts": None}


def _upload(reader: _Reader, photo: str) -> dict[str, Any] | None:
    """A photo that they sent: with the report that uses it, if that is not theirs."""
    found = reports.photo(reader.place, photo)
    if found is None:
        return None
    doc, item = found[1], _item("photo", found[1].get("report") or "-")
    if used := doc.get("report"):
        head = reports.get(reader.place, used)
        if head is None or (reader.owns(head) and photo in photos_of(head, _only(reader))):
            return None
        if not reader.whole and doc.get("owner") != reader.uid:
            return {**item, "kept": True}
        return {**item, "photos": [_photo(head, photo)]}
    shown: dict[str, Any] = {"small": None, "large": None}
    if doc["state"] == "ready":
        held = Files(reader.place, photo, doc["cut"])
        shown = held.shown(doc["rev"], doc["width"], doc["height"])
    facts = people.photo_facts(reader.place, photo)
    return {**item, "photos": [{"id": photo, "state": doc["state"], **shown, "facts": facts}]}


def _item(kind: str, report: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "report": None if report == "-" else report,
        "detail": None,
        "about": None,
        "kept": False,
        "contact": None,
        "notifications": None,
        "texts": [],
        "photos": [],
    }


def _only(reader: _Reader) -> frozenset[str]:
    return frozenset({reader.uid or ""})
