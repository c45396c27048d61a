"""The OpenAPI 3.1 document, made from the same declarations that check the requests.

A schema with a ``title`` becomes a component of that name; two different schemas may not have one
title. Every kind of problem that an operation can answer is under its status, with an example.
Descriptions that a declaration does not have come from ``chalicelib.http.openapi_texts``; the
description of an operation is the docstring of its view.
"""

import re
from collections import defaultdict
from typing import Any

from chalicelib.errors import kinds
from chalicelib.http import georeport_openapi, openapi_texts
from chalicelib.http.operation import PARAMETER, PATH_PATTERNS, Registered
from chalicelib.http.problems import MEDIA
from chalicelib.http.router import OPERATIONS

Document = dict[str, Any]
VERSION = "1.0.0"

# Keywords that hold data, not schemas.
_DATA = ("const", "default", "enum", "examples")
_ALWAYS = (
    "unknown_parameter",
    "method_not_allowed",
    "internal",
    "unavailable",
    "invalid_token",
    "headers_too_large",
)
_WITH_BODY = (
    "too_large",
    "unsupported_media_type",
    "malformed",
    "unknown_field",
    "invalid_field",
)
_PROBLEM = {
    "title": "Problem",
    "description": "RFC 9457. `type` names the kind; clients decide by it.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "pattern": "^urn:tanggap:problem:[a-z_]+$"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "field": {
            "type": "string",
            "description": "The path of the field or parameter.",
        },
        "rule": {"type": "string", "description": "The rule that the field breaks."},
        "request_id": {
            "type": "string",
            "description": "Given with statuses of 500 and above.",
        },
    },
    "additionalProperties": True,
}
_SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An OIDC access token of an issuer that the city trusts.",
    },
    "device": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Device <token>`: a citizen without an account.",
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "The same key repeats the first answer; a new request needs a new key.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 255,
        "pattern": "^[ -~]+$",
    },
}
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "description": "The language of texts made for people.",
    "schema": {"type": "string", "examples": ["id", "en"]},
}


def document(server: str = "/") -> Document:
    """The description of all declared operations, as served at ``server``.

    Raises ``ValueError`` if two different schemas have one title.
    """
    components: dict[str, Document] = {}
    paths: dict[str, Document] = {}
    for registered in OPERATIONS.values():
        path_item = paths.setdefault(registered.path, {})
        path_item[registered.method.lower()] = _operation(registered, components)
    for path, operations in georeport_openapi.paths(
        lambda each: _hoisted(each, components)
    ).items():
        paths.setdefault(path, {}).update(operations)
    _hoisted(_PROBLEM, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tanggap",
            "version": VERSION,
            "description": "City reports: filed by citizens, repaired and proved by officials.",
        },
        "servers": [{"url": server}],
        "tags": openapi_texts.tags({tag for path in paths.values() for tag in _tags(path)}),
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {**_SECURITY, **georeport_openapi.SECURITY},
        },
    }


def problems_of(registered: Registered) -> list[str]:
    """All kinds of problem that the operation can answer, the common ones included."""
    operation = registered.operation
    slugs = [*_ALWAYS, *operation.problems]
    if registered.query:
        slugs += [operation.bad_query, "repeated_parameter"]
    if operation.required_query:
        slugs.append("missing_parameter")
    if "public" not in registered.roles:
        slugs += ["unauthenticated", "forbidden"]
    if registered.body is not None:
        slugs += _WITH_BODY
    if operation.body is not None:
        slugs.append("missing_field")
    if operation.idempotent:
        slugs += ["idempotency_key_missing", "idempotency_key_invalid"]
    if PARAMETER.search(registered.path):
        slugs.append("not_found")
    return sorted(set(slugs))


def _operation(registered: Registered, components: dict[str, Document]) -> Document:
    operation = registered.operation
    operation_object: Document = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": openapi_texts.of_view(registered.view),
        "tags": [_tag(registered.path)],
        "parameters": _parameters(registered, components),
        "responses": _responses(registered, components),
        "security": _security(registered),
        "x-roles": sorted(registered.roles),
    }
    if operation.body is not None:
        shown = _hoisted(operation.body, components)
        operation_object["requestBody"] = {
            "required": not operation.body_optional,
            "content": {"application/json": {"schema": shown}},
        }
    return operation_object


def _tags(operations: Document) -> list[str]:
    return [tag for operation in operations.values() for tag in operation["tags"]]


def _tag(path: str) -> str:
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["open311"]:
        return "open311"
    return parts[1] if parts[:1] == ["v1"] and len(parts) > 1 else "service"


def _security(registered: Registered) -> list[Document]:
    """The security requirements: none if a token makes no difference, ``{}`` first if none is
    needed."""
    open_to_all = "public" in registered.roles
    if open_to_all and not registered.operation.personal:
        return []
    ways: list[Document] = [{}] if open_to_all else []
    ways.append({"bearer": []})
    return [*ways, {"device": []}] if registered.roles & {"public", "citizen"} else ways


def _parameters(registered: Registered, components: dict[str, Document]) -> list[Document]:
    parameters: list[Document] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": openapi_texts.parameter(name),
            "schema": {"type": "string", "pattern": f"^{PATH_PATTERNS[name]}$"},
        }
        for name in PARAMETER.findall(registered.path)
    ]
    for name, each in registered.query.items():
        required = name in registered.operation.required_query
        shown = {"description": openapi_texts.parameter(name), **_hoisted(each, components)}
        about = shown.pop("description")
        parameters.append(
            {"name": name, "in": "query", "required": required}
            | {"description": about, "schema": shown}
        )
    return (
        [*parameters, _KEY, _LANGUAGE]
        if registered.operation.idempotent
        else [*parameters, _LANGUAGE]
    )


def _responses(registered: Registered, components: dict[str, Document]) -> Document:
    operation = registered.operation
    responses: Document = {}
    for status, answer in (operation.answers or {200: {"type": "string"}}).items():
        responses[str(status)] = {"description": answer.get("description", operation.summary)}
        if status not in (204, 304):
            shown = _hoisted(answer, components)
            also = {media: _hoisted(each, components) for media, each in operation.also.items()}
            media = {operation.media: shown, **also}
            responses[str(status)]["content"] = {
                name: {"schema": each} for name, each in media.items()
            }
    by_status: dict[int, list[str]] = defaultdict(list)
    for slug in problems_of(registered):
        by_status[kinds()[slug]["status"]].append(slug)
    for status, slugs in sorted(by_status.items()):
        responses[str(status)] = _refusal(status, slugs)
    return responses


def _refusal(status: int, slugs: list[str]) -> Document:
    types = [f"urn:tanggap:problem:{slug}" for slug in slugs]
    return {
        "description": "; ".join(kinds()[slug]["title"]["en"] for slug in slugs),
        "content": {
            MEDIA: {
                "schema": {
                    "allOf": [{"$ref": "#/components/schemas/Problem"}],
                    "properties": {
                        "type": {"enum": types},
                        "status": {"const": status},
                    },
                },
                "examples": {slug: {"value": _example(slug)} for slug in slugs},
            }
        },
    }


def _example(slug: str) -> Document:
    kind = kinds()[slug]
    return {
        "type": f"urn:tanggap:problem:{slug}",
        "title": kind["title"]["en"],
        "status": kind["status"],
        "detail": re.sub(r"{(\w+)[^}]*}", r"<\1>", kind["detail"]["en"]),
    }


def _hoisted(schema: Any, components: dict[str, Document]) -> Any:
    if isinstance(schema, list):
        return [_hoisted(each, components) for each in schema]
    if not isinstance(schema, dict):
        return schema
    title = schema.get("title")
    converted = {
        name: each if name in _DATA else _hoisted(each, components) for name, each in schema.items()
    }
    if not isinstance(title, str):
        return converted
    name = re.sub(r"[^A-Za-z0-9]", "", title)
    converted = openapi_texts.described(name, converted)
    if components.setdefault(name, converted) != converted:
        raise ValueError(f"two different schemas are titled {title}")
    return {"$ref": f"#/components/schemas/{name}"}
