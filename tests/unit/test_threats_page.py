"""The page of threats has every case that a test or the table of cases cites."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "threats.md"


def test_every_case_that_a_test_cites_is_on_the_page_once() -> None:
    code = "".join(path.read_text("utf-8") for path in TESTS.rglob("test_*.py"))
    cited = {int(number) for number in re.findall(r"def test_case_0*(\d+)_", code)}
    table = (TESTS / "security" / "README.md").read_text("utf-8")
    cited |= {int(number) for number in re.findall(r"^\| (\d+) \|", table, re.M)}
    said = [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE.read_text("utf-8"), re.M)]
    assert sorted(said) == sorted(cited)
