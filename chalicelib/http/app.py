"""The application object: Chalice, with all its own errors turned into problem documents.

It refuses unknown routes and methods itself. It answers HEAD wherever GET is declared, and OPTIONS
on every path (``infra.deploy.methods`` makes API Gateway pass both on). Only pages of the allowed
origins may read its answers in a browser; what Open311 answers to GET, any page may read. Several
threads may call it, as the local gateway does.
"""

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from chalice.app import CaseInsensitiveMapping, Chalice, Request

from chalicelib.errors import Problem
from chalicelib.http import gateway_event, georeport_refusals
from chalicelib.http.problems import (
    VARY,
    for_status,
    problem_response,
    reader_language,
    request_id_of,
)
from chalicelib.settings import settings

EXPOSED_HEADERS = (
    "Content-Language",
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "Retry-After",
    "X-Request-Id",
)
_TAKEN_HEADERS = (
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
)
_PREFLIGHT_SECONDS = 600
_READING = ("GET", "HEAD")
# API Gateway's own limit, so that the local gateway answers the same.
MAX_HEADERS = 10_240


class _PerThread:
    """An attribute with a separate value in every thread."""

    def __init__(self) -> None:
        self._held = threading.local()

    def __get__(self, _instance: Any, _owner: Any = None) -> Request | None:
        return getattr(self._held, "value", None)

    def __set__(self, _instance: Any, value: Request | None) -> None:
        self._held.value = value


class TanggapApp(Chalice):
    """A Chalice application whose errors are RFC 9457 documents."""

    # Chalice keeps one request for the whole process; threads would read each other's request.
    current_request = _PerThread()

    def __init__(self, app_name: str = "tanggap") -> None:
        super().__init__(app_name, debug=False, configure_logs=False)

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """The Lambda proxy answer to an API Gateway event."""
        event = gateway_event.shaped(event)
        request_context = event["requestContext"]
        headers = CaseInsensitiveMapping(event["headers"])
        request_id = request_id_of(request_context, context)
        methods = self.methods(request_context.get("resourcePath"))
        method = request_context.get("httpMethod")
        problem = _unroutable(methods, method) or _oversized(headers)
        if problem is None and method == "OPTIONS":
            is_open = georeport_refusals.serves(str(request_context.get("resourcePath")))
            preflight = _preflight(methods, headers, is_open=is_open)
            return _finished(preflight, headers, request_id, is_open=is_open)
        if problem is None:
            if method == "HEAD":
                event = {**event, "requestContext": {**request_context, "httpMethod": "GET"}}
            response = super().__call__({**event, "headers": dict(headers)}, context)
            if response["statusCode"] >= 400 and "X-Request-Id" not in response["headers"]:
                problem = for_status(response["statusCode"])
        path = str(event.get("path") or request_context.get("resourcePath") or "")
        if problem is not None:
            language = reader_language(headers.get("accept-language"), None, problem)
            if georeport_refusals.serves(path):
                response = georeport_refusals.refusal(problem, path, language)
            else:
                response = problem_response(problem, language, request_id)
        if method == "HEAD" and method in methods:
            response = {**response, "body": "", "isBase64Encoded": False}
        is_open = georeport_refusals.serves(path) and method in _READING
        return _finished(response, headers, request_id, is_open=is_open)

    def methods(self, path: Any) -> list[str]:
        """All methods that a path answers; none if there is no such path."""
        return also_answered(self.routes[path]) if path in self.routes else []


def also_answered(declared: Iterable[str]) -> list[str]:
    """The declared methods of a path, with HEAD and OPTIONS."""
    methods = list(declared)
    return [*methods, *(["HEAD"] if "GET" in methods else []), "OPTIONS"]


def _unroutable(methods: list[str], method: Any) -> Problem | None:
    if not methods:
        return Problem("not_found")
    if method not in methods:
        return Problem("method_not_allowed", headers={"Allow": ", ".join(methods)})
    return None


def _preflight(
    methods: list[str], request_headers: Mapping[str, str], *, is_open: bool
) -> dict[str, Any]:
    """The answer to a CORS preflight request. ``is_open``: any page may read what GET answers."""
    headers = {"Allow": ", ".join(methods), "Cache-Control": "no-store"}
    reading = [method for method in _READING if method in methods]
    if is_open and reading:
        headers |= {
            "Access-Control-Allow-Methods": ", ".join(reading),
            "Access-Control-Allow-Headers": "Accept-Language",
            "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
        }
    elif request_headers.get("origin") in settings().allow_origins:
        headers |= {
            "Access-Control-Allow-Methods": ", ".join(methods),
            "Access-Control-Allow-Headers": ", ".join(_TAKEN_HEADERS),
            "Access-Control-Max-Age": str(_PREFLIGHT_SECONDS),
        }
    return {"statusCode": 200, "headers": headers, "multiValueHeaders": {}, "body": ""}


def _oversized(headers: Mapping[str, str]) -> Problem | None:
    size = sum(len(name) + len(value) for name, value in headers.items())
    return Problem("headers_too_large", limit=MAX_HEADERS) if size > MAX_HEADERS else None


def _finished(
    response: dict[str, Any],
    request_headers: Mapping[str, str],
    request_id: str,
    *,
    is_open: bool = False,
) -> dict[str, Any]:
    headers = {
        **response["headers"],
        "X-Content-Type-Options": "nosniff",
        "X-Request-Id": request_id,
        "Vary": response["headers"].get("Vary", VARY),
    }
    origin = request_headers.get("origin")
    if is_open or origin in settings().allow_origins:
        headers["Access-Control-Allow-Origin"] = "*" if is_open else str(origin)
        headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED_HEADERS)
    return {**response, "headers": headers}
