"""A report filed over HTTP arrives at another system, signed, with its later events in order."""

import json
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import urllib3

from chalicelib.outside import webhooks as outside
from chalicelib.settings import settings
from infra.local.stack import DEMO_CITY, LocalStack
from tests.unit.test_webhooks import samples

SECRET = outside.secret(b"e" * 32)
HOOK = {"code": "lapor", "states": {"submitted": "Belum", "*": "Proses"}, "outside_id": "id"}
Taken = list[tuple[dict[str, str], bytes]]


@pytest.fixture(name="taken")
def fixture_taken(
    stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Taken]:
    """What another system of the demo city has taken; it refuses its first event once."""
    from chalicelib.storage import webhooks as store
    from infra.city.load import load_folder

    stack.drain()
    taken: Taken = []
    refusals = [503]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = refusals.pop() if refusals else 200
            if status == 200:
                taken.append(({name.lower(): one for name, one in self.headers.items()}, body))
            answer = json.dumps({"id": 8812}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_request(self, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}).start()
    base = f"http://127.0.0.1:{http.server_address[1]}"
    monkeypatch.setenv("TANGGAP_OUTSIDE_LOCAL", base)
    settings.cache_clear()
    folder = tmp_path / "city"
    shutil.copytree(DEMO_CITY, folder)
    hooks = {"webhooks": [{**HOOK, "url": f"{base}/hook"}]}
    (folder / "webhooks.json").write_text(json.dumps(hooks))
    try:
        load_folder(folder)
        store.put_secrets("demo", "lapor", [SECRET])
        yield taken
    finally:
        http.shutdown()
        http.server_close()
        load_folder(DEMO_CITY)
        monkeypatch.undo()
        settings.cache_clear()


def test_another_system_gets_a_report_and_what_becomes_of_it(
    stack: LocalStack, taken: Taken
) -> None:
    def ask(path: str, token: str = "", body: Any = None) -> Any:
        headers = {"Content-Type": "application/json", "Idempotency-Key": path}
        headers |= {"Authorization": token} if token else {}
        url = f"{stack.url}{path}?jurisdiction_id=demo"
        answer = urllib3.request("POST", url, body=json.dumps(body), headers=headers)
        assert answer.status < 300, answer.data
        return json.loads(answer.data)

    token = ask("/v1/devices", body={})["token"]
    body = {"service": "lampu_jalan", "lat": -6.1754, "long": 106.8272, "description": "Dark"}
    report = ask("/v1/reports", f"Device {token}", body)["id"]
    stack.drain()
    assert taken, "the event that was refused comes again"
    official = f"Bearer {stack.token('officer-pju')}"
    change = {"action": "assign", "version": 1, "person": "s_field_worker-pju"}
    ask(f"/v1/reports/{report}/actions", official, change)
    stack.drain()
    names: dict[str, Any] = {}
    exec(samples("python"), names)
    # Reports of other tests may have events, too.
    documents = [json.loads(document) for _, document in taken]
    own = [one for one in documents if one["data"]["event"]["id"].startswith(report)]
    assert [one["type"] for one in own] == ["report.file", "report.assign"]
    events = [one["data"] for one in own]
    assert [event["outside_id"] for event in events] == [None, "8812"]
    assert [event["event"]["their_state"] for event in events] == ["Belum", "Proses"]
    assert all(names["verify"](SECRET, headers, document) for headers, document in taken)
