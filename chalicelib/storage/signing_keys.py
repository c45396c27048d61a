"""The signing keys of the deployment, from SSM, read once in five minutes."""

import json
import time
from typing import Any

from chalicelib.settings import settings
from chalicelib.storage import aws

_FRESH_SECONDS = 300.0
_held: tuple[float, dict[str, Any]] | None = None


def keys() -> dict[str, Any]:
    """``{"current": "k1", "keys": {"k1": "<base64>", ...}}``; older keys stay for verification."""
    global _held
    if _held is None or time.monotonic() - _held[0] > _FRESH_SECONDS:
        with aws.answering():
            answer = aws.client("ssm").get_parameter(
                Name=settings().secret_parameter, WithDecryption=True
            )
        _held = (time.monotonic(), json.loads(answer["Parameter"]["Value"]))
    return _held[1]


def forget() -> None:
    """Read the keys anew at the next use."""
    global _held
    _held = None
