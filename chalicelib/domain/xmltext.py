"""Text for XML that is written by hand, line by line."""

import re
from typing import Any
from xml.sax.saxutils import escape

# What XML 1.0 cannot hold (section 2.2), which a person may have pasted.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def for_xml(value: Any) -> str:
    """A value as text in XML: escaped, without what XML cannot hold; ``None`` is nothing."""
    return escape(_ILLEGAL.sub("", "" if value is None else str(value)))
