"""Text for XML: what it cannot hold is taken out."""

import re
from functools import cache
from typing import Any
from xml.sax.saxutils import escape


@cache
def _illegal() -> re.Pattern[str]:
    """What XML 1.0 cannot hold (section 2.2), which a person may have pasted."""
    # Made at first use: few starts of the API need it, and it takes milliseconds.
    return re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(value: Any) -> str:
    """A value as text without what XML cannot hold; ``None`` is nothing."""
    return _illegal().sub("", "" if value is None else str(value))


def for_xml(value: Any) -> str:
    """``legal`` text, escaped, for XML that is written line by line."""
    return escape(legal(value))
