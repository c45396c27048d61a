"""Personal data, each kind in a partition of its own: texts, contacts, supports, reporters' rights.

An event commits to a text by its salted hash. The text itself is only here, so that it can be
erased.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from chalicelib import clock
from chalicelib.domain import hash_chain
from chalicelib.domain.events import Words
from chalicelib.storage import tables
from chalicelib.storage.rows import dump, get, get_all
from chalicelib.storage.transactions import Delete, Put, Update, read

SUPPORT, FOLLOW, RIGHT, VIA, FLAG, DUPLICATE = "SUP", "FOL", "REP", "VIA", "FLG", "DUP"
# Further kinds in the index of a person's traces: a report that they filed or claimed, a text, an
# uploaded photo, the previous reporter of a claimed report, a contact, and a contact of a follower.
FILED, TEXT, PHOTO, CLAIMED_FROM, CONTACT = "FILED", "TXT", "PIC", "WAS", "CON"
REACHED_BY = "NEWS"
# Marks that a person can set only once, with any idempotency key.
ONCE = frozenset({SUPPORT, FLAG})

WAYS_LIMIT = 50
FACTS_KEPT = timedelta(days=2)
CODES_KEPT = timedelta(minutes=15)


def put_filer(jurisdiction: str, month: str, report: str, uid: str) -> Put:
    """Record who filed a report in which month: for the weight of one reporter in figures."""
    row = tables.Person(f"{jurisdiction}#FILED#{month}", report, doc=dump({"uid": uid}))
    return Put("filer", row)


def first_filed(jurisdiction: str, month: str, uid: str) -> Update:
    """Record the month of a person's first report, if none is recorded."""
    row = tables.Person(f"{jurisdiction}#REPORTERS#ALL", uid)
    return Update("reporter", row, [tables.Person.doc.set(tables.Person.doc | month)])


def filed_by(jurisdiction: str, month: str, uid: str) -> Update:
    """Record a person's first month, if no earlier one is recorded."""
    row = tables.Person(f"{jurisdiction}#REPORTERS#ALL", uid)
    later = tables.Person.doc.does_not_exist() | (tables.Person.doc > month)
    return Update("reporter", row, [tables.Person.doc.set(month)], later)


def forget_reporter(jurisdiction: str, uid: str) -> Delete:
    """Remove somebody from the count of people who have filed."""
    return Delete("reporter", tables.Person(f"{jurisdiction}#REPORTERS#ALL", uid))


def rename_filer(jurisdiction: str, uid: str, nobody: str) -> list[Put | Delete]:
    """The writes that rename a filer in the count of people, with the same first month.

    Empty if the uid is not counted.
    """
    key = f"{jurisdiction}#REPORTERS#ALL"

    def action() -> tables.Person | None:
        try:
            return tables.Person.get(key, uid, consistent_read=True)
        except tables.Person.DoesNotExist:
            return None

    if (row := read(action)) is None:
        return []
    renamed = tables.Person(key, nobody, doc=row.doc)
    return [Put("nobody", renamed), Delete("reporter", tables.Person(key, uid))]


def filer(jurisdiction: str, month: str, report: str) -> str | None:
    """Who filed a report, for weights: their uid or pseudonym."""
    row = get(tables.Person, f"{jurisdiction}#FILED#{month}", report)
    return row["uid"] if row else None


def filers(jurisdiction: str, month: str) -> dict[str, str]:
    """{report: uid} of a month's filings: every page, for the monthly close."""
    key = f"{jurisdiction}#FILED#{month}"
    rows = read(lambda: list(tables.Person.query(key)))
    return {row.sk: json.loads(row.doc)["uid"] for row in rows}


def reporters(jurisdiction: str, month: str) -> int:
    """The number of people who filed by the end of a month; DynamoDB counts them."""
    key = f"{jurisdiction}#REPORTERS#ALL"
    count: int = read(lambda: tables.Person.count(key, filter_condition=tables.Person.doc <= month))
    return count


def put_trace(jurisdiction: str, uid: str, kind: str, report: str, detail: str = "-") -> Put:
    """Record that a person left data: its ``kind``, the report, and ``detail``, its name.

    An erasure reads these rows to find everything that a person left.
    """
    return Put(f"trace:{kind}", _trace(jurisdiction, uid, kind, report, detail))


