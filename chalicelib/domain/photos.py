"""A report's pictures: kind, state, revision, and the photo jobs that an event creates.

The head keeps ``pictures``: {photo: {"kind", "state", "rev"}} and, once the picture is made, also
"width", "height", "cut" and "jpeg". A revision is one set of renditions. Every change of what may
be seen makes a new revision, so an old address shows nothing afterwards
(docs/decisions/picture-revisions.md).
"""

from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any, cast

from chalicelib.domain.map.geohash import distance_m
from chalicelib.domain.message_types import Job
from chalicelib.domain.report import Report
from chalicelib.domain.row_types import PhotoFacts, Picture, Ticket
from chalicelib.domain.timeline_types import Event
from chalicelib.domain.timestamps import parse

PENDING, READY, REFUSED, HIDDEN = "pending", "ready", "refused", "hidden"
# Only of a ticket: its owner and its files have been erased.
ERASED = "erased"
DEVELOP, USED, DRAW, HIDE = "develop", "used", "draw", "hide"
BEFORE, AFTER, EARLIER, FOLLOW_UP = "before", "after", "earlier", "follow_up"
# The fields of a ticket and a picture about the finished files.
MADE = ("width", "height", "cut", "jpeg")
NEAR_M = 150
_SHOWN = (PENDING, READY)
_KINDS = {"file": BEFORE, "finish": AFTER}
_MODERATED = {"photo_hidden": HIDE, "photo_shown": DRAW, "photo_blurred": DRAW}
# The event of a finished photo that a report uses: it can now be compared with other photos.
_MADE = "photo_ready"


def new_picture(action: str, ticket: Ticket) -> Picture:
    """The ``pictures`` row of a photo that an action starts to use."""
    kind = _KINDS.get(action, FOLLOW_UP)
    if ticket["state"] != READY:
        return {"kind": kind, "state": PENDING, "rev": 1}
    picture: Picture = {
        "kind": kind,
        "state": READY,
        "rev": ticket["rev"],
        "width": ticket["width"],
        "height": ticket["height"],
        "cut": ticket["cut"],
    }
    if "jpeg" in ticket:
        picture["jpeg"] = ticket["jpeg"]
    return picture


def with_picture(report: Report, photo: str, **changed: Any) -> Report:
    """The report with one picture changed."""
    picture = cast(Picture, {**report.pictures[photo], **changed})
    return replace(report, pictures={**report.pictures, photo: picture})


def with_new_revisions(report: Report) -> Report:
    """The report with new revisions for all visible pictures.

    Addresses that were given out before show nothing afterwards.
    """
    for photo in ready(report):
        rev = report.pictures[photo]["rev"] + 1
        report = with_picture(report, photo, state=PENDING, rev=rev)
    return report


def ready(report: Report) -> list[str]:
    """The photos whose pictures may be seen."""
    return sorted(photo for photo, picture in report.pictures.items() if picture["state"] == READY)


def shown(report: Report, photos: tuple[str, ...]) -> int:
    """How many of the photos are visible, now or as soon as they are processed."""
    pictures = report.pictures
    return sum(pictures[photo]["state"] in _SHOWN for photo in photos if photo in pictures)


def listed(report: Report) -> list[tuple[str, str, Picture]]:
    """(photo, kind, picture) of each photo: those before the work first, then in order of filing.

    An "after" photo of work that was refused or reopened later is an "earlier" one.
    """
    rows = []
    for photo, picture in report.pictures.items():
        past = picture["kind"] == AFTER and photo not in report.after_photos
        rows.append((photo, EARLIER if past else picture["kind"], picture))
    order = (BEFORE, AFTER, EARLIER, FOLLOW_UP)
    # Sorting is stable, and ``pictures`` keeps the order of filing.
    return sorted(rows, key=lambda row: order.index(row[1]))


def jobs(event: Event) -> list[Job]:
    """The photo jobs of an event: {task, photo, rev}, each safe to repeat.

    A photo that is used before it is processed gets a job here too, in case the event of the bucket
    is lost.
    """
    data, action = event["data"], event["action"]
    rows: list[Job] = []
    for photo, picture in sorted((event["set"].get("pictures") or {}).items()):
        task = None
        # An erasure names photos too; those need no job.
        if photo in data.get("photos", ()) and picture["state"] in _SHOWN:
            task = USED if picture["state"] == READY else DEVELOP
        elif photo == data.get("photo"):
            task = USED if action == _MADE and data.get("first") else _MODERATED.get(action)
        elif photo in data.get("redrawn", ()):
            task = DRAW
        if task:
            rows.append({"task": task, "photo": photo, "rev": picture["rev"]})
    return rows


def with_shown_at(report: Report, now: datetime) -> Report:
    """The report after a change of its pictures.

    If it is closed, copies elsewhere are out of date from now on (``Report.shown_at``).
    """
    return report if report.open else replace(report, shown_at=now)


def taken_at(facts: PhotoFacts, zone: tzinfo) -> datetime | None:
    """When a photo was taken (UTC), by its own offset or else by the city's time zone."""
    try:
        moment = datetime.fromisoformat(facts["taken"] + facts.get("offset", ""))
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None


def proof(facts: PhotoFacts, report: Report, zone: tzinfo) -> dict[str, str]:
    """How well a photo's own place and time fit this work.

    ``place`` is "near" or "far" from the pin; ``time`` is "after" or "before" the present holder
    got the report; either may be "unknown". A phone can be made to say anything, so this only helps
    the verifier.
    """
    distance = when = "unknown"
    if "lat" in facts:
        away = distance_m(report.lat, report.long, facts["lat"], facts["long"])
        distance = "near" if away <= NEAR_M + min(report.accuracy_m or 0, NEAR_M) else "far"
    taken = taken_at(facts, zone)
    if taken and report.holds:
        when = "after" if taken >= parse(report.holds[-1][0]) else "before"
    return {"place": distance, "time": when}


def hash_distance(first: str, second: str) -> int:
    """In how many of their 128 bits two picture hashes (hexadecimal) differ."""
    return (int(first, 16) ^ int(second, 16)).bit_count()
