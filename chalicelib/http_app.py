"""The application object: Chalice, with every one of its own errors turned into a problem document.

It refuses unknown routes and methods itself, answers only the one allowed origin of the settings,
and may be called from several threads, as the local gateway does.
"""

import threading
from collections.abc import Mapping
from typing import Any

from chalice.app import CaseInsensitiveMapping, Chalice, Request

from chalicelib.errors import Problem
from chalicelib.http_problems import (
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
# API Gateway's own limit, so that every other way to run this answers alike.
MAX_HEADERS = 10_240


class _PerThread:
    """An attribute with a value of its own in every thread."""

    def __init__(self) -> None:
        self._held = threading.local()

    def __get__(self, _instance: Any, _owner: Any = None) -> Request | None:
        return getattr(self._held, "value", None)

    def __set__(self, _instance: Any, value: Request | None) -> None:
        self._held.value = value


class TanggapApp(Chalice):
    """A Chalice application that speaks RFC 9457."""

    # Chalice keeps one request for the whole process; two threads would read each other's.
    current_request = _PerThread()

    def __init__(self, app_name: str = "tanggap") -> None:
        super().__init__(app_name, debug=False, configure_logs=False)

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """The Lambda proxy answer to an API Gateway event."""
        event = event if isinstance(event, Mapping) else {}
        asked = event.get("requestContext") or {}
        headers = CaseInsensitiveMapping(event.get("headers") or {})
        request_id = request_id_of(asked, context)
        problem = self._unroutable(asked) or _oversized(headers)
        if problem is None:
            response = super().__call__({**event, "headers": dict(headers)}, context)
            if response["statusCode"] >= 400 and "X-Request-Id" not in response["headers"]:
                problem = for_status(response["statusCode"])
        if problem is not None:
            response = problem_response(
                problem,
                reader_language(headers.get("accept-language"), None, problem),
                request_id,
            )
        return _finished(response, headers, request_id)

    def _unroutable(self, asked: Mapping[str, Any]) -> Problem | None:
        path, method = asked.get("resourcePath"), asked.get("httpMethod")
        if path not in self.routes:
            return Problem("not_found")
        if method not in self.routes[path]:
            return Problem("method_not_allowed", headers={"Allow": ", ".join(self.routes[path])})
        return None


def _oversized(headers: Mapping[str, str]) -> Problem | None:
    size = sum(len(name) + len(value) for name, value in headers.items())
    return Problem("headers_too_large", limit=MAX_HEADERS) if size > MAX_HEADERS else None


def _finished(
    response: dict[str, Any], asked: Mapping[str, str], request_id: str
) -> dict[str, Any]:
    headers = {
        name: value
        for name, value in response["headers"].items()
        if not name.lower().startswith("access-control-")
    }
    headers |= {
        "X-Content-Type-Options": "nosniff",
        "X-Request-Id": request_id,
        "Vary": VARY,
    }
    if asked.get("origin") == settings().allow_origin:
        headers["Access-Control-Allow-Origin"] = settings().allow_origin
        headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED_HEADERS)
    return {**response, "headers": headers}
