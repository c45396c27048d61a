"""An event of API Gateway with every member that is read, each of the type that it is read as.

API Gateway sends well-formed events. But anybody with the right to call the function can send
anything. A malformed event must get a refusal, because a crash would count against a release.
"""

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"{(\w+)}")


def shaped(event: Any) -> dict[str, Any]:
    """The event in the shape that the application reads. A route whose path parameters are missing
    is no route."""
    request = event if isinstance(event, Mapping) else {}
    body, path = request.get("body"), request.get("path")
    return {
        **request,
        "requestContext": _context(request),
        "headers": _texts(request.get("headers")),
        "multiValueQueryStringParameters": _lists(request.get("multiValueQueryStringParameters")),
        "queryStringParameters": _texts(request.get("queryStringParameters")) or None,
        "pathParameters": _texts(request.get("pathParameters")) or None,
        "stageVariables": request.get("stageVariables"),
        "path": path if isinstance(path, str) else "",
        "body": body if isinstance(body, str | bytes) else None,
        "isBase64Encoded": request.get("isBase64Encoded") is True,
    }


def _context(event: Mapping[str, Any]) -> dict[str, Any]:
    stated = event.get("requestContext")
    context: Mapping[str, Any] = stated if isinstance(stated, Mapping) else {}
    route, method = (context.get(name) for name in ("resourcePath", "httpMethod"))
    values = _texts(event.get("pathParameters"))
    # A preflight is answered for the route; its parameters do not matter.
    whole = isinstance(route, str) and (
        method == "OPTIONS" or all(name in values for name in _NAME.findall(route))
    )
    return {
        **context,
        "resourcePath": route if whole else None,
        "httpMethod": method if isinstance(method, str) else None,
        "identity": _texts(context.get("identity")),
    }


def _texts(members: Any) -> dict[str, str]:
    if not isinstance(members, Mapping):
        return {}
    return {
        name: text
        for name, text in members.items()
        if isinstance(name, str) and isinstance(text, str)
    }


def _lists(members: Any) -> dict[str, list[str]] | None:
    if not isinstance(members, Mapping):
        return None
    kept = {
        name: [text for text in texts if isinstance(text, str)]
        for name, texts in members.items()
        if isinstance(name, str) and isinstance(texts, list)
    }
    return kept or None
