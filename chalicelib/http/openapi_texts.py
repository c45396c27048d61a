"""The descriptions in the OpenAPI document: rules/descriptions.json, and the views' docstrings.

``schemas``: {schema: text}; ``fields``: {field: text}, for every field of that name without another
text; ``own``: {"Schema.field": text}, for a field with another meaning in one schema;
``parameters``: {name: text} of paths and queries; ``open311``: {argument: text} of GeoReport;
``tags``: {tag: text}. A description in a
declaration comes first.
"""

import inspect
from functools import cache
from typing import Any

from chalicelib import rules

Document = dict[str, Any]


@cache
def texts() -> dict[str, dict[str, str]]:
    """The file: section -> name -> text."""
    sections: dict[str, dict[str, str]] = rules.load("descriptions")
    return sections


def described(name: str, schema: Document) -> Document:
    """The schema called ``name`` with a description, and one for each of its fields."""
    fields = {
        field: _with(each, texts()["own"].get(f"{name}.{field}") or texts()["fields"].get(field))
        for field, each in schema.get("properties", {}).items()
    }
    with_fields = {**schema, "properties": fields} if fields else schema
    return _with(with_fields, texts()["schemas"].get(name))


def parameter(name: str) -> str:
    """The description of a parameter of a path or a query."""
    return texts()["parameters"].get(name, "")


def of_view(view: Any) -> str:
    """The docstring of a view, as Markdown."""
    return inspect.cleandoc(view.__doc__ or "").replace("``", "`")


def tags(names: set[str]) -> list[Document]:
    """The tags with their descriptions, in order."""
    return [{"name": name, "description": texts()["tags"].get(name, "")} for name in sorted(names)]


def _with(schema: Document, text: str | None) -> Document:
    return {**schema, "description": text} if text and not schema.get("description") else schema