def delete_trace(jurisdiction: str, uid: str, kind: str, report: str, detail: str = "-") -> Delete:
    """Delete such a row, because the data were withdrawn or erased."""
    return Delete(f"trace:{kind}", _trace(jurisdiction, uid, kind, report, detail))


def traces(jurisdiction: str, uid: str, after: str, limit: int) -> list[tuple[str, str, str]]:
    """A page of what a person left, (kind, report, detail) in the order of ``trace_name``."""
    key, beyond = f"{jurisdiction}#BY#{uid}", tables.Person.sk > after if after else None
    rows = read(lambda: list(tables.Person.query(key, beyond, limit=limit, consistent_read=True)))
    return [_named(row.sk) for row in rows]


def filed(jurisdiction: str, uid: str, limit: int) -> list[str]:
    """The newest reports of a person, by the index of traces."""
    key, condition = f"{jurisdiction}#BY#{uid}", tables.Person.sk.startswith(f"{FILED}#")

    def action() -> list[tables.Person]:
        return list(tables.Person.query(key, condition, limit=limit, scan_index_forward=False))

    return [_named(row.sk)[1] for row in read(action)]


def details(jurisdiction: str, uid: str, kind: str, report: str) -> list[str]:
    """The details of one kind and report in the index of a person, at most a hundred."""
    key, start = f"{jurisdiction}#BY#{uid}", trace_name(kind, report, "")
    condition = tables.Person.sk.startswith(start)
    rows = read(lambda: list(tables.Person.query(key, condition, limit=100, consistent_read=True)))
    return [row.sk.removeprefix(start) for row in rows]


def released_uid(report: str) -> str:
    """The placeholder uid of a report whose claim was ended, until it is claimed again."""
    return f"released-{report}"


def is_person(uid: str) -> bool:
    """Whether a uid is of a person (an account, a device, a contact), not of a key or official."""
    return uid.startswith(("p_", "d_", "c_"))


def trace_name(kind: str, report: str, detail: str = "-") -> str:
    """The sort key of a trace."""
    return f"{kind}#{report}#{detail}"


def _named(name: str) -> tuple[str, str, str]:
    kind, report, detail = name.split("#", 2)
    return kind, report, detail


def _trace(jurisdiction: str, uid: str, kind: str, report: str, detail: str) -> tables.Person:
    return tables.Person(f"{jurisdiction}#BY#{uid}", trace_name(kind, report, detail))


def put_code(
    jurisdiction: str, contact: str, uid: str, doc: dict[str, Any], over: dict[str, Any] | None
) -> Put:
    """Store the code sent to a contact for a device: {nonce, until, tries, right}.

    Only over the row in ``over``; ``None``: over any row.
    """
    row = tables.Person(f"{jurisdiction}#CODE#{contact}", uid, doc=dump(doc), ttl=_code_expiry())
    return Put("code", row, None if over is None else tables.Person.doc == dump(over))


def code(jurisdiction: str, contact: str, uid: str) -> dict[str, Any] | None:
    """The newest code that was sent to a contact for this device."""
    doc: dict[str, Any] | None = get(tables.Person, f"{jurisdiction}#CODE#{contact}", uid)
    return doc


def put_code_address(jurisdiction: str, contact: str, nonce: str, address: dict[str, Any]) -> Put:
    """Store the address of a code until the code expires, for the function that sends it."""
    row = tables.Person(
        f"{jurisdiction}#CODE#{contact}", f"to#{nonce}", doc=dump(address), ttl=_code_expiry()
    )
    return Put("code_address", row)


def code_address(jurisdiction: str, contact: str, nonce: str) -> dict[str, Any] | None:
    """The address of a code."""
    doc: dict[str, Any] | None = get(tables.Person, f"{jurisdiction}#CODE#{contact}", f"to#{nonce}")
    return doc


def delete_code_address(jurisdiction: str, contact: str, nonce: str) -> Delete:
    """Delete the address of a code."""
    return Delete("code_address", tables.Person(f"{jurisdiction}#CODE#{contact}", f"to#{nonce}"))


def _code_expiry() -> int:
    return int((clock.wall() + CODES_KEPT).timestamp())


