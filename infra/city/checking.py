"""A file of a city folder checked against its JSON Schema (``infra.city.schemas``).

Each fault becomes a finding with the file, the line of the object that has it, and the field. What
one file alone cannot tell (whether a code exists, which languages the city has, whether hours fit)
is checked by the readers of the files.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

from infra.city.documents import Node
from infra.city.findings import Findings
from infra.city.schemas import schemas
from infra.city.schemas.parts import MESSAGE

_NOUNS = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "null",
}
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum")
# Longer values are not repeated in a finding.
_SHOWN = 100
_MOST_OPTIONS = 12


def check(findings: Findings, file: str, value: Any, schema: str = "") -> bool:
    """Note what is wrong with ``value``, the content of ``file``, by the schema of that name (the
    file's own if it is empty). Returns whether it has the form that the schema says."""
    _check_repeated(findings, file, value, "")
    noted: set[str] = set()
    for error in _validator(schema or file).iter_errors(value):
        path = list(error.absolute_path)
        for field, message in _faults(error):
            line, name = _place(value, [*path, *field])
            # One fault a field: a text that is no code is not named as "no text" besides.
            if name not in noted:
                noted.add(name)
                findings.add(f"{file}:{line}" if line else file, name, message)
    return not noted


@cache
def _validator(name: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resources(
        (each, Resource.from_contents(schema)) for each, schema in schemas().items()
    )
    return Draft202012Validator(
        {"$ref": name}, registry=registry, format_checker=FormatChecker(["date"])
    )


def _faults(error: ValidationError) -> Iterator[tuple[Sequence[str], str]]:
    """(the field within the error's place, if any, what is wrong with it)."""
    rule, value, schema = error.validator, error.instance, error.schema
    if rule == "required":
        yield from (([name], "is missing") for name in schema["required"] if name not in value)
    elif rule == "additionalProperties":
        patterns = schema.get("patternProperties", {})
        for name in value:
            known = name in schema["properties"] or any(
                re.search(pattern, name) for pattern in patterns
            )
            if not known:
                yield [name], "is not known here"
    elif rule == "uniqueItems":
        for item in sorted({str(entry) for entry in value if value.count(entry) > 1}):
            yield (), f"names {item!r} twice"
    elif isinstance(schema, dict):
        yield (), _message(str(rule), value, schema)
    else:
        yield (), "is not known here"


def _message(rule: str, value: Any, schema: dict[str, Any]) -> str:
    """What ``value`` must be, by the rule of the schema that it breaks."""
    text = schema.get(MESSAGE)
    if rule in ("minItems", "maxItems", "not"):
        low, high = schema.get("minItems", 0), schema.get("maxItems")
        count = f"{low} to {high}" if high is not None else f"at least {low}"
        text = text or f"must have {count} entries"
        return f"{text}, not {len(value)}" if text.startswith("must have") else text
    if text and (rule in ("pattern", "format") or schema.get("type") == "string"):
        return f"{text}{_but(value)}"
    if rule == "enum":
        options = [str(option) for option in schema["enum"]]
        listed = ", ".join(options) if len(options) <= _MOST_OPTIONS else "the known values"
        return f"must be one of {listed}{_but(value)}"
    if rule in ("pattern", "maxLength"):
        long = rule == "maxLength"
        return f"must be a text of at most {schema[rule]} characters" if long else "must be a text"
    if rule == "type" or rule in _BOUNDS:
        return f"must be {_kind(schema)}{_but(value)}"
    return f"breaks the rule {rule}{_but(value)}"


def _kind(schema: dict[str, Any]) -> str:
    """A type with its bounds in words."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    noun = " or ".join(_NOUNS[each] for each in types)
    if "exclusiveMinimum" in schema:
        return f"more than {schema['exclusiveMinimum']:g} and at most {schema['maximum']:g}"
    if "minimum" in schema and "maximum" in schema:
        return f"{noun} from {schema['minimum']:g} to {schema['maximum']:g}"
    return f"{noun} from {schema['minimum']:g}" if "minimum" in schema else noun


def _but(value: Any) -> str:
    """The value that is wrong, unless it is long or has parts."""
    return "" if isinstance(value, dict | list) or not _is_short(value) else f", not {value!r}"


def _is_short(value: Any) -> bool:
    return len(str(value)) <= _SHOWN


def _place(value: Any, path: Sequence[str | int]) -> tuple[int, str]:
    """(line of the innermost object, "services[0].name.id") of a path."""
    line, name = 0, ""
    for step in path:
        line = value.line if isinstance(value, Node) and value.line else line
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            value = None
    line = value.line if isinstance(value, Node) and value.line else line
    return line, name


def _check_repeated(findings: Findings, file: str, value: Any, path: str) -> None:
    """Note the keys that an object repeats."""
    if isinstance(value, Node):
        for name in value.repeated:
            location = f"{file}:{value.line}" if value.line else file
            findings.add(location, f"{path}.{name}" if path else name, "is given twice")
        for name, inner in value.items():
            _check_repeated(findings, file, inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _check_repeated(findings, file, inner, f"{path}[{number}]")
