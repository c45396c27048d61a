"""Keys of Open311 clients: issued once, kept as hashes, limited by the minute, revoked."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from chalicelib import ids
from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.identity import rate_limits
from chalicelib.services.platform.idempotency import Outcome
from chalicelib.storage import city as store

PER_MINUTE = 60
_PREFIX = "tk_"


def issue(jurisdiction: str, name: str, per_minute: int, now: datetime) -> tuple[str, str]:
    """(id, key) of a new key; the key is shown this once."""
    key = _PREFIX + ids.token_bytes(16).hex()
    digest = _digest(key)
    doc = {"name": name, "created": iso(now), "per_minute": per_minute, "revoked": None}
    store.put_key(jurisdiction, digest, doc)
    return digest[:16], key


def list_keys(jurisdiction: str) -> list[dict[str, Any]]:
    """Every key of a city: id, name, when it was made and revoked, how many requests a minute."""
    return [{"id": digest[:16], **doc} for digest, doc in store.keys(jurisdiction)]


def revoke(jurisdiction: str, key_id: str, now: datetime) -> bool:
    """Let a key (by its id) open nothing any more; whether there was one."""
    for digest, doc in store.keys(jurisdiction):
        if digest[:16] == key_id:
            store.put_key(jurisdiction, digest, {**doc, "revoked": doc["revoked"] or iso(now)})
            return True
    return False


def run_with_key(
    jurisdiction: str,
    key: str | None,
    now: datetime,
    attempt: Callable[[Principal], Outcome],
) -> Outcome:
    """The outcome of what is asked with this key, a reporter of its own: counted by the minute, but
    for what was asked before and what wrote nothing.

    Raises ``Problem``: forbidden (403) without a good key, too_many; and what ``attempt`` raises.
    """
    found = store.key(jurisdiction, _digest(key)) if key else None
    if found is None or found["revoked"]:
        raise Problem("forbidden", field="api_key")
    uid = f"k_{_digest(key or '')[:16]}"
    limits = {"key": [{"n": found["per_minute"], "seconds": 60}]}
    actor = Principal("citizen", jurisdiction, uid=uid, permissions=frozenset({FOR_MANY}))
    usage = rate_limits.Usage(limits, {"key": uid}, fail_open=False)
    return rate_limits.run_limited(jurisdiction, usage, now, lambda: attempt(actor))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