def text_name(version: int, field: str) -> str:
    """The sort key of a text: the event's version and the field."""
    return hash_chain.text_name(version, field)


def put_text(
    jurisdiction: str, report: str, version: int, words: Words, by: str | None = None
) -> Put:
    """Store a text whose event commits to it; ``by``: the uid of the citizen who wrote it, with
    whom it is erased."""
    doc = {"text": words.text, "salt": words.salt.hex(), "audience": words.audience}
    doc |= {**({"by": by} if by else {}), **words.more}
    name = text_name(version, words.field)
    row = tables.Person(f"{jurisdiction}#T#{report}", name, doc=dump(doc))
    return Put(f"text:{words.field}", row)


def texts(jurisdiction: str, report: str, first: int, last: int) -> dict[str, dict[str, Any]]:
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


def named_texts(jurisdiction: str, report: str, names: list[str]) -> dict[str, dict[str, Any]]:
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
    jurisdiction: str, report: str, name: str, words: Words, now: str, seen: dict[str, Any] | None
) -> Put:
    """Replace text ``name`` by a copy of the newer text ``now``, if it is unchanged since ``seen``.

    So a reader of the first text gets the newest one.
    """
    doc = {"text": words.text, "audience": words.audience, "now": now, **words.more}
    doc.pop("root", None)
    row = tables.Person(f"{jurisdiction}#T#{report}", name, doc=dump(doc))
    return Put(f"text:{name}", row, _as_seen(seen))


def delete_unchanged_text(
    jurisdiction: str, report: str, name: str, seen: dict[str, Any]
) -> Delete:
    """Delete a text, if it is unchanged since ``seen``."""
    row = tables.Person(f"{jurisdiction}#T#{report}", name)
    return Delete(f"text:{name}", row, _as_seen(seen))


def _as_seen(seen: dict[str, Any] | None) -> Any:
    return tables.Person.doc == dump(seen) if seen else tables.Person.pk.does_not_exist()


def put_original(
    jurisdiction: str, report: str, name: str, doc: dict[str, Any], until: str
) -> list[Put]:
    """Keep the original of a masked text for auditors until a moment, in a separate partition, with
    a note for the schedule that erases it."""
    row = tables.Person(f"{jurisdiction}#W#{report}", name, doc=dump({**doc, "until": until}))
    note = tables.Person(f"{jurisdiction}#WAS#ALL", f"{until}#{report}#{name}")
    return [Put(f"original:{name}", row), Put(f"note:{name}", note)]


def originals(jurisdiction: str, report: str, limit: int) -> dict[str, dict[str, Any]]:
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


def put_contact(
    jurisdiction: str, ref: str, contact: dict[str, Any], kept: timedelta | None = None
) -> Put:
    """Store a contact, for a time or until it is deleted; the head has only ``ref``."""
    ttl = int((clock.wall() + kept).timestamp()) if kept else None
    row = tables.Person(f"{jurisdiction}#C#{ref}", "contact", doc=dump(contact), ttl=ttl)
    return Put("contact", row)


def contact(jurisdiction: str, ref: str) -> dict[str, Any] | None:
    """A reporter's contact data; every caller records that it was read."""
    doc: dict[str, Any] | None = get(tables.Person, f"{jurisdiction}#C#{ref}", "contact")
    return doc


def delete_contact(jurisdiction: str, ref: str) -> Delete:
    """Delete a contact."""
    return Delete("contact", tables.Person(f"{jurisdiction}#C#{ref}", "contact"))


def delete_text(jurisdiction: str, report: str, name: str) -> Delete:
    """Delete a text; the event's commitment to it stays."""
    return Delete(f"text:{name}", tables.Person(f"{jurisdiction}#T#{report}", name))


def put_photo_facts(jurisdiction: str, photo: str, facts: dict[str, Any]) -> Put:
    """Store a photo's metadata until the photo is used, at most ``FACTS_KEPT``."""
    expiry = int((clock.wall() + FACTS_KEPT).timestamp())
    return Put(
        "facts", tables.Person(f"{jurisdiction}#PH#{photo}", "facts", doc=dump(facts), ttl=expiry)
    )


