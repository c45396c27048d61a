"""A local stack in a process of its own, so that its CPU is not ours."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE_SECONDS = 90
_FREE_PORTS = ("--port", "0", "--aws-port", "0")


@contextmanager
def running_stack(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a fresh stack with the demo city, stopped at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local", "--data", str(folder), "run", *_FREE_PORTS],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield _environment(folder / "stack.json", process)
    finally:
        process.terminate()
        process.wait(30)


def _environment(note: Path, process: subprocess.Popen[bytes]) -> dict[str, str]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            found = json.loads(note.read_text())
            urllib.request.urlopen(f"{found['url']}/v1/health", timeout=5).close()
        except (OSError, ValueError, urllib.error.URLError):
            time.sleep(0.2)
            continue
        environment: dict[str, str] = found["environment"]
        return environment
    raise RuntimeError("the local stack did not start")
