"""Clients that generators make from docs/openapi.json: made, checked and used as a citizen would.

Each files a report, uploads a photo and follows, against the product as ``make run`` serves it, and
what it sent must have arrived (``arrival``).
A generator that warns leaves something out, so a warning fails.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.docs.openapi import DOCUMENT
from tests.conformance import arrival
from tests.conformance.arrival import Sent
from tests.conformance.conftest import Running
from tests.conformance.test_clients import HERE, PYTHON, ROOT

pytestmark = pytest.mark.long
BIN = PYTHON.parent
GENERATED = HERE / "generated"
GENERATORS = ROOT / ".conformance" / "generators" / "node_modules"


def run(folder: Path, *words: str) -> str:
    """What the command says, with the Node.js of .venv-conformance; it must not fail."""
    environment = {**os.environ, "PATH": f"{BIN}:{GENERATORS / '.bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        list(words), cwd=folder, env=environment, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout + done.stderr


def sent_by(said: str) -> Sent:
    """What a client's script says that it sent, when it has passed."""
    assert said.splitlines()[-1] == "passed"
    (form,) = arrival.lines(said, "sent ")
    return Sent.of(form)


def typescript(folder: Path, client: str, running: Running, seed: int) -> Sent:
    """Check the types of the client and of what was generated, and run it: what it sent."""
    shutil.copy(GENERATED / client, folder)
    (folder / "node_modules").symlink_to(GENERATORS)
    run(folder, "tsc", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable",
        "--module", "nodenext", "--types", "node", "--outDir", "made", client)  # fmt: skip
    script = f"made/{Path(client).stem}.js"
    return sent_by(run(folder, "node", script, running.url, str(arrival.photo(folder, seed))))


def test_openapi_python_client_makes_a_client_that_files_uploads_and_follows(
    running: Running, tmp_path: Path
) -> None:
    said = run(
        tmp_path, "openapi-python-client", "generate", "--path", str(DOCUMENT), "--meta", "none",
        "--output-path", "tanggap_client", "--fail-on-warning",
    )  # fmt: skip
    assert "WARNING" not in said
    script = str(GENERATED / "python_client.py")
    photo = str(arrival.photo(tmp_path, 20))
    sent = sent_by(run(tmp_path, "python", script, running.url, str(tmp_path), photo))
    arrival.check(running.reader, sent)


def test_openapi_typescript_makes_types_that_file_upload_and_follow(
    running: Running, tmp_path: Path
) -> None:
    run(tmp_path, "openapi-typescript", str(DOCUMENT), "-o", "schema.d.ts")
    arrival.check(running.reader, typescript(tmp_path, "fetch_client.ts", running, 21))


def test_hey_api_makes_a_client_that_files_uploads_and_follows(
    running: Running, tmp_path: Path
) -> None:
    run(tmp_path, "openapi-ts", "-i", str(DOCUMENT), "-o", "hey", "-c", "@hey-api/client-fetch")
    sent = typescript(tmp_path, "hey_client.ts", running, 22)
    # It files a private report.
    assert running.reader.status(f"open311/v2/requests/{sent.id}.json") == 404
    arrival.check_inside(running.reader, sent)