def photo_facts(jurisdiction: str, photo: str) -> dict[str, Any] | None:
    """A photo's metadata (``imaging.metadata``); for its owner and for ``photos.proof`` only."""
    doc: dict[str, Any] | None = get(tables.Person, f"{jurisdiction}#PH#{photo}", "facts")
    return doc


def delete_photo_facts(jurisdiction: str, photo: str) -> Delete:
    """Delete a photo's metadata."""
    return Delete("facts", tables.Person(f"{jurisdiction}#PH#{photo}", "facts"))


def put_mark(
    jurisdiction: str,
    report: str,
    kind: str,
    uid: str,
    doc: dict[str, Any] | None = None,
) -> Put:
    """Record that a person supports, follows, flags or has a reporter's rights in a report."""
    row = tables.Person(f"{jurisdiction}#R#{report}", f"{kind}#{uid}", doc=dump(doc or {}))
    condition = tables.Person.pk.does_not_exist() if kind in ONCE else None
    return Put(kind, row, condition)


def delete_mark(jurisdiction: str, report: str, kind: str, uid: str) -> Delete:
    """Delete a mark."""
    return Delete(kind, tables.Person(f"{jurisdiction}#R#{report}", f"{kind}#{uid}"))


def marks(jurisdiction: str, report: str, kind: str, limit: int) -> list[str]:
    """The names of a report's marks of a kind; they begin with the uid."""
    rows = read(
        lambda: list(
            tables.Person.query(
                f"{jurisdiction}#R#{report}",
                tables.Person.sk.startswith(f"{kind}#"),
                limit=limit,
                consistent_read=True,
            )
        )
    )
    return [row.sk.split("#", 1)[1] for row in rows]


def marks_page(
    after: str | None, limit: int
) -> tuple[list[tuple[str, str, str, str, str]], str | None]:
    """(marks after a key, next key), by a Scan: only for ``infra.ops.backfill_traces``.

    A mark is (city, report, kind, uid, detail).
    """
    start = None
    if after:
        pk, sk = json.loads(after)
        start = {"pk": {"S": pk}, "sk": {"S": sk}}
    rows = tables.Person.scan(limit=limit, page_size=limit, last_evaluated_key=start)
    page = []
    for row in rows:
        jurisdiction, kind, report = row.pk.split("#", 2)
        name, *rest = row.sk.split("#", 2)
        if kind == "R" and name in (SUPPORT, FOLLOW, FLAG, RIGHT):
            uid, detail = (*rest, "-")[:2]
            page.append((jurisdiction, report, name, uid, detail))
    last_key = rows.last_evaluated_key
    return page, json.dumps([last_key["pk"]["S"], last_key["sk"]["S"]]) if last_key else None


def all_traced() -> Iterator[tuple[str, str]]:
    """(city, uid) of everybody in the index, by a Scan: only for a restore."""
    for row in tables.Person.scan(attributes_to_get=["pk", "sk"]):
        jurisdiction, kind, uid = row.pk.split("#", 2)
        if kind == "BY":
            yield jurisdiction, uid


def duplicates(jurisdiction: str, original: str) -> list[str]:
    """The reports that are merged into ``original``, oldest first; every page."""
    key = f"{jurisdiction}#R#{original}"

    def of(kind: str) -> list[tables.Person]:
        condition = tables.Person.sk.startswith(f"{kind}#")
        return list(tables.Person.query(key, condition, consistent_read=True))

    # Merges by older code left no row of their own, only the reporter's right.
    rows = read(lambda: of(DUPLICATE) + of(RIGHT))
    # Ids sort by the time of filing.
    return sorted({row.sk.rsplit("#", 1)[1] for row in rows})


def right_name(uid: str, duplicate: str) -> str:
    """The name of a person's right in a report whose duplicate they filed."""
    return f"{uid}#{duplicate}"


def has_right(jurisdiction: str, report: str, uid: str) -> bool:
    """Whether a person has a reporter's rights by a duplicate, or by a duplicate's duplicate."""
    if marks(jurisdiction, report, f"{RIGHT}#{uid}", 1):
        return True
    ways = marks(jurisdiction, report, VIA, WAYS_LIMIT)
    return any(has_right(jurisdiction, way, uid) for way in ways)
