"""Processing of photos: pictures from uploads, and new revisions from masters after moderation.

Each step can run twice, late, or be interrupted: the names of files depend only on photo and
revision, and ticket, head and event are written in one transaction.

Tests: tests/integration/test_photos.py
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain import photos
from chalicelib.domain.city.city import City
from chalicelib.domain.photos import HIDDEN, PENDING, READY, REFUSED
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.domain.row_types import PhotoFacts, Ticket
from chalicelib.domain.timeline_types import EventData
from chalicelib.imaging import refusals, sandbox
from chalicelib.imaging.refusals import PhotoRefused
from chalicelib.imaging.sandbox import ProcessedPhoto
from chalicelib.services.photos import fetching, storage_keys
from chalicelib.services.photos.storage_keys import Files
from chalicelib.services.photos.tickets import LARGEST
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.settings import settings
from chalicelib.storage import control, files, people, photo_tickets, reports
from chalicelib.storage.transactions import Refused, Unavailable, Write, commit

ATTEMPTS = 6


@dataclass(frozen=True)
class _Result:
    """The result of an upload: the fields to add to its ticket, and facts from its metadata."""

    ticket: Ticket
    facts: PhotoFacts


def develop(jurisdiction: str, photo: str, now: datetime) -> None:
    """Make the pictures of an upload or refuse it, write that to its report, and delete the upload
    from quarantine.

    Called for each event of the bucket, and again when a report uses the photo.
    """
    versioned = photo_tickets.photo(jurisdiction, photo)
    if versioned is None:
        return  # No ticket: the bucket's lifecycle rule deletes the file.
    if versioned[1]["state"] == "issued":
        made = _process(jurisdiction, photo, versioned[1])
        if made is None:
            return
        _write_result(jurisdiction, photo, made, now)
    _clear_quarantine(jurisdiction, photo)


def refuse(jurisdiction: str, photo: str, now: datetime, error: Exception) -> None:
    """Mark an upload as failed after the last try, and record a dead-letter note."""
    note = {"photo": photo, "error": type(error).__name__}
    control.put_dead(jurisdiction, "photos", photo, note)
    versioned = photo_tickets.photo(jurisdiction, photo)
    if versioned is not None and versioned[1]["state"] == "issued":
        _write_result(jurisdiction, photo, _refused(refusals.PROCESSING_FAILED), now)


def _process(jurisdiction: str, photo: str, ticket: Ticket) -> _Result | None:
    if url := ticket.get("url"):
        return _process_outside(jurisdiction, photo, url)
    key = storage_keys.quarantined(jurisdiction, photo)
    stored = files.head(key)
    if stored is None:
        # A report is waiting for this upload. Without a report, it may still be uploaded.
        return _refused(refusals.MISSING) if "report" in ticket else None
    if stored["size"] > LARGEST:
        return _refused(refusals.TOO_LARGE)
    if stored["type"] != ticket["type"]:
        return _refused(refusals.TYPE_MISMATCH)
    data = files.get(key)
    if data is None:
        return None  # Another run has processed it meanwhile.
    made = _made(jurisdiction, photo, data, ticket["type"])
    if made.ticket["state"] == READY:
        made.ticket["etag"] = stored["etag"]
    return made


def _process_outside(jurisdiction: str, photo: str, url: str) -> _Result:
    """The pictures of a photo that another system keeps; its address is not kept in the ticket."""
    try:
        data, media = fetching.fetched(url)
    except PhotoRefused as refusal:
        made = _refused(refusal.reason)
    else:
        made = _made(jurisdiction, photo, data, media)
        if settings().keep_originals and made.ticket["state"] == READY:
            files.put(storage_keys.original(jurisdiction, photo), data, media)
    made.ticket["url"] = None
    return made


def _made(jurisdiction: str, photo: str, data: bytes, media: str) -> _Result:
    try:
        developed = sandbox.develop(data, media)
    except PhotoRefused as refusal:
        return _refused(refusal.reason)
    sha256 = hashlib.sha256(data).hexdigest()
    cut = storage_keys.cut_of(photo, sha256)
    # Marked as unused even if a report waits: another upload with the form may have been first.
    _store(Files(jurisdiction, photo, cut), 1, developed, unused=True)
    known: Ticket = {
        "state": READY,
        "rev": 1,
        "cut": cut,
        "width": developed.width,
        "height": developed.height,
        "jpeg": True,
        "likeness": developed.likeness,
        "sha256": sha256,
    }
    return _Result(known, developed.facts)


def _refused(reason: str) -> _Result:
    return _Result({"state": REFUSED, "reason": reason}, {})


def _store(held: Files, rev: int, made: ProcessedPhoto, *, unused: bool) -> None:
    for name, key in held.by_name(rev).items():
        files.put(key, made.files[name], sandbox.media_type(name), unused=unused)


def _write_result(jurisdiction: str, photo: str, made: _Result, now: datetime) -> None:
    """Write the result to the ticket, and to the photo's report if it has one by now."""
    for _ in range(ATTEMPTS):
        versioned = photo_tickets.photo(jurisdiction, photo)
        if versioned is None or versioned[1]["state"] != "issued":
            return
        seen, doc = versioned
        if "report" in doc:
            _write_to_report(jurisdiction, photo, doc["report"], made, now)
            return
        writes: list[Write] = [
            photo_tickets.put_photo(jurisdiction, photo, {**doc, **made.ticket}, seen=seen)
        ]
        if made.facts:
            writes.append(people.put_photo_facts(jurisdiction, photo, made.facts))
        try:
            commit(writes)
        except Refused:
            continue  # A report or another run has changed the ticket.
        return
    raise Unavailable


