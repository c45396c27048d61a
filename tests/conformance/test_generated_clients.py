"""Clients that generators make from docs/openapi.json: made, checked and used as a citizen would.

Each files a report, uploads a photo and follows, against the product as ``make run`` serves it.
A generator that warns leaves something out, so a warning fails.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from infra.docs.openapi import DOCUMENT
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


def typescript(folder: Path, client: str, running: Running) -> None:
    """Check the types of the client and of what was generated, and run it."""
    shutil.copy(GENERATED / client, folder)
    (folder / "node_modules").symlink_to(GENERATORS)
    run(folder, "tsc", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable",
        "--module", "nodenext", "--types", "node", "--outDir", "made", client)  # fmt: skip
    script = f"made/{Path(client).stem}.js"
    said = run(folder, "node", script, running.url, str(running.photo))
    assert said.splitlines()[-1] == "passed"


def test_openapi_python_client_makes_a_client_that_files_uploads_and_follows(
    running: Running, tmp_path: Path
) -> None:
    said = run(
        tmp_path, "openapi-python-client", "generate", "--path", str(DOCUMENT), "--meta", "none",
        "--output-path", "tanggap_client", "--fail-on-warning",
    )  # fmt: skip
    assert "WARNING" not in said
    script = str(GENERATED / "python_client.py")
    said = run(tmp_path, "python", script, running.url, str(tmp_path), str(running.photo))
    assert said.splitlines()[-1] == "passed"


def test_openapi_typescript_makes_types_that_file_upload_and_follow(
    running: Running, tmp_path: Path
) -> None:
    run(tmp_path, "openapi-typescript", str(DOCUMENT), "-o", "schema.d.ts")
    typescript(tmp_path, "fetch_client.ts", running)


def test_hey_api_makes_a_client_that_files_uploads_and_follows(
    running: Running, tmp_path: Path
) -> None:
    run(tmp_path, "openapi-ts", "-i", str(DOCUMENT), "-o", "hey", "-c", "@hey-api/client-fetch")
    typescript(tmp_path, "hey_client.ts", running)
