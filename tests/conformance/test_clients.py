"""Each client in a process of its own, against the product as ``make run`` serves it.

What a client sent must have arrived, and what it read must be what was sent (``arrival``).
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance import arrival
from tests.conformance.arrival import Sent
from tests.conformance.conftest import Running

pytestmark = pytest.mark.long
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON = ROOT / ".venv-conformance" / "bin" / "python"
NODE_MODULES = ROOT / ".conformance" / "node_modules"
SCRIPTS = sorted((HERE / "clients").glob("*_client.*"))
# Those that only read.
READERS = {"boston311", "chicagorequests", "georeport"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_what_a_client_sends_arrives_and_what_it_reads_is_what_was_sent(
    script: Path, running: Running, tmp_path: Path
) -> None:
    photo = arrival.photo(tmp_path, 2 + SCRIPTS.index(script))
    program = "node" if script.suffix == ".js" else str(PYTHON)
    done = subprocess.run(
        [program, str(script), *running.open311(photo)], capture_output=True, text=True,
        check=False, timeout=120, env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "passed"
    rows = arrival.lines(done.stdout, "read ")
    assert rows
    for row in rows:
        arrival.same(row, running.sent)
        arrival.shows(str(row["media_url"]), running.photo)
    forms = arrival.lines(done.stdout, "sent ")
    assert bool(forms) is (script.stem.removesuffix("_client") not in READERS)
    for form in forms:
        arrival.check(running.reader, Sent.of(form))
