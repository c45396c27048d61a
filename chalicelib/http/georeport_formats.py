"""GeoReport v2's two formats: XML, and JSON by the Spark convention of it.

A list has the name of its element in XML and is a bare array in JSON, also with one child and with
none; nothing is an empty element, or ``null``.
"""

import io
import json
from typing import Any
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from chalicelib.domain.open_data.xml_text import legal

MEDIA = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
# A list's name -> that of its elements; other lists repeat their name without the plural s.
_ELEMENTS = {
    "services": "service",
    "service_requests": "request",
    "service_request_updates": "request_update",
    "errors": "error",
    "keywords": "keyword",
}


def rendered(root: str, data: Any, form: str) -> str:
    """``data`` under the XML root ``root``, in the form "xml" or "json"."""
    if form == "json":
        return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    out = io.StringIO()
    writer = XMLGenerator(out, encoding="UTF-8", short_empty_elements=True)
    writer.startDocument()
    _write(writer, root, data)
    return out.getvalue()


def _write(writer: XMLGenerator, name: str, value: Any) -> None:
    writer.startElement(name, AttributesImpl({}))
    if isinstance(value, dict):
        for key, inner in value.items():
            _write(writer, key, inner)
    elif isinstance(value, list):
        element = _ELEMENTS.get(name, name.removesuffix("s"))
        for inner in value:
            _write(writer, element, inner)
    elif isinstance(value, bool):
        writer.characters("true" if value else "false")
    else:
        writer.characters(legal(value))
    writer.endElement(name)
