"""The README's tour works by copy and paste."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from bench.stack import running_stack

ROOT = Path(__file__).parents[2]


def tour() -> str:
    """The tour's commands, as the README prints them."""
    readme = (ROOT / "README.md").read_text()
    found = re.search(r"<!-- tour -->\s*```sh\n(.*?)```\s*<!-- /tour -->", readme, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_tour_of_the_readme_ends_with_a_verified_repair(tmp_path: Path) -> None:
    """Pasted into a shell, it files, finishes, confirms, rates, and the tallies show it."""
    # In a process of its own, as a person would have it beside the shell.
    with running_stack(tmp_path / "data") as environment:
        commands = f"{sys.executable} -m infra.local --data {tmp_path / 'data'}"
        script = (
            tour()
            .replace("http://127.0.0.1:8000", environment["TANGGAP_PUBLIC_URL"])
            .replace(
                "make -s token ROLE=officer DISTRICT=",
                f"{commands} token --role officer --district ",
            )
            .replace("make -s mail TO=", f"{commands} mail --to ")
            .replace(" WAIT=", " --wait ")
            .replace("python3", sys.executable)
        )
        done = subprocess.run(
            ["bash", "-c", f'set -e\n{script}\necho "ID=$ID"'],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Apakah" in done.stdout or "repaired" in done.stdout
    timeline = json.loads(
        re.search(r'\{\s*"id": "[^}]*?"events".*?\n\}', done.stdout, re.DOTALL)[0]
    )  # type: ignore[index]
    actions = [event["action"] for event in timeline["events"]]
    assert actions == ["file", "assign", "start", "finish", "verify", "rate"]
    assert '"verified": 1' in done.stdout
