"""What changed on the map since a cursor, for clients that poll.

Tests: tests/integration/test_map.py
"""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

from chalicelib.domain.map.changelog import KEEP, LAG, NAME_BYTES, Cursor, advance, last, name
from chalicelib.domain.map.pin import unpack
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.map import geojson
from chalicelib.services.platform import signing
from chalicelib.storage import map_changes as store
from chalicelib.storage import secrecy

PAGE = 200
_SIGNATURE_BYTES = 8
# Views of the same half minute share a cursor, so that their answers can be compared and cached.
_STEP = timedelta(seconds=30)


def since(jurisdiction: str, text: str | None, now: datetime) -> str:
    """``{"cursor", "upsert": Features, "remove": ids}`` (JSON text) of what changed after a cursor.

    Without a cursor: an empty answer with the first one. ``"more": true`` says that there is a next
    page already. Costs one Query. Raises ``Problem``: cursor_invalid, and cursor_expired (410) for
    one older than the change log.
    """
    cities.current(jurisdiction, now)
    if text is None:
        return f'{{"cursor":"{cursor_before(jurisdiction, now)}","upsert":[],"remove":[]}}'
    cursor = _decode_cursor(jurisdiction, text)
    if cursor.until < now - KEEP:
        raise Problem("cursor_expired", field="since")
    rows, whole = store.changes(jurisdiction, cursor.until, PAGE + len(cursor.sent))
    fresh = [row for row in rows if name(row) not in cursor.sent]
    removed, present = last(fresh)
    if not whole:
        # A later page may say that one of these reports was hidden.
        secret = secrecy.secret(jurisdiction, (row.report for row in present))
        present = [row for row in present if row.report not in secret]
    following = _encode_cursor(jurisdiction, advance(cursor, rows, now, whole))
    upsert = geojson.array(unpack(row.report, row.pin) for row in present)
    more = "" if whole else ',"more":true'
    return f'{{"cursor":"{following}","upsert":{upsert},"remove":{json.dumps(removed)}{more}}}'


def cursor_before(jurisdiction: str, now: datetime) -> str:
    """A cursor from a little before now, so that changes which a view did not see yet follow it."""
    earlier = now - LAG
    start = datetime.fromtimestamp(earlier.timestamp() // _STEP.seconds * _STEP.seconds, UTC)
    return _encode_cursor(jurisdiction, Cursor(start, frozenset()))


def _encode_cursor(jurisdiction: str, cursor: Cursor) -> str:
    moment = round(cursor.until.timestamp() * 1000).to_bytes(6, "big")
    payload = moment + b"".join(sorted(cursor.sent))
    signed = payload + _signature(jurisdiction, payload)
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()


def _decode_cursor(jurisdiction: str, text: str) -> Cursor:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Problem("cursor_invalid", field="since") from None
    payload, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    # Base64 can write the same bytes in several ways; only one of them is accepted.
    canonical = base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == text
    good = canonical and hmac.compare_digest(signature, _signature(jurisdiction, payload))
    if not good or len(payload) < 6 or (len(payload) - 6) % NAME_BYTES:
        raise Problem("cursor_invalid", field="since")
    names = [payload[at : at + NAME_BYTES] for at in range(6, len(payload), NAME_BYTES)]
    until = datetime.fromtimestamp(int.from_bytes(payload[:6], "big") / 1000, UTC)
    return Cursor(until, frozenset(names))


def _signature(jurisdiction: str, payload: bytes) -> bytes:
    text = f"{jurisdiction}/{payload.hex()}"
    mac = signing.mac("changes", text, signing.pseudonym_key())
    return bytes.fromhex(mac)[:_SIGNATURE_BYTES]
