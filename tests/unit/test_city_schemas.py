"""The JSON Schemas of a city folder: complete, valid, up to date, and true of what ships."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from infra.city.schemas import schemas
from infra.city.schemas.__main__ import PLACE, text

CITIES = Path(__file__).parents[2] / "infra" / "cities"
SHIPPED = sorted(path for path in CITIES.rglob("*.json") if path.name != "points.json")


def schema_of(path: Path) -> str:
    """The name of the schema of a file of a city folder."""
    return "messages.json" if path.parent.name == "messages" else path.name


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of a file, by the schemas as they are served."""
    documents = {path.name: json.loads(path.read_text("utf-8")) for path in PLACE.glob("*.json")}
    registry: Registry[Any] = Registry().with_resources(
        (each, Resource.from_contents(document)) for each, document in documents.items()
    )
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator({"$ref": name}, registry=registry, format_checker=checker)


def parts(where: str, schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(where, schema) of each field within a schema."""
    for keyword in ("properties", "$defs"):
        for name, each in schema.get(keyword, {}).items():
            yield f"{where}.{name}", each
            if isinstance(each, dict):
                yield from parts(f"{where}.{name}", each)
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from parts(where, schema[keyword])


def test_the_committed_schemas_are_those_of_the_declaration() -> None:
    committed = {path.name: path.read_text("utf-8") for path in PLACE.glob("*.json")}
    made = {name: text(schema) for name, schema in schemas().items()}
    assert committed == made, "run: make openapi"


@pytest.mark.parametrize("name", schemas())
def test_a_schema_is_valid_and_describes_itself_and_its_fields(name: str) -> None:
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["title"]
    assert schema["description"]
    bare = [
        where
        for where, each in parts(name, schema)
        if isinstance(each, dict) and not {"description", "$ref"} & set(each)
    ]
    assert bare == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(CITIES)))
def test_a_shipped_file_passes_and_names_its_schema(path: Path) -> None:
    document = json.loads(path.read_text("utf-8"))
    name = schema_of(path)
    faults = [
        f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(document)
    ]
    assert faults == []
    assert (path.parent / document["$schema"]).resolve() == PLACE / name
