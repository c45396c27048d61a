"""Each client in a process of its own, against the product as ``make run`` serves it."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance.conftest import Running

pytestmark = pytest.mark.long
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON = ROOT / ".venv-conformance" / "bin" / "python"
NODE_MODULES = ROOT / ".conformance" / "node_modules"


@pytest.mark.parametrize("name", sorted(one.stem for one in HERE.glob("clients/*.py")))
def test_a_python_client_passes(name: str, running: Running) -> None:
    script = HERE / "clients" / f"{name}.py"
    done = subprocess.run(
        [str(PYTHON), str(script), *running.open311], capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "passed"


def test_the_node_client_passes(running: Running) -> None:
    environment = {**os.environ, "NODE_PATH": str(NODE_MODULES)}
    script = HERE / "clients" / "open311_client.js"
    done = subprocess.run(
        ["node", str(script), *running.open311], capture_output=True, text=True, check=False,
        timeout=120, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "passed"
