"""Validates and cleans requests by JSON Schemas.

The schemas are those of the OpenAPI document (the subset that fastjsonschema supports). A string is
cleaned by ``domain.input.text`` unless its schema says ``"x-verbatim": true``. A refusal names the
field and the rule, never the value, and never a name that does not look like a field name.

Tests: tests/unit/test_http.py
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chalicelib.domain.input import email_address, moments, text
from chalicelib.errors import Problem

if TYPE_CHECKING:
    from fastjsonschema import JsonSchemaValueException

Schema = dict[str, Any]
Validator = Callable[[Any], Any]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}|[0-9]{1,3}")
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,17})?")
# Rules with a limit that helps the client and reveals nothing of the value.
_BOUNDS = ("minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems")


def compiled(schema: Schema) -> Validator:
    """A validator of ``schema`` that fills in defaults; callers keep it, compiling is slow."""
    # Imported here: functions on streams and queues do not need it at start.
    import fastjsonschema

    validator: Validator = fastjsonschema.compile(schema, formats=_FORMATS)
    return validator


def body(validate: Validator, schema: Schema, value: dict[str, Any]) -> tuple[str, ...]:
    """Validate and clean ``value`` in place; the fields from which invisible characters were
    removed.

    Raises ``Problem``: ``missing_field``, ``unknown_field`` or ``invalid_field`` (422) with the
    field's path (``photos.0``) and the broken rule; ``malformed`` (400) for unreadable text.
    """
    _check(validate, value)
    walk = _Walk()
    walk.clean(value, schema, ())
    if walk.changed:
        _check(validate, value)
    return tuple(walk.stripped)


def parameter(validate: Validator, schema: Schema, name: str, value: str) -> Any:
    """The typed value of the query parameter ``name``. Raises ``Problem("invalid_parameter")``."""
    from fastjsonschema import JsonSchemaValueException

    try:
        typed = _typed(schema.get("type", "string"), value)
        if isinstance(typed, str) and not schema.get("x-verbatim"):
            typed = text.clean(typed, name)
        return validate(typed)
    except JsonSchemaValueException as error:
        raise Problem("invalid_parameter", field=name, **_rule(error)) from None
    except Problem:
        raise Problem("invalid_parameter", field=name, rule="text") from None
    except ValueError:
        raise Problem("invalid_parameter", field=name, rule="type") from None


def _typed(kind: str, value: str) -> Any:
    if kind == "integer" and _INTEGER.fullmatch(value):
        return int(value)
    if kind == "number" and _NUMBER.fullmatch(value):
        return float(value) or 0.0
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    if kind == "string":
        return value
    raise ValueError(kind)


def _check(validate: Validator, value: dict[str, Any]) -> None:
    from fastjsonschema import JsonSchemaValueException

    try:
        validate(value)
    except JsonSchemaValueException as error:
        raise _problem(error) from None


def _problem(error: "JsonSchemaValueException") -> Problem:
    path = error.path[1:]
    definition = error.definition if isinstance(error.definition, dict) else {}
    if error.rule == "required":
        missing = next((name for name in definition["required"] if name not in error.value), "?")
        return Problem("missing_field", field=_field([*path, missing]), rule="required")
    if error.rule == "additionalProperties" and isinstance(error.value, dict):
        properties = definition.get("properties", {})
        patterns = definition.get("patternProperties", {})
        others = (name for name in error.value if name not in properties)
        unknown = next(n for n in others if not any(re.search(each, n) for each in patterns))
        return Problem("unknown_field", field=_field([*path, unknown]), rule="unknown")
    return Problem("invalid_field", field=_field(path), **_rule(error))


def _rule(error: "JsonSchemaValueException") -> dict[str, Any]:
    limit = {"limit": error.rule_definition} if error.rule in _BOUNDS else {}
    return {"rule": error.rule, **limit}


def named(name: str) -> str:
    """``name`` if it looks like a field name, else ``?``: a refusal must not repeat input."""
    return name if _NAME.fullmatch(name) else "?"


def _field(path: list[str]) -> str:
    return ".".join(named(part) for part in path) or "?"


class _Walk:
    """One pass over a valid value and its schema."""

    def __init__(self) -> None:
        self.changed = False
        self.stripped: list[str] = []

    def clean(self, value: Any, schema: Schema, path: tuple[str, ...]) -> Any:
        if isinstance(value, str):
            return self._text(value, schema, path)
        if isinstance(value, dict):
            for name, member in value.items():
                value[name] = self.clean(member, _member(schema, name), (*path, name))
        elif isinstance(value, list):
            items = schema.get("items")
            each = items if isinstance(items, dict) else {}
            value[:] = [self.clean(item, each, (*path, str(i))) for i, item in enumerate(value)]
        elif isinstance(value, float) and "integer" in schema.get("type", ()):
            return int(value)
        return value

    def _text(self, value: str, schema: Schema, path: tuple[str, ...]) -> str:
        if schema.get("x-verbatim"):
            return value
        field = _field(list(path))
        cleaned, stripped = text.scrub(value, field)
        self.changed |= cleaned != value
        if stripped:
            self.stripped.append(field)
        return cleaned


def _member(schema: Schema, name: str) -> Schema:
    member = schema.get("properties", {}).get(name)
    if member is None:
        patterns = schema.get("patternProperties", {})
        member = next((each for part, each in patterns.items() if re.search(part, name)), None)
    if member is None:
        member = schema.get("additionalProperties")
    return member if isinstance(member, dict) else {}


def _reads(read: Callable[[str], Any]) -> Callable[[str], bool]:
    def is_valid(value: str) -> bool:
        try:
            read(value)
        except ValueError:
            return False
        return True

    return is_valid


_FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": _reads(moments.full),
    "date": _reads(moments.day),
    "email": email_address.is_address,
}
