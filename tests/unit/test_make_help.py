"""What `make` alone shows: every command with what it does, and nothing is started."""

import re
import subprocess
from pathlib import Path

MAKEFILE = Path(__file__).parents[2] / "Makefile"


def _commands() -> set[str]:
    lines = MAKEFILE.read_text().splitlines()
    phony = [line for line in lines if line.startswith(".PHONY:")]
    return {name for line in phony for name in line.split()[1:]}


def test_make_alone_prints_every_command_with_what_it_does() -> None:
    shown = subprocess.run(
        ["make", "-s", "-C", str(MAKEFILE.parent)], capture_output=True, text=True, check=True
    ).stdout
    lines = re.findall(r"^make (\S+) +(\S.*)$", shown, re.M)
    assert {name for name, _ in lines} == _commands()
    assert len(lines) == len(shown.splitlines())


def test_every_command_of_the_makefile_is_declared_phony() -> None:
    text = MAKEFILE.read_text()
    assert set(re.findall(r"^([a-z][a-z0-9-]*):", text, re.M)) == _commands()
