"""API keys of Open311 clients: stored as hashes, with a limit per minute, revocable.

Tests: tests/security/test_cases_open311.py
"""

import hashlib
from collections.abc import Callable
from datetime import datetime

from chalicelib import ids
from chalicelib.domain.principal import FOR_MANY, REPEATS_STATE, Principal
from chalicelib.domain.row_types import KeyRecord, ListedKey
from chalicelib.domain.timestamps import iso
from chalicelib.errors import Problem
from chalicelib.services.identity import rate_limits
from chalicelib.services.platform.idempotency import Outcome
from chalicelib.storage import city as store

PER_MINUTE = 60
# What the status of an update means: the opinion of the person who writes it, or the report's
# present state.
VERDICT, STATE = "verdict", "state"
_PREFIX = "tk_"


def issue(
    jurisdiction: str, name: str, per_minute: int, now: datetime, statuses: str = VERDICT
) -> tuple[str, str]:
    """Make a new key: (id, key). Only a hash is stored, so the key cannot be shown again.

    ``statuses``: ``VERDICT`` or ``STATE``.
    """
    key = _PREFIX + ids.token_bytes(16).hex()
    digest = _digest(key)
    doc: KeyRecord = {"name": name, "created": iso(now), "per_minute": per_minute, "revoked": None}
    if statuses == STATE:
        doc["statuses"] = STATE
    store.put_key(jurisdiction, digest, doc)
    return digest[:16], key


def list_keys(jurisdiction: str) -> list[ListedKey]:
    """Every key of a city: id, name, created, revoked, requests per minute."""
    return [{"id": digest[:16], **doc} for digest, doc in store.keys(jurisdiction)]


def revoke(jurisdiction: str, key_id: str, now: datetime) -> bool:
    """Revoke a key by its id. Returns whether there was one."""
    for digest, doc in store.keys(jurisdiction):
        if digest[:16] == key_id:
            store.put_key(jurisdiction, digest, {**doc, "revoked": doc["revoked"] or iso(now)})
            return True
    return False


def set_statuses(jurisdiction: str, key_id: str, statuses: str) -> bool:
    """Change what the statuses of a key's updates say, because a new key could not send updates of
    the requests that came through the old one. Returns whether there was one."""
    for digest, doc in store.keys(jurisdiction):
        if digest[:16] == key_id:
            store.put_key(jurisdiction, digest, {**doc, "statuses": statuses})
            return True
    return False


def run_with_key(
    jurisdiction: str,
    key: str | None,
    now: datetime,
    attempt: Callable[[Principal], Outcome],
) -> Outcome:
    """Run ``attempt`` as the principal of this key, counted against its limit per minute.

    A replay, or an attempt that writes nothing, is not counted. Raises ``Problem``: key_refused for
    an unknown or revoked key, too_many; and what ``attempt`` raises.
    """
    record = store.key(jurisdiction, _digest(key)) if key else None
    if record is None or record["revoked"]:
        raise Problem("key_refused", field="api_key")
    uid = f"k_{_digest(key or '')[:16]}"
    limits = {"key": [{"n": record["per_minute"], "seconds": 60}]}
    permissions = {FOR_MANY}
    if record.get("statuses") == STATE:
        permissions.add(REPEATS_STATE)
    actor = Principal("citizen", jurisdiction, uid=uid, permissions=frozenset(permissions))
    usage = rate_limits.Usage(limits, {"key": uid}, fail_open=False)
    return rate_limits.run_limited(jurisdiction, usage, now, lambda: attempt(actor))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
