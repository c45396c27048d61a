"""Each client in a process of its own, against the product as ``make run`` serves it."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import urllib3

from infra.local.stack import LocalStack
from tests import darkroom

pytestmark = pytest.mark.long
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON = ROOT / ".venv-conformance" / "bin" / "python"
NODE_MODULES = ROOT / ".conformance" / "node_modules"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str, str]]:
    """(base, key, report, photo) of a running city that has requests."""
    folder = tmp_path_factory.mktemp("conformance")
    with LocalStack(folder / "stack") as stack:
        from chalicelib import clock
        from chalicelib.services import api_keys

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
        photo.write_bytes(darkroom.jpeg())
        yield base, key, report, str(photo)


def _wait_for(address: str, report: str) -> None:
    for _ in range(200):
        if report == urllib3.request("GET", address).json()[0]["service_request_id"]:
            return
        time.sleep(0.1)
    raise AssertionError("the lists never learnt of the report")


@pytest.mark.parametrize("name", sorted(one.stem for one in HERE.glob("clients/*.py")))
def test_a_python_client_passes(name: str, running: tuple[str, str, str, str]) -> None:
    script = HERE / "clients" / f"{name}.py"
    done = subprocess.run(
        [str(PYTHON), str(script), *running], capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "passed"


def test_the_node_client_passes(running: tuple[str, str, str, str]) -> None:
    environment = {**os.environ, "NODE_PATH": str(NODE_MODULES)}
    script = HERE / "clients" / "open311_client.js"
    done = subprocess.run(
        ["node", str(script), *running], capture_output=True, text=True, check=False,
        timeout=120, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "passed"
