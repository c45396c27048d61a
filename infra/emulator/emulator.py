"""AWS on this machine: ministack in this process, on loopback only; it loses no answered change.

    with Emulator(Path(".local"), port=4566) as emulator:
        ...                      # boto3 and PynamoDB find it through AWS_ENDPOINT_URL

ministack accepts any credentials, so neither the network nor a web page in a browser may reach it.
It binds 127.0.0.1 only, refuses a foreign Host (DNS rebinding) or Origin, refuses unsigned reads
(the bucket is private), and only the services in use are switched on.
"""

import asyncio
import fcntl
import logging
import os
import shutil
import socket
import threading
import urllib.parse
from pathlib import Path
from typing import Any

from infra.emulator.bridge import Bridge
from infra.emulator.direct import attach
from infra.emulator.setting import configure
from infra.emulator.store import Store

LOOPBACK = "127.0.0.1"
_OURS = frozenset({LOOPBACK, "localhost", "[::1]"})
_VARIABLES = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
log = logging.getLogger(__name__)


class StackError(RuntimeError):
    """The local stack cannot start; the text says why and what to do."""


def listen(port: int, host: str = LOOPBACK) -> socket.socket:
    """A listening socket on loopback; port 0 picks a free one.

    Raises StackError for another host and for a port that is taken.
    """
    if host != LOOPBACK or os.environ.get("BIND_HOST", LOOPBACK) != LOOPBACK:
        raise StackError(f"the local stack serves {LOOPBACK} only: it has no access control")
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as refused:
        listener.close()
        raise StackError(
            f"port {port} is taken ({refused.strerror}): stop what uses it or choose another"
        ) from refused
    listener.listen(128)
    return listener


class Emulator:
    """ministack, its data in ``folder``, running in a thread of this process; one at a time."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.folder = folder
        self.endpoint = ""
        self.environment: dict[str, str] = {}
        self._port = port
        self._before: dict[str, str | None] = {}
        self._ready = threading.Event()
        # Requests over HTTP are answered in the emulator's thread, direct ones in the caller's.
        self._turn = threading.RLock()
        self._failure: BaseException | None = None

    def start(self) -> str:
        """Serve, and set the AWS SDK's environment variables. Returns the endpoint's URL.

        Raises StackError for a taken port or folder.
        """
        if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
            raise StackError("the local stack does not run on Lambda")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = _own(self.folder)
        try:
            listener = listen(self._port)
        except StackError:
            self._lock.close()
            raise
        self._port = listener.getsockname()[1]
        self.endpoint = f"http://{LOOPBACK}:{self._port}"
        self.environment = {**_VARIABLES, "AWS_ENDPOINT_URL": self.endpoint}
        self._before = {name: os.environ.get(name) for name in self.environment}
        os.environ.update(self.environment)
        configure(self.folder, self._port)
        self._store = Store(self.folder / "aws.sqlite")
        self._bridge = Bridge(self._store)
        self._thread = threading.Thread(target=self._run, args=(listener,), name="emulator")
        self._thread.daemon = True
        self._thread.start()
        self._ready.wait(120)
        if self._failure is not None:
            self._lock.close()
            raise StackError("the AWS emulator did not start") from self._failure
        return self.endpoint

    def stop(self) -> None:
        """Stop serving; all data are on the disk."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(30)
        self._bridge.flush()
        self._bridge.remove()
        self._store.close()
        self._lock.close()
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    def __enter__(self) -> "Emulator":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def get(self, name: str) -> str | None:
        """The stream position of function ``name`` (``sources.Positions``), kept with the data."""
        return self._store.note(f"position/{name}")

    def set(self, name: str, sequence: str) -> None:
        """Keep a stream position."""
        self._store.set_note(f"position/{name}", sequence)

    def attach(self, client: Any) -> None:
        """Answer every request of an SDK client without HTTP (``direct``)."""
        attach(client, self._bridge.app, self._bridge.call, self._turn)

    def has_events(self, arn: str, after: str | None) -> bool:
        """Whether a queue holds a message, or a stream a record after a sequence number."""
        return self._bridge.has_events(arn, after)

    def mail(self) -> list[dict[str, Any]]:
        """Every e-mail, text message and webhook that was "sent", oldest first (letters.py)."""
        return self._store.mail()

    def forget_records(self, stream_arn: str, before: str) -> None:
        """Drop the stream records before sequence number ``before`` (all were handled)."""
        asyncio.run_coroutine_threadsafe(self._forget(stream_arn, before), self._loop).result(60)

    async def _forget(self, stream_arn: str, before: str) -> None:
        self._bridge.forget_records(stream_arn, before)

    def _run(self, listener: socket.socket) -> None:
        try:
            asyncio.run(self._serve(listener))
        except BaseException as failure:
            self._failure = failure
            log.exception("the AWS emulator failed")
        finally:
            self._ready.set()

    async def _serve(self, listener: socket.socket) -> None:
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        config = Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.loglevel = "WARNING"
        config.keep_alive_timeout = 75
        config.graceful_timeout = 1
        self._bridge.install()
        upkeep = asyncio.create_task(self._upkeep())
        await serve(self._application, config, shutdown_trigger=self._stopping.wait)
        await upkeep

    async def _upkeep(self) -> None:
        """Each second, write changes made outside requests (expired items), and sync the disk."""
        while not self._stopping.is_set():
            try:
                await asyncio.wait_for(self._stopping.wait(), 1)
            except TimeoutError:
                with self._turn:
                    self._bridge.flush()
                await asyncio.to_thread(self._store.checkpoint)

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._bridge.app(scope, receive, self._restoring(send))
        elif scope["type"] == "http":
            refusal = _refusal(scope)
            if refusal is None:
                with self._turn:
                    await self._bridge.app(scope, receive, send)
            else:
                kind = [(b"content-type", b"application/xml")]
                start = {"type": "http.response.start", "status": 403, "headers": kind}
                await send(start)
                await send({"type": "http.response.body", "body": refusal})

    def _restoring(self, send: Any) -> Any:
        async def wrapped(message: Any) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._bridge.restore()
                self._ready.set()
            await send(message)

        return wrapped


def _refusal(scope: Any) -> bytes | None:
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"host", "").rsplit(":", 1)[0]
    origin = headers.get(b"origin", f"http://{LOOPBACK}")
    from_here = urllib.parse.urlsplit(origin).netloc.rsplit(":", 1)[0] in _OURS
    query = scope.get("query_string", b"")
    signed = (
        b"authorization" in headers or b"Signature=" in query or b"ConfirmSubscription" in query
    )
    # A form posted to a bucket has its signed policy in the body; a preflight has no signature.
    if host in _OURS and from_here and (signed or scope["method"] in ("POST", "OPTIONS")):
        return None
    return b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


def _own(folder: Path) -> Any:
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as taken:
        lock.close()
        raise StackError(f"another local stack is using {folder}: stop it first") from taken
    return lock


def in_use(folder: Path) -> bool:
    """Whether a local stack is running on ``folder``, in any process."""
    if not (folder / "lock").exists():
        return False
    try:
        _own(folder).close()
    except StackError:
        return True
    return False


def erase(folder: Path) -> None:
    """Delete the data of a local stack in ``folder``.

    Raises StackError while a stack is running on it.
    """
    if folder.exists():
        _own(folder).close()
        shutil.rmtree(folder)
