"""Errors of the benches: the reason, with the last lines of a failed process."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

_LINES = 15


class BenchError(RuntimeError):
    """A figure cannot be measured; the text says why."""


def run(
    command: Sequence[str], *, input_text: str | None = None, env: Mapping[str, str] | None = None
) -> str:
    """Run a process, with ``input_text`` as its input. Returns what it printed.

    Raises ``BenchError`` with its last lines if it fails.
    """
    done = subprocess.run(
        command, input=input_text, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchError(failure(command, done.returncode, done.stderr))
    return done.stdout


def failure(command: Sequence[str], status: int, stderr: str) -> str:
    """The text about a process that failed: its command, status and last lines."""
    last = "\n".join(f"  {line}" for line in stderr.splitlines()[-_LINES:]) or "  (no output)"
    short = " ".join(word for word in command[1:5] if "\n" not in word)
    return f"`python {short}` ended with status {status}:\n{last}"


def reported(main: Callable[[], int]) -> int:
    """The exit status of ``main``; a ``BenchError`` is printed and gives 1."""
    try:
        return main()
    except BenchError as error:
        print(f"The bench gave up: {error}", file=sys.stderr)
        return 1
