"""Cases 104 to 106: outside servers to which reports are forwarded."""

import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib.outside import addresses, fetch
from chalicelib.outside.addresses import UnsafeAddress
from chalicelib.outside.fetch import Failed
from chalicelib.services.forwarding import servers
from chalicelib.services.platform import signing
from chalicelib.settings import settings
from tests.integration.test_forwarding import UNIT, connect, given_to_province, jobs, pass_on
from tests.support import open311_server
from tests.support.open311_server import Agency, Asked, says
from tests.support.world import JURISDICTION, World

BAD_URLS = [
    "http://open311.example.org/v2",
    "ftp://open311.example.org/v2",
    "//open311.example.org/v2",
    "https://127.0.0.1/v2",
    "https://[::1]/v2",
    "https://[::ffff:10.0.0.1]/v2",
    "https://0x7f000001/v2",
    "https://0x7f.1/v2",
    "https://2130706433/v2",
    "https://127.1/v2",
    "https://localhost/v2",
    "https://localhost./v2",
    "https://api.localhost/v2",
    "https://metadata.internal/v2",
    "https://metadata.google.internal./v2",
    "https://printer.local/v2",
    "https://open311.example.org:22/v2",
    "https://open311.example.org:8443/v2",
    "https://open311.example.org:99999/v2",
    "https://user:pass@open311.example.org/v2",
    "https://open311.example.org@127.0.0.1/v2",
    "https://open311.example.org\\@127.0.0.1/v2",
    "https://open311.example.org/v2?x=1",
    "https://open311.example.org/v2#x",
    "https://open311.example.org/../v2",
    "https://open311.example.org/v 2",
    "https://open311.example.org/v2\r\nHost: x",
    "https://öpen311.example.org/v2",
    "https://",
    "",
    f"https://open311.example.org/{'a' * 500}",
]
INSIDE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::", "fe80::1",
    "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a00:1",
    "2002:a00:1::", "2001:0:a00:1::", "fe80::1%lo", "no address",
    "::127.0.0.1", "::ffff:0:127.0.0.1", "fec0::1", "64:ff9b:1::a00:1",
]  # fmt: skip
BASE = addresses.Endpoint("https", open311_server.NAME, 443, "/v2")


@pytest.mark.parametrize("url", BAD_URLS)
def test_case_104_an_unsafe_address_is_refused_at_registration(url: str) -> None:
    from infra.city.checking import check
    from infra.city.fields import Fields
    from infra.city.findings import Findings
    from infra.city.validate import units

    with pytest.raises(UnsafeAddress):
        addresses.check(url)
    findings = Findings()
    both = {"en": "A", "id": "A"}
    row = {
        "code": "a", "name": both, "kind": "district", "districts": ["*"],
        "open311": {"endpoint": url},
    }  # fmt: skip
    check(findings, "units.json", {"units": [row]})
    units(Fields(findings, "units.json", {"units": [row]}), {"D"})
    assert "open311.endpoint" in str(findings.lines)


