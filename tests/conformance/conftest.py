"""One running city for all clients."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
import urllib3

from infra.local.stack import LocalStack
from tests.support import photo_files


@dataclass(frozen=True)
class Running:
    """A city that has requests: ``url`` of the server, an Open311 key, a request, a photo."""

    url: str
    key: str
    report: str
    photo: Path

    @property
    def open311(self) -> tuple[str, str, str, str]:
        """What the clients of Open311 are started with."""
        return f"{self.url}/open311/v2", self.key, self.report, str(self.photo)


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The product as ``make run`` serves it.

    It ends with this package: its schedules run by the machine's clock, and would otherwise run
    in the AWS of other tests.
    """
    folder = tmp_path_factory.mktemp("conformance")
    with LocalStack(folder / "stack") as stack:
        from chalicelib import clock
        from chalicelib.services.identity import api_keys

        base = f"{stack.url}/open311/v2"
        _, key = api_keys.issue("demo", "conformance", 1000, clock.now())
        report = ""
        for number in range(3):
            form = urlencode({"api_key": key, "service_code": "banjir", "lat": "-6.1754",
                              "long": "106.8272", "description": f"Banjir {number}"})  # fmt: skip
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            made = urllib3.request("POST", f"{base}/requests.json", body=form, headers=headers)
            assert made.status == 200, made.data
            report = made.json()[0]["service_request_id"]
        _wait_for(f"{base}/tokens/t{report}.json", report)
        photo = folder / "photo.jpg"
        photo.write_bytes(photo_files.jpeg())
        yield Running(stack.url, key, report, photo)


def _wait_for(address: str, report: str) -> None:
    for _ in range(200):
        if report == urllib3.request("GET", address).json()[0]["service_request_id"]:
            return
        time.sleep(0.1)
    raise AssertionError("the lists never learnt of the report")
