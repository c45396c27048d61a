"""XML without the characters that XML cannot hold.

Tests: tests/integration/test_open_data.py
"""

import io
import re
from functools import cache
from typing import Any, NamedTuple
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl


@cache
def _illegal() -> re.Pattern[str]:
    """The characters that XML 1.0 cannot hold (section 2.2); a person may have pasted some."""
    # Compiled at first use: it takes milliseconds, and the API rarely needs it.
    return re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(value: Any) -> str:
    """A value as text without the characters that XML cannot hold; "" for ``None``."""
    return _illegal().sub("", "" if value is None else str(value))


class Element(NamedTuple):
    """An XML element: its name, a value or the elements within, and its attributes."""

    name: str
    content: Any
    attributes: dict[str, str] = {}  # noqa: RUF012  (never changed)


def written(element: Element, declaration: bool = False) -> str:
    """An element as XML, with the XML declaration in front if that is asked for."""
    out = io.StringIO()
    writer = XMLGenerator(out, encoding="UTF-8", short_empty_elements=False)
    if declaration:
        writer.startDocument()
    _write(writer, element)
    return out.getvalue()


def _write(writer: XMLGenerator, element: Element) -> None:
    writer.startElement(element.name, AttributesImpl(element.attributes))
    if isinstance(element.content, list):
        for inner in element.content:
            _write(writer, inner)
    else:
        writer.characters(legal(element.content))
    writer.endElement(element.name)
