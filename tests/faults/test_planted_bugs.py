"""Each planted bug, a patch file of ``bugs/``, is caught by the checker named here.

The patch is applied to a copy of the product, and the races or histories run on that. A patch
that no longer applies fails its test: make it again from the changed code.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUGS = Path(__file__).parent / "bugs"
# Bug → the command that runs on it, and the invariant that it must report.
CAUGHT = {
    "submit_without_idempotency_condition": ("races 0 double_submit", "I2"),
    "key_written_after_the_report": ("races 0 double_submit", "I2"),
    "unknown_taken_for_success": ("histories 0 20", "I6"),
    "version_not_compared": ("races 0 two_officers", "I6"),
    "event_written_after_the_head": ("races 1 two_officers", "I5"),
    "consumer_without_marker": ("races 0 two_consumers", "I4"),
    "marker_in_a_call_of_its_own": ("races 1 two_consumers", "I3"),
    "consumer_swallows_failures": ("histories 0 10", "I7"),
    "outbox_row_deleted_before_publishing": ("races 1 two_relays", "I3"),
    "limit_not_a_condition": ("races 0 last_of_the_limit", "I4"),
    "support_counted_twice": ("races 0 double_support", "I4"),
    "photo_used_twice": ("races 0 one_photo", "I8"),
    "ticket_not_compared_by_the_function_of_photos": ("races 0 photo_used_while_made", "I8"),
    "photo_told_at_every_delivery": ("races 0 photo_made_twice", "I8"),
    "photo_not_asked_for_again": ("races 0 photo_used_while_made", "I3"),
    "sent_before_sending": ("races 1 two_senders", "I3"),
    "lease_not_a_condition": ("races 0 two_relays", "I15"),
    "sending_not_claimed": ("races 0 two_senders", "I15"),
    "lease_never_expires": ("races 1 two_relays", "I3"),
    "contact_in_the_head": ("histories 0 10", "I10"),
    "alert_key_by_the_clock": ("histories 0 10", "I3"),
    "breach_not_remembered": ("clocks 0 20", "I11"),
    "ladder_reset_by_assigning": ("clocks 100 160", "I11"),
    "unassigned_never_escalate": ("clocks 0 20", "I11"),
    "level_skipped": ("clocks 0 20", "I11"),
    "sweep_from_a_watermark": ("clocks 0 20", "I11"),
    "right_from_another_scope": ("rights", "I12"),
    "stale_version_accepted_for_one_action": ("stale", "I6"),
    "erase_by_channel": ("channels 0 5", "I13"),
    "older_score_row_overwrites": ("races 0 late_record", "I4"),
    "markers_lapse_after_an_hour": ("histories 0 10", "I7"),
    "event_not_noted_for_the_root": ("histories 0 10", "I5"),
    "secret_report_in_its_month": ("histories 0 10", "I5"),
    "audience_without_fallback": ("recipients", "I14"),
    "webhook_cursor_before_the_send": ("webhooks 0 10", "I16"),
    "webhook_news_of_a_taken_row_forgotten": ("webhooks 0 20", "I16"),
}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what runs."""
    copy = tmp_path_factory.mktemp("product")
    for part in ("chalicelib", "infra", "tests"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def test_every_patch_has_its_checker() -> None:
    assert sorted(path.stem for path in BUGS.glob("*.patch")) == sorted(CAUGHT)


@pytest.mark.long
@pytest.mark.parametrize("bug", CAUGHT)
def test_the_bug_is_caught(
    bug: str, product: Path, record_property: Callable[[str, object], None]
) -> None:
    command, invariant = CAUGHT[bug]
    patch = BUGS / f"{bug}.patch"
    _git(product, "apply", "-C1", str(patch))
    try:
        found = _run(product, command)
    finally:
        _git(product, "apply", "-R", "-C1", str(patch))
    assert found.returncode == 1, found.stdout + found.stderr
    assert f"{invariant} " in found.stdout, found.stdout
    assert "seed" in found.stdout
    record_property("summary", _summary(bug, invariant, found.stdout.splitlines()))


def _summary(bug: str, invariant: str, lines: list[str]) -> str:
    broken = next(line for line in lines if line.startswith(f"{invariant} "))
    schedule = next(line for line in lines if line.startswith("schedule: "))
    return "\n".join([f"{bug}: {lines[0]}", broken, schedule[:200]])


def _run(product: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults", "--first", *command.split()],
        cwd=product,
        env={**os.environ, "PYTHONPATH": str(product), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def _git(product: Path, *arguments: str) -> None:
    # A repository around the copy must not be taken for the one to patch.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(product.parent)}
    done = subprocess.run(
        ["git", *arguments], cwd=product, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"git {arguments} failed: {done.stderr}"
