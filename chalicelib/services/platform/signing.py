"""What the city signs (device tokens, cursors, links) and derives (claim secrets, pseudonyms).

    token = key id . base64url({"p": payload, "e": expiry}) . base64url(HMAC-SHA256)

Every purpose has a key of its own, so that a cursor never passes for a device token. A new key
becomes ``current`` while the older ones still verify; a key that is taken away ends its tokens.
"""

import base64
import hashlib
import hmac
import json
import re
from datetime import datetime
from typing import Any

from chalicelib.errors import Problem
from chalicelib.storage import signing_keys

MAX_TOKEN = 4_096
_SEALED = re.compile(r"([A-Za-z0-9]{1,16})\.([A-Za-z0-9]{1,64})\.([A-Za-z0-9_-]{22})")
_SHORT = re.compile(r"([A-Za-z0-9]{1,16})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{22})")
# No scope of ``sign_text`` is called so.
_BYTES = "bytes:"
_TOKEN = re.compile(r"([A-Za-z0-9]{1,16})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})")


def sign(purpose: str, payload: dict[str, Any], expires: datetime | None) -> str:
    """A token of ``payload`` for ``purpose`` that ends at ``expires`` (``None``: never)."""
    kid = str(signing_keys.keys()["current"])
    content = {"p": payload, "e": expires.timestamp() if expires else None}
    encoded = _encode(json.dumps(content, separators=(",", ":"), allow_nan=False).encode())
    return f"{kid}.{encoded}.{_signature(purpose, kid, encoded)}"


def unsign(purpose: str, token: str, now: datetime) -> dict[str, Any]:
    """The payload of a token made by ``sign`` for the same purpose and not yet ended at ``now``.

    Raises ``Problem("invalid_token")`` for every other text, without saying why.
    """
    found = _TOKEN.fullmatch(token) if len(token) <= MAX_TOKEN else None
    if found is None or found[1] not in signing_keys.keys()["keys"]:
        raise Problem("invalid_token")
    if not hmac.compare_digest(_signature(purpose, found[1], found[2]), found[3]):
        raise Problem("invalid_token")
    content = json.loads(_decode(found[2]))
    if content["e"] is not None and now.timestamp() >= content["e"]:
        raise Problem("invalid_token")
    payload: dict[str, Any] = content["p"]
    return payload


def sign_text(purpose: str, scope: str, text: str) -> str:
    """A short token of ``text`` (letters, digits) for ``purpose`` within ``scope``; it never ends.

    For links in text messages, where ``sign`` is too long.
    """
    kid = str(signing_keys.keys()["current"])
    return f"{kid}.{text}.{_seal(purpose, kid, scope, text)}"


def unsign_text(purpose: str, scope: str, token: str) -> str:
    """The text of a token of ``sign_text``. Raises ``Problem``: invalid_token."""
    found = _SEALED.fullmatch(token)
    if found is None or found[1] not in signing_keys.keys()["keys"]:
        raise Problem("invalid_token")
    if not hmac.compare_digest(_seal(purpose, found[1], scope, found[2]), found[3]):
        raise Problem("invalid_token")
    return found[2]


def sign_bytes(purpose: str, raw: bytes) -> str:
    """A short token of a few bytes for ``purpose``; when it ends, the bytes must say."""
    kid, encoded = str(signing_keys.keys()["current"]), _encode(raw)
    return f"{kid}.{encoded}.{_seal(purpose, kid, _BYTES, encoded)}"


def unsign_bytes(purpose: str, token: str) -> bytes | None:
    """The bytes of a token of ``sign_bytes``; ``None`` for every other text."""
    found = _SHORT.fullmatch(token) if len(token) <= MAX_TOKEN else None
    if found is None or found[1] not in signing_keys.keys()["keys"]:
        return None
    if not hmac.compare_digest(_seal(purpose, found[1], _BYTES, found[2]), found[3]):
        return None
    return _decode(found[2])


def _seal(purpose: str, kid: str, scope: str, text: str) -> str:
    return _signature(purpose, kid, f"{scope}|{text}")[:22]


def mac(purpose: str, text: str, kid: str | None = None) -> str:
    """64 hex digits that only this deployment can derive from ``text`` for ``purpose``.

    ``kid`` names the key (default: the current one, so that the result changes when keys do).
    What must stay the same names ``lasting()``.
    """
    key = _key("mac", purpose, kid or str(signing_keys.keys()["current"]))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def pseudonym_key() -> str:
    """The id of the key for pseudonyms, which must stay the same when signing keys change.

    It is the member ``pseudonyms`` of the secret, else the first key by name.
    """
    held = signing_keys.keys()
    return str(held.get("pseudonyms") or min(held["keys"]))


def webhook_secrets(name: str) -> dict[str, str]:
    """{key id: secret in hex} by which whoever receives ``name`` checks it: one a signing key, so
    that the older holds until every receiver knows the newer."""
    return {kid: _key("webhook", name, kid).hex() for kid in sorted(signing_keys.keys()["keys"])}


def sign_body(name: str, body: bytes, now: datetime) -> str:
    """``t=<seconds>,<key id>=<HMAC-SHA256 of "<seconds>." and the body>,...``, a key each.

    A receiver refuses what is older than five minutes (docs/open311.md).
    """
    seconds = int(now.timestamp())
    signed = f"{seconds}.".encode() + body
    marks = [
        f"{kid}={hmac.new(bytes.fromhex(secret), signed, hashlib.sha256).hexdigest()}"
        for kid, secret in webhook_secrets(name).items()
    ]
    return ",".join([f"t={seconds}", *marks])


def claim_secret(report: str, generation: int = 0) -> str:
    """What makes another device the reporter: derived, never stored, the same at every replay.

    Each claim begins another ``generation``; the receipt shows the first (0).
    """
    text = f"{report}|{generation}" if generation else report
    return mac("claim", text, pseudonym_key())[:32]


def _signature(purpose: str, kid: str, encoded: str) -> str:
    key = _key("sign", purpose, kid)
    return _encode(hmac.new(key, f"{kid}.{encoded}".encode(), hashlib.sha256).digest())


def _key(use: str, purpose: str, kid: str) -> bytes:
    master = base64.b64decode(signing_keys.keys()["keys"][kid])
    return hmac.new(master, f"tanggap/{use}/{purpose}".encode(), hashlib.sha256).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
