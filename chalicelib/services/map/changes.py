"""What changed on the map since a cursor: the poll of everybody who watches it."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

from chalicelib.domain.map.changelog import KEEP, LAG, NAME_BYTES, Cursor, follow, last, name
from chalicelib.domain.map.pin import unpack
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.map import geojson
from chalicelib.services.platform import signing
from chalicelib.storage import map_changes as store
from chalicelib.storage import secrecy

PAGE = 200
_SEAL = 8
# Views of one half minute share a cursor, so that their answers can be compared and cached.
_STEP = timedelta(seconds=30)


def since(jurisdiction: str, text: str | None, now: datetime) -> str:
    """``{"cursor", "upsert": Features, "remove": ids}`` (text) after a cursor; one Query.

    Without a cursor: where to begin. ``"more": true`` says that the next poll need not wait.
    Raises ``cursor_invalid``, and ``cursor_expired`` (410) for one older than the log.
    """
    cities.current(jurisdiction, now)
    if text is None:
        return f'{{"cursor":"{cursor_before(jurisdiction, now)}","upsert":[],"remove":[]}}'
    cursor = _opened(jurisdiction, text)
    if cursor.until < now - KEEP:
        raise Problem("cursor_expired", field="since")
    rows, whole = store.changes(jurisdiction, cursor.until, PAGE + len(cursor.given))
    fresh = [row for row in rows if name(row) not in cursor.given]
    gone, there = last(fresh)
    if not whole:
        # That a report was hidden since may stand on a later page.
        secret = secrecy.secret(jurisdiction, (row.report for row in there))
        there = [row for row in there if row.report not in secret]
    then = _sealed(jurisdiction, follow(cursor, rows, now, whole))
    upsert = geojson.array(unpack(row.report, row.pin) for row in there)
    more = "" if whole else ',"more":true'
    return f'{{"cursor":"{then}","upsert":{upsert},"remove":{json.dumps(gone)}{more}}}'


def cursor_before(jurisdiction: str, now: datetime) -> str:
    """A cursor from a little before now: what a view may not have seen yet comes after it."""
    late = now - LAG
    start = datetime.fromtimestamp(late.timestamp() // _STEP.seconds * _STEP.seconds, UTC)
    return _sealed(jurisdiction, Cursor(start, frozenset()))


def _sealed(jurisdiction: str, cursor: Cursor) -> str:
    stamp = round(cursor.until.timestamp() * 1000).to_bytes(6, "big")
    told = stamp + b"".join(sorted(cursor.given))
    return base64.urlsafe_b64encode(told + _seal(jurisdiction, told)).rstrip(b"=").decode()


def _opened(jurisdiction: str, text: str) -> Cursor:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Problem("cursor_invalid", field="since") from None
    told, seal = raw[:-_SEAL], raw[-_SEAL:]
    # One text a cursor: base64 has several for the same bytes.
    canonical = base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == text
    good = canonical and hmac.compare_digest(seal, _seal(jurisdiction, told))
    if not good or len(told) < 6 or (len(told) - 6) % NAME_BYTES:
        raise Problem("cursor_invalid", field="since")
    names = [told[at : at + NAME_BYTES] for at in range(6, len(told), NAME_BYTES)]
    until = datetime.fromtimestamp(int.from_bytes(told[:6], "big") / 1000, UTC)
    return Cursor(until, frozenset(names))


def _seal(jurisdiction: str, told: bytes) -> bytes:
    text = f"{jurisdiction}/{told.hex()}"
    return bytes.fromhex(signing.mac("changes", text, signing.pseudonym_key()))[:_SEAL]
