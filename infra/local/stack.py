"""The whole system on this machine: AWS emulator, HTTP, every background function.

    with LocalStack(Path(".local"), port=8000) as stack:            for a person
        stack.url                                                     http://127.0.0.1:8000

    clock = Clock(datetime(2017, 2, 1, tzinfo=UTC), factor=0)       for tests, the demo, the bench
    with LocalStack(folder, clock=clock, drivers="manual") as stack:
        requests to stack.url
        stack.drain()               handle all events of streams and queues, and those that follow
        stack.tick(moment)          move business time and run the schedules that are due
        stack.mail()                the messages that would have been sent

The app finds the emulator through AWS's endpoint variable only.
"""

import json
import os
import threading
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from infra.emulator.emulator import LOOPBACK, Emulator, StackError, listen
from infra.emulator.session import NOTE, forget_clients, warm_clients
from infra.local.schedules import Clock
from infra.local.sources import QueueSource, StreamSource

DEMO_CITY = Path(__file__).parents[1] / "cities" / "demo"
# The variables of the environment, the clock and the clients belong to the whole process.
RUNNING = threading.Lock()


class LocalStack:
    """One running system with its data in ``folder``; one at a time in a process.

    ``city`` is the folder of the city to load if the city of the settings is not loaded yet (None:
    load nothing). For port 0 a free one is chosen. ``tell`` is called with each step of starting;
    ``origins`` are further web origins that may call the API.
    """

    def __init__(  # noqa: PLR0913 (settings, most of them with a default)
        self,
        folder: Path,
        port: int = 0,
        clock: Clock | None = None,
        drivers: Literal["threads", "manual"] = "threads",
        aws_port: int = 0,
        host: str = LOOPBACK,
        city: Path | None = DEMO_CITY,
        tell: Callable[[str], None] = lambda _: None,
        origins: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.clock = clock or Clock()
        self.url = ""
        self._ports = (host, port)
        self._emulator = Emulator(folder, aws_port)
        self._by_hand = drivers == "manual"
        self._city = city
        self._tell = tell
        self._origins = origins
        self._before: dict[str, str | None] = {}
        self._undo: list[Any] = []

    def start(self) -> "LocalStack":
        """Start everything.

        Raises StackError if a port or the folder is in use, or another stack runs in this process.
        """
        if not RUNNING.acquire(blocking=False):
            raise StackError("another local stack runs in this process; stop it first")
        self._undo.append(RUNNING.release)
        host, port = self._ports
        try:
            listener = listen(port, host)
            self._undo.append(listener.close)
            self._start(listener)
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self, listener: Any) -> None:
        self.url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        self._tell("starting the AWS emulator")
        self._emulator.start()
        self._undo.append(self._emulator.stop)

        from chalicelib import clock
        from infra.local.issuer import PREFIX, Issuer

        self.issuer = Issuer(self.folder, self.url, clock.now)
        environment = {
            "TANGGAP_STAGE": "local",
            "TANGGAP_PUBLIC_URL": self.url,
            # Its messages go into a folder, so it alerts nobody.
            "TANGGAP_TEST_URL": self.url,
            "TANGGAP_ALLOW_ORIGIN": ",".join([self.url, *self._origins]),
            "TANGGAP_ISSUERS": json.dumps([self.issuer.settings()]),
        }
        self._undo.append(self._restore_environment)
        self._tell("making tables, queues and the bucket, where they are missing")
        environment = self._enter(environment)
        clock.use(self.clock.now)
        self._undo.append(lambda: clock.use(None))
        self._load_city()

        self._tell("starting the API and the background functions")
        from app import app
        from infra.local.drivers import Drivers
        from infra.local.gateway import Gateway
        from infra.local.server import Server

        self.app = app
        self._drivers = Drivers(
            app, self.clock, self._emulator, self._by_hand, self._emulator.has_events
        )
        self._forget_handled()
        self._server = Server(Gateway(app, {PREFIX: self.issuer}), listener)
        self._undo.append(self._server.stop)
        self._server.start()
        if not self._by_hand:
            self._undo.append(self._drivers.stop)
            self._drivers.start()
        note = {"url": self.url, "pid": os.getpid(), "environment": environment}
        (self.folder / NOTE).write_text(json.dumps(note, indent=1))
        self._undo.append(lambda: (self.folder / NOTE).unlink(missing_ok=True))

    def stop(self) -> None:
        """Stop everything in reverse order; the data stay."""
        while self._undo:
            self._undo.pop()()
        forget_clients()

    def __enter__(self) -> "LocalStack":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def drain(self) -> int:
        """See ``Drivers.drain`` (for drivers "manual")."""
        return self._drivers.drain()

    def tick(
        self,
        moment: datetime,
        coalesce: bool = True,
        without: Collection[str] = (),
        then: Callable[[], object] = lambda: None,
    ) -> int:
        """See ``Drivers.tick`` (for drivers "manual")."""
        return self._drivers.tick(moment, coalesce, without, then)

    def has_messages(self, queue_arn: str) -> bool:
        """Whether a queue holds a message; asks the emulator without a request."""
        return self._emulator.has_events(queue_arn, None)

    def fire(self, name: str) -> Any:
        """Run one scheduled function now."""
        return self._drivers.fire(name)

    def call_directly(self) -> None:
        """Answer the AWS calls of this process without HTTP (``infra.emulator.direct``)."""
        from chalicelib.storage import aws, tables

        services = [aws.client(name) for name in ("s3", "sns", "sqs", "ssm", "sesv2")]
        for client in [tables.client(), *services, *self._drivers.clients]:
            self._emulator.attach(client)

    def handle_together(self) -> None:
        """Handle several photos at the same time, also by hand (for drivers "manual")."""
        from infra.local.drivers import AT_ONCE

        for source in self._drivers.sources:
            if isinstance(source, QueueSource):
                source.at_once = AT_ONCE.get(source.name, 1)

    def token(self, subject: str) -> str:
        """An access token of the development issuer for ``subject``."""
        return self.issuer.token(subject)

    def mail(self) -> list[dict[str, Any]]:
        """Every e-mail, text message and webhook that was "sent", oldest first."""
        return self._emulator.mail()

    def _enter(self, environment: dict[str, str]) -> dict[str, str]:
        """Make missing resources, and set their variables and the given ones."""
        self._set(environment)
        forget_clients()
        from infra import resources

        made = resources.create()
        self._set(made)
        forget_clients()
        warm_clients()
        return {**self._emulator.environment, **environment, **made}

    def _set(self, environment: dict[str, str]) -> None:
        for name, value in environment.items():
            self._before.setdefault(name, os.environ.get(name))
            os.environ[name] = value

    def _restore_environment(self) -> None:
        for name, value in self._before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    def _load_city(self) -> None:
        if self._city is None:
            return
        from chalicelib.services.city import cities
        from chalicelib.settings import settings

        if settings().jurisdiction not in cities.jurisdictions():
            from infra.city.load import load_folder

            self._tell(f"loading the city of {self._city.name}, once")
            load_folder(self._city)

    def _forget_handled(self) -> None:
        """Drop stream records that every function has handled, to keep the file small."""
        streams = [s for s in self._drivers.sources if isinstance(s, StreamSource)]
        for arn in {stream.stream_arn for stream in streams}:
            seen = [s.position for s in streams if s.stream_arn == arn]
            if None not in seen:
                self._emulator.forget_records(arn, min(position for position in seen if position))


__all__ = ["DEMO_CITY", "LocalStack", "StackError"]
