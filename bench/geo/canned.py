"""An endpoint that repeats recorded answers, to measure CPU without the emulator.

The emulator uses the same cores for tens of milliseconds, which leaves cold caches. The measured
code therefore runs in a process of its own, against recorded answers.
"""

import http.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self
from urllib.parse import urlsplit


class Canned:
    """Within a ``with`` block ``url`` answers like ``endpoint``, which gets each question once."""

    def __init__(self, endpoint: str) -> None:
        address = urlsplit(endpoint)
        known: dict[tuple[str, bytes], tuple[int, bytes]] = {}

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                key = self.headers["X-Amz-Target"], body
                if key not in known:
                    there = http.client.HTTPConnection(address.hostname or "", address.port)
                    headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                    there.request("POST", self.path, body, headers)
                    answer = there.getresponse()
                    known[key] = answer.status, answer.read()
                    there.close()
                status, content = known[key]
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.0")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
