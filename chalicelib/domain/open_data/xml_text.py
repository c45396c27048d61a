"""Text for XML, without the characters that XML cannot hold.

Tests: tests/integration/test_open_data.py
"""

import re
from functools import cache
from typing import Any
from xml.sax.saxutils import escape


@cache
def _illegal() -> re.Pattern[str]:
    """The characters that XML 1.0 cannot hold (section 2.2); a person may have pasted some."""
    # Compiled at first use: it takes milliseconds, and the API rarely needs it.
    return re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(value: Any) -> str:
    """A value as text without the characters that XML cannot hold; "" for ``None``."""
    return _illegal().sub("", "" if value is None else str(value))


def for_xml(value: Any) -> str:
    """A value as ``legal`` text, escaped for XML."""
    return escape(legal(value))