def _write_to_report(
    jurisdiction: str, photo: str, report: str, made: _Result, now: datetime
) -> None:
    actor = system(jurisdiction)

    def change(seen: Seen, city: City) -> Addition | None:
        versioned = photo_tickets.photo(jurisdiction, photo)
        if versioned is None or versioned[1]["state"] != "issued":
            return None
        version, doc = versioned
        put = photo_tickets.put_photo(jurisdiction, photo, {**doc, **made.ticket}, seen=version)
        known = {name: value for name, value in made.ticket.items() if name in photos.MADE}
        state = made.ticket["state"]
        if seen.report.pictures[photo]["state"] == HIDDEN:
            state = HIDDEN
        shown = photos.with_shown_at(seen.report, now)
        after = photos.with_picture(shown, photo, state=state, **known)
        data: EventData = {"photo": photo, "first": True}
        if reason := made.ticket.get("reason"):
            data["reason"] = reason
        return Addition(after, {}, [put], data)

    name = "photo_ready" if made.ticket["state"] == READY else "photo_refused"
    add(actor, keyed_operation(actor, name, photo, ""), report, name, change, now)
    _hide_if_hidden(jurisdiction, report, photo)


def _hide_if_hidden(jurisdiction: str, report: str, photo: str) -> None:
    # If the picture was hidden while it was being made, the job to hide it may have run too early.
    head = reports.get(jurisdiction, report)
    if head is not None and head.pictures[photo]["state"] == HIDDEN:
        hide(jurisdiction, report, photo, head.pictures[photo]["rev"])


def _clear_quarantine(jurisdiction: str, photo: str) -> None:
    versioned = photo_tickets.photo(jurisdiction, photo)
    if versioned is None or versioned[1]["state"] == "issued":
        return
    if versioned[1]["state"] == photos.ERASED:
        # The photo was erased: delete what was uploaded or made meanwhile.
        storage_keys.forget(jurisdiction, photo)
        return
    key = storage_keys.quarantined(jurisdiction, photo)
    stored = files.head(key)
    if stored is None:
        return
    # Keep only the file that was processed, not one that was uploaded with the form afterwards.
    if settings().keep_originals and stored["etag"] == versioned[1].get("etag"):
        files.copy(key, storage_keys.original(jurisdiction, photo))
    files.delete([key])


