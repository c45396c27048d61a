"""Service request updates, mySociety's extension of GeoReport, for a FixMyStreet as front end.

Tests: tests/e2e/test_open311.py
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib import ids
from chalicelib.domain import photos
from chalicelib.domain.body_types import ActionBody
from chalicelib.domain.city.city import City
from chalicelib.domain.events import EventText
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.open311 import georeport, updates
from chalicelib.domain.open311.georeport import InvalidArgument
from chalicelib.domain.open311.updates import UpdateRow
from chalicelib.domain.principal import BY_CONTACT, REPEATS_STATE, Principal
from chalicelib.domain.report import Report
from chalicelib.domain.timeline_types import EventData
from chalicelib.domain.timestamps import parse
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import filers, rate_limits
from chalicelib.services.open311 import attachments, attributes, remarks
from chalicelib.services.open311.answer_types import UpdateView
from chalicelib.services.open311.attachments import NO_PICTURES, WORD, Attachments
from chalicelib.services.open311.remarks import Remark
from chalicelib.services.photos import photo_views, tickets
from chalicelib.services.platform.catalogue import message_text
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome, earlier_outcome
from chalicelib.services.reports import actions, engagement, merging, one_tap
from chalicelib.services.timeline import access
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import open311_requests, people, report_texts, reports
from chalicelib.storage.transactions import Write

MOST = 1000
DEFAULT = timedelta(days=1)
# How many photos a report may have from updates and all else: its head, which names them, is one
# row of at most 400 KB.
PICTURES_AT_MOST = 100


def listed(city: City, start: str | None, end: str | None, now: datetime) -> list[UpdateView]:
    """The updates of a window, both ends included, oldest first; by default of the last day.

    Raises ``InvalidArgument`` for one end without the other, or for more than ``MOST`` updates.
    """
    if bool(start) != bool(end):
        raise InvalidArgument("end_date" if start else "start_date", "is required beside the other")
    since, until = now - DEFAULT, now
    if start and end:
        first = georeport.moment(start, city.zone, "start_date")
        last = georeport.moment(end, city.zone, "end_date")
        since, until = georeport.window(first, last, now)
    rows, whole = open311_requests.updates(city.jurisdiction, since, until, MOST + 1)
    if not whole or len(rows) > MOST:
        raise InvalidArgument("end_date", f"covers more than {MOST} updates: ask for less")
    # Leave out reports that became protected since, with all their earlier updates.
    public = open311_requests.listed_ids(city.jurisdiction, sorted({row["report"] for row in rows}))
    rows = [row for row in rows if row["report"] in public]
    texts = open311_requests.update_texts(city.jurisdiction, rows)
    with_photos = sorted({row["report"] for row in rows if row.get("photos")})
    heads = reports.get_many(city.jurisdiction, with_photos)
    return [
        {
            "update_id": _id(row["report"], row["version"]),
            "service_request_id": row["report"],
            "status": updates.known(row["status"]),
            "updated_datetime": georeport.format_time(parse(row["at"])),
            "description": texts.get((row["report"], row["version"]), ""),
            "media_url": _media_url(row, heads.get(row["report"])),
            "external_status_code": row.get("code"),
        }
        for row in rows
    ]


def _id(report: str, version: int) -> str:
    return f"{report}-{version}"


def _media_url(row: UpdateRow, head: Report | None) -> str | None:
    """The address of the first picture of an update that can be seen."""
    ready = photos.ready(head) if head else []
    photo = next((photo for photo in row.get("photos", ()) if photo in ready), None)
    return photo_views.permanent_address(head.jurisdiction, head.id, photo) if head else None


def receive(
    actor: Principal,
    get: Callable[[str], str | None],
    now: datetime,
    pictures: Attachments = NO_PICTURES,
    *,
    wordless: bool = False,
    further: str = "",
) -> Outcome:
    """Take an update from the system that filed a request: a remark, which is kept as a comment
    with its status and whether the filing person said it.

    A remark on a merged report is kept on its original, and the person who filed the merged one
    judges the original.

    Only the filing person's status is an answer: it confirms or refuses a repair, or reopens the
    report (``_is_verdict``). Where somebody else's status would have been one, that person is
    asked, once for each repair and each closing. Once for each ``update_id``. ``wordless``: the
    client sent an empty text on purpose, as FixMyStreet does with a new state alone.
    ``further``: its attributes, for officials.
    Raises ``Problem``, or ``ExceptionGroup`` of ``InvalidArgument``.
    """
    city = cities.current(actor.jurisdiction, now)
    remark = replace(remarks.read(get, city, pictures, wordless), further=further)
    seen = access.load(actor, remark.report)
    if not seen.is_its_channel:
        raise Problem("not_found", field="service_request_id")
    outcome = _keep(actor, remark, now)
    _act(actor, remark, now)
    # The id under which the update comes back with ``listed``, so that the client knows its own.
    update_id = _id(outcome.answer["id"], outcome.answer["version"])
    answer = [{"update_id": update_id, "account_id": None}]
    return Outcome({"updates": answer}, outcome.replayed, outcome.wrote)


def _keep(actor: Principal, remark: Remark, now: datetime) -> Outcome:
    """Add the comment. Its event says the status, who said it, and what the reporter is asked."""
    op = _operation(actor, remark, "comment")
    if earlier := earlier_outcome(op):
        return earlier
    seen = access.load(actor, remark.report)
    engagement.may_comment(actor, seen, "public")
    filed, about = seen.report, _goes_on_as(seen.report, remark)
    if remark.pictures and len(about.pictures) + len(remark.pictures) > PICTURES_AT_MOST:
        why = f"would give the request more than {PICTURES_AT_MOST} photos; send the text alone"
        raise ExceptionGroup("unfit", [InvalidArgument("media", why)])
    said_by = _said_by(actor, filed, remark)
    author = people.released_uid(filed.id) if said_by == "filer" else None
    uploader = replace(actor, uid=author) if author else actor
    photo_ids = attachments.store(uploader, remark.pictures, now)
    words = _words(remark, author, inside=filed.private and about.id != filed.id)

    def change(seen: Seen, city: City) -> Addition:
        report = seen.report
        if report.id == filed.id:
            engagement.may_comment(actor, seen, "public")
        after = replace(report, comments=report.comments + 1)
        data: EventData = {"status": remark.status, "said_by": said_by}
        if report.id != filed.id:
            data["duplicate"] = filed.id
            if filed.private:
                data["private"] = True
        action, verdict = _meaning(remark, report), _is_verdict(actor, filed, report, remark)
        if action and not verdict and _may_ask(report, action, now):
            after = replace(after, asked_at=now)
            data["asks"] = action
        claims = tickets.claim_photos(uploader, photo_ids, report, "comment", now, city)
        after = tickets.with_photos(after, claims)
        data.update(tickets.event_data(claims))
        writes = [write for claim in claims for write in claim.writes]
        if author:
            writes += _traces(author, report, words, photo_ids)
        return Addition(after, {"comments": after.comments}, writes, data)

    usage = rate_limits.person_usage(actor, now, "comments", report_comments=remark.report)
    return add(actor, op, about.id, "comment", change, now, words, usage=usage)


def _words(remark: Remark, author: str | None, *, inside: bool) -> tuple[EventText, ...]:
    """The texts of a remark. ``inside``: it is about a private report, whose original is public."""
    audience = "inside" if inside else "public"
    texts = (
        ("comment", audience, remark.text),
        (WORD, "inside", remark.pictures.text),
        (attributes.WORD, "inside", remark.further),
    )
    more = {"by": author} if author else {}
    return tuple(
        EventText(name, audience, text, ids.token_bytes(SALT_BYTES), more)
        for name, audience, text in texts
        if text
    )


def _traces(
    author: str, report: Report, words: tuple[EventText, ...], photo_ids: list[str]
) -> list[Write]:
    """The index rows by which an erasure of the person who filed finds the remark."""
    jurisdiction, version = report.jurisdiction, report.version + 1
    names = [report_texts.text_name(version, text.field) for text in words]
    return [
        *(people.put_trace(jurisdiction, author, people.TEXT, report.id, name) for name in names),
        *(people.put_trace(jurisdiction, author, people.PHOTO, "-", photo) for photo in photo_ids),
    ]


def _goes_on_as(filed: Report, remark: Remark) -> Report:
    """The report that a remark is about: the original of a merged one.

    Pictures of a private report would be public there, so such a remark stays.
    """
    stays = filed.private and bool(remark.pictures)
    return filed if stays else merging.continued_as(filed) or filed


def _meaning(remark: Remark, report: Report) -> str | None:
    """The action that a status would be, if the reporter said it: verify, refuse or reopen."""
    action: str | None = updates.rules()["received"].get(remark.status, {}).get(report.state)
    return action


def _said_by(actor: Principal, report: Report, remark: Remark) -> str:
    """Who wrote: the ``filer``, known by the contact that the report was filed with, through the
    same key; an ``other`` person; or ``unknown``, without a contact."""
    if not remark.contact:
        return "unknown"
    known = filers.pseudonym(actor.jurisdiction, remark.contact)
    return "filer" if access.is_its_channel(actor, report) and known == report.filer else "other"


def _is_verdict(actor: Principal, filed: Report, report: Report, remark: Remark) -> bool:
    """Whether a status of ``report`` is the answer of the person who filed ``filed``: the same
    report, or a duplicate of it.

    It is no answer if somebody has claimed that report, because that person answers with their
    account; if it was written before the repair or the closing that it would judge; or if the
    system only repeats the present state.
    """
    if filed.reporter is not None or _said_by(actor, filed, remark) != "filer":
        return False
    if REPEATS_STATE in actor.permissions and remark.status not in updates.rules()["deliberate"]:
        return False
    return remark.written >= _since(report)


def _since(report: Report) -> datetime:
    """When the report reached the state to judge, in seconds, as other systems write times."""
    moment = report.finished_at if report.state == "work_done" else report.closed_at
    return (moment or report.filed_at).replace(microsecond=0)


def _may_ask(report: Report, action: str, now: datetime) -> bool:
    was_asked = report.asked_at is not None and report.asked_at >= _since(report)
    return not was_asked and action in one_tap.judgements(report, now)


def _act(actor: Principal, remark: Remark, now: datetime) -> None:
    op = _operation(actor, remark, "act")
    for _ in range(3):
        filed = access.load(actor, remark.report).report
        report = merging.continued_as(filed) or filed
        action = _meaning(remark, report)
        if action is None or not _is_verdict(actor, filed, report, remark):
            return
        person = Principal(
            "citizen",
            actor.jurisdiction,
            uid=filed.filer,
            permissions=frozenset({f"{BY_CONTACT}{report.id}"}),
        )
        # Without the text: the client would get it back as a text of the city.
        own_words = message_text("remark.reason", report.language, cities.promised(report))
        body: ActionBody = {"action": action, "version": report.version}
        if action != "verify":
            body["reason"] = own_words
        try:
            actions.act(person, op, report.id, body, now)
        except Problem as problem:
            if problem.slug == "stale_version":
                continue
            if problem.status in (403, 409):
                return  # Refused before, or too late: the comment is enough.
            raise
        return


def _operation(actor: Principal, remark: Remark, part: str) -> KeyedOperation:
    # With the report: some clients count the updates of each request from one.
    scope = f"open311-update|{actor.uid}|{remark.report}|{remark.update}|{part}"
    return KeyedOperation(actor.jurisdiction, hashlib.sha256(scope.encode()).hexdigest()[:40], "-")
