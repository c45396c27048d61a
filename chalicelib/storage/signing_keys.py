"""The signing keys of the deployment, from SSM, cached for five minutes."""

import json
import time
from typing import Any

from chalicelib.settings import settings
from chalicelib.storage import aws

_FRESH_SECONDS = 300.0
_cached: tuple[float, dict[str, Any]] | None = None


def keys() -> dict[str, Any]:
    """``{"current": "k1", "keys": {"k1": "<base64>", ...}}``; older keys stay for verification."""
    global _cached
    if _cached is None or time.monotonic() - _cached[0] > _FRESH_SECONDS:
        with aws.answering():
            answer = aws.client("ssm").get_parameter(
                Name=settings().secret_parameter, WithDecryption=True
            )
        _cached = (time.monotonic(), json.loads(answer["Parameter"]["Value"]))
    return _cached[1]


def forget() -> None:
    """Drop the cache, so that the next use reads the keys."""
    global _cached
    _cached = None
