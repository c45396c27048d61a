"""The chain of a report's events: each carries the hash of the one before.

Bytes are RFC 8785 (JSON Canonicalization Scheme), so any language recomputes the hash. Free text
is not in an event: the event holds a salted commitment to it, and the text with its salt lives
in ``people``. Erasing the text leaves the chain whole and the text unguessable.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import rfc8785

GENESIS = "0" * 64
SALT_BYTES = 16
_ERASED, _FILING = "erased", ("file", "import")


def canonical(event: dict[str, Any]) -> bytes:
    """The RFC 8785 bytes of an event; a float in it is an error, numbers are integers."""
    _refuse_floats(event)
    return rfc8785.dumps(event)


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def commitment(text: str, salt: bytes) -> str:
    """What an event says of a text: SHA-256 over salt and UTF-8 text, in hex."""
    return hashlib.sha256(salt + text.encode()).hexdigest()


def chain(event: dict[str, Any], previous: str) -> tuple[str, str]:
    """The event's canonical text with ``prev`` set, and its hash."""
    data = canonical({**event, "prev": previous})
    return data.decode(), digest(data)


def faults(links: Sequence[tuple[str, str]]) -> list[str]:
    """What is wrong with a chain of (canonical text, hash), oldest first; empty when whole."""
    found = []
    previous = GENESIS
    for number, (text, stated) in enumerate(links, start=1):
        event = json.loads(text)
        if canonical(event) != text.encode():
            found.append(f"event {number} is not in canonical form")
        if digest(text.encode()) != stated:
            found.append(f"event {number} does not match its hash")
        if event.get("prev") != previous:
            found.append(f"event {number} does not follow the one before")
        if event.get("version") != number:
            found.append(f"event {number} has version {event.get('version')}")
        previous = stated
    return found


def text_faults(
    events: Sequence[dict[str, Any]], texts: Mapping[str, tuple[str, bytes]]
) -> list[str]:
    """What is wrong with a report's texts; ``texts`` are {name: (text, salt)} as they are kept.

    A text may be gone only if a later event names it (``data["texts"]``, [version, field] pairs):
    otherwise somebody took it away. One that was erased is gone, one that is there is the one that
    was committed to, and there is none that no event commits to.
    """
    committed: dict[str, tuple[str, str]] = {}
    removed, erased = set[str](), set[str]()
    for event in events:
        named = {text_name(version, name) for version, name in event["data"].get("texts", ())}
        if event["action"] == _ERASED and "texts" not in event["data"]:
            # As versions before named them: all that the reporter had written.
            named = {name for name, (_, by) in committed.items() if by == "reporter"}
        removed |= named
        erased |= named if event["action"] == _ERASED else set()
        actor = event["actor"]
        reporters = event["action"] in _FILING or (
            actor["kind"] == "citizen" and actor["role"] == "reporter"
        )
        for one in event["words"]:
            name = text_name(event["version"], one["field"])
            committed[name] = (one["commitment"], "reporter" if reporters else "other")
    found = []
    for name, (stated, _) in committed.items():
        if name not in texts:
            if name not in removed:
                found.append(f"text {name} is missing, and no event says that it was removed")
        elif name in erased:
            found.append(f"text {name} is there, and an event says that it was erased")
        elif commitment(*texts[name]) != stated:
            found.append(f"text {name} is not what its event commits to")
    return found + [
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
