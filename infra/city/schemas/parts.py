"""The parts that schemas are made of, and what several files share (``common.json``)."""

from collections.abc import Iterable, Mapping
from typing import Any

Schema = dict[str, Any]
Properties = Mapping[str, Schema | bool]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Editors and the loader show it in place of their own words about the rules beside it.
MESSAGE = "errorMessage"
CODE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"
LANGUAGE = "^[a-z]{2,3}$"


def common(name: str, about: str = "") -> Schema:
    """A reference to a part of ``common.json``."""
    return _described({"$ref": f"common.json#/$defs/{name}"}, about)


def own(name: str, about: str = "") -> Schema:
    """A reference to a part of the same file."""
    return _described({"$ref": f"#/$defs/{name}"}, about)


def record(
    properties: Properties,
    required: Iterable[str] = (),
    about: str = "",
    **more: Any,
) -> Schema:
    """An object with these fields and a remark."""
    fields = {**properties, "about": common("about")}
    needed = {"required": list(required)} if required else {}
    made = _described({"type": "object"}, about)
    return {**made, **needed, "properties": fields, "additionalProperties": False, **more}


def by_code(values: Schema, about: str, **more: Any) -> Schema:
    """An object whose fields are codes, and a remark."""
    fields = {"about": common("about")}
    made: Schema = {"type": "object", "description": about, "properties": fields}
    return {**made, "additionalProperties": values, **more}


def file(
    title: str, about: str, properties: Properties, required: Iterable[str] = (), **more: Any
) -> Schema:
    """The schema of a file."""
    inner = record({"$schema": common("schema"), **properties}, required, **more)
    return {"$schema": DIALECT, "title": title, "description": about, **inner}


def many(items: Schema, about: str = "", **more: Any) -> Schema:
    """A list."""
    return {**_described({"type": "array"}, about), "items": items, **more}


def formed(pattern: str, message: str, about: str = "") -> Schema:
    """A text of a form; ``message`` says which, where another is given."""
    return {**_described({"type": "string"}, about), "pattern": pattern, MESSAGE: message}


def choice(options: Iterable[str], about: str = "") -> Schema:
    """One of some texts."""
    return {**_described({}, about), "enum": list(options)}


def number(low: float, high: float, about: str, **more: Any) -> Schema:
    """A number within bounds."""
    return {"type": "number", "description": about, "minimum": low, "maximum": high, **more}


def whole(low: int, high: int, about: str, **more: Any) -> Schema:
    """A whole number within bounds."""
    return {**number(low, high, about, **more), "type": "integer"}


def flag(default: bool, about: str) -> Schema:
    """True or false."""
    return {"type": "boolean", "description": about, "default": default}


def when(field: str, values: Iterable[Any], then: Properties, **more: Any) -> Schema:
    """A rule for objects whose field has one of these values: what other fields are then."""
    condition = {"required": [field], "properties": {field: {"enum": list(values)}}}
    return {"if": condition, "then": {"properties": dict(then), **more}}


def _described(schema: Schema, about: str) -> Schema:
    return {**schema, "description": about} if about else schema


def _here(name: str) -> Schema:
    """A reference within ``common.json`` itself."""
    return {"$ref": f"#/$defs/{name}"}


_TEXTS: Schema = {
    "type": "object",
    "description": "A text in each language of the city.",
    "properties": {"about": _here("about")},
    "patternProperties": {LANGUAGE: _here("text")},
    "additionalProperties": False,
}
_SCOPE = many(
    _here("text"),
    'Codes, or only "*" for all.',
    uniqueItems=True,
    minItems=1,
    errorMessage="must name at least one code, or *",
) | {
    "if": {"contains": {"const": "*"}},
    "then": {"maxItems": 1, MESSAGE: "must be * or a list of codes, not both"},
}
_NUMBER: Schema = {
    "type": "object",
    "required": ["name", "number"],
    "properties": {
        "name": {**_here("texts"), "description": "Whose number it is."},
        "number": formed(
            "^[+0-9*#][-0-9 ()/.*#]{1,29}$", "must be a telephone number", "As people dial it."
        ),
        "hours": {**_here("texts"), "description": "When somebody answers."},
        "about": _here("about"),
    },
    "additionalProperties": False,
}
COMMON: Schema = {
    "$schema": DIALECT,
    "title": "Parts of the files of a city folder",
    "description": "What several files of a city folder share. No file has this form.",
    "$defs": {
        "schema": {
            "type": "string",
            "description": "The path or address of this file's schema. Editors read it; the "
            "loader ignores it.",
        },
        "about": {"description": "A remark for people. Nothing reads it."},
        "text": {
            "type": "string",
            "description": "A text that is not blank.",
            "pattern": r"\S",
            "maxLength": 2000,
        },
        "code": formed(
            CODE,
            "must be a code of letters, digits and . _ -",
            "A code of letters, digits and . _ -; it begins with a letter or a digit.",
        ),
        "texts": _TEXTS,
        "words": many(_here("text"), "Different texts.", uniqueItems=True),
        "scope": _SCOPE,
        "numbers": many(_NUMBER, "Telephone numbers, in the order in which they are shown."),
    },
}
