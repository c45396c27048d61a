"""The map over real HTTP: a report appears, changes and goes; answers are compressed, validated."""

import gzip
import itertools
import json
from typing import Any

import urllib3

from infra.local.stack import LocalStack

KEYS = itertools.count()
PLACE = {"lat": -6.1831, "long": 106.8402}
BOX = "bbox=106.80,-6.22,106.88,-6.14"


def device(stack: LocalStack) -> str:
    """A new phone."""
    answer = urllib3.request("POST", f"{stack.url}/v1/devices")
    return f"Device {answer.json()['token']}"


def get(stack: LocalStack, path: str, **headers: str) -> Any:
    """The raw answer to a GET."""
    return urllib3.request("GET", stack.url + path, headers=headers, decode_content=False)


def post(stack: LocalStack, path: str, body: dict[str, Any], who: str) -> dict[str, Any]:
    """What a write answers."""
    headers = {"Authorization": who, "Idempotency-Key": f"map-{next(KEYS)}"}
    answer = urllib3.request("POST", stack.url + path, json=body, headers=headers)
    assert answer.status in (200, 201), answer.data
    found: dict[str, Any] = answer.json()
    return found


def shown(stack: LocalStack) -> list[str]:
    """The reports in the box."""
    return [one["id"] for one in get(stack, f"/v1/map/reports?{BOX}").json()["features"]]


def test_a_report_comes_to_the_map_and_leaves_it(stack: LocalStack) -> None:
    """By view, circle, cells and changes, as a phone and a Command Center would follow it."""
    me = device(stack)
    stack.drain()
    start = get(stack, f"/v1/map/reports?{BOX}").json()
    before = get(stack, "/v1/map/cells?status=open").json()["total"]
    report = post(stack, "/v1/reports", {"service": "banjir", **PLACE}, me)["id"]
    assert report in shown(stack)
    near = get(stack, "/v1/map/nearby?lat=-6.1831&long=106.8402&radius=50").json()
    assert report in [one["id"] for one in near["reports"]]
    stack.drain()
    since = start["changes"]
    changes = get(stack, f"/v1/changes?since={since}").json()
    drawn = {one["id"]: one for one in changes["upsert"]}
    assert drawn[report]["geometry"]["coordinates"] == [PLACE["long"], PLACE["lat"]]
    assert get(stack, "/v1/map/cells?status=open").json()["total"] == before + 1
    post(stack, f"/v1/reports/{report}/actions", {"action": "withdraw", "version": 1}, me)
    stack.drain()
    after = get(stack, f"/v1/changes?since={changes['cursor']}").json()
    assert after["remove"] == [report]
    assert report not in shown(stack)
    assert get(stack, "/v1/map/cells?status=open").json()["total"] == before
    idle = get(stack, f"/v1/changes?since={after['cursor']}")
    assert idle.json()["upsert"] == idle.json()["remove"] == []


def test_a_large_answer_is_compressed_for_whoever_takes_it(stack: LocalStack) -> None:
    """As API Gateway does from ``minimum_compression_size`` on; the tag stays good."""
    for step in range(8):
        place = {"lat": -6.19 + step / 1000, "long": 106.83}
        post(stack, "/v1/reports", {"service": "sampah", **place}, device(stack))
    path = f"/v1/map/reports?{BOX}"
    plain = get(stack, path)
    packed = get(stack, path, **{"Accept-Encoding": "br, gzip;q=0.8"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.data)) == plain.json()
    assert len(packed.data) < len(plain.data) / 2
    refused = get(stack, path, **{"Accept-Encoding": "gzip;q=0"})
    assert "Content-Encoding" not in refused.headers
    again = get(stack, path, **{"If-None-Match": packed.headers["ETag"]})
    assert (again.status, again.data) == (304, b"")
