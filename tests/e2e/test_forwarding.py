"""A city whose street lamps belong to another city: filed here, forwarded, repaired there, judged
here."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from chalicelib.settings import settings
from infra.local.stack import DEMO_CITY, LocalStack
from tests.e2e.test_photos import upload
from tests.support import photo_files

HERE, THERE, UNIT, SERVICE = "demo", "neighbour", "pju", "lampu_jalan"
PLACE = {"lat": -6.1754, "long": 106.8272}


@dataclass
class Two:
    """The demo city, and its neighbour, whose Open311 server is that of the lamps."""

    stack: LocalStack
    numbers: int = 0

    def ask(self, method: str, path: str, token: str, body: Any = None, city: str = HERE) -> Any:
        """The JSON of a good answer."""
        self.numbers += 1
        headers = {"Idempotency-Key": f"forwarding-{self.numbers}"}
        if token:
            headers["Authorization"] = token
        if body is not None:
            headers["Content-Type"] = "application/json"
        url = f"{self.stack.url}{path}?jurisdiction_id={city}"
        data = None if body is None else json.dumps(body)
        answer = urllib3.request(method, url, body=data, headers=headers)
        assert answer.status < 300, answer.data
        return json.loads(answer.data)

    def news(self) -> Any:
        """Run the schedule that asks the neighbour's server."""
        self.stack.drain()
        found = self.stack.fire("follow_forwards")
        self.stack.drain()
        return found

    def photo(self, token: str, city: str) -> str:
        """A photo that is uploaded and processed."""
        ticket = self.ask("POST", "/v1/photos", token, {"content_type": "image/jpeg"}, city)
        upload(ticket, photo_files.jpeg(photo_files.scene()))
        self.stack.drain()
        return str(ticket["photo"])

    def act(self, report: str, token: str, action: str, city: str, **fields: Any) -> Any:
        """Act on the newest version of a report."""
        version = self.ask("GET", f"/v1/reports/{report}", "", city=city)["version"]
        body = {"action": action, "version": version, **fields}
        return self.ask("POST", f"/v1/reports/{report}/actions", token, body, city)


@pytest.fixture(name="two")
def two_cities(stack: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    """Two cities; afterwards the first one is restored for the other tests."""
    from chalicelib.services.identity import api_keys
    from chalicelib.storage import city, forwards
    from infra.city.load import load_folder

    before = city.jurisdictions()
    monkeypatch.setenv("TANGGAP_OUTSIDE_LOCAL", stack.url)
    settings.cache_clear()
    try:
        load_folder(DEMO_CITY, jurisdiction=THERE)
        load_folder(_with_server(tmp_path / "city", stack.url))
        _, key = api_keys.issue(THERE, "the demo city", 1000, stack.clock.now())
        forwards.put_key(HERE, UNIT, key)
        yield Two(stack)
    finally:
        load_folder(DEMO_CITY)
        city.put_jurisdictions(before)
        monkeypatch.undo()
        settings.cache_clear()


def _with_server(folder: Path, url: str) -> Path:
    shutil.copytree(DEMO_CITY, folder)
    units = json.loads((folder / "units.json").read_text())
    unit = next(one for one in units["units"] if one["code"] == UNIT)
    unit["open311"] = {"endpoint": f"{url}/open311/v2", "jurisdiction_id": THERE, "updates": True}
    (folder / "units.json").write_text(json.dumps(units))
    return folder


def test_a_report_is_passed_on_to_another_city_and_its_repair_comes_back(two: Two) -> None:
    device = f"Device {two.ask('POST', '/v1/devices', '')['token']}"
    body = {"service": SERVICE, **PLACE, "description": "The lamp at the corner is dark"}
    report = two.ask("POST", "/v1/reports", device, body)["id"]
    two.stack.drain()
    seen = two.ask("GET", f"/v1/reports/{report}", device)
    there = seen["outside"]["request"]
    assert seen["outside"] == {"unit": UNIT, "request": there}
    copy = two.ask("GET", f"/v1/reports/{there}", "", city=THERE)
    assert copy["description"].startswith("The lamp at the corner is dark\n")
    assert (copy["lat"], copy["long"]) == (seen["lat"], seen["long"])

    worker, officer, verifier = (
        f"Bearer {two.stack.token(name)}"
        for name in ("field_worker-pju", "officer-pju", "verifier-1")
    )
    two.act(there, officer, "assign", THERE, person="s_field_worker-pju", note="To the crew")
    two.act(there, worker, "start", THERE, note="On our way")
    assert two.news() == {"told_outside": 1}
    two.act(there, worker, "finish", THERE, note="New bulb", photos=[two.photo(worker, THERE)])
    assert two.news() == {"finish_outside": 1}
    two.act(there, verifier, "verify", THERE, note="Shines")
    assert two.news() == {"told_outside": 1}
    assert two.news() == {}

    seen = two.ask("GET", f"/v1/reports/{report}", device)
    assert (seen["state"], seen["resolution"]) == ("work_done", None)
    events = two.ask("GET", f"/v1/reports/{report}/timeline", "")["events"]
    assert [event["action"] for event in events] == [
        "file", "forwarded", "told_outside", "finish_outside", "told_outside",
    ]  # fmt: skip
    assert [list(event["words"].values()) for event in events[2:]] == [
        ["On our way"], ["New bulb"], ["Shines"],
    ]  # fmt: skip
    two.act(report, device, "verify", HERE)
    assert two.ask("GET", f"/v1/reports/{report}", device)["resolution"] == "verified"
