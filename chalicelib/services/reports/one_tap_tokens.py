"""Tokens of the one-tap links, and the links: signed, and short enough for a text message.

Bytes: kind (1), time of the finish or of the question in ms (6), report (16), [report of the
recipient (16),] city.

Tests: tests/integration/test_sms.py
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.report import Report
from chalicelib.errors import Problem
from chalicelib.services.platform import signing, urls

ANSWER_DAYS = 14
_PURPOSE = "answer"
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # pragma: allowlist secret
_ID, _MOMENT = 16, 6
_FOR_REPORT, _FOR_DUPLICATE, _FOR_CLOSED, _FOR_CLOSED_DUPLICATE = 1, 2, 3, 4
# How many reports a token of each kind names.
_REPORTS = {_FOR_REPORT: 1, _FOR_DUPLICATE: 2, _FOR_CLOSED: 1, _FOR_CLOSED_DUPLICATE: 2}


def make(jurisdiction: str, report: str, finished_at: datetime, own: str | None = None) -> str:
    """A token for this finish of ``report``.

    ``own``: the recipient's own report, if it is a duplicate that is merged into ``report``.
    """
    others = [own] if own and own != report else []
    kind = _FOR_DUPLICATE if others else _FOR_REPORT
    return _signed(kind, finished_at, [report, *others], jurisdiction)


def make_for_closed(
    jurisdiction: str, report: str, asked_at: datetime, own: str | None = None
) -> str:
    """A token for a closed report whose reporter is asked whether it is settled; ``own`` as in
    ``make``."""
    others = [own] if own and own != report else []
    kind = _FOR_CLOSED_DUPLICATE if others else _FOR_CLOSED
    return _signed(kind, asked_at, [report, *others], jurisdiction)


def _signed(kind: int, moment: datetime, reports: list[str], jurisdiction: str) -> str:
    milliseconds = round(moment.timestamp() * 1000).to_bytes(_MOMENT, "big")
    ids = b"".join(_pack(report_id) for report_id in reports)
    return signing.sign_bytes(_PURPOSE, bytes([kind]) + milliseconds + ids + jurisdiction.encode())


def read(token: str, now: datetime) -> dict[str, Any]:
    """{"j", "r", "f", "d"} of a valid token: jurisdiction, report, time of the finish, and the
    recipient's own report if that is another. For a closed report "a" instead of "f": when its
    reporter was asked.

    Also reads tokens of the older, longer format. Raises ``Problem``: invalid_token.
    """
    raw = signing.unsign_bytes(_PURPOSE, token)
    if raw is None:
        return signing.unsign(_PURPOSE, token, now)
    kind, rest = raw[0], raw[1 + _MOMENT :]
    seconds = int.from_bytes(raw[1 : 1 + _MOMENT], "big") / 1000
    since = datetime.fromtimestamp(seconds, UTC)
    if kind not in _REPORTS or now >= since + timedelta(days=ANSWER_DAYS):
        raise Problem("invalid_token")
    count = _REPORTS[kind]
    ids = [_unpack(rest[_ID * n : _ID * (n + 1)]) for n in range(count)]
    moment = "a" if kind in (_FOR_CLOSED, _FOR_CLOSED_DUPLICATE) else "f"
    payload = {"j": rest[_ID * count :].decode(), "r": ids[0], moment: since.isoformat()}
    return {**payload, "d": ids[1]} if count > 1 else payload


def _pack(report: str) -> bytes:
    number = 0
    for digit in report:
        number = number * 32 + _DIGITS.index(digit)
    return number.to_bytes(_ID, "big")


def _unpack(raw: bytes) -> str:
    number = int.from_bytes(raw, "big")
    return "".join(_DIGITS[number >> 5 * position & 31] for position in reversed(range(26)))


def doubt_link(report: Report, own: str | None = None) -> str:
    """The one-tap link to answer whether a report is settled, after another person denied it;
    ``own`` as in ``answer_link``."""
    if report.state == "work_done" and report.finished_at:
        return answer_link(report.jurisdiction, report.id, report.finished_at, own)
    asked_at = report.asked_at or report.changed_at
    token = make_for_closed(report.jurisdiction, report.id, asked_at, own)
    return urls.absolute(f"/v1/answers/{token}")


def answer_link(
    jurisdiction: str, report: str, finished_at: datetime, own: str | None = None
) -> str:
    """The one-tap link that answers "is it repaired?" for this one repair, until it expires.

    ``own``: the duplicate whose reporter answers, if it is merged into ``report``.
    """
    token = make(jurisdiction, report, finished_at, own)
    # The token itself names the city.
    return urls.absolute(f"/v1/answers/{token}")
