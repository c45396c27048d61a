"""Texts that people wrote, with their salts; and the originals of hidden texts.

An event commits to a text by its salted hash. The text itself is only here, so that it can be
erased.
"""

import json
from typing import Any

from chalicelib.domain import hash_chain
from chalicelib.domain.events import EventText
from chalicelib.domain.row_types import OriginalText, StoredText
from chalicelib.storage import tables
from chalicelib.storage.rows import dump, get_all
from chalicelib.storage.transactions import Delete, Put, read


def text_name(version: int, field: str) -> str:
    """The sort key of a text: the event's version and the field."""
    return hash_chain.text_name(version, field)


def put_text(
    jurisdiction: str, report: str, version: int, words: EventText, by: str | None = None
) -> Put:
    """Store a text whose event commits to it; ``by``: the uid of the citizen who wrote it, with
    whom it is erased."""
    doc = {"text": words.text, "salt": words.salt.hex(), "audience": words.audience}
    doc |= {**({"by": by} if by else {}), **words.more}
    name = text_name(version, words.field)
    row = tables.Person(f"{jurisdiction}#T#{report}", name, doc=dump(doc))
    return Put(f"text:{words.field}", row)


def texts(jurisdiction: str, report: str, first: int, last: int) -> dict[str, StoredText]:
    """The texts of events ``first`` to ``last``: name -> {text, salt, audience, by}.

    ``by`` is missing if no citizen wrote the text, and in some older rows.
    """
    if last < first:
        return {}  # DynamoDB refuses such bounds.
    condition = tables.Person.sk.between(f"{first:08d}#", f"{last:08d}#~")
    rows = read(
        lambda: list(tables.Person.query(f"{jurisdiction}#T#{report}", condition, limit=1000))
    )
    return {row.sk: json.loads(row.doc) for row in rows}


def named_texts(jurisdiction: str, report: str, names: list[str]) -> dict[str, StoredText]:
    """The existing texts of these names, as in ``texts``."""
    key = {"S": f"{jurisdiction}#T#{report}"}
    keys = [{"pk": key, "sk": {"S": name}} for name in dict.fromkeys(names)]
    rows = get_all(tables.Person.Meta.table_name, keys, consistent=True)
    stored = {row["sk"]["S"]: json.loads(row["doc"]["S"]) for row in rows if "doc" in row}
    return {name: stored[name] for name in names if stored.get(name)}


def all_texts(jurisdiction: str, report: str) -> dict[str, tuple[str, bytes]]:
    """Every text of a report, {name: (text, salt)}: only for ``infra.ops.verify``."""
    rows = read(lambda: list(tables.Person.query(f"{jurisdiction}#T#{report}")))
    docs = {row.sk: json.loads(row.doc) for row in rows}
    # A masked or corrected text is replaced by a copy of the newer text, which has no salt.
    texts = {name: doc for name, doc in docs.items() if "now" not in doc}
    return {name: (doc["text"], bytes.fromhex(doc["salt"])) for name, doc in texts.items()}


def put_replacement(
    jurisdiction: str, report: str, name: str, words: EventText, now: str, seen: StoredText | None
) -> Put:
    """Replace text ``name`` by a copy of the newer text ``now``, if it is unchanged since ``seen``.

    So a reader of the first text gets the newest one.
    """
    doc = {"text": words.text, "audience": words.audience, "now": now, **words.more}
    doc.pop("root", None)
    row = tables.Person(f"{jurisdiction}#T#{report}", name, doc=dump(doc))
    return Put(f"text:{name}", row, _as_seen(seen))


def delete_unchanged_text(jurisdiction: str, report: str, name: str, seen: StoredText) -> Delete:
    """Delete a text, if it is unchanged since ``seen``."""
    row = tables.Person(f"{jurisdiction}#T#{report}", name)
    return Delete(f"text:{name}", row, _as_seen(seen))


def _as_seen(seen: StoredText | None) -> Any:
    return tables.Person.doc == dump(seen) if seen else tables.Person.pk.does_not_exist()


def put_original(
    jurisdiction: str, report: str, name: str, doc: OriginalText, until: str
) -> list[Put]:
    """Keep the original of a masked text for auditors until a moment, in a separate partition, with
    a note for the schedule that erases it."""
    row = tables.Person(f"{jurisdiction}#W#{report}", name, doc=dump({**doc, "until": until}))
    note = tables.Person(f"{jurisdiction}#WAS#ALL", f"{until}#{report}#{name}")
    return [Put(f"original:{name}", row), Put(f"note:{name}", note)]


def originals(jurisdiction: str, report: str, limit: int) -> dict[str, OriginalText]:
    """The stored originals of a report's masked texts: name -> {text, audience, until}."""
    rows = read(lambda: list(tables.Person.query(f"{jurisdiction}#W#{report}", limit=limit)))
    return {row.sk: json.loads(row.doc) for row in rows}


def delete_original(jurisdiction: str, report: str, name: str) -> Delete:
    """Delete the original of a masked text."""
    return Delete(f"original:{name}", tables.Person(f"{jurisdiction}#W#{report}", name))


def due_originals(jurisdiction: str, until: str, limit: int, after: str = "") -> list[str]:
    """Notes of originals whose time is over: ``<until>#<report>#<name>``, oldest first."""
    key = f"{jurisdiction}#WAS#ALL"
    past = tables.Person.sk.between(f"{after}\0" if after else " ", f"{until}~")
    return [row.sk for row in read(lambda: list(tables.Person.query(key, past, limit=limit)))]


def delete_note(jurisdiction: str, note: str) -> Delete:
    """Delete a note, because the schedule has done its work."""
    return Delete(f"note:{note}", tables.Person(f"{jurisdiction}#WAS#ALL", note))


def delete_text(jurisdiction: str, report: str, name: str) -> Delete:
    """Delete a text; the event's commitment to it stays."""
    return Delete(f"text:{name}", tables.Person(f"{jurisdiction}#T#{report}", name))
