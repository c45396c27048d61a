"""Strict reading of a request: body, query and idempotency key.

    too large 413 -> not JSON 415 -> unreadable 400 -> wrong 422

A route without a declared body accepts an empty body of any type (a form without JavaScript posts
one) or the JSON object ``{}``. The body of a GET is ignored.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from chalicelib.domain.input import schema, strict_json
from chalicelib.errors import Problem

_JSON = re.compile(r'application/json(\s*;\s*charset="?utf-8"?)?\s*', re.IGNORECASE)
_KEY = re.compile(r"[\x20-\x7e]{1,255}")
# The body that a mail program posts to unsubscribe (RFC 8058).
_ONE_CLICK = re.compile(
    rb"List-Unsubscribe=One-Click"
    rb'|--[^\r\n]{1,72}\r\nContent-Disposition: form-data; name="List-Unsubscribe"'
    rb"(\r\n[^\r\n]+)?\r\n\r\nOne-Click\r\n--[^\r\n]{1,72}",
    re.IGNORECASE,
)
_BASE64_ROOM = strict_json.MAX_BYTES * 4 // 3 + 4


def read_json(
    event: Mapping[str, Any],
    headers: Mapping[str, str],
    declared: bool,
    one_click: bool = False,
) -> Any:
    """The JSON object in an HTTP event.

    ``declared``: the route has a body. ``one_click``: what a mail program posts to unsubscribe
    counts as ``{}``. Raises ``Problem`` in the order above.
    """
    raw = _raw(event)
    if not raw and not declared:
        return {}
    if one_click and _ONE_CLICK.fullmatch(raw.strip()):
        return {}
    if not _JSON.fullmatch(headers.get("content-type", "")):
        raise Problem("unsupported_media_type")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem("unsupported_media_type")
    return strict_json.parse(raw)


def _raw(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or b""
    encoded = bool(event.get("isBase64Encoded"))
    if len(body) > (_BASE64_ROOM if encoded else strict_json.MAX_BYTES):
        raise Problem("too_large", limit=strict_json.MAX_BYTES)
    try:
        raw = body.encode("utf-8") if isinstance(body, str) else bytes(body)
        raw = base64.b64decode(raw, validate=True) if encoded else raw
    except ValueError:
        raise Problem("malformed", rule="syntax") from None
    if len(raw) > strict_json.MAX_BYTES:
        raise Problem("too_large", limit=strict_json.MAX_BYTES)
    return raw


def read_query(
    arguments: Mapping[str, list[str]] | None,
    declared: Mapping[str, schema.Schema],
    validators: Mapping[str, schema.Validator],
    required: tuple[str, ...],
    bad: str = "invalid_parameter",
) -> dict[str, Any]:
    """The typed query. Raises ``Problem``: unknown, repeated or missing parameter, or ``bad`` for a
    wrong value."""
    values = {name: each["default"] for name, each in declared.items() if "default" in each}
    for name, texts in (arguments or {}).items():
        if name not in declared:
            raise Problem("unknown_parameter", field=schema.named(name))
        if len(texts) != 1:
            raise Problem("repeated_parameter", field=name)
        try:
            values[name] = schema.parameter(validators[name], declared[name], name, texts[0])
        except Problem as problem:
            raise Problem(bad, field=name, **problem.members) from None
    for name in required:
        if name not in values:
            raise Problem("missing_parameter", field=name)
    return values


def read_key(headers: Mapping[str, str]) -> str:
    """The ``Idempotency-Key``: 1 to 255 printable ASCII characters."""
    key = headers.get("idempotency-key")
    if key is None:
        raise Problem("idempotency_key_missing")
    if not _KEY.fullmatch(key):
        raise Problem("idempotency_key_invalid")
    return key


def hash_of(operation: str, path: Mapping[str, str], body: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of operation, path and body (with sorted keys)."""
    canonical = json.dumps(
        [operation, path, body],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(canonical.encode()).hexdigest()
