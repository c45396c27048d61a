"""GeoReport v2's two formats: XML, and JSON by the Spark convention.

In XML each item of a list is an element with its own name; in JSON a list is a bare array, also
with one item or none. ``None`` is an empty element in XML and ``null`` in JSON.
"""

import io
import json
from typing import Any
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from chalicelib.domain.open_data.xml_text import legal

MEDIA = {"xml": "text/xml; charset=utf-8", "json": "application/json; charset=utf-8"}
# {name of a list: name of its elements}; elements of other lists drop the plural s.
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
