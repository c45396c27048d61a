"""The AWS of a local stack, for commands: of the running stack, or of one started for the command.

with aws():
    cities.publish(...)
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.emulator.emulator import Emulator, in_use

DATA = Path(".local")
# Where the demo keeps its data until its next run.
DEMO = DATA / "demo"
NOTE = "stack.json"


def running(folder: Path) -> dict[str, Any] | None:
    """url, pid and environment of the stack that runs on ``folder``, or None."""
    if not in_use(folder):
        return None
    try:
        note: dict[str, Any] = json.loads((folder / NOTE).read_text())
    except (OSError, ValueError):
        return None
    return note


@contextmanager
def aws(folder: Path = DATA) -> Iterator[None]:
    """Use the AWS of the running stack, or start one until the block ends.

    with aws():
        cities.publish(...)
    """
    note = running(folder)
    if note is not None:
        os.environ.update(note["environment"])
        forget_clients()
        yield
        return
    with Emulator(folder):
        # An earlier emulator of this process had another endpoint.
        forget_clients()
        from infra import resources

        os.environ.update(resources.create())
        forget_clients()
        warm_clients()
        yield


def forget_clients() -> None:
    """Forget settings, AWS clients and cached values, because the endpoint has changed."""
    import boto3

    boto3.setup_default_session()  # The old session keeps the credentials that it found first.
    modules = sys.modules
    if settings := modules.get("chalicelib.settings"):
        settings.settings.cache_clear()
    if clients := modules.get("chalicelib.storage.aws"):
        clients.client.cache_clear()
    if tables := modules.get("chalicelib.storage.tables"):
        tables.connection()._client = None
        tables.connection()._local.session = None
    for name in (
        "chalicelib.storage.fast_query", "chalicelib.storage.signing_keys",
        "chalicelib.services.city.cities",
    ):  # fmt: skip
        if held := modules.get(name):
            held.forget()
    if staff := modules.get("chalicelib.services.city.staff"):
        staff.forget()


def warm_clients() -> None:
    """Make the clients before threads start: the session is not thread-safe."""
    from chalicelib.storage import aws, tables

    tables.client()
    for service in ("s3", "sns", "sqs", "ssm", "sesv2"):
        aws.client(service)
