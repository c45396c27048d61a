"""GeoReport's operations in the OpenAPI document, from the declarations of their routes.

The standard fixes what they take and answer. Its errors are a list, also in XML.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.http import openapi_texts

Document = dict[str, Any]
Hoist = Callable[[Any], Any]

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
KEY = "api_key"
SECURITY = {
    KEY: {
        "type": "apiKey",
        "in": "query",
        "name": KEY,
        "description": "The key of another system. It can also be a field of the form.",
    }
}
_ERRORS = {
    400: "Something is missing or cannot be used.",
    403: "The API key is missing, unknown or revoked.",
    404: "There is no such city, service, request or token.",
    429: "The key has posted too often this minute.",
    500: "The fault is ours.",
    503: "Try again shortly.",
}
_ERROR: Document = {
    "title": "Open311Error",
    "type": "object",
    "properties": {"code": {"type": "integer"}, "description": {"type": "string"}},
    "required": ["code", "description"],
    "additionalProperties": False,
}
# Every operation takes it, and every one but discovery needs it where there are several cities.
_CITY = "jurisdiction_id"


@dataclass(frozen=True)
class Described:
    """What the document says of an operation.

    ``answer``: the schema of the JSON. ``query``: the arguments of a GET. ``form``: {argument: its
    schema} of a POST, the ``required`` ones among them.
    """

    id: str
    summary: str
    answer: Document
    query: tuple[str, ...] = ()
    form: dict[str, Document] | None = None
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Declared:
    described: Described
    about: str


# (path, method) of every route of GeoReport.
DECLARED: dict[tuple[str, str], _Declared] = {}
_REDIRECTS: dict[str, Document] = {}


def declare(path: str, method: str, described: Described, view: Any) -> None:
    """Remember what the document says of a route."""
    DECLARED[path, method] = _Declared(described, openapi_texts.of_view(view))


def declare_redirect(path: str, operation: str, summary: str, view: Any) -> None:
    """Remember a route that leads to another address; ``{name}`` is a file's name."""
    _REDIRECTS[path] = {
        "get": {
            "operationId": operation,
            "summary": summary,
            "description": openapi_texts.of_view(view),
            "tags": ["open311"],
            "parameters": [_name(r"^[^/]+$"), _query_parameter(_CITY)],
            "responses": {
                "302": {"description": "Where it is for some minutes."},
                "404": {"description": "There is no such picture that may be seen."},
            },
            "security": [],
            "x-roles": ["public"],
        }
    }


def paths(hoist: Hoist) -> dict[str, Document]:
    """The paths of the document. ``hoist`` replaces a titled schema by a reference to it."""
    shown: dict[str, Document] = {path: {**each} for path, each in _REDIRECTS.items()}
    for (path, method), declared in DECLARED.items():
        shown.setdefault(path, {})[method.lower()] = _operation(path, method, declared, hoist)
    return shown


def _operation(path: str, method: str, declared: _Declared, hoist: Hoist) -> Document:
    described, media = declared.described, _media(path)
    wrong = [400, 404, 500, 503] if method == "GET" else list(_ERRORS)
    many = {"type": "array", "items": hoist(_ERROR)}
    answers = {"200": {"description": described.summary, "content": _content(media, hoist(
        described.answer))}}  # fmt: skip
    for status in wrong:
        answers[str(status)] = {"description": _ERRORS[status], "content": _content(media, many)}
    suffix = "Xml" if media == ("xml",) else ""
    operation: Document = {
        "operationId": f"{described.id}{suffix}",
        "summary": described.summary,
        "description": declared.about,
        "tags": ["open311"],
        "parameters": [*_path_parameters(path), *map(_query_parameter, (_CITY, *described.query))],
        "responses": answers,
        "security": [] if method == "GET" else [{KEY: []}],
        "x-roles": ["public"],
    }
    if described.form is not None:
        fields = {
            name: {**schema, "description": openapi_texts.texts()["open311"][name]}
            for name, schema in described.form.items()
        }
        form = {"type": "object", "properties": fields, "required": list(described.required)}
        form["additionalProperties"] = {"type": "string"}
        content = {media: {"schema": form} for media in FORMS}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _media(path: str) -> tuple[str, ...]:
    """The forms that a path answers in."""
    return ("json", "xml") if path.endswith("}") else (path.rpartition(".")[2],)


def _content(forms: tuple[str, ...], schema: Document) -> Document:
    each = {
        "json": {"application/json": {"schema": schema}},
        "xml": {"text/xml": {"schema": {"type": "string"}}},
    }
    return {media: content for form in forms for media, content in each[form].items()}


def _path_parameters(path: str) -> list[Document]:
    return [_name(r"^[^/]+\.(json|xml)$")] if path.endswith("}") else []


def _name(pattern: str) -> Document:
    schema = {"type": "string", "pattern": pattern}
    about = openapi_texts.texts()["open311"]["name"]
    return {"name": "name", "in": "path", "required": True, "description": about, "schema": schema}


def _query_parameter(name: str) -> Document:
    about = openapi_texts.texts()["open311"][name]
    schema = {"type": "string"}
    return {"name": name, "in": "query", "required": False, "description": about, "schema": schema}
