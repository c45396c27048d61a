"""The blocks of the schemas: texts, codes, moments, records, lists."""

from typing import Any

from chalicelib import ids
from chalicelib.domain.workflow.table import table

Schema = dict[str, Any]
STATES = list(table()["states"])
OPEN_STATES = [state for state in STATES if state != "closed"]
RESOLUTIONS = table()["resolutions"]
ACTIONS = list(table()["actions"])
# What a client may send: nobody but the system takes the others.
CLIENT_ACTIONS = [name for name, row in table()["actions"].items() if row["who"] != ["system"]]


def text(longest: int, about: str = "") -> Schema:
    """A text from a person."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": longest,
        "description": about,
    }


def maybe(schema: Schema) -> Schema:
    """The schema, or null."""
    kind = schema.get("type")
    if isinstance(kind, str) and "enum" not in schema and "title" not in schema:
        return {**schema, "type": [kind, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def record(title: str, fields: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """An object with exactly these fields."""
    return {
        "title": title,
        "type": "object",
        "properties": fields,
        "required": [name for name in fields if name not in optional],
        "additionalProperties": False,
    }


def many(schema: Schema, most: int = 1000) -> Schema:
    """A list."""
    return {"type": "array", "items": schema, "maxItems": most}


def by_code(schema: Schema, about: str = "") -> Schema:
    """An object whose fields are codes, each with a value of this schema."""
    described = {"description": about} if about else {}
    return {"type": "object", "additionalProperties": schema, **described}


ANSWERS = by_code(
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "Answers to the service's questions, by the question's code; numbers are decimal text.",
)
ID = {"type": "string", "pattern": f"^{ids.PATTERN}$", "x-verbatim": True}
CODE = {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "x-verbatim": True}
SCOPE = {"type": "string", "pattern": "^([*]|[A-Za-z0-9._-]{1,64})$", "description": "`*` is all."}
TRACKING = {
    "type": "string",
    "pattern": f"^{ids.CODE_PATTERN}$",
}
MOMENT = {"type": "string", "format": "date-time", "x-verbatim": True}
VERSION = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
COUNT = {"type": "integer", "minimum": 0}
NUMBER = {"type": "number"}
TRUE = {"type": "boolean", "description": "Always true: left out where it does not hold."}
LAT = {
    "type": "number",
    "minimum": -90,
    "maximum": 90,
    "description": "Latitude, WGS84 degrees.",
}
LONG = {
    "type": "number",
    "minimum": -180,
    "maximum": 180,
    "description": "Longitude, degrees.",
}
PIN_LAT = {
    **LAT,
    "minimum": -180,
    "maximum": 180,
    "description": "Latitude, WGS84 degrees; beyond ±90 it is refused, and named if swapped.",
}
BOTH = {
    "title": "Name",
    "type": "object",
    "properties": {"en": {"type": "string"}, "id": {"type": "string"}},
    # Generators of clients know no patternProperties and would drop every other language.
    "propertyNames": {"pattern": "^[a-z]{2,3}$"},
    "additionalProperties": {"type": "string"},
    "minProperties": 1,
    "description": "By language: every one of the city's, its first language at least.",
}
NAMED = record("CodeAndName", {"code": CODE, "name": BOTH})
PLACE = record("Place", {"code": CODE, "name": {"type": "string"}})
PHOTOS = {"type": "array", "items": ID, "maxItems": 6}
STATE = {"type": "string", "enum": STATES}
LANGUAGE = {
    "type": "string",
    "pattern": "^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4}$",
    "description": "A language tag; what the city has no words in becomes its first language.",
}
MONTH = {"type": "string", "pattern": "^[0-9]{4}(0[1-9]|1[0-2])$", "x-verbatim": True}
# The version of a report after which to go on.
AFTER_EVENT = {"type": "integer", "minimum": 0, "maximum": 1_000_000, "default": 0}
LIMIT = {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
CURSOR = {"type": "string", "maxLength": 4096, "x-verbatim": True}
