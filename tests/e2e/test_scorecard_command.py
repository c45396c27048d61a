"""``python -m infra.city scorecard``: the ranking of a month, from the stack's data or the
demo's."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# In processes of their own: one process has one local stack, and the tests may have theirs.
_STACK = """
from datetime import UTC, datetime
from infra.local.schedules import Clock
from infra.emulator.session import DEMO
from infra.local.stack import LocalStack
clock = Clock(datetime(2026, 11, 2, 1, tzinfo=UTC), 0)
with LocalStack(DEMO, clock=clock, drivers="manual") as stack:
    stack.fire("keep_scorecards")
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, without the tests' environment."""
    kept = ("AWS_", "TANGGAP_")
    environment = {name: text for name, text in os.environ.items() if not name.startswith(kept)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_ranking_of_the_local_stack_or_of_the_demo_is_printed(tmp_path: Path) -> None:
    """The demo's folder is used if the stack's own has nothing for that month."""
    ask = ("-m", "infra.city", "scorecard")
    nothing = run(tmp_path, *ask, "2026-11")
    assert (nothing.returncode, nothing.stderr) == (1, "no scorecards of 202611\n")
    made = run(tmp_path, "-c", _STACK)
    assert made.returncode == 0, made.stderr
    found = run(tmp_path, *ask, "2026-11")
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith("demo 2026-11, live, revision 0")
    assert "the whole city" in found.stdout
    assert run(tmp_path, *ask, "2026-13").returncode == 2
