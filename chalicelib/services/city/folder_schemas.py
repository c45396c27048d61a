"""The JSON Schemas of a city folder's files (docs/city-folder.md), for editors.

They lie in rules/schemas, written by ``python -m infra.city.schemas``; each is read at its first
use.
"""

from functools import cache
from typing import Any

from chalicelib import rules
from chalicelib.errors import Problem

PATH = "/v1/schemas"


@cache
def listed() -> dict[str, Any]:
    """Every schema with its name, title, description and path."""
    schemas = []
    for name in rules.names("schemas"):
        document = rules.load(f"schemas/{name}")
        words = {part: document[part] for part in ("title", "description")}
        schemas.append({"name": f"{name}.json", **words, "path": f"{PATH}/{name}.json"})
    return {"schemas": schemas}


def schema(name: str) -> dict[str, Any]:
    """The schema called ``name``, such as "city.json". Raises ``Problem("not_found")``."""
    stem = name.removesuffix(".json")
    if stem == name or stem not in rules.names("schemas"):
        raise Problem("not_found")
    loaded: dict[str, Any] = rules.load(f"schemas/{stem}")
    return loaded
