"""``python -m infra.city scorecard``: the ranking of a month, wherever the figures lie."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.city import __main__ as command
from infra.local import stack as local
from infra.local.schedules import Clock
from infra.local.stack import LocalStack

START = datetime(2026, 11, 2, 1, tzinfo=UTC)


def test_it_prints_what_the_local_stack_or_the_demo_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo's folder is looked at where the stack's own has nothing of that month."""
    own, demo = tmp_path / "own", tmp_path / "demo"
    monkeypatch.setattr(local, "DATA", own)
    monkeypatch.setattr(local, "DEMO", demo)
    assert command.main(["scorecard", "2026-11"]) == 1
    assert capsys.readouterr().err == "no scorecards of 202611\n"
    own.mkdir()
    with LocalStack(demo, clock=Clock(START, 0), drivers="manual") as stack:
        stack.fire("keep_scorecards")
    assert command.main(["scorecard", "2026-11"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("demo 2026-11, live, revision 0")
    assert "the whole city" in printed
    with pytest.raises(SystemExit):
        command.main(["scorecard", "2026-13"])
