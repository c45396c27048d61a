"""Requests as API Gateway hands them to the application, for callers that need no HTTP."""

import json
from typing import Any

Event = dict[str, Any]


class Context:
    """The context of a Lambda call."""

    function_name = "requests"
    aws_request_id = "requests"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:bench"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the time limit."""
        return 60_000


def event(
    method: str,
    route: str,
    body: dict[str, Any] | None = None,
    token: str | None = None,
    key: str | None = None,
    path: dict[str, str] | None = None,
) -> Event:
    """The event of a request, as API Gateway makes it."""
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = token
    if key:
        headers["idempotency-key"] = key
    return {
        "resource": route,
        "path": route.format(**(path or {})),
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": path,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": route,
            "httpMethod": method,
            "requestId": "requests",
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": json.dumps(body) if body is not None else None,
        "isBase64Encoded": False,
    }
