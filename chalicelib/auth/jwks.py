"""The public keys of token issuers (JWKS), cached, and kept while an issuer does not answer.

known kid                       the key, for up to 24 hours after the last good fetch
unknown kid                     at most one fetch in five minutes, then 401
set older than an hour          at most one fetch in five minutes, the old set in between
no set, or older than 24 hours  503, at most one fetch in ten seconds
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from chalicelib.errors import Problem

Keys = dict[str, dict[str, Any]]
Fetch = Callable[[str], bytes]

FRESH_SECONDS = 3_600.0
KEPT_SECONDS = 86_400.0
PAUSE_SECONDS = 300.0
PAUSE_WITHOUT_KEYS = 10.0
MAX_BYTES = 65_536
MAX_KEYS = 64
TIMEOUT_SECONDS = 2.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass
class _Held:
    keys: Keys
    fetched: float | None = None
    tried: float | None = None


class KeySets:
    """Key sets by URL. ``fetch`` returns the bytes at a URL or raises ``OSError``."""

    def __init__(self, fetch: Fetch | None = None) -> None:
        self._fetch = fetch or fetched
        self._held: dict[str, _Held] = {}

    def get(self, uri: str, kid: str, now: datetime) -> dict[str, Any]:
        """The JWK ``kid`` of the set at ``uri``.

        Raises ``Problem``: ``invalid_token`` if the set has no such key, ``unavailable`` if no set
        could be fetched for a day.
        """
        moment = now.timestamp()
        held = self._held.setdefault(uri, _Held({}))
        known = kid in held.keys and _age(held.fetched, moment) <= FRESH_SECONDS
        if not known and _age(held.tried, moment) > self._pause(held, moment):
            held.tried = moment
            self._refresh(held, uri, moment)
        if _age(held.fetched, moment) > KEPT_SECONDS:
            raise Problem("unavailable", headers={"Retry-After": "10"})
        if kid not in held.keys:
            raise Problem("invalid_token")
        return held.keys[kid]

    def _pause(self, held: _Held, moment: float) -> float:
        usable = _age(held.fetched, moment) <= KEPT_SECONDS
        return PAUSE_SECONDS if usable else PAUSE_WITHOUT_KEYS

    def _refresh(self, held: _Held, uri: str, moment: float) -> None:
        try:
            keys = _keys(self._fetch(uri))
        except (OSError, ValueError, RecursionError):
            return
        held.keys, held.fetched = keys, moment


def _age(then: float | None, moment: float) -> float:
    # ``abs``: after a clock was set back, a set must not stay fresh for ever.
    return float("inf") if then is None else abs(moment - then)


def _keys(raw: bytes) -> Keys:
    document = json.loads(raw)
    members = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(members, list) or len(members) > MAX_KEYS:
        raise ValueError("no key set")
    usable = [each for each in members if isinstance(each, dict) and each.get("kid")]
    keys = {str(each["kid"]): each for each in usable}
    if not keys:
        raise ValueError("an empty key set")
    return keys


def fetched(uri: str) -> bytes:
    """The bytes at ``uri``: HTTPS (or loopback), no redirect, 2 s, 64 KiB. Raises ``OSError``."""
    parts = urlsplit(uri)
    loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not parts.hostname or (parts.scheme != "https" and not loopback):
        raise OSError("a key set needs https")
    kind = HTTPConnection if loopback else HTTPSConnection
    connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
    try:
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request("GET", path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        raw = answer.read(MAX_BYTES + 1)
    except HTTPException as error:
        raise OSError("the key server does not speak HTTP") from error
    finally:
        connection.close()
    if answer.status != 200 or len(raw) > MAX_BYTES:
        raise OSError("no key set at this address")
    return raw
