"""The boto3 clients that only some functions need; each is made at its first use."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.storage.transactions import Unavailable

_QUICK = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"total_max_attempts": 3, "mode": "standard"},
)
_NEVER = frozenset(
    {
        "BadRequestException",
        "InvalidParameter",
        "InvalidParameterValue",
        "MessageRejected",
        "OptedOut",
        "ValidationError",
    }
)


@cache
def client(service: str) -> Any:
    """The client of ``service`` ("s3", "sns", "sqs", "ssm", "sesv2"), one for each process."""
    import boto3

    if service == "s3":
        # Without these two boto3 presigns with the retired SigV2 and the global endpoint.
        style = {"addressing_style": "virtual"}
        return boto3.client("s3", config=_QUICK.merge(Config(signature_version="s3v4", s3=style)))
    return boto3.client(service, config=_QUICK)


@contextmanager
def answering() -> Iterator[None]:
    """Turn errors of AWS into ``Unavailable``.

    A request that AWS will never accept, such as a malformed number, becomes ``ValueError``.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _NEVER:
            raise ValueError("refused for good") from error
        raise Unavailable from error
    except BotoCoreError as error:
        raise Unavailable from error
