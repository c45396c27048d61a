"""A bench says why it gave up (``bench.failures``)."""

import sys

import pytest

from bench.failures import BenchError, reported, run

_FAILING = [
    sys.executable,
    "-c",
    "import sys; print('no such table', file=sys.stderr); sys.exit(3)",
]


def test_a_failed_process_is_named_with_its_status_and_its_last_lines() -> None:
    with pytest.raises(BenchError, match="ended with status 3") as caught:
        run(_FAILING)
    assert str(caught.value).endswith("no such table")


def test_what_a_process_prints_is_returned() -> None:
    assert run([sys.executable, "-c", "print(input())"], input_text="seven") == "seven\n"


def test_the_reason_is_printed_and_the_exit_status_is_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def give_up() -> int:
        raise BenchError("the local stack did not answer within 90 s")

    assert reported(give_up) == 1
    assert capsys.readouterr().err == (
        "The bench gave up: the local stack did not answer within 90 s\n"
    )
    assert reported(lambda: 0) == 0
