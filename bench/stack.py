"""A local stack in a process of its own, so that its CPU is not counted."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bench.failures import BenchError, failure

_PATIENCE_SECONDS = 90
_FREE_PORTS = ("--port", "0", "--aws-port", "0")


@contextmanager
def running_stack(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a fresh stack with the demo city, stopped at the end.

    Raises ``BenchError`` if the stack does not start.
    """
    command = [sys.executable, "-m", "infra.local", "--data", str(folder), "run", *_FREE_PORTS]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        try:
            yield _environment(folder / "stack.json", process, log)
        finally:
            process.terminate()
            process.wait(30)


def _environment(note: Path, process: subprocess.Popen[bytes], log: IO[str]) -> dict[str, str]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            stack = json.loads(note.read_text())
            urllib.request.urlopen(f"{stack['url']}/v1/health", timeout=5).close()
        except (OSError, ValueError, urllib.error.URLError):
            time.sleep(0.2)
            continue
        environment: dict[str, str] = stack["environment"]
        return environment
    log.seek(0)
    if (status := process.poll()) is not None:
        raise BenchError(failure(["python", "-m", "infra.local", "run"], status, log.read()))
    raise BenchError(f"the local stack did not answer within {_PATIENCE_SECONDS} s")
