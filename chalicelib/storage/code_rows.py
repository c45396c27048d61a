"""Codes that prove a contact: the random value with its tries, and the address, for 15 minutes."""

from datetime import timedelta
from typing import Any

from chalicelib import clock
from chalicelib.domain.row_types import Contact, StoredCode
from chalicelib.storage import tables
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Delete, Put

CODES_KEPT = timedelta(minutes=15)


def put_code(
    jurisdiction: str, contact: str, uid: str, doc: StoredCode, over: StoredCode | None
) -> Put:
    """Store the code sent to a contact for a device: {nonce, until, tries, right}.

    Only over the row in ``over``; ``None``: over any row.
    """
    row = tables.Person(f"{jurisdiction}#CODE#{contact}", uid, doc=dump(doc), ttl=_code_expiry())
    return Put("code", row, None if over is None else tables.Person.doc == dump(over))


def code(jurisdiction: str, contact: str, uid: str) -> StoredCode | None:
    """The newest code that was sent to a contact for this device."""
    doc: StoredCode | None = get(tables.Person, f"{jurisdiction}#CODE#{contact}", uid)
    return doc


def put_code_address(jurisdiction: str, contact: str, nonce: str, address: Contact) -> Put:
    """Store the address of a code until the code expires, for the function that sends it."""
    row = tables.Person(
        f"{jurisdiction}#CODE#{contact}", f"to#{nonce}", doc=dump(address), ttl=_code_expiry()
    )
    return Put("code_address", row)


def code_address(jurisdiction: str, contact: str, nonce: str) -> Contact | None:
    """The address of a code."""
    doc: dict[str, Any] | None = get(tables.Person, f"{jurisdiction}#CODE#{contact}", f"to#{nonce}")
    return doc


def delete_code_address(jurisdiction: str, contact: str, nonce: str) -> Delete:
    """Delete the address of a code."""
    return Delete("code_address", tables.Person(f"{jurisdiction}#CODE#{contact}", f"to#{nonce}"))


def _code_expiry() -> int:
    return int((clock.wall() + CODES_KEPT).timestamp())
