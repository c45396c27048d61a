"""The chain of a report's events: each carries the hash of the one before.

Bytes are RFC 8785 (JSON Canonicalization Scheme), so any language recomputes the hash. Free text
is not in an event: the event holds a salted commitment to it, and the text with its salt lives
in ``people``. Erasing the text leaves the chain whole and the text unguessable.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import rfc8785

GENESIS = "0" * 64
SALT_BYTES = 16


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
