"""The records of a GeoReport answer in XML. Document types, entities and references are refused.

Tests: tests/integration/test_import_open311.py
"""

from typing import Any


def records(body: bytes, *names: str) -> list[dict[str, Any]]:
    """The fields of each element of the list; with ``names``, of each element with one of these
    names. Names are without their namespaces. Raises ``ValueError``."""
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, LookupError) as error:
        raise ValueError("no XML") from error
    rows = (
        [element for element in root.iter() if local_name(element) in names]
        if names
        else list(root)
    )
    if names and not rows and not local_name(root).endswith("requests"):
        raise ValueError("no list")
    return [{local_name(child): child.text for child in row} for row in rows]


def local_name(element: Any) -> str:
    """An element's name without its namespace."""
    # Comments and processing instructions have a function as their tag.
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
