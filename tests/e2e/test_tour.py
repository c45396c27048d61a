"""The tour of docs/tour.md works by copy and paste, in bash and in zsh."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.stack import running_stack

ROOT = Path(__file__).parents[2]
# As a person types: no start-up files, comments and history as in an interactive shell.
SHELLS = {"bash": ["bash", "--norc", "-i"], "zsh": ["zsh", "-f", "-i"]}


def tour() -> str:
    """The tour's blocks, one after the other."""
    page = (ROOT / "docs" / "tour.md").read_text("utf-8")
    found = re.search(r"<!-- tour -->(.*)<!-- /tour -->", page, re.DOTALL)
    assert found is not None
    return "\n".join(re.findall(r"```sh\n(.*?)```", found[1], re.DOTALL))


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The tour for a stack of our own, which runs beside the shells as a person would have it."""
    data = tmp_path_factory.mktemp("tour") / "data"
    commands = f"{sys.executable} -m infra.local --data {data}"
    with running_stack(data) as environment:
        yield (
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


@pytest.mark.parametrize("shell", SHELLS)
def test_the_tour_ends_with_a_verified_repair(script: str, shell: str) -> None:
    """Pasted into a shell, it files, finishes, confirms, rates, and the tallies show it."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run(
        SHELLS[shell],
        input=script,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PS1": "", "HISTFILE": os.devnull},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Apakah" in done.stdout or "repaired" in done.stdout
    (timeline,) = re.findall(r'\{\s*"id": "[^}]*?"events".*?\n\}', done.stdout, re.DOTALL)
    actions = [event["action"] for event in json.loads(timeline)["events"]]
    # The second shell's photo is the first one's again, which officials see.
    assert [action for action in actions if action != "inside"] == [
        "file",
        "assign",
        "start",
        "finish",
        "verify",
        "rate",
    ]
    assert re.search(r'"verified": [1-9]', done.stdout)
