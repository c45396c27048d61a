"""Texts that should not be public: officials hide them, reporters correct their own.

A replacement is a new text, with the commitment of a later event that names the text before. A copy
of it is stored in the row of the first text, which is what readers read (docs/decisions/words.md).
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.events import Words
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.input.redaction import SHOWN, find_personal, mask, redact
from chalicelib.domain.notifications import reachability
from chalicelib.domain.principal import Principal, system
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import filers
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome, keyed_operation
from chalicelib.services.timeline import access, former_contacts, traces
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import city as city_store
from chalicelib.storage import people, reports
from chalicelib.storage.transactions import Write, commit

FIELDS = ("description", "landmark")
HIDDEN, CORRECTED, REACHED, FORGOTTEN = (
    "text_hidden", "text_corrected", "contact_corrected", "text_erased",
)  # fmt: skip
DAYS = 30
_NOTES_AT_ONCE = 100
_EVENTS_AT_MOST = 50
_ORIGINALS_AT_MOST = 100
Doc = dict[str, Any]


def find_personal_data(words: Iterable[Words], city: City) -> list[dict[str, Any]]:
    """{"field", "kind", "start", "end"} of passages in a filing's public texts that look like
    personal data."""
    return [
        {"field": text.field, **find._asdict()}
        for text in words
        if text.field in FIELDS
        for find in find_personal(text.text, city.patterns)
    ]


def hide(
    actor: Principal, op: KeyedOperation, report_id: str, body: dict[str, Any], now: datetime
) -> Outcome:
    """Hide passages of a text, or all of it, on a report in the official's scope.

    ``body``: ``version`` and ``field`` of the text, ``passages`` ({start, end}), ``reason``, and a
    ``note`` for officials. Auditors can read the original for ``hidden_text_days`` of the city's
    rules. Raises ``Problem``: not_found, unknown_text, text_moved, invalid_field.
    """
    place, name = actor.jurisdiction, people.text_name(body["version"], body["field"])
    _may_hide(actor, access.load(actor, report_id).report)
    doc = people.named_texts(place, report_id, [name]).get(name)
    there = doc is not None and "now" not in doc
    text = _without(doc["text"], body.get("passages")) if doc and there else SHOWN
    more: Doc = _origin(doc)
    root = doc.get("root", name) if doc else name
    audience = doc["audience"] if doc else "inside"
    if _version(root) == 1:
        more["filed"] = True
    known = {**more, "hid": True, "root": root}
    words = Words(body["field"], audience, text, ids.token_bytes(SALT_BYTES), known)

    def change(seen: Seen, city: City) -> Addition:
        report = seen.report
        _may_hide(actor, report)
        if doc is None:
            raise Problem("unknown_text", field="version")
        if "now" in doc:
            raise Problem("text_moved", field="version", newest=_version(doc["now"]))
        after = replace(report, shown_at=now)
        if audience == "public":
            after = replace(after, hidden_texts=_hidden_texts(report, root, body["reason"]))
        writes = _replaced(report, name, doc, words)
        if not doc.get("hid"):
            days = timedelta(days=city.rules.get("hidden_text_days", DAYS))
            kept = {"text": doc["text"], "audience": doc["audience"]}
            writes += people.put_original(place, report.id, name, kept, iso(now + days))
        data = {"texts": [[body["version"], body["field"]]], "reason": body["reason"]}
        return Addition(after, {}, writes, data)

    note = body.get("note")
    given = [words]
    if note:
        given.append(Words("note", "inside", note, ids.token_bytes(SALT_BYTES)))
    return add(actor, op, report_id, HIDDEN, change, now, tuple(given))


def correct(
    actor: Principal, op: KeyedOperation, report_id: str, body: dict[str, Any], now: datetime
) -> Outcome:
    """Correct the texts and the contact of a report, by its reporter and before anybody acts on it.

    The old texts are deleted at once. Raises ``Problem``: not_found, reporter_only,
    correction_late, missing_field.
    """
    place = actor.jurisdiction
    city = cities.current(place, now)
    if not body:
        raise Problem("missing_field", field="description")
    names = {field: people.text_name(1, field) for field in FIELDS}
    first = people.named_texts(place, report_id, list(names.values()))
    words, gone = list[Words](), list[str]()
    for field, name in names.items():
        doc = first.get(name)
        before = doc["text"] if doc else ""
        text = body.get(field, before).strip()
        text = redact(text, city.patterns) if body.get("mask") else text
        if text == before:
            continue
        if text:
            known = {**_origin(doc), "filed": True, "root": name}
            words.append(Words(field, "public", text, ids.token_bytes(SALT_BYTES), known))
        else:
            gone.append(field)

    def change(seen: Seen, _: City) -> Addition:
        report = seen.report
        _may_correct(actor, report)
        if "contact" not in body and not words and not gone:
            raise Problem("missing_field", field="description")
        writes, named = list[Write](), list[list[Any]]()
        for field in (*(one.field for one in words), *gone):
            doc = first.get(names[field])
            current = doc.get("now", names[field]) if doc else None
            newer = next((one for one in words if one.field == field), None)
            if doc and current:
                named.append([_version(current), field])
                writes += _superseded(report, names[field], current, doc, newer)
            elif newer:
                now_name = people.text_name(report.version + 1, field)
                writes.append(
                    people.put_replacement(place, report.id, names[field], newer, now_name, None)
                )
                writes += traces.index_rows(actor, people.TEXT, report.id, names[field])
        after = replace(report, corrections=report.corrections + 1)
        if words or gone:
            after = replace(after, shown_at=now)
        if "contact" in body:
            after, more = _contact(after, body["contact"], city, now)
            writes += more
        # The former contact gets a message, if it was kept (``former_contacts``).
        former = {"former": True} if after.former != report.former else {}
        passages = [] if report.protected else find_personal_data(words, city)
        name = CORRECTED if words or gone else REACHED
        data = {"texts": named, **former}
        return Addition(after, {"personal_data": passages}, writes, data, name)

    return add(actor, op, report_id, CORRECTED, change, now, tuple(words))


def originals(actor: Principal, report_id: str) -> dict[str, Any]:
    """The originals of a report's hidden texts that are still kept, for its auditors."""
    report = access.load(actor, report_id).report
    access.permit(actor, report, "listHiddenTexts")
    stored = people.originals(actor.jurisdiction, report_id, _ORIGINALS_AT_MOST)
    return {
        "texts": [
            {
                "version": _version(name),
                "field": name.partition("#")[2],
                "text": doc["text"],
                "until": doc["until"],
            }
            for name, doc in stored.items()
        ]
    }


