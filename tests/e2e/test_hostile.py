"""Hostile requests over real HTTP: through the server, the gateway and the emulated AWS."""

import http.client
import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import urllib3

from chalicelib.storage import aws, tables
from infra.local.stack import LocalStack
from tests.security.recorder import Recorder
from tests.support.hostile import Faults, Known, Request, Requests

COUNT = 500
PLACE = {"lat": -6.1754, "long": 106.8272}


@pytest.fixture(scope="module", name="recorder")
def recorder_fixture(stack: LocalStack) -> Iterator[Recorder]:
    """Everything that the product sends to the emulated AWS."""
    recorder = Recorder()
    recorder.start(tables.client(), aws.client("s3"))
    yield recorder
    recorder.stop()


@pytest.mark.long
def test_hostile_requests_over_http_are_no_fault_and_read_little(
    stack: LocalStack, recorder: Recorder
) -> None:
    devices = tuple(_device(stack) for _ in range(2))
    requests, faults = Requests(3, _known(stack, devices[0]), devices), Faults()
    for _ in range(COUNT):
        request = next(requests)
        recorder.clear()
        status, size = _ask(stack, request)
        faults.judge(request, status, size, sum(not call.writes for call in recorder.calls))
    assert faults.found == []
    assert faults.statuses[200] > COUNT / 10


def _ask(stack: LocalStack, request: Request) -> tuple[int, int]:
    parts = urlsplit(stack.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    connection.putrequest(request.method, request.url)
    for name, value in request.headers.items():
        # What breaks the framing of HTTP, or cannot be sent at all, reaches no application.
        if name != "Content-Length" and value.isascii() and value.isprintable():
            connection.putheader(name, value)
    body = request.body or b""
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    size = len(answer.read())
    connection.close()
    return answer.status, size


def _device(stack: LocalStack) -> str:
    answer = urllib3.request("POST", f"{stack.url}/v1/devices")
    assert answer.status == 201, answer.data
    return f"Device {answer.json()['token']}"


def _known(stack: LocalStack, device: str) -> Known:
    """What exists in the demo city, after a few reports."""
    from chalicelib.services.identity import api_keys

    now = stack.clock.now()
    receipts = []
    for number in range(4):
        headers = {"Authorization": device, "Idempotency-Key": f"hostile-{number}",
                   "Content-Type": "application/json"}  # fmt: skip
        body = json.dumps({"service": "banjir", **PLACE, "description": "Banjir", "public": True})
        answer = urllib3.request("POST", f"{stack.url}/v1/reports", body=body, headers=headers)
        receipts.append(answer.json())
    stack.drain()
    _, key = api_keys.issue("demo", "hostile", 1_000_000, now)
    reports = tuple(one["id"] for one in receipts)
    month = f"{now:%Y%m}"
    return {
        "id": reports,
        "service_request_id": reports,
        "open311_name": ("banjir", f"t{reports[0]}"),
        "code": tuple(one["code"] for one in receipts),
        "month": (month, f"{now - timedelta(days=31):%Y%m}", "000001"),
        "since": (f"{now:%Y-%m-%dT%H:%M:%SZ}",),
        "name": ("swagger-ui.css", "services.json"),
        "service": ("banjir",),
        "service_code": ("banjir",),
        "api_key": (key,),
        "lat": (str(PLACE["lat"]),),
        "long": (str(PLACE["long"]),),
        "status": ("open", "closed"),
        "description": ("Banjir", "x" * 4001),
    }
