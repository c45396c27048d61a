"""Photo tickets: a presigned upload into quarantine, and its one use in a report.

Nothing in ``quarantine/`` is ever served; making pictures of it is a pipeline of its own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.actor import Principal
from chalicelib.domain.times import iso, parse
from chalicelib.errors import Problem
from chalicelib.services import cities, rates
from chalicelib.services.operations import Operation, Outcome, once, write
from chalicelib.storage import files, reports
from chalicelib.storage.transactions import Put, Refused, Unavailable, commit

TYPES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
}
LARGEST = 10 * 1024 * 1024
MOST = 6
SECONDS = 300
USABLE = timedelta(hours=24)


@dataclass(frozen=True)
class Claim:
    """A photo that its owner uses now: its ticket's version, and the ticket after the use."""

    photo: str
    seen: int
    ticket: dict[str, Any]

    def put(self, jurisdiction: str) -> Put:
        """The write that uses it up, unless somebody did meanwhile."""
        return reports.put_photo(jurisdiction, self.photo, self.ticket, seen=self.seen)


def ticket(actor: Principal, op: Operation, content_type: str, now: datetime) -> Outcome:
    """A photo's id and the form to upload it with; a replay signs a new form for the same id.

    Once the photo is used there are no more forms: ``upload`` is null.
    """
    if content_type not in TYPES:
        raise Problem("unknown_photo_type", field="content_type", types=sorted(TYPES))
    city = cities.current(actor.jurisdiction, now)

    def attempt() -> Outcome:
        limits = {kind: city.limits[kind] for kind in ("tickets",) if kind in city.limits}
        scope = {"tickets": actor.uid or "-"}
        rates.take(actor.jurisdiction, limits, scope, now, fail_open=False)
        photo = ids.new_ulid(now)
        doc = {
            "owner": actor.uid,
            "type": content_type,
            "issued": iso(now),
            "state": "issued",
        }
        put = reports.put_photo(actor.jurisdiction, photo, doc, seen=None)
        return write(op, [put], {"photo": photo, "content_type": content_type})

    outcome = once(op, attempt)
    photo = outcome.answer["photo"]
    if outcome.replayed:
        found = reports.photo(actor.jurisdiction, photo)
        if found is None or found[1]["state"] == "used":
            # A new form would let the evidence be replaced.
            return Outcome({**outcome.answer, "upload": None}, replayed=True)
    key = key_of(actor.jurisdiction, photo)
    form = files.upload_form(key, content_type, LARGEST, SECONDS)
    return Outcome({**outcome.answer, "upload": form}, outcome.replayed)


def claims(
    actor: Principal, photos: list[str], report: str, purpose: str, now: datetime
) -> list[Claim]:
    """Prove that the actor may use these photos: own, uploaded, unused, at most a day old."""
    if len(photos) > MOST or len(set(photos)) != len(photos):
        raise Problem("too_many_photos", field="photos", most=MOST)
    return [_claim(actor, photo, report, purpose, now) for photo in photos]


def _claim(actor: Principal, photo: str, report: str, purpose: str, now: datetime) -> Claim:
    found = reports.photo(actor.jurisdiction, photo)
    if found is None or found[1]["owner"] != actor.uid:
        raise Problem("unknown_photo", field="photos")
    seen, doc = found
    if doc["state"] == "used":
        raise Problem("photo_used", field="photos")
    if parse(doc["issued"]) < now - USABLE:
        raise Problem("unknown_photo", field="photos")
    # The bucket's event may still be on its way: the object itself decides.
    stored = files.head(key_of(actor.jurisdiction, photo))
    if stored is None:
        raise Problem("photo_missing", field="photos")
    used = {**doc, **stored, "state": "used", "report": report, "purpose": purpose}
    return Claim(photo, seen, used)


def lost(actor: Principal, taken: list[Claim]) -> Problem:
    """Why claims failed in the transaction: used meanwhile, or merely noted as arrived.

    The bucket's event may come between the proof and the claim; then trying again helps.
    """
    for one in taken:
        found = reports.photo(actor.jurisdiction, one.photo)
        if found is None or found[1]["state"] == "used":
            return Problem("photo_used", field="photos")
    return Unavailable()


def note_upload(jurisdiction: str, photo: str) -> bool:
    """Record that a photo has arrived in quarantine; whether that was news.

    Called for every event of the bucket, which may come twice, late, or for an object gone.
    """
    found = reports.photo(jurisdiction, photo)
    if found is None or found[1]["state"] != "issued":
        return False
    stored = files.head(key_of(jurisdiction, photo))
    if stored is None:
        return False
    seen, doc = found
    arrived = {**doc, **stored, "state": "arrived"}
    try:
        commit([reports.put_photo(jurisdiction, photo, arrived, seen=seen)])
    except Refused:
        return False
    return True


def key_of(jurisdiction: str, photo: str) -> str:
    """Where a photo's upload lies."""
    return f"quarantine/{jurisdiction}/{photo}"
