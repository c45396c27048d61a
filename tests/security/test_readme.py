"""The table of cases names every case, every test of it, and no test that is gone."""

import re
from pathlib import Path

HERE = Path(__file__).parent
CASES = {*range(1, 91), 96, 97, 98, *range(104, 113)}


def test_every_case_has_a_row_with_a_test_or_a_reason() -> None:
    rows = re.findall(r"^\| (\d+) \|(.*)\|(.*)\|$", (HERE / "README.md").read_text("utf-8"), re.M)
    assert {int(number) for number, _, _ in rows} == CASES
    for number, tests, missing in rows:
        assert tests.strip() or missing.strip(), number
        for named in re.findall(r"test_case_(\d+)_", tests):
            assert int(named) == int(number)


def test_the_table_and_the_tests_name_each_other() -> None:
    code = "".join(path.read_text("utf-8") for path in HERE.glob("test_*.py"))
    made = set(re.findall(r"^def (test_case_\w+)", code, re.M))
    said = set(re.findall(r"`(test_case_\w+)`", (HERE / "README.md").read_text("utf-8")))
    assert made == said


def test_tests_of_other_folders_that_the_table_names_exist() -> None:
    said = set(re.findall(r"`(test_(?!case_)\w+)`", (HERE / "README.md").read_text("utf-8")))
    code = "".join(path.read_text("utf-8") for path in HERE.parent.rglob("test_*.py"))
    assert said
    assert {one for one in said if f"def {one}(" not in code} == set()
