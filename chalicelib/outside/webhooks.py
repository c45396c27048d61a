"""Delivering webhooks as Standard Webhooks 1.0 says: headers, signature, secret.

``webhook-signature`` is the base64 HMAC-SHA256 of "<id>.<seconds>.<body>", once for each secret.
"""

import base64
import hashlib
import hmac
from dataclasses import replace
from urllib.parse import urlsplit

from chalicelib.outside import addresses, fetch
from chalicelib.outside.addresses import UnsafeAddress
from chalicelib.outside.fetch import Failed, Reply

PREFIX = "whsec_"
SECRET_BYTES = 32
_OWN = (
    "accept-encoding", "connection", "content-length", "content-type", "expect", "host",
    "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
)  # fmt: skip


def post(
    url: str,
    delivery: str,
    body: bytes,
    secrets: list[str],
    seconds: int,
    more: dict[str, str],
) -> Reply:
    """POST a signed body; ``delivery`` is its id, also of a repetition; ``more``: headers that the
    receiver wants. Raises ``Failed``."""
    try:
        endpoint = addresses.check(url)
    except UnsafeAddress:
        raise Failed("address_refused") from None
    try:
        signatures = signature(delivery, body, secrets, seconds)
    except ValueError:
        raise Failed("bad_secret") from None
    headers = {
        **more,
        "Content-Type": "application/json",
        "webhook-id": delivery,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signatures,
    }
    return fetch.post(replace(endpoint, path=""), urlsplit(url).path or "/", body, headers)


def signature(delivery: str, body: bytes, secrets: list[str], seconds: int) -> str:
    """The signatures of a delivery, one for each secret, with spaces between them."""
    signed = f"{delivery}.{seconds}.".encode() + body
    digests = (hmac.new(_key(secret), signed, hashlib.sha256).digest() for secret in secrets)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def is_own_header(name: str) -> bool:
    """Whether a header belongs to HTTP or to the signature, so that no token may be sent in it."""
    return name.lower() in _OWN or name.lower().startswith("webhook-")


def secret(raw: bytes) -> str:
    """The text of a secret, as receivers' libraries take it."""
    return PREFIX + base64.b64encode(raw).decode()


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))