def erase_due_originals(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> int:
    """Erase the hidden texts whose time is over, in every city, while there is time; how many."""
    done = 0
    for place in city_store.jurisdictions():
        for note in people.due_originals(place, iso(now), _NOTES_AT_ONCE):
            if not may_go_on():
                return done
            _, report, name = note.split("#", 2)
            done += _forget(place, report, name, note, now)
    return done


def _forget(place: str, report: str, name: str, note: str, now: datetime) -> bool:
    actor = system(place)
    over: list[Write] = [people.delete_note(place, note)]
    held = people.originals(place, report, _ORIGINALS_AT_MOST)
    if name not in held or reports.get(place, report) is None:
        commit(over)  # Erased with its author meanwhile.
        return False

    def change(seen: Seen, city: City) -> Addition:
        data = {"texts": [[_version(name), name.partition("#")[2]]]}
        writes = [*over, people.delete_original(place, report, name)]
        return Addition(seen.report, {}, writes, data)

    add(actor, keyed_operation(actor, FORGOTTEN, note, ""), report, FORGOTTEN, change, now)
    return True


def _origin(doc: Doc | None) -> Doc:
    """The fields of a row that name its author; a replacement keeps them, for erasure."""
    return {name: doc[name] for name in ("by", "filed") if name in doc} if doc else {}


def _may_hide(actor: Principal, report: Report) -> None:
    if not access.in_scope(actor, report):
        raise Problem("not_found")
    access.permit(actor, report, "hideText")


def _without(text: str, passages: list[dict[str, int]] | None) -> str:
    if passages is None:
        return SHOWN
    spans = sorted((passage["start"], passage["end"]) for passage in passages)
    last = 0
    for start, end in spans:
        if not last <= start < end <= len(text):
            raise Problem("invalid_field", field="passages", rule="within_the_text")
        last = end
    return mask(text, spans)


def _replaced(report: Report, name: str, doc: Doc, words: Words) -> list[Write]:
    """The writes that replace the text ``name`` by ``words``, also in the row of the first text."""
    place, root = report.jurisdiction, words.more["root"]
    newest = people.text_name(report.version + 1, words.field)
    writes: list[Write] = []
    if root == name:
        writes.append(people.put_replacement(place, report.id, root, words, newest, doc))
    else:
        copy = people.named_texts(place, report.id, [root]).get(root)
        writes.append(people.delete_unchanged_text(place, report.id, name, doc))
        writes.append(people.put_replacement(place, report.id, root, words, newest, copy))
    if author := words.more.get("by"):
        writes.append(people.put_trace(place, author, people.TEXT, report.id, newest))
    return writes


def _superseded(
    report: Report, root: str, current: str, copy: Doc, newer: Words | None
) -> list[Write]:
    place = report.jurisdiction
    writes: list[Write] = []
    if current != root:
        writes.append(people.delete_text(place, report.id, current))
    if newer is None:
        writes.append(people.delete_unchanged_text(place, report.id, root, copy))
    else:
        newest = people.text_name(report.version + 1, newer.field)
        writes.append(people.put_replacement(place, report.id, root, newer, newest, copy))
    return writes


def _may_correct(actor: Principal, report: Report) -> None:
    """Raise unless the actor filed the report and nothing depends on its texts yet."""
    if actor.uid is None or actor.uid != report.reporter:
        raise Problem("reporter_only")
    counted = report.supports or report.comments or report.merged or report.outside
    links = reports.timeline(report.jurisdiction, report.id, 1, _EVENTS_AT_MOST + 1)
    acted = len(links) > _EVENTS_AT_MOST or any(
        json.loads(text)["actor"]["kind"] == "staff" for text, _ in links
    )
    if report.state != "submitted" or counted or acted:
        raise Problem("correction_late", state=report.state)


def _contact(
    report: Report, contact: dict[str, str], city: City, now: datetime
) -> tuple[Report, list[Write]]:
    place = report.jurisdiction
    kept, before = former_contacts.keep_former(report, contact, city, now)
    after, writes = filers.with_contact(kept, contact)
    writes = [*before, *writes]
    reachable = bool(contact.get("email") or contact.get("phone"))
    if reachable:
        ref = report.contact or ids.token_bytes(16).hex()
        after = replace(after, contact=ref, contactable=reachability.contactable(contact))
        return after, [*writes, people.put_contact(place, ref, contact)]
    if report.contact:
        writes.append(people.delete_contact(place, report.contact))
    return replace(after, contact=None, contactable=False), writes


def _hidden_texts(report: Report, root: str, reason: str) -> tuple[tuple[int, str, int, str], ...]:
    version, field = _version(root), root.partition("#")[2]
    others = [one for one in report.hidden_texts if (one[0], one[1]) != (version, field)]
    return (*others, (version, field, report.version + 1, reason))


def _version(name: str) -> int:
    return int(name.partition("#")[0])
