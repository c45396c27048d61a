"""Photo tickets: a presigned upload into quarantine, its state, and its one use in a report.

A ticket is ``issued`` until ``process_photos`` has made pictures of the upload (``ready``) or
refused it (``refused``, with a reason). Files in quarantine are never served.

Tests: tests/integration/test_photos.py
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib import ids
from chalicelib.domain import photos as report_photos
from chalicelib.domain.city.city import City
from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.row_types import PhotoFacts, Picture, Ticket
from chalicelib.domain.timeline_types import EventData
from chalicelib.domain.timestamps import iso, parse
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import rate_limits
from chalicelib.services.photos.storage_keys import Files, quarantined
from chalicelib.services.platform.answer_types import Renditions
from chalicelib.services.platform.catalogue import translations
from chalicelib.services.platform.idempotency import (
    KeyedOperation,
    Outcome,
    run_once,
    write_with_key,
)
from chalicelib.services.platform.record_answer_types import UploadStatus
from chalicelib.services.timeline import traces
from chalicelib.storage import files, people, photo_tickets
from chalicelib.storage.transactions import Unavailable, Write

TYPES = ("image/jpeg", "image/png", "image/webp", "image/heic", "image/heif", "image/avif")
SMALLEST, LARGEST = 100, 10 * 1024 * 1024
MOST = 6
SECONDS = 300
USABLE = timedelta(hours=24)
_WAIT = {"Retry-After": "2"}


@dataclass(frozen=True)
class Claim:
    """A photo that its owner uses in a report now.

    ``writes`` mark the ticket as used; ``entry`` is the report's row of the picture; ``proof`` says
    how its metadata fit the report, for a finish.
    """

    photo: str
    writes: list[Write]
    entry: Picture
    proof: dict[str, str]


def issue(actor: Principal, op: KeyedOperation, content_type: str, now: datetime) -> Outcome:
    """A new photo id and a form to upload the file with.

    A replay signs a new form for the same id, but not once the photo is processed or used: then
    ``upload`` is null.
    """
    if content_type not in TYPES:
        raise Problem("unknown_photo_type", field="content_type", types=sorted(TYPES))
    city = cities.current(actor.jurisdiction, now)

    def attempt() -> Outcome:
        photo = ids.new_ulid(now)
        doc: Ticket = {
            "owner": actor.uid,
            "type": content_type,
            "issued": iso(now),
            "state": "issued",
        }
        put = photo_tickets.put_photo(actor.jurisdiction, photo, doc, seen=None)
        left = traces.index_rows(actor, people.PHOTO, "-", photo)
        return write_with_key(op, [put, *left], {"photo": photo, "content_type": content_type})

    limits = {kind: city.limits[kind] for kind in ("tickets",) if kind in city.limits}
    usage = rate_limits.Usage(limits, {"tickets": actor.uid or "-"}, fail_open=False)
    outcome = run_once(op, lambda: rate_limits.run_limited(actor.jurisdiction, usage, now, attempt))
    photo = outcome.answer["photo"]
    if outcome.replayed:
        stored = photo_tickets.photo(actor.jurisdiction, photo)
        if stored is None or stored[1]["state"] != "issued" or "report" in stored[1]:
            # With a new form, the evidence could be replaced.
            return Outcome({**outcome.answer, "upload": None}, replayed=True)
    key = quarantined(actor.jurisdiction, photo)
    form = files.upload_form(key, content_type, SMALLEST, LARGEST, SECONDS)
    return Outcome({**outcome.answer, "upload": form}, outcome.replayed)


def status(actor: Principal, photo: str, now: datetime) -> UploadStatus:
    """The state of an upload, for its owner: pictures, reason of a refusal, and where and when the
    photo was taken.

    The place is in the answer until the photo is used, and only if it is within the city.
    """
    _, doc = _own(actor, photo, "not_found")
    city = cities.current(actor.jurisdiction, now)
    ready = doc["state"] == "ready"
    facts = people.photo_facts(actor.jurisdiction, photo) if ready else None
    position = facts if facts and "lat" in facts else None
    if position and not _in_city(city, position["lat"], position["long"]):
        position = None
    taken = report_photos.taken_at(facts or PhotoFacts(), city.zone)
    reason = doc.get("reason")
    return {
        "photo": photo,
        "state": doc["state"],
        "reason": {"code": reason, "text": translations(f"refusal.{reason}", city)}
        if reason
        else None,
        "report": doc.get("report"),
        "taken_at": iso(taken) if taken else None,
        "place": {"lat": position["lat"], "long": position["long"]} if position else None,
        "pictures": _own_pictures(actor.jurisdiction, photo, doc) if ready else None,
    }


def claim_photos(
    actor: Principal,
    photos: list[str],
    report: Report,
    purpose: str,
    now: datetime,
    city: City,
) -> list[Claim]:
    """Claim photos for a report: the actor's own, uploaded, unused, at most a day old.

    ``purpose``: the action. ``finish`` takes only photos that are processed already. Raises
    ``Problem``: too_many_photos, unknown_photo, photo_used, photo_refused, photo_missing,
    photo_processing.
    """
    if len(photos) > MOST or len(set(photos)) != len(photos):
        raise Problem("too_many_photos", field="photos", most=MOST)
    return [_claim(actor, photo, report, purpose, now, city) for photo in photos]


def _own(actor: Principal, photo: str, slug: str) -> tuple[int, Ticket]:
    stored = photo_tickets.photo(actor.jurisdiction, photo)
    if stored is None or stored[1]["owner"] != actor.uid:
        raise Problem(slug, field=None if slug == "not_found" else "photos")
    return stored


def _claim(
    actor: Principal, photo: str, report: Report, purpose: str, now: datetime, city: City
) -> Claim:
    jurisdiction = actor.jurisdiction
    version, doc = _own(actor, photo, "unknown_photo")
    if "report" in doc:
        raise Problem("photo_used", field="photos")
    if doc["state"] == "refused":
        text = translations(f"refusal.{doc['reason']}", city)
        raise Problem("photo_refused", field="photos", photo=photo, reason=doc["reason"], why=text)
    if parse(doc["issued"]) < now - USABLE:
        raise Problem("unknown_photo", field="photos")
    if doc["state"] == "issued":
        # The bucket's event may be late, so look at the object itself.
        uploaded = doc.get("url") or files.head(quarantined(jurisdiction, photo))
        if uploaded is None:
            raise _missing(actor, photo)
        if purpose == "finish":
            raise Problem("photo_processing", field="photos", photo=photo, headers=_WAIT)
    used: Ticket = {**doc, "report": report.id, "purpose": purpose, "used": iso(now)}
    writes: list[Write] = [photo_tickets.put_photo(jurisdiction, photo, used, seen=version)]
    proof = {}
    if doc["state"] == "ready":
        facts = people.photo_facts(jurisdiction, photo) or PhotoFacts()
        writes.append(people.delete_photo_facts(jurisdiction, photo))
        proof = report_photos.proof(facts, report, city.zone) if purpose == "finish" else {}
    return Claim(photo, writes, report_photos.new_picture(purpose, doc), proof)


def _missing(actor: Principal, photo: str) -> Problem:
    # The photo may have been processed, and its upload deleted, since the ticket was read.
    _, doc = _own(actor, photo, "unknown_photo")
    if doc["state"] == "issued":
        return Problem("photo_missing", field="photos")
    return Unavailable()


def claim_failure(actor: Principal, claims: list[Claim]) -> Problem:
    """Why the writes of claims failed: ``photo_used``, or ``Unavailable`` if a photo was only
    processed meanwhile, so that trying again helps."""
    for claim in claims:
        stored = photo_tickets.photo(actor.jurisdiction, claim.photo)
        if stored is None or "report" in stored[1]:
            return Problem("photo_used", field="photos")
    return Unavailable()


def with_photos(after: Report, claims: list[Claim]) -> Report:
    """The report with the claimed photos among its pictures."""
    new = {claim.photo: claim.entry for claim in claims}
    return replace(after, pictures={**after.pictures, **new}) if new else after


def event_data(claims: list[Claim]) -> EventData:
    """The event's data about claimed photos: their ids, and proofs, which only officials see."""
    if not claims:
        return {}
    proofs = {claim.photo: claim.proof for claim in claims if claim.proof}
    photos = [claim.photo for claim in claims]
    return {"photos": photos, **({"proof": proofs} if proofs else {})}


def _own_pictures(jurisdiction: str, photo: str, doc: Ticket) -> Renditions | None:
    # Once the photo belongs to a report, only the report's own answers show it.
    if "report" in doc:
        return None
    return Files(jurisdiction, photo, doc["cut"]).shown(doc["rev"], doc["width"], doc["height"])


def _in_city(city: City, lat: float, long: float) -> bool:
    return cities.boundaries(city.jurisdiction, city.version).ward_at(lat, long) is not None
