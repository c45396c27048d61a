"""A report's pictures: what each shows, where it stands, and the work that an event leaves behind.

The head keeps ``pictures``: {photo: {"kind", "state", "rev"}} and, once it is made, "width",
"height" and "cut" beside these. A revision is one set of renditions; every change of what may be
seen makes a new one, so that an address that was given out before shows nothing afterwards
(docs/decisions/picture-revisions.md).
"""

from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from chalicelib.domain.map.geohash import distance_m
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import parse

PENDING, READY, REFUSED, HIDDEN = "pending", "ready", "refused", "hidden"
# Of a ticket alone: whose photo it was has been forgotten, and its files with them.
ERASED = "erased"
SMALL, LARGE, MASTER = 320, 1280, 2048
DEVELOP, USED, DRAW, HIDE = "develop", "used", "draw", "hide"
BEFORE, AFTER, EARLIER, FOLLOW_UP = "before", "after", "earlier", "follow_up"
# What a ticket and a picture say of the files once they are made.
MADE = ("width", "height", "cut")
SCALE = 1000
NEAR_M = 150
_SHOWN = (PENDING, READY)
_KINDS = {"file": BEFORE, "finish": AFTER}
_MODERATED = {"photo_hidden": HIDE, "photo_shown": DRAW, "photo_blurred": DRAW}
# The word that there are pictures of a photo that a report uses: it may be compared with others.
_MADE = "photo_ready"


def fitted(width: int, height: int, side: int) -> tuple[int, int]:
    """The size of a picture of ``width`` by ``height`` within a square of ``side``, never larger
    than it was."""
    longest = max(width, height)
    if longest <= side:
        return width, height
    return max(1, round(width * side / longest)), max(1, round(height * side / longest))


def new_picture(action: str, ticket: dict[str, Any]) -> dict[str, Any]:
    """How a report lists a photo from the moment an action uses it."""
    kind = _KINDS.get(action, FOLLOW_UP)
    if ticket["state"] != READY:
        return {"kind": kind, "state": PENDING, "rev": 1}
    made = {name: ticket[name] for name in MADE}
    return {"kind": kind, "state": READY, "rev": ticket["rev"], **made}


def with_picture(report: Report, photo: str, **changed: Any) -> Report:
    """The report with one picture changed."""
    pictures = {**report.pictures, photo: {**report.pictures[photo], **changed}}
    return replace(report, pictures=pictures)


def with_new_revisions(report: Report) -> Report:
    """The report with every picture that may be seen to be made anew: whoever kept an address of
    one sees nothing there any more."""
    for photo in ready(report):
        rev = report.pictures[photo]["rev"] + 1
        report = with_picture(report, photo, state=PENDING, rev=rev)
    return report


def ready(report: Report) -> list[str]:
    """The photos whose pictures may be seen."""
    return sorted(one for one, picture in report.pictures.items() if picture["state"] == READY)


def shown(report: Report, photos: tuple[str, ...]) -> int:
    """How many of the photos everybody who may see the report may see, or will shortly."""
    pictures = report.pictures
    return sum(pictures[one]["state"] in _SHOWN for one in photos if one in pictures)


def listed(report: Report) -> list[tuple[str, str, dict[str, Any]]]:
    """(photo, kind, picture), those before the work first, each kind in the order it was given.

    An "after" photo of work that was refused or reopened since is an "earlier" one.
    """
    found = []
    for photo, picture in report.pictures.items():
        past = picture["kind"] == AFTER and photo not in report.after_photos
        found.append((photo, EARLIER if past else picture["kind"], picture))
    order = (BEFORE, AFTER, EARLIER, FOLLOW_UP)
    # Sorting is stable, and ``pictures`` holds them as they were given.
    return sorted(found, key=lambda one: order.index(one[1]))


def jobs(event: dict[str, Any]) -> list[dict[str, Any]]:
    """What an event leaves to the function of photos: {task, photo, rev}, each safe to repeat.

    A photo that is used before it is processed is asked for once more here, so that the loss of
    the bucket's own event leaves nobody waiting.
    """
    data, action = event["data"], event["action"]
    found = []
    for photo, picture in sorted((event["set"].get("pictures") or {}).items()):
        task = None
        # An erasure names photos too; nothing is to be made of those.
        if photo in data.get("photos", ()) and picture["state"] in _SHOWN:
            task = USED if picture["state"] == READY else DEVELOP
        elif photo == data.get("photo"):
            task = USED if action == _MADE and data.get("first") else _MODERATED.get(action)
        elif photo in data.get("redrawn", ()):
            task = DRAW
        if task:
            found.append({"task": task, "photo": photo, "rev": picture["rev"]})
    return found


def with_shown_at(report: Report, now: datetime) -> Report:
    """The report after a change of what its pictures show: of a closed one, copies elsewhere are
    out of date from now (``Report.shown_at``)."""
    return report if report.open else replace(report, shown_at=now)


def taken_at(facts: dict[str, Any], zone: tzinfo) -> datetime | None:
    """When a photo says it was taken, by its own offset or else by the city's clocks."""
    try:
        moment = datetime.fromisoformat(facts["taken"] + facts.get("offset", ""))
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (KeyError, ValueError, OverflowError):
        return None


def proof(facts: dict[str, Any], report: Report, zone: tzinfo) -> dict[str, str]:
    """How far a photo's own place and time bear out that it shows this work.

    ``place`` is "near" or "far" from the pin, ``time`` "after" or "before" the work came to whoever
    holds it; either may be "unknown". A phone can be told to say anything, so this helps whoever
    verifies, and decides nothing.
    """
    place = when = "unknown"
    if "lat" in facts:
        away = distance_m(report.lat, report.long, facts["lat"], facts["long"])
        place = "near" if away <= NEAR_M + min(report.accuracy_m or 0, NEAR_M) else "far"
    taken = taken_at(facts, zone)
    if taken and report.holds:
        when = "after" if taken >= parse(report.holds[-1][0]) else "before"
    return {"place": place, "time": when}


def hash_distance(one: str, other: str) -> int:
    """In how many of their 128 bits two picture hashes (hexadecimal) differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
