"""The glossary names modules that exist, and each word once."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| `([\w/.]+)` \|$",
    (ROOT / "docs" / "glossary.md").read_text(),
    re.M,
)


def test_every_word_of_the_glossary_has_a_module_that_exists() -> None:
    assert len(ROWS) > 60
    missing = [(row[0], row[3]) for row in ROWS if not (ROOT / "chalicelib" / row[3]).is_file()]
    assert missing == []


def test_no_word_stands_twice_in_the_glossary() -> None:
    words = [word for row in ROWS for word in row[0].split(", ")]
    assert sorted(set(words)) == sorted(words)
