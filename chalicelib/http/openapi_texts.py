"""What the API's description says in words: rules/descriptions.json, and the views' docstrings.

``schemas``: {schema: text}; ``fields``: {field: text} wherever a field of that name has no other;
``own``: {"Schema.field": text} where it means something else there; ``parameters``: {name: text}
of paths and queries; ``tags``: {tag: text}. What a declaration says itself is not said here.
"""

import inspect
from functools import cache
from typing import Any

from chalicelib import rules

Document = dict[str, Any]


@cache
def texts() -> dict[str, dict[str, str]]:
    """The file: section -> name -> text."""
    found: dict[str, dict[str, str]] = rules.load("descriptions")
    return found


def described(name: str, schema: Document) -> Document:
    """The schema called ``name`` with a description, and one for each of its fields."""
    fields = {
        field: _with(each, texts()["own"].get(f"{name}.{field}") or texts()["fields"].get(field))
        for field, each in schema.get("properties", {}).items()
    }
    told = {**schema, "properties": fields} if fields else schema
    return _with(told, texts()["schemas"].get(name))


def parameter(name: str) -> str:
    """What a parameter of a path or a query is."""
    return texts()["parameters"].get(name, "")


def of_view(view: Any) -> str:
    """The docstring of a view, as Markdown."""
    return inspect.cleandoc(view.__doc__ or "").replace("``", "`")


def tags(names: set[str]) -> list[Document]:
    """The groups of operations, in order."""
    return [{"name": one, "description": texts()["tags"].get(one, "")} for one in sorted(names)]


def _with(schema: Document, text: str | None) -> Document:
    return {**schema, "description": text} if text and not schema.get("description") else schema
