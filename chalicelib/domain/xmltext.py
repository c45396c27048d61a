"""Text for XML that is written by hand, line by line."""

import re
from functools import cache
from typing import Any
from xml.sax.saxutils import escape


@cache
def _illegal() -> re.Pattern[str]:
    """What XML 1.0 cannot hold (section 2.2), which a person may have pasted."""
    # Made at first use: few starts of the API need it, and it takes milliseconds.
    return re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def for_xml(value: Any) -> str:
    """A value as text in XML: escaped, without what XML cannot hold; ``None`` is nothing."""
    return escape(_illegal().sub("", "" if value is None else str(value)))
