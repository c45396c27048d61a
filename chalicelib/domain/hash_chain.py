"""The hash chain of a report's events: each event carries the hash of the one before.

Bytes are RFC 8785 (JSON Canonicalization Scheme), so any language can recompute the hash. Free text
is not in an event: the event holds a salted commitment, and the text with its salt lives in
``people``. After a text is erased the chain is still whole, and nobody can guess the text.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import rfc8785

from chalicelib.domain.timeline_types import Event

GENESIS = "0" * 64
SALT_BYTES = 16
_ERASED, _FILING = "erased", ("file", "import")
# The events after which a text that they name may be missing.
_REMOVES = frozenset({"text_hidden", "text_corrected", "text_erased", _ERASED})


class Entry(NamedTuple):
    """An event as stored: the text that is hashed, and its hash.

    From schema 2 on, the text is the event's public part. ``inside`` is the rest as canonical JSON,
    and ``salt`` (hex) belongs to the commitment to it in the public part.
    """

    text: str
    hash: str
    inside: str | None = None
    salt: str | None = None


def canonical(event: Mapping[str, Any]) -> bytes:
    """The RFC 8785 bytes of an event; ``TypeError`` for a float, numbers must be integers."""
    _refuse_floats(event)
    return rfc8785.dumps(event)


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def commitment(text: str, salt: bytes) -> str:
    """The commitment to a text in its event: SHA-256 over salt and UTF-8 text, in hex."""
    return hashlib.sha256(salt + text.encode()).hexdigest()


def chain(event: Mapping[str, Any], previous: str) -> tuple[str, str]:
    """The event's canonical text with ``prev`` set, and its hash."""
    data = canonical({**event, "prev": previous})
    return data.decode(), digest(data)


def seal(public: dict[str, Any], inside: dict[str, Any], salt: bytes, previous: str) -> Entry:
    """The entry of an event of schema 2.

    Its public part commits to the inside part, so the hash of the public part stands for both. If
    the inside part and its salt are erased, the chain is still whole.
    """
    rest = canonical(inside).decode()
    text, stamp = chain({**public, "inside": commitment(rest, salt)}, previous)
    return Entry(text, stamp, rest, salt.hex())


def faults(entries: Sequence[Entry]) -> list[str]:
    """What is wrong with a report's chain, oldest first; empty if valid.

    Events of schema 1 and 2 may follow each other.
    """
    problems = []
    previous = GENESIS
    for number, entry in enumerate(entries, start=1):
        problems += [f"event {number} {fault}" for fault in _entry_faults(entry, number, previous)]
        previous = entry.hash
    return problems


def _entry_faults(entry: Entry, number: int, previous: str) -> list[str]:
    try:
        event = json.loads(entry.text)
        is_canonical = canonical(event) == entry.text.encode()
    except (ValueError, TypeError, AttributeError):
        return ["cannot be read"]
    if not isinstance(event, dict):
        return ["cannot be read"]
    problems = []
    if not is_canonical:
        problems.append("is not in canonical form")
    if digest(entry.text.encode()) != entry.hash:
        problems.append("does not match its hash")
    if event.get("prev") != previous:
        problems.append("does not follow the one before")
    if event.get("version") != number:
        problems.append(f"has version {event.get('version')}")
    if "inside" in event and entry.inside is None:
        problems.append("has lost its inside part")
    elif "inside" in event and _opened(entry) != event["inside"]:
        problems.append("has another inside part than it commits to")
    elif "inside" not in event and entry.inside is not None:
        problems.append("has an inside part that it does not commit to")
    return problems


def _opened(entry: Entry) -> str | None:
    try:
        return commitment(entry.inside or "", bytes.fromhex(entry.salt or ""))
    except ValueError:
        return None


def text_faults(events: Sequence[Event], texts: Mapping[str, tuple[str, bytes]]) -> list[str]:
    """What is wrong with a report's texts; ``texts`` are {name: (text, salt)} as stored.

    Checks: each text matches its commitment; a missing text is named by a later event
    (``data["texts"]``, [version, field] pairs), else somebody removed it; an erased text is gone;
    and each text has a commitment.
    """
    committed: dict[str, tuple[str, str]] = {}
    removed, erased = set[str](), set[str]()
    for event in events:
        named = set[str]()
        if event["action"] in _REMOVES:
            named = {text_name(version, name) for version, name in event["data"].get("texts", ())}
        if event["action"] == _ERASED and "texts" not in event["data"]:
            # Older events name no texts: they erased all that the reporter had written.
            named = {name for name, (_, by) in committed.items() if by == "reporter"}
        removed |= named
        erased |= named if event["action"] == _ERASED else set()
        actor = event["actor"]
        reporters = event["action"] in _FILING or (
            actor["kind"] == "citizen" and actor["role"] == "reporter"
        )
        for word in event["words"]:
            name = text_name(event["version"], word["field"])
            committed[name] = (word["commitment"], "reporter" if reporters else "other")
    problems = []
    for name, (stated, _) in committed.items():
        if name not in texts:
            if name not in removed:
                problems.append(f"text {name} is missing, and no event says that it was removed")
        elif name in erased:
            problems.append(f"text {name} is there, and an event says that it was erased")
        elif commitment(*texts[name]) != stated:
            problems.append(f"text {name} is not what its event commits to")
    return problems + [
        f"text {name} belongs to no event" for name in sorted(texts.keys() - committed.keys())
    ]


def text_name(version: int, field: str) -> str:
    """The name of a text: its event's version and its field."""
    return f"{version:08d}#{field}"


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("an event holds integers only")
    children: Iterable[Any] = ()
    if isinstance(value, dict):
        children = value.values()
    elif isinstance(value, list):
        children = value
    for child in children:
        _refuse_floats(child)
