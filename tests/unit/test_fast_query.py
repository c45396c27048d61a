"""Queries over kept connections: in order, on few connections; the SDK takes over on failure."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from urllib3.util.wait import wait_for_read

from chalicelib.storage import fast_query, tables

ASKED = [{"TableName": f"t{n}"} for n in range(4)]


class Server(ThreadingHTTPServer):
    """Answers a Query with its table's name; ``status`` and ``leaves`` are set by a test."""

    daemon_threads = True
    status = 200
    leaves = False
    connections = 0

    def process_request(self, request: Any, address: Any) -> None:
        """Count a connection."""
        self.connections += 1
        super().process_request(request, address)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"Items": [], "Table": asked["TableName"]}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        # Closed without having said so, as after an idle time.
        self.close_connection = self.server.leaves

    def log_message(self, *given: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server, and a client of the SDK that points to it and answers by itself."""
    with Server(("127.0.0.1", 0), Handler) as made:
        Thread(target=made.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{made.server_port}"
        events = SimpleNamespace(emit=lambda *names, **given: [])
        meta = SimpleNamespace(endpoint_url=url, region_name="x", events=events)
        client = SimpleNamespace(meta=meta, query=lambda **asked: {"Table": "by the SDK"})
        monkeypatch.setattr(tables, "client", lambda: client)
        unsigned = SimpleNamespace(add_auth=lambda request: None)
        monkeypatch.setattr(fast_query, "_signer", lambda client: unsigned)
        yield made
        for connection in fast_query._idle.pop(url, ()):
            connection.close()
        made.shutdown()


def told() -> list[str]:
    """Who answered each question."""
    return [page["Table"] for page in fast_query.query_all(ASKED)]


def test_answers_come_in_order_and_connections_are_kept(server: Server) -> None:
    assert told() == told() == ["t0", "t1", "t2", "t3"]
    assert server.connections == len(ASKED)


def test_a_connection_that_was_closed_meanwhile_is_not_used_again(server: Server) -> None:
    """As after a pause of a Lambda function: new connections are made, without the SDK."""
    server.leaves = True
    assert told() == ["t0", "t1", "t2", "t3"]
    for connection in fast_query._idle[f"http://127.0.0.1:{server.server_port}"]:
        # The close has arrived.
        assert wait_for_read(connection.sock, timeout=5)
    assert told() == ["t0", "t1", "t2", "t3"]
    assert server.connections == 2 * len(ASKED)


def test_an_unusual_answer_is_left_to_the_sdk(server: Server) -> None:
    server.status = 500
    assert told() == ["by the SDK"] * len(ASKED)
