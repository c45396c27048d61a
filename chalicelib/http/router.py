"""Routes as declarations: an operation's input, answers and rights are data; one wrapper serves it.

    event -> path 404 -> query 400/422 -> who 401/403 -> key 400 -> body 413/415/400/422 -> view
                                                                           Answer | Problem -> event

The same declarations make the OpenAPI document (``chalicelib.http.openapi``). Who may call an
operation is data too, in ``rules/permissions.json``; an operation without a row there cannot be
declared. A row that names ``public`` opens the operation to everybody. Rights on districts and
services are checked by the services layer.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib import clock, observability
from chalicelib.auth import caller
from chalicelib.domain.input import languages, schema
from chalicelib.domain.principal import PUBLIC_KIND, Principal
from chalicelib.errors import Problem
from chalicelib.http import refusal_page
from chalicelib.http import request as http_request
from chalicelib.http.app import TanggapApp
from chalicelib.http.operation import (
    PARAMETER,
    PATH_PATTERNS,
    Answer,
    Call,
    Encoded,
    Operation,
    Registered,
    View,
    permissions,
)
from chalicelib.http.problems import problem_response, reader_language, request_id_of
from chalicelib.settings import settings
from chalicelib.storage.transactions import is_misconfigured

__all__ = [
    "OPERATIONS",
    "PATH_PATTERNS",
    "Answer",
    "Call",
    "Encoded",
    "Operation",
    "Registered",
    "TanggapApp",
    "permissions",
    "problem_response",
    "route",
]

OPERATIONS: dict[str, Registered] = {}


def route(bp: Blueprint, method: str, path: str, operation: Operation) -> Callable[[View], View]:
    """Declare the view of ``operation`` at ``method path``.

    Raises ``ValueError`` at import for an operation without a row in rules/permissions.json, for a
    repeated id, and for a path parameter without a pattern.
    """
    roles = permissions().get(operation.id)
    if roles is None:
        raise ValueError(f"{operation.id} has no row in rules/permissions.json")
    if operation.id in OPERATIONS:
        raise ValueError(f"{operation.id} is declared twice")
    unknown = set(PARAMETER.findall(path)) - set(PATH_PATTERNS)
    if unknown:
        raise ValueError(f"{path}: no pattern for {', '.join(sorted(unknown))}")

    def declare(view: View) -> View:
        registered = Registered(operation, method, path, frozenset(roles), view)

        def handler(**parameters: str) -> Response:
            return _serve(bp.current_request, registered, parameters)

        # No content types here: our own reader checks them, after the size, with our own errors.
        bp.route(path, methods=[method], content_types=[], name=operation.id)(handler)
        OPERATIONS[operation.id] = registered
        return view

    return declare


def _serve(request: Request, registered: Registered, path: dict[str, str]) -> Response:
    accepted = request.headers.get("accept-language")
    request_id = request_id_of(request.context, request.lambda_context)
    try:
        call = _read(request, registered, path, request_id)
        answer = _response(registered.view(call), registered.operation, call)
        return _validated(answer, request) if registered.operation.etag else answer
    except Problem as problem:
        if is_misconfigured(problem):
            observability.unhandled(problem, registered.operation.id)
        refusal = problem
    except Exception as error:  # noqa: BLE001 (the last resort: it is logged and answered)
        observability.unhandled(error, registered.operation.id)
        refusal = Problem("internal")
    query = request.to_original_event().get("queryStringParameters") or {}
    language = reader_language(accepted, query.get("jurisdiction_id"), refusal)
    if registered.operation.media == "text/html" and _reads_pages(request):
        jurisdiction = query.get("jurisdiction_id")
        return refusal_page.response(refusal, accepted, jurisdiction, language, request_id)
    refused = problem_response(refusal, language, request_id)
    return Response(refused["body"], refused["headers"], refused["statusCode"])


def _reads_pages(request: Request) -> bool:
    """Whether a browser asks, which shows pages and not JSON documents."""
    return "text/html" in request.headers.get("accept", "").lower()


def _read(
    request: Request,
    registered: Registered,
    path: dict[str, str],
    request_id: str,
) -> Call:
    operation, now = registered.operation, clock.now()
    if not all(re.fullmatch(PATH_PATTERNS[name], value) for name, value in path.items()):
        raise Problem("not_found")
    event = request.to_original_event()
    query = http_request.read_query(
        event.get("multiValueQueryStringParameters"),
        registered.query,
        registered.check_query,
        operation.required_query,
        operation.bad_query,
    )
    jurisdiction = query.pop("jurisdiction_id", settings().jurisdiction)
    principal = caller.authenticate(request.headers, jurisdiction, now)
    _permit(principal, registered.roles)
    key = http_request.read_key(request.headers) if operation.idempotent else None
    body, digest, stripped = _body(event, request.headers, registered, path)
    identity = request.context.get("identity") or {}
    return Call(
        principal=principal,
        jurisdiction=jurisdiction,
        body=body,
        query=query,
        path=path,
        key=key,
        body_hash=digest,
        now=now,
        ip=identity.get("sourceIp") or "",
        languages=languages.requested(request.headers.get("accept-language")),
        request_id=request_id,
        operation=operation.id,
        stripped=stripped,
        accept=request.headers.get("accept", ""),
    )


def _permit(principal: Principal, roles: frozenset[str]) -> None:
    if PUBLIC_KIND in roles or principal.roles() & roles:
        return
    raise Problem("unauthenticated" if principal.kind == PUBLIC_KIND else "forbidden")


def _body(
    event: Mapping[str, Any],
    headers: Mapping[str, str],
    registered: Registered,
    path: dict[str, str],
) -> tuple[dict[str, Any], str, tuple[str, ...]]:
    declared = registered.body
    if declared is None:
        return {}, "", ()
    needed = registered.operation.body is not None and not registered.operation.body_optional
    one_click = registered.operation.one_click
    body = http_request.read_json(event, headers, needed, one_click)
    digest = http_request.hash_of(registered.operation.id, path, body)
    return body, digest, schema.body(registered.check_body, declared, body)


def _response(answer: Answer, operation: Operation, call: Call) -> Response:
    is_json = answer.headers.get("Content-Type", operation.media).endswith("json")
    body = answer.body
    if answer.status in (204, 304):
        body = ""
    elif is_json and not isinstance(body, Encoded):
        body = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    shared = operation.cache
    if call.principal.kind != PUBLIC_KIND:
        shared = shared.replace("public", "private") if operation.etag else "no-store"
    headers: dict[str, str | list[str]] = {
        "Content-Type": operation.media if is_json else f"{operation.media}; charset=utf-8",
        "Cache-Control": shared,
        "X-Request-Id": call.request_id,
        **answer.headers,
    }
    return Response(body, headers, answer.status)


def _validated(answer: Response, request: Request) -> Response:
    """The answer with its ``ETag``, or 304 if the client has it (RFC 9110, section 13.1.2)."""
    digest = hashlib.blake2b(answer.body.encode(), digest_size=12).hexdigest()
    # A weak ETag: API Gateway compresses the body without changing the tag.
    answer.headers["ETag"] = f'W/"{digest}"'
    client_tags = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    if any(tag == "*" or tag.removeprefix("W/") == f'"{digest}"' for tag in client_tags):
        del answer.headers["Content-Type"]
        return Response("", answer.headers, 304)
    return answer
