"""Telephone numbers: E.164, as people and other systems write them.

Tests: tests/unit/test_one_place.py
"""

import re

# With the code of the country, without spaces: +628123456789.
PHONE = r"\+[1-9][0-9]{6,14}"
_GAPS = re.compile(r"[\s().-]")


def plain(number: str) -> str | None:
    """A number as E.164, without spaces and punctuation; ``None`` if it is not a number."""
    match = re.fullmatch(PHONE, _GAPS.sub("", number))
    return match[0] if match else None
