"""Measures cold starts: a zip started like on Lambda, by AWS's own runtime client.

It runs with Lambda's Python. The runtime interface client (``awslambdaric``) asks a Runtime API
for work; this is a small one (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). CPU
time of the process until it asks for its first event is compared in one run with that of a zip
that makes one boto3 client (boto3 as pip installs it, precompiled like ours), so that the ratio is
comparable between machines.
"""

import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

import boto3

from infra.deploy import runtime

ROUNDS = 7
_WAIT_SECONDS = 60
_BARE = """import boto3
client = boto3.client("dynamodb")


def handler(event, context):
    return None
"""


@dataclass(frozen=True)
class Start:
    """The least CPU milliseconds of several cold starts."""

    milliseconds: float


class _Runtime:
    """A Runtime API that notes the first request for an event, and never has one."""

    def __init__(self) -> None:
        requested = self.requested = threading.Event()
        failed = self.failed = []  # type: ignore[var-annotated]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requested.set()
                threading.Event().wait(_WAIT_SECONDS)

            def do_POST(self) -> None:
                failed.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                requested.set()
                self.send_response(202)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"


def start(tree: Path, client: Path, handler: str, environment: dict[str, str]) -> float:
    """CPU milliseconds from the start to the first request for an event; the process then ends.

    ``client``: the folder that has the runtime interface client.
    """
    api = _Runtime()
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(tree), str(client)]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "LAMBDA_TASK_ROOT": str(tree),
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        **environment,
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        [runtime.interpreter(), "-m", "awslambdaric", handler], cwd=tree, env=env,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        if not api.requested.wait(_WAIT_SECONDS) or api.failed:
            raise RuntimeError(f"{handler} did not start: {api.failed}")
    finally:
        process.kill()
        process.wait()
        api.server.shutdown()
        api.server.server_close()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return used * 1000


def compared(code: Path, handlers: list[str], environment: dict[str, str]) -> dict[str, float]:
    """{handler: least CPU ms}, "bare" among them: the zip of one boto3 client, in the same run."""
    with tempfile.TemporaryDirectory() as name:
        tree, bare, client = (Path(name) / part for part in ("code", "bare", "client"))
        with zipfile.ZipFile(code) as packed:
            packed.extractall(tree)
        # The SDK as pip installs it, compiled like ours.
        bare.mkdir()
        site = Path(boto3.__file__).parents[1]
        for part in (
            "boto3",
            "botocore",
            "s3transfer",
            "jmespath",
            "urllib3",
            "dateutil",
            "six.py",
        ):
            _copied(site / part, bare / part)
        _run(
            [
                runtime.interpreter(),
                "-m",
                "compileall",
                "-q",
                "--invalidation-mode",
                "unchecked-hash",
                ".",
            ],
            bare,
        )
        (bare / "bare.py").write_text(_BARE)
        _client(client)
        times_of: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            times_of.setdefault("bare", []).append(start(bare, client, "bare.handler", {}))
            for handler in handlers:
                times_of.setdefault(handler, []).append(start(tree, client, handler, environment))
    return {handler: min(times) for handler, times in times_of.items()}


def _client(target: Path) -> None:
    """Install the runtime interface client, in the version of the tests, for Lambda's Python."""
    processor = {machine: name for name, machine in runtime.MACHINES.items()}[platform.machine()]
    _run(
        [
            sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install",
            "--no-compile", "--target", str(target), *runtime.pip_options(processor),
            f"awslambdaric=={version('awslambdaric')}",
        ],
        target.parent,
    )  # fmt: skip


def _copied(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


def _run(words: list[str], folder: Path) -> None:
    subprocess.run(words, cwd=folder, check=True)


def summary(least: dict[str, float]) -> dict[str, float]:
    """{handler: how many times the bare zip's}."""
    bare = least["bare"]
    return {
        name: round(milliseconds / bare, 3)
        for name, milliseconds in least.items()
        if name != "bare"
    }
