"""waitress on loopback, in threads; also a request that it cannot parse gets a problem document."""

import socket
import threading
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask

from infra.emulator.emulator import LOOPBACK
from infra.local.gateway import MAX_BODY, Wsgi, refusal

# The gateway refuses as API Gateway does; these limits only stop endless requests.
_BODY_END = 4 * MAX_BODY
_HEADERS_END = 4 * 1024 * 1024


class _ProblemTask(ErrorTask):  # type: ignore[misc]
    def execute(self) -> None:
        """Refuse a request that did not reach the application."""
        status_line, _, _ = self.request.error.to_response("")
        headers, body = refusal(int(status_line.split()[0]))
        self.status = status_line
        self.response_headers.extend(headers)
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = _ProblemTask


class Server:
    """An HTTP server for one WSGI application, on a listening socket (``emulator.listen``)."""

    def __init__(self, application: Wsgi, listener: socket.socket, threads: int = 8) -> None:
        self.url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        self._map: dict[int, Any] = {}
        self._server = create_server(
            application,
            map=self._map,
            sockets=[listener],
            threads=threads,
            ident=None,
            max_request_body_size=_BODY_END,
            max_request_header_size=_HEADERS_END,
            expose_tracebacks=False,
            asyncore_use_poll=True,
        )
        self._server.channel_class = _Channel
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="http", daemon=True)

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the requests that are being answered, and stop."""
        self._stopping.set()
        self._server.pull_trigger()
        self._thread.join(10)
        self._server.task_dispatcher.shutdown()
        wasyncore.close_all(self._map)

    def _loop(self) -> None:
        while not self._stopping.is_set():
            wasyncore.loop(timeout=1, map=self._map, use_poll=True, count=1)
