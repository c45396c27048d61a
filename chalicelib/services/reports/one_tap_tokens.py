"""Tokens of the one-tap links: signed, and short enough for a text message.

kind (1 byte), finish in ms (6), report (16), [report of whom it is sent to (16),] city
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.errors import Problem
from chalicelib.services.platform import signing

ANSWER_DAYS = 14
_PURPOSE = "answer"
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # pragma: allowlist secret
_ID, _MOMENT = 16, 6
_ALONE, _FOR = 1, 2


def make(jurisdiction: str, report: str, finished_at: datetime, own: str | None = None) -> str:
    """A token for this one finish; ``own``: in the name of whoever filed this report, which is
    merged into ``report``."""
    moment = round(finished_at.timestamp() * 1000).to_bytes(_MOMENT, "big")
    others = [own] if own and own != report else []
    ids = b"".join(_packed(one) for one in (report, *others))
    kind = bytes([_FOR if others else _ALONE])
    return signing.sign_bytes(_PURPOSE, kind + moment + ids + jurisdiction.encode())


def read(token: str, now: datetime) -> dict[str, Any]:
    """{"j", "r", "f", "d"} of a token that has not lapsed: city, report, finish, and the report of
    whom it was sent to, if that is another. Those of before were longer.

    Raises ``Problem``: invalid_token.
    """
    raw = signing.unsign_bytes(_PURPOSE, token)
    if raw is None:
        return signing.unsign(_PURPOSE, token, now)
    kind, rest = raw[0], raw[1 + _MOMENT :]
    seconds = int.from_bytes(raw[1 : 1 + _MOMENT], "big") / 1000
    finished = datetime.fromtimestamp(seconds, UTC)
    if kind not in (_ALONE, _FOR) or now >= finished + timedelta(days=ANSWER_DAYS):
        raise Problem("invalid_token")
    ids = [_unpacked(rest[_ID * n : _ID * (n + 1)]) for n in range(kind)]
    found = {"j": rest[_ID * kind :].decode(), "r": ids[0], "f": finished.isoformat()}
    return {**found, "d": ids[1]} if kind == _FOR else found


def _packed(report: str) -> bytes:
    number = 0
    for digit in report:
        number = number * 32 + _DIGITS.index(digit)
    return number.to_bytes(_ID, "big")


def _unpacked(raw: bytes) -> str:
    number = int.from_bytes(raw, "big")
    return "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(26)))
