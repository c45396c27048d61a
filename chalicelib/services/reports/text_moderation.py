"""Officials hide texts, or passages of them, that should not be public.

A replacement is a new text, with the commitment of a later event that names the text before. A copy
of it is stored in the row of the first text, which is what readers read (docs/decisions/words.md).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.body_types import HideText, Span
from chalicelib.domain.city.city import City
from chalicelib.domain.events import EventText
from chalicelib.domain.hash_chain import SALT_BYTES
from chalicelib.domain.input.redaction import SHOWN, find_personal, mask
from chalicelib.domain.principal import Principal, system
from chalicelib.domain.report import Report
from chalicelib.domain.row_types import OriginalText, StoredText
from chalicelib.domain.timeline_types import EventData
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.platform import set_aside
from chalicelib.services.platform.answer_types import Passage
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome, keyed_operation
from chalicelib.services.platform.record_answer_types import Originals
from chalicelib.services.timeline import access
from chalicelib.services.timeline.access import Seen
from chalicelib.services.timeline.append import Addition, add
from chalicelib.storage import city as city_store
from chalicelib.storage import people, report_texts, reports
from chalicelib.storage.transactions import Write, commit

FIELDS = ("description", "landmark")
HIDDEN, FORGOTTEN = "text_hidden", "text_erased"
DAYS = 30
_NOTES_AT_ONCE = 100
SOURCE = "texts"
_ORIGINALS_AT_MOST = 100
Doc = dict[str, Any]


def find_personal_data(words: Iterable[EventText], city: City) -> list[Passage]:
    """{"field", "kind", "start", "end"} of passages in a filing's public texts that look like
    personal data."""
    return [
        {"field": text.field, "kind": find.kind, "start": find.start, "end": find.end}
        for text in words
        if text.field in FIELDS
        for find in find_personal(text.text, city.patterns)
    ]


def hide(
    actor: Principal, op: KeyedOperation, report_id: str, body: HideText, now: datetime
) -> Outcome:
    """Hide passages of a text, or all of it, on a report in the official's scope.

    ``body``: ``version`` and ``field`` of the text, ``passages`` ({start, end}), ``reason``, and a
    ``note`` for officials. Auditors can read the original for ``hidden_text_days`` of the city's
    rules. Raises ``Problem``: not_found, unknown_text, text_moved, invalid_field.
    """
    jurisdiction, name = actor.jurisdiction, report_texts.text_name(body["version"], body["field"])
    _may_hide(actor, access.load(actor, report_id).report)
    doc = report_texts.named_texts(jurisdiction, report_id, [name]).get(name)
    there = doc is not None and "now" not in doc
    text = _without(doc["text"], body.get("passages")) if doc and there else SHOWN
    more: Doc = author_of(doc)
    root = doc.get("root", name) if doc else name
    audience = doc["audience"] if doc else "inside"
    if version_of(root) == 1:
        more["filed"] = True
    known = {**more, "hid": True, "root": root}
    words = EventText(body["field"], audience, text, ids.token_bytes(SALT_BYTES), known)

    def change(seen: Seen, city: City) -> Addition:
        report = seen.report
        _may_hide(actor, report)
        if doc is None:
            raise Problem("unknown_text", field="version")
        if "now" in doc:
            raise Problem("text_moved", field="version", newest=version_of(doc["now"]))
        after = replace(report, shown_at=now)
        if audience == "public":
            after = replace(after, hidden_texts=_hidden_texts(report, root, body["reason"]))
        writes = _replaced(report, name, doc, words)
        if not doc.get("hid"):
            days = timedelta(days=city.rules.get("hidden_text_days", DAYS))
            kept: OriginalText = {"text": doc["text"], "audience": doc["audience"]}
            if "salt" in doc:
                # With its salt, the original can be compared with its event.
                kept["salt"] = doc["salt"]
            writes += report_texts.put_original(
                jurisdiction, report.id, name, kept, iso(now + days)
            )
        removed = [[body["version"], body["field"]]]
        data: EventData = {"texts": removed, "reason": body["reason"]}
        return Addition(after, {}, writes, data)

    note = body.get("note")
    texts = [words]
    if note:
        texts.append(EventText("note", "inside", note, ids.token_bytes(SALT_BYTES)))
    return add(actor, op, report_id, HIDDEN, change, now, tuple(texts))


def originals(actor: Principal, report_id: str) -> Originals:
    """The originals of a report's hidden texts that are still kept, for its auditors."""
    report = access.load(actor, report_id).report
    access.permit(actor, report, "listHiddenTexts")
    stored = report_texts.originals(actor.jurisdiction, report_id, _ORIGINALS_AT_MOST)
    return {
        "texts": [
            {
                "version": version_of(name),
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
    run = set_aside.Run(SOURCE, now)
    for jurisdiction in city_store.jurisdictions():
        with run.item(jurisdiction):
            cities.current(jurisdiction, now)  # Without rules nothing can be written.
            after = ""
            while page := report_texts.due_originals(jurisdiction, iso(now), _NOTES_AT_ONCE, after):
                for note in page:
                    if not may_go_on():
                        return done
                    with run.item(jurisdiction, note):
                        _, report, name = note.split("#", 2)
                        done += _forget(jurisdiction, report, name, note, now)
                after = page[-1]
    run.finish()
    return done


def _forget(jurisdiction: str, report: str, name: str, note: str, now: datetime) -> bool:
    actor = system(jurisdiction)
    over: list[Write] = [report_texts.delete_note(jurisdiction, note)]
    held = report_texts.originals(jurisdiction, report, _ORIGINALS_AT_MOST)
    if name not in held or reports.get(jurisdiction, report) is None:
        commit(over)  # Erased with its author meanwhile.
        return False

    def change(seen: Seen, city: City) -> Addition:
        data: EventData = {"texts": [[version_of(name), name.partition("#")[2]]]}
        writes = [*over, report_texts.delete_original(jurisdiction, report, name)]
        return Addition(seen.report, {}, writes, data)

    add(actor, keyed_operation(actor, FORGOTTEN, note, ""), report, FORGOTTEN, change, now)
    return True


def author_of(doc: StoredText | None) -> Doc:
    """The fields of a row that name its author; a replacement keeps them, for erasure."""
    return {name: doc[name] for name in ("by", "filed") if name in doc} if doc else {}


def _may_hide(actor: Principal, report: Report) -> None:
    if not access.in_scope(actor, report):
        raise Problem("not_found")
    access.permit(actor, report, "hideText")


def _without(text: str, passages: list[Span] | None) -> str:
    if passages is None:
        return SHOWN
    spans = sorted((passage["start"], passage["end"]) for passage in passages)
    last = 0
    for start, end in spans:
        if not last <= start < end <= len(text):
            raise Problem("invalid_field", field="passages", rule="within_the_text")
        last = end
    return mask(text, spans)


def _replaced(report: Report, name: str, doc: StoredText, words: EventText) -> list[Write]:
    """The writes that replace the text ``name`` by ``words``, also in the row of the first text."""
    jurisdiction, root = report.jurisdiction, words.more["root"]
    newest = report_texts.text_name(report.version + 1, words.field)
    writes: list[Write] = []
    if root == name:
        writes.append(
            report_texts.put_replacement(jurisdiction, report.id, root, words, newest, doc)
        )
    else:
        copy = report_texts.named_texts(jurisdiction, report.id, [root]).get(root)
        writes.append(report_texts.delete_unchanged_text(jurisdiction, report.id, name, doc))
        writes.append(
            report_texts.put_replacement(jurisdiction, report.id, root, words, newest, copy)
        )
    if author := words.more.get("by"):
        writes.append(people.put_trace(jurisdiction, author, people.TEXT, report.id, newest))
    return writes


def _hidden_texts(report: Report, root: str, reason: str) -> tuple[tuple[int, str, int, str], ...]:
    version, field = version_of(root), root.partition("#")[2]
    others = [text for text in report.hidden_texts if (text[0], text[1]) != (version, field)]
    return (*others, (version, field, report.version + 1, reason))


def version_of(name: str) -> int:
    """The version of the event that brought a text, from the text's name."""
    return int(name.partition("#")[0])
