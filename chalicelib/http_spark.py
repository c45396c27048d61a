"""GeoReport v2's two formats: XML, and JSON by the Spark convention of it.

A list has the name of its element in XML and is a bare array in JSON, also with one child and with
none; nothing is an empty element, or ``null``.
"""

import json
from typing import Any

from chalicelib.domain.xmltext import for_xml

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
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n']
    _write(parts, root, data)
    return "".join(parts)


def _write(parts: list[str], name: str, value: Any) -> None:
    if value is None or value in ("", [], {}):
        parts.append(f"<{name}/>")
        return
    parts.append(f"<{name}>")
    if isinstance(value, dict):
        for key, inner in value.items():
            _write(parts, key, inner)
    elif isinstance(value, list):
        element = _ELEMENTS.get(name, name.removesuffix("s"))
        for inner in value:
            _write(parts, element, inner)
    else:
        parts.append(_text(value))
    parts.append(f"</{name}>")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return for_xml(value)