@pytest.mark.parametrize("url", BAD_URLS)
def test_case_104_an_unsafe_address_is_refused_when_something_is_sent(
    url: str, aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.outside import georeport

    monkeypatch.setattr(socket, "create_connection", _never)
    with pytest.raises(Failed, match="address_refused"):
        georeport.services(georeport.Server(url, "json"))


@pytest.mark.parametrize("url", [url for url in BAD_URLS if url])
def test_case_104_an_unsafe_address_of_a_webhook_is_refused_twice(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.outside import webhooks
    from infra.city import hooks
    from infra.city.fields import Fields
    from infra.city.findings import Findings

    findings = Findings()
    rows = {"webhooks": [{"code": "a", "url": url}]}
    hooks.read(Fields(findings, "webhooks.json", rows), {}, set(), "Asia/Jakarta")
    assert "webhooks[0].url" in str(findings.lines)
    monkeypatch.setattr(socket, "create_connection", _never)
    with pytest.raises(Failed, match="address_refused"):
        webhooks.post(url, "id", b"{}", [], 0, {})


@pytest.mark.parametrize("address", INSIDE)
def test_case_104_a_webhook_whose_name_leads_inside_is_not_connected_to(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.outside import webhooks

    monkeypatch.setattr(socket, "create_connection", _never)
    monkeypatch.setattr(addresses, "resolve", lambda name: {"8.8.8.8", address})
    with pytest.raises(Failed, match="address_refused"):
        webhooks.post("https://lapor.example.org/hook", "id", b"{}", [], 0, {})


@pytest.mark.parametrize("address", INSIDE)
def test_case_104_a_name_that_leads_inside_is_not_connected_to(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "create_connection", _never)
    for found in ({address}, {"8.8.8.8", address}):
        monkeypatch.setattr(addresses, "resolve", lambda name, found=found: found)
        with pytest.raises(Failed, match="address_refused"):
            fetch.get(BASE, "/services.json", [])


def _never(*given: Any, **more: Any) -> Any:
    raise AssertionError("connected")


def test_case_104_public_addresses_are_public() -> None:
    for address in ("8.8.8.8", "103.10.66.1", "2606:4700::1111"):
        assert addresses.is_public(address)
    assert addresses.check("https://open311.example.org/v2/").path == "/v2"


def test_case_104_what_was_judged_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that resolves to another address after the check is not followed."""
    asked, connected = [], []

    def resolve(name: str) -> set[str]:
        asked.append(name)
        return {"8.8.8.8"} if len(asked) == 1 else {"127.0.0.1"}

    def connect(place: tuple[str, int], timeout: float) -> Any:
        connected.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(addresses, "resolve", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Failed, match="no_answer"):
        fetch.get(BASE, "/services.json", [])
    assert (len(asked), connected) == (1, [("8.8.8.8", 443)])


def test_case_104_a_redirect_is_not_followed() -> None:
    away = says(301, "", Location="https://127.0.0.1/")
    with open311_server.server(away) as there, pytest.raises(Failed, match="redirect"):
        fetch.get(addresses.check(open311_server.ENDPOINT), "/services.json", [])
    assert len(there.asked) == 1


def test_case_104_only_development_may_name_a_server_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TANGGAP_OUTSIDE_LOCAL", "http://127.0.0.1:8000")
    settings.cache_clear()
    try:
        assert addresses.check("http://127.0.0.1:8000/open311/v2").port == 8000
        for other in ("http://127.0.0.1:80001/v2", "http://127.0.0.1/v2"):
            with pytest.raises(UnsafeAddress):
                addresses.check(other)
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "forward_reports")
        with pytest.raises(UnsafeAddress):
            addresses.check("http://127.0.0.1:8000/open311/v2")
    finally:
        settings.cache_clear()


def drip(chunk: bytes, pause: float) -> open311_server.Answer:
    """An answer that never ends."""

    def answer(asked: Asked, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while True:
            handler.wfile.write(chunk)
            handler.wfile.flush()
            time.sleep(pause)

    return answer


def slow_headers(asked: Asked, handler: BaseHTTPRequestHandler) -> None:
    """A header that comes letter by letter."""
    for number in range(1_000):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" if number == 0 else b"X-A: b\r\n")
        handler.wfile.flush()
        time.sleep(0.05)


@contextmanager
def silent(greeting: bytes = b"") -> Iterator[None]:
    """A server that takes connections and says nothing, or nonsense, letter by letter."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                for letter in greeting * 1_000:
                    if ended.wait(0.05):
                        return
                    try:
                        client.send(bytes([letter]))
                    except OSError:
                        break
                else:
                    ended.wait(3)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with open311_server.leading_to(listener.getsockname()[1]):
            yield
    finally:
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def cut() -> None:
    """A request ends because its time is over; otherwise it would take minutes."""
    with pytest.raises(Failed, match="too_slow"):
        fetch.get(addresses.check(open311_server.ENDPOINT), "/services.json", [])


@pytest.mark.parametrize("answer", [drip(b" ", 0.05), slow_headers], ids=["body", "headers"])
def test_case_105_an_endless_answer_is_cut_when_its_time_is_over(
    answer: open311_server.Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fetch.SECONDS == 5
    monkeypatch.setattr(fetch, "SECONDS", 0.5)
    with open311_server.server(answer):
        cut()


@pytest.mark.parametrize("greeting", [b"", b"\x16\x03\x03\x40\x00"], ids=["nothing", "handshake"])
def test_case_105_a_server_that_never_greets_is_left(
    greeting: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "SECONDS", 0.5)
    with silent(greeting):
        cut()


def test_case_105_no_more_than_the_limit_is_read() -> None:
    sizes: list[int] = []
    read = fetch.http.client.HTTPResponse.read

    def counted(self: Any, amount: int | None = None) -> bytes:
        data = read(self, amount)
        sizes.append(len(data))
        return data

    with open311_server.server(says(200, b"1" * 10_000_000)):
        place = addresses.check(open311_server.ENDPOINT)
        with patch.object(fetch.http.client.HTTPResponse, "read", counted):
            with pytest.raises(Failed, match="too_large"):
                fetch.post(place, "/requests.json", b"", {})
            with pytest.raises(Failed, match="too_large"):
                fetch.get(place, "/requests.json", [])
    assert max(sizes) == fetch.MOST_LIST + 1
    assert min(sizes) == fetch.MOST_ANSWER + 1 == 65_537


def test_case_105_no_more_than_the_limit_is_kept_of_a_chunk_of_a_negative_size() -> None:
    """Python takes it for "all that comes"."""

    def answer(asked: Asked, handler: BaseHTTPRequestHandler) -> None:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n"
        handler.wfile.write(head)
        with suppress(OSError):
            for _ in range(40):
                handler.wfile.write(b"1" * 1_000_000)

    tracemalloc.start()
    try:
        with open311_server.server(answer), pytest.raises(Failed, match="too_large"):
            fetch.get(addresses.check(open311_server.ENDPOINT), "/requests.json", [])
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_case_105_a_name_with_many_silent_addresses_has_no_more_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise each would get the whole time, and the function would be stopped: an alarm."""
    seconds = iter(range(0, 10_000, 3))
    waited: list[float] = []

    def connect(place: tuple[str, int], timeout: float) -> Any:
        waited.append(timeout)
        raise TimeoutError

    monkeypatch.setattr(fetch.time, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(addresses, "resolve", lambda name: {f"8.8.8.{n}" for n in range(50)})
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(Failed, match="too_slow"):
        fetch.get(BASE, "/services.json", [])
    assert waited == [2]


def test_case_105_tls_must_be_valid_for_the_name() -> None:
    empty = says(200, [])
    with open311_server.server(empty, name="another.example"), pytest.raises(Failed, match="tls"):
        fetch.get(addresses.check(open311_server.ENDPOINT), "/services.json", [])
    with open311_server.server(empty, trusted=False), pytest.raises(Failed, match="tls"):
        fetch.get(addresses.check(open311_server.ENDPOINT), "/services.json", [])
    assert fetch.context().verify_mode is ssl.CERT_REQUIRED
    assert fetch.context().check_hostname


def test_case_105_a_server_is_disabled_after_five_failures_and_told_once(aws: None) -> None:
    world = World()
    connect(world)
    from chalicelib.services.city import cities
    from chalicelib.storage import control

    city = cities.current(JURISDICTION, world.now)
    for _ in range(4):
        servers.record_failure(city, UNIT, "too_slow", world.now)
    assert not servers.is_disabled(JURISDICTION, UNIT)
    for _ in range(3):
        servers.record_failure(city, UNIT, "too_slow", world.now + timedelta(hours=1))
    assert servers.is_disabled(JURISDICTION, UNIT)
    assert len(control.outbox(50)) == 1


def test_case_106_a_request_is_signed_with_every_key_and_tells_its_time(
    aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.storage import signing_keys

    world = World()
    connect(world)
    keys = {**signing_keys.keys()["keys"], "k2": "YW5vdGhlciBrZXkgZm9yIHRlc3RzLCAzMiBieXRlcy4="}
    monkeypatch.setattr(signing_keys, "keys", lambda: {"current": "k2", "keys": keys})
    with open311_server.server(Agency()) as there:
        given_to_province(world)
        (job,) = jobs(world)
        pass_on(world, job)
    (post,) = there.posts()
    marks = dict(one.split("=") for one in post.headers["tanggap-signature"].split(","))
    seconds = marks.pop("t")
    assert int(seconds) == int(world.now.timestamp())
    known = signing.webhook_secrets(servers.webhook(JURISDICTION, UNIT))
    assert marks.keys() == known.keys() == {"k1", "k2"}
    for kid, secret in known.items():
        signed = f"{seconds}.".encode() + post.body
        digest = hmac.new(bytes.fromhex(secret), signed, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(marks[kid], digest)
    assert not set(known.values()) & set(signing.webhook_secrets("another/unit").values())


def test_case_106_nothing_personal_is_passed_on(
    aws: None, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World()
    connect(world)
    secret = {
        "email": "qzsiti@example.org", "phone": "+628120000999", "name": "Qzsiti Qzrahasia",
    }  # fmt: skip
    with open311_server.server(Agency()) as there:
        report = given_to_province(world, contact=secret, description="A hole")
        world.act(_officer(), report, "assign", unit="u-d1", note="Qzinside note")
        world.act(_officer(), report, "coordinate", agency=UNIT, reason="Qzreason")
        for job in jobs(world):
            pass_on(world, job)
    assert there.posts()
    sent = json.dumps([(one.path, one.fields, one.headers) for one in there.asked])
    head = world.head(report)
    for canary in (*secret.values(), "Qzsiti", "Qzinside", head.reporter, head.contact, head.code):
        assert canary
        assert canary not in sent
        assert canary not in capsys.readouterr().out


def _officer() -> Any:
    from tests.support.world import official

    return official("officer1")
