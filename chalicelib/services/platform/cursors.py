"""Cursors of lists: signed, valid for a day, and only with the filters they were made for.

Tests: tests/integration/test_queues.py
"""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.errors import Problem
from chalicelib.services.platform import signing

CURSOR_LIFE = timedelta(days=1)


# The filters of a list, by short names: a cursor works only with those it was made for.
Filters = dict[str, Any]


def make_cursor(key: str, filters: Filters, now: datetime) -> str:
    """A cursor that continues after ``key``, valid for a day and with these filters."""
    return signing.sign("cursor", {"k": key, "f": filters}, now + CURSOR_LIFE)


def open_cursor(cursor: str | None, filters: Filters, now: datetime) -> str | None:
    """The key in a cursor; ``None`` without one.

    Raises ``Problem``: cursor_invalid, if it is forged, expired or was made for other filters.
    """
    if cursor is None:
        return None
    try:
        payload = signing.unsign("cursor", cursor, now)
    except Problem:
        raise Problem("cursor_invalid", field="cursor") from None
    if payload["f"] != filters:
        raise Problem("cursor_invalid", field="cursor")
    key: str = payload["k"]
    return key
