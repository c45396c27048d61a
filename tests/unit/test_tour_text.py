"""What people paste from our pages works in bash and in zsh, on Linux and on a Mac."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCKS = [
    pytest.param(code, id=f"{page}-{number}")
    for page in ("README.md", "docs/tour.md", "CONTRIBUTING.md")
    for number, code in enumerate(
        re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL), 1
    )
]
# What BSD tools of a Mac lack, and why.
ELSEWHERE_UNKNOWN = {
    r"date [^|;)]*%N": "BSD date has no nanoseconds",
    r"date (-d|--\w)": "BSD date has no -d",
    r"sed (-i\b|-r\b|--\w)": "BSD sed takes -i and -r otherwise",
    r"grep (-\w*P|--\w)": "BSD grep has no -P",
    r"(head|tail) -n -": "BSD head counts no lines from the end",
    r"readlink -f|realpath|mktemp --|stat -c|sort -V|xargs -r|tac\b|timeout \d|nproc|md5sum": "GNU",
    r"\becho\b": "the echo of zsh reads backslashes; use printf",
    r"\b(path|status|prompt|argv)=": "a special variable of zsh",
    r"(?m)^[^'\"\n]*\s/\S*\?": "zsh takes a bare ? for a pattern",
}


@pytest.mark.parametrize("code", BLOCKS)
def test_a_block_to_paste_needs_nothing_that_only_gnu_or_bash_has(code: str) -> None:
    for pattern, reason in ELSEWHERE_UNKNOWN.items():
        assert not re.search(pattern, code), reason


@pytest.mark.parametrize("code", BLOCKS)
def test_a_block_to_paste_has_no_apostrophe_in_a_comment(code: str) -> None:
    # Pasted into an interactive zsh a comment is a command, so that an apostrophe opens a string.
    for line in code.splitlines():
        comment = re.search(r"(^|\s)#\s(.*)", line)
        assert comment is None or not re.search(r"['\"`*?()\[\]<>|&;$!]", comment[2]), line


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize("code", BLOCKS)
def test_a_shell_reads_a_block_to_its_end(code: str, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    checked = subprocess.run([shell, "-n", "-c", code], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_tour_has_no_comments_at_all() -> None:
    text = (ROOT / "docs" / "tour.md").read_text("utf-8")
    for code in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        assert not re.search(r"(?m)^\s*#", code)
