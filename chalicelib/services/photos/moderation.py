"""Moderation of pictures by officials (hide, show, blur), and flags by anybody.

Tests: tests/integration/test_photos.py
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib import ids
from chalicelib.domain import photos
from chalicelib.domain.body_types import Flag, FlaggedText, ModeratePhoto, Rectangle
from chalicelib.domain.city.city import City
from chalicelib.domain.events import EventText
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.photos import HIDDEN, PENDING, READY, REFUSED
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.row_types import Picture
from chalicelib.domain.timeline_types import EventData
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import rate_limits
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome
from chalicelib.services.timeline import access, traces
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import people, photo_tickets, report_texts

HIDE, SHOW, BLUR = "hide", "unhide", "blur"
_EVENTS = {HIDE: "photo_hidden", SHOW: "photo_shown", BLUR: "photo_blurred"}
_FROM = {HIDE: (PENDING, READY, REFUSED), SHOW: (HIDDEN, REFUSED), BLUR: (READY, HIDDEN)}
_MOST_BLURS = 50
FLAGGED = "flagged"


def moderate(
    actor: Principal,
    op: KeyedOperation,
    report_id: str,
    photo: str,
    body: ModeratePhoto,
    now: datetime,
) -> Outcome:
    """Hide, unhide or blur one picture of a report in the official's scope.

    ``body``: ``action``, ``reason`` (a code of rules/photos.json), a ``rectangle`` to blur (x, y,
    width, height in thousandths of the picture), a ``note`` for officials. Nobody sees a picture
    while a new revision of it is being made. Raises ``Problem``: not_found, picture_state and
    problems of the body.
    """
    action, reason = body["action"], body["reason"]
    if (action == BLUR) != ("rectangle" in body):
        slug = "action_field_missing" if action == BLUR else "action_field_unknown"
        raise Problem(slug, field="rectangle", action=action)

    def change(seen: Seen, city: City) -> Addition:
        if not access.in_scope(actor, seen.report):
            raise Problem("not_found")
        access.permit(actor, seen.report, "moderatePhoto")
        picture = seen.report.pictures.get(photo)
        if picture is None:
            raise Problem("not_found")
        changed = _changed(actor, photo, picture, action, body.get("rectangle"))
        after = photos.with_picture(photos.with_shown_at(seen.report, now), photo, **changed)
        data: EventData = {"photo": photo, "reason": reason}
        if action == BLUR:
            data["rectangle"] = changed["blurred"][-1]
        answer = {"photo": photo, "picture": after.pictures[photo]["state"]}
        return Addition(after, answer, data=data)

    note = body.get("note")
    words = EventText("note", "inside", note, ids.token_bytes(SALT_BYTES)) if note else None
    return add(actor, op, report_id, _EVENTS[action], change, now, (words,) if words else ())


def _changed(
    actor: Principal,
    photo: str,
    picture: Picture,
    action: str,
    rectangle: Rectangle | None,
) -> dict[str, Any]:
    if picture["state"] not in _FROM[action]:
        raise Problem("picture_state", action=action, picture=picture["state"])
    if action == HIDE:
        return {"state": HIDDEN}
    stored = photo_tickets.photo(actor.jurisdiction, photo)
    if stored is None or stored[1]["state"] != READY:
        raise Problem("picture_state", action=action, picture=picture["state"])
    revision: dict[str, Any] = {"state": PENDING, "rev": picture["rev"] + 1}
    if rectangle is None:
        return revision
    blurred = picture.get("blurred", [])
    if len(blurred) >= _MOST_BLURS:
        raise Problem("picture_state", action=action, picture=picture["state"])
    return {
        **revision,
        "blurred": [
            *blurred,
            [rectangle["x"], rectangle["y"], rectangle["width"], rectangle["height"]],
        ],
    }


def flag(
    actor: Principal, op: KeyedOperation, report_id: str, body: Flag, now: datetime
) -> Outcome:
    """Flag a report, a picture or a text for officials: once per person. A flag hides nothing.

    ``body``: ``reason`` (a code of rules/photos.json), ``photo`` or ``text`` (version, field), a
    ``note`` for officials. With the reason personal_data and neither of them, the description is
    flagged. Raises ``Problem``: not_found, unknown_photo, unknown_text, too_many.
    """
    reason, photo = body["reason"], body.get("photo")
    named = body.get("text")
    city = cities.current(actor.jurisdiction, now)
    uid = actor.uid or "-"

    def change(seen: Seen, city: City) -> Addition:
        report = seen.report
        access.permit(actor, report, "flagReport")
        if photo is not None and photo not in report.pictures:
            raise Problem("unknown_photo", field="photo")
        text = _flagged_text(report, named, photo, reason)
        meant = photo or (f"{text[0]}.{text[1]}" if named and text else "-")
        flags = report.flags if FLAGGED in report.flags else (*report.flags, FLAGGED)
        after = replace(report, flagged=report.flagged + 1, flags=flags)
        mark = people.put_mark(report.jurisdiction, report.id, people.FLAG, f"{uid}#{meant}")
        marks = [mark, *traces.index_rows(actor, people.FLAG, report.id, meant)]
        data: EventData = {"reason": reason}
        if photo:
            data["photo"] = photo
        if text:
            data["text"] = list(text)
        # Only the first flag alerts the unit.
        name = "flag" if not report.flagged else "flag_again"
        return Addition(after, {"flagged": after.flagged}, marks, data, name)

    note = body.get("note")
    words = EventText("note", "inside", note, ids.token_bytes(SALT_BYTES)) if note else None
    usage = rate_limits.Usage(city.person_limits("flags"), {"flags": uid}, fail_open=False)
    texts = (words,) if words else ()
    return add(actor, op, report_id, "flag", change, now, texts, usage=usage)


def _flagged_text(
    report: Report, named: FlaggedText | None, photo: str | None, reason: str
) -> tuple[int, str] | None:
    """(version, field) of the public text that a flag is about; ``None`` if it is about none."""
    text = (named["version"], named["field"]) if named else None
    if text is None and photo is None and reason == "personal_data":
        text = (1, "description")
    if text is None:
        return None
    name = report_texts.text_name(*text)
    doc = report_texts.named_texts(report.jurisdiction, report.id, [name]).get(name)
    if doc is None or doc["audience"] != "public":
        if named:
            raise Problem("unknown_text", field="text")
        return None
    return text
