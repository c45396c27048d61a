"""Signed tokens (devices, cursors, links) and values derived from a secret (claim secrets,
pseudonyms).

    token = key id . base64url({"p": payload, "e": expiry}) . base64url(HMAC-SHA256)

Each purpose has a key of its own, so a cursor is never accepted as a device token. To rotate keys,
add a key and name it ``current``: tokens of the older keys stay valid until their key is removed.
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
_TEXT_TOKEN = re.compile(r"([A-Za-z0-9]{1,16})\.([A-Za-z0-9]{1,64})\.([A-Za-z0-9_-]{22})")
_BYTES_TOKEN = re.compile(r"([A-Za-z0-9]{1,16})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{22})")
# The scope of ``sign_bytes``; no caller of ``sign_text`` uses it.
_BYTES_SCOPE = "bytes:"
_TOKEN = re.compile(r"([A-Za-z0-9]{1,16})\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})")


def sign(purpose: str, payload: dict[str, Any], expires: datetime | None) -> str:
    """A token of ``payload`` for ``purpose``, valid until ``expires`` (``None``: for ever)."""
    kid = str(signing_keys.keys()["current"])
    content = {"p": payload, "e": expires.timestamp() if expires else None}
    encoded = _encode(json.dumps(content, separators=(",", ":"), allow_nan=False).encode())
    return f"{kid}.{encoded}.{_signature(purpose, kid, encoded)}"


def unsign(purpose: str, token: str, now: datetime) -> dict[str, Any]:
    """The payload of a token made by ``sign`` for the same purpose and still valid at ``now``.

    Raises ``Problem``: invalid_token, for every other text and without a reason.
    """
    match = _TOKEN.fullmatch(token) if len(token) <= MAX_TOKEN else None
    if match is None or match[1] not in signing_keys.keys()["keys"]:
        raise Problem("invalid_token")
    if not hmac.compare_digest(_signature(purpose, match[1], match[2]), match[3]):
        raise Problem("invalid_token")
    content = json.loads(_decode(match[2]))
    if content["e"] is not None and now.timestamp() >= content["e"]:
        raise Problem("invalid_token")
    payload: dict[str, Any] = content["p"]
    return payload


def sign_text(purpose: str, scope: str, text: str) -> str:
    """A short token of ``text`` (letters, digits) for ``purpose`` within ``scope``, valid for ever.

    For links in text messages, where a token of ``sign`` is too long.
    """
    kid = str(signing_keys.keys()["current"])
    return f"{kid}.{text}.{_short_signature(purpose, kid, scope, text)}"


def unsign_text(purpose: str, scope: str, token: str) -> str:
    """The text of a token of ``sign_text``. Raises ``Problem``: invalid_token."""
    match = _TEXT_TOKEN.fullmatch(token)
    if match is None or match[1] not in signing_keys.keys()["keys"]:
        raise Problem("invalid_token")
    if not hmac.compare_digest(_short_signature(purpose, match[1], scope, match[2]), match[3]):
        raise Problem("invalid_token")
    return match[2]


def sign_bytes(purpose: str, raw: bytes) -> str:
    """A short token of a few bytes for ``purpose``. If it is to expire, the bytes must say when."""
    kid, encoded = str(signing_keys.keys()["current"]), _encode(raw)
    return f"{kid}.{encoded}.{_short_signature(purpose, kid, _BYTES_SCOPE, encoded)}"


def unsign_bytes(purpose: str, token: str) -> bytes | None:
    """The bytes of a token of ``sign_bytes``; ``None`` for every other text."""
    match = _BYTES_TOKEN.fullmatch(token) if len(token) <= MAX_TOKEN else None
    if match is None or match[1] not in signing_keys.keys()["keys"]:
        return None
    signature = _short_signature(purpose, match[1], _BYTES_SCOPE, match[2])
    if not hmac.compare_digest(signature, match[3]):
        return None
    return _decode(match[2])


def _short_signature(purpose: str, kid: str, scope: str, text: str) -> str:
    return _signature(purpose, kid, f"{scope}|{text}")[:22]


def mac(purpose: str, text: str, kid: str | None = None) -> str:
    """64 hex digits that only this deployment can derive from ``text`` for ``purpose``.

    ``kid`` names the key; the default is the current one, so the result changes when keys are
    rotated. For a value that must stay the same, pass ``pseudonym_key()``.
    """
    key = _key("mac", purpose, kid or str(signing_keys.keys()["current"]))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def pseudonym_key() -> str:
    """The id of the key for pseudonyms, which must stay the same when signing keys are rotated.

    It is the member ``pseudonyms`` of the secret, else the first key by name.
    """
    secret = signing_keys.keys()
    return str(secret.get("pseudonyms") or min(secret["keys"]))


def webhook_secrets(name: str) -> dict[str, str]:
    """{key id: secret in hex} with which a receiver of webhook ``name`` checks it.

    There is one for each signing key, so that receivers can change to a new key one by one.
    """
    return {kid: _key("webhook", name, kid).hex() for kid in sorted(signing_keys.keys()["keys"])}


def sign_body(name: str, body: bytes, now: datetime) -> str:
    """The signature of a webhook's body, for each key:
    ``t=<seconds>,<key id>=<HMAC-SHA256 of "<seconds>." and the body>,...``

    A receiver refuses what is older than five minutes (docs/open311.md).
    """
    seconds = int(now.timestamp())
    signed = f"{seconds}.".encode() + body
    signatures = [
        f"{kid}={hmac.new(bytes.fromhex(secret), signed, hashlib.sha256).hexdigest()}"
        for kid, secret in webhook_secrets(name).items()
    ]
    return ",".join([f"t={seconds}", *signatures])


def claim_secret(report: str, generation: int = 0) -> str:
    """The secret with which another device becomes the reporter of ``report``.

    It is derived and never stored, so a replay shows the same one. Each claim starts a new
    ``generation`` with another secret; the receipt shows that of generation 0.
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
