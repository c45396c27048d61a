"""The clients of AWS that only some functions need; each is made at its first use.

They are made by botocore's session of the DynamoDB client, which has read the SDK's data already:
boto3 would add 30 ms to the first request of each process.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.storage import tables
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
    return create(service)


def create(service: str) -> Any:
    """A new client of ``service``; tests replace this function."""
    config = _QUICK
    if service == "s3":
        # Without these two botocore presigns with the retired SigV2 and the global endpoint.
        style = {"addressing_style": "virtual"}
        config = _QUICK.merge(Config(signature_version="s3v4", s3=style))
    return tables.connection().session.create_client(service, config=config)


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
