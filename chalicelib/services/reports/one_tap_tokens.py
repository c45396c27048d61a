"""Tokens of the one-tap links: signed, and short enough for a text message.

Bytes: kind (1), time of the finish in ms (6), report (16), [report of the recipient (16),] city.

Tests: tests/integration/test_sms.py
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.errors import Problem
from chalicelib.services.platform import signing

ANSWER_DAYS = 14
_PURPOSE = "answer"
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # pragma: allowlist secret
_ID, _MOMENT = 16, 6
_FOR_REPORT, _FOR_DUPLICATE = 1, 2


def make(jurisdiction: str, report: str, finished_at: datetime, own: str | None = None) -> str:
    """A token for this finish of ``report``.

    ``own``: the recipient's own report, if it is a duplicate that is merged into ``report``.
    """
    moment = round(finished_at.timestamp() * 1000).to_bytes(_MOMENT, "big")
    others = [own] if own and own != report else []
    ids = b"".join(_pack(report_id) for report_id in (report, *others))
    kind = bytes([_FOR_DUPLICATE if others else _FOR_REPORT])
    return signing.sign_bytes(_PURPOSE, kind + moment + ids + jurisdiction.encode())


def read(token: str, now: datetime) -> dict[str, Any]:
    """{"j", "r", "f", "d"} of a valid token: jurisdiction, report, time of the finish, and the
    recipient's own report if that is another.

    Also reads tokens of the older, longer format. Raises ``Problem``: invalid_token.
    """
    raw = signing.unsign_bytes(_PURPOSE, token)
    if raw is None:
        return signing.unsign(_PURPOSE, token, now)
    kind, rest = raw[0], raw[1 + _MOMENT :]
    seconds = int.from_bytes(raw[1 : 1 + _MOMENT], "big") / 1000
    finished = datetime.fromtimestamp(seconds, UTC)
    if kind not in (_FOR_REPORT, _FOR_DUPLICATE) or now >= finished + timedelta(days=ANSWER_DAYS):
        raise Problem("invalid_token")
    # The kind is also the number of reports.
    ids = [_unpack(rest[_ID * n : _ID * (n + 1)]) for n in range(kind)]
    payload = {"j": rest[_ID * kind :].decode(), "r": ids[0], "f": finished.isoformat()}
    return {**payload, "d": ids[1]} if kind == _FOR_DUPLICATE else payload


def _pack(report: str) -> bytes:
    number = 0
    for digit in report:
        number = number * 32 + _DIGITS.index(digit)
    return number.to_bytes(_ID, "big")


def _unpack(raw: bytes) -> str:
    number = int.from_bytes(raw, "big")
    return "".join(_DIGITS[number >> 5 * position & 31] for position in reversed(range(26)))
