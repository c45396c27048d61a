"""Sets up and imports ministack: one version, on loopback, only the services in use."""

import logging
import os
from importlib.metadata import version
from pathlib import Path

MINISTACK = "1.5.33"
SERVICES = ("dynamodb", "dynamodbstreams", "s3", "sqs", "sns", "events", "ssm", "ses", "kms", "sts")


def configure(folder: Path, port: int) -> None:
    """Set ministack's environment variables, import it, and check its version.

    Raises RuntimeError for another version of ministack, which may differ inside.
    """
    installed = version("ministack")
    if installed != MINISTACK:
        raise RuntimeError(f"the local stack needs ministack {MINISTACK}, found {installed}")
    os.environ.update(
        PERSIST_STATE="1",
        STATE_DIR=str(folder / "state"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(folder / "s3"),
        GATEWAY_PORT=str(port),
        MINISTACK_HOST="127.0.0.1",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        SERVICES=",".join(SERVICES),
    )
    # ministack.app changes the root logger when it is imported; undo that.
    root, level_named = logging.getLogger(), os.environ.get("LOG_LEVEL")
    handlers, level = root.handlers[:], root.level
    os.environ["LOG_LEVEL"] = "WARNING"
    from ministack import app as _app  # noqa: F401
    from ministack.core import persistence
    from ministack.services import s3, sns, sqs

    root.handlers[:], root.level = handlers, level
    del os.environ["LOG_LEVEL"]
    if level_named is not None:
        os.environ["LOG_LEVEL"] = level_named
    persistence.STATE_DIR = str(folder / "state")
    netloc = f"127.0.0.1:{port}"
    sqs.DEFAULT_HOST, sqs.DEFAULT_PORT, sqs._CANONICAL_NETLOC = "127.0.0.1", str(port), netloc
    sns._PORT = str(port)
    s3.DATA_DIR = str(folder / "s3")