def redraw(jurisdiction: str, report: str, photo: str, rev: int, now: datetime) -> None:
    """Make revision ``rev`` of a picture from its master, with all its rectangles blurred.

    Does nothing if there is a newer revision, which has its own job. The files of older revisions
    and the original are deleted.
    """
    head, versioned = reports.get(jurisdiction, report), photo_tickets.photo(jurisdiction, photo)
    if head is None or versioned is None or head.pictures[photo]["rev"] != rev:
        return
    if versioned[1]["state"] == READY and versioned[1]["rev"] < rev:
        _make_revision(jurisdiction, report, photo, rev, now)
        _hide_if_hidden(jurisdiction, report, photo)
    _delete_older(head, photo, rev)
    _clear_quarantine(jurisdiction, photo)


def _make_revision(jurisdiction: str, report: str, photo: str, rev: int, now: datetime) -> None:
    actor = system(jurisdiction)
    head, versioned = reports.get(jurisdiction, report), photo_tickets.photo(jurisdiction, photo)
    assert head is not None
    assert versioned is not None
    picture, before = head.pictures[photo], versioned[1]["rev"]
    held = Files(jurisdiction, photo, versioned[1]["cut"])
    master = files.get(held.master(before))
    if master is None:
        raise LookupError(f"no master of photo {photo}, revision {before}")
    drawn = sandbox.redraw(master, picture.get("blurred", []))
    _store(held, rev, drawn, unused=False)

    def change(seen: Seen, city: City) -> Addition | None:
        present, versioned = seen.report.pictures[photo], photo_tickets.photo(jurisdiction, photo)
        if versioned is None or versioned[1]["state"] != READY or present["rev"] != rev:
            return None
        if versioned[1]["rev"] >= rev:
            return None
        version, doc = versioned
        ticket: Ticket = {**doc, "rev": rev, "jpeg": True}
        put = photo_tickets.put_photo(jurisdiction, photo, ticket, seen=version)
        state = READY if present["state"] == PENDING else present["state"]
        shown = photos.with_shown_at(seen.report, now)
        after = photos.with_picture(shown, photo, state=state, jpeg=True)
        return Addition(after, {}, [put], {"photo": photo})

    add(
        actor,
        keyed_operation(actor, "draw", f"{photo}:{rev}", ""),
        report,
        "photo_ready",
        change,
        now,
    )


def give_up(
    jurisdiction: str, report: str, photo: str, rev: int, now: datetime, error: Exception
) -> None:
    """Mark the picture as refused if its revision failed at the last try, and record a dead-letter
    note."""
    note = {"photo": photo, "report": report, "rev": rev, "error": type(error).__name__}
    control.put_dead(jurisdiction, "photos", f"{photo}:{rev}", note)
    actor = system(jurisdiction)

    def change(seen: Seen, city: City) -> Addition | None:
        picture = seen.report.pictures[photo]
        if picture["state"] != PENDING or picture["rev"] != rev:
            return None
        after = photos.with_picture(seen.report, photo, state=REFUSED)
        return Addition(after, {}, data={"photo": photo, "reason": refusals.PROCESSING_FAILED})

    op = keyed_operation(actor, "give_up", f"{photo}:{rev}", "")
    add(actor, op, report, "photo_refused", change, now)


def hide(jurisdiction: str, report: str, photo: str, rev: int) -> None:
    """Delete the public renditions of a picture up to a revision; the masters stay."""
    head = reports.get(jurisdiction, report)
    cut = head.pictures[photo].get("cut") if head else None
    if cut:
        renditions = Files(jurisdiction, photo, cut)
        old = range(1, rev + 1)
        files.delete([key for number in old for key in renditions.served(number).values()])


def _delete_older(head: Report, photo: str, rev: int) -> None:
    picture = head.pictures[photo]
    renditions = Files(head.jurisdiction, photo, picture["cut"])
    old = [key for number in range(1, rev) for key in renditions.by_name(number).values()]
    if picture.get("blurred"):
        old.append(storage_keys.original(head.jurisdiction, photo))
    files.delete(old)
