"""The local gateway refuses what API Gateway refuses, with problem documents, and keeps running."""

import http.client
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from chalice import Response

from chalicelib.auth.jwks import KeySets
from chalicelib.auth.oidc import verify
from chalicelib.http.app import TanggapApp
from chalicelib.settings import settings
from infra.emulator.emulator import listen
from infra.local.gateway import MAX_BODY, Gateway
from infra.local.issuer import Issuer
from infra.local.server import Server

ROOT = Path(__file__).parents[2]
NOW = datetime(2017, 2, 1, tzinfo=UTC)
ORIGIN = "http://127.0.0.1:8000"


def toy() -> TanggapApp:
    app = TanggapApp("toy")
    app.api.binary_types.append("image/png")

    @app.route("/v1/things/{number}", methods=["GET", "POST"])
    def thing(number: str) -> Any:
        event = app.current_request.to_original_event()
        context = event["requestContext"]
        return {
            "id": number,
            "query": event["multiValueQueryStringParameters"],
            "ip": context["identity"]["sourceIp"],
            "body": event["body"],
            "base64": event["isBase64Encoded"],
        }

    @app.route("/v1/things/newest")
    def newest() -> Any:
        return {"newest": True}

    @app.route("/v1/boom")
    def boom() -> Any:
        raise RuntimeError("inner secret")

    @app.route("/v1/picture")
    def picture() -> Any:
        return Response(b"\x89PNG", headers={"Content-Type": "image/png"})

    return app


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    listener = listen(0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    issuer = Issuer(tmp_path_factory.mktemp("issuer"), url, lambda: NOW)
    serving = Server(Gateway(toy(), {"/dev/": issuer}), listener)
    serving.start()
    yield serving
    serving.stop()


def ask(
    server: Server, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    named = {"Content-Type": "application/json"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    connection.request(method, path, body, named)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, content


def problem(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str]:
    status, headers, content = answer
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-content-type-options"] == "nosniff"
    document = json.loads(content)
    assert document["status"] == status
    return status, document["type"].rsplit(":", 1)[1]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/nothing",
        "//host/v1/boom",
        "/v1/boom;x",
        "/v1//boom",
        "/v1/things/",
        "/V1/boom",
    ],
)
def test_an_unknown_path_is_404(server: Server, path: str) -> None:
    assert problem(ask(server, path)) == (404, "not_found")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "TRACE", "CONNECTED", "LOCK"])
def test_another_method_is_405_and_names_those_allowed(server: Server, method: str) -> None:
    answer = ask(server, "/v1/things/1", method)
    assert problem(answer) == (405, "method_not_allowed")
    assert set(answer[1]["allow"].split(", ")) == {"GET", "HEAD", "POST", "OPTIONS"}


def test_a_method_cannot_be_overridden_by_a_header(server: Server) -> None:
    answer = ask(server, "/v1/boom", "DELETE", X_HTTP_Method_Override="GET")
    assert problem(answer) == (405, "method_not_allowed")


def test_head_is_answered_as_get_without_a_body(server: Server) -> None:
    status, headers, content = ask(server, "/v1/picture", "HEAD", Accept="image/png")
    assert (status, headers["content-type"], content) == (200, "image/png", b"")
    assert "content-length" not in headers
    assert ask(server, "/v1/boom", "HEAD")[::2] == (500, b"")
    assert ask(server, "/v1/nothing", "HEAD")[::2] == (404, b"")


def test_a_body_over_10_mb_is_413(server: Server) -> None:
    answer = ask(server, "/v1/things/1", "POST", b"x" * (MAX_BODY + 1))
    assert problem(answer) == (413, "too_large")


def test_headers_over_10_kb_are_431(server: Server) -> None:
    answer = ask(server, "/v1/things/1", Authorization="Bearer " + "x" * 12_000)
    assert problem(answer) == (431, "headers_too_large")


def test_paths_are_passed_on_undecoded_and_queries_decoded(server: Server) -> None:
    status, _, content = ask(server, "/v1/things/a%2Fb%20c?q=1&q=%C3%A9+x&empty=")
    found = json.loads(content)
    assert (status, found["id"], found["ip"]) == (200, "a%2Fb%20c", "127.0.0.1")
    assert found["query"] == {"q": ["1", "é x"], "empty": [""]}


def test_no_query_is_null_as_api_gateway_has_it(server: Server) -> None:
    assert json.loads(ask(server, "/v1/things/1")[2])["query"] is None


def test_a_fixed_path_goes_before_a_parameter(server: Server) -> None:
    assert json.loads(ask(server, "/v1/things/newest")[2]) == {"newest": True}


def test_bytes_that_are_not_text_arrive_in_base64(server: Server) -> None:
    found = json.loads(ask(server, "/v1/things/1", "POST", b"\xff\xfe")[2])
    assert (found["body"], found["base64"]) == ("//4=", True)


def test_a_picture_leaves_as_bytes(server: Server) -> None:
    status, headers, content = ask(server, "/v1/picture", Accept="image/png")
    assert (status, headers["content-type"], content) == (200, "image/png", b"\x89PNG")


def test_a_preflight_is_answered_from_the_routes(server: Server) -> None:
    status, headers, content = ask(server, "/v1/things/1", "OPTIONS", Origin=ORIGIN)
    assert (status, content) == (200, b"")
    assert headers["access-control-allow-origin"] == ORIGIN
    methods = {"GET", "HEAD", "POST", "OPTIONS"}
    assert set(headers["access-control-allow-methods"].split(", ")) == methods
    assert "Idempotency-Key" in headers["access-control-allow-headers"]
    assert problem(ask(server, "/v1/nothing", "OPTIONS"))[0] == 404


def test_a_view_that_fails_is_500_without_details(server: Server) -> None:
    answer = ask(server, "/v1/boom")
    assert problem(answer) == (500, "internal")
    assert b"secret" not in answer[2]
    assert ask(server, "/v1/things/1")[0] == 200


def test_a_page_that_takes_this_machines_address_gets_nothing(server: Server) -> None:
    for path in ("/v1/things/1", "/dev/token?subject=x"):
        assert problem(ask(server, path, Host="evil.example:8000")) == (403, "forbidden")


def raw(server: Server, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), 10) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        received = b""
        while part := line.recv(65_536):
            received += part
    return received


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /v1/things/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: abc\r\n\r\n",
        b"POST /v1/things/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"get /v1/things/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /v1/things/1 HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
        b"POST /v1/things/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_a_request_that_is_not_http_is_refused_in_a_problem_document(
    server: Server, sent: bytes
) -> None:
    head, _, content = raw(server, sent).partition(b"\r\n\r\n")
    assert head.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
    assert b"application/problem+json" in head
    assert json.loads(content)["status"] == 400
    assert ask(server, "/v1/things/1")[0] == 200


def test_requests_in_threads_do_not_see_each_other(server: Server) -> None:
    def one(number: int) -> bool:
        found = json.loads(ask(server, f"/v1/things/{number}?q={number}")[2])
        return (found["id"], found["query"]) == (str(number), {"q": [str(number)]})

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(200)))


# ---- the development issuer ----------------------------------------------------------------------


def test_tokens_of_the_development_issuer_are_verified_like_any_others(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = json.loads(ask(server, "/dev/.well-known/openid-configuration")[2])
    issuer = {
        "issuer": configuration["issuer"],
        "jwks_uri": configuration["jwks_uri"],
        "algorithms": ["ES256"],
        "audience": "tanggap",
    }
    monkeypatch.setenv("TANGGAP_ISSUERS", json.dumps([issuer]))
    settings.cache_clear()
    try:
        for answer in (
            ask(server, "/dev/token?subject=citra"),
            ask(server, "/dev/token", "POST", b"subject=citra"),
        ):
            token = json.loads(answer[2])["access_token"]
            assert verify(token, KeySets(), NOW) == (issuer["issuer"], "citra")
    finally:
        settings.cache_clear()


@pytest.mark.parametrize(
    "asked", ["", "?subject=", "?subject=a&subject=b", "?subject=" + "x" * 256]
)
def test_a_token_needs_one_subject(server: Server, asked: str) -> None:
    assert ask(server, f"/dev/token{asked}")[0] == 400


def test_the_key_of_the_development_issuer_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    first, second = (Issuer(tmp_path, "http://127.0.0.1:1", lambda: NOW) for _ in range(2))
    assert first.jwks == second.jwks
    assert stat.S_IMODE((tmp_path / "issuer.pem").stat().st_mode) == 0o600


def test_the_development_issuer_refuses_to_load_on_lambda() -> None:
    finished = subprocess.run(
        [sys.executable, "-c", "import infra.local.issuer"],
        cwd=ROOT,
        env={**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "api"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode != 0
    assert "must never run on Lambda" in finished.stderr
