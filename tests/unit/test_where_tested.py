"""Every module of domain and services has a test file of its name, or names one in its
docstring."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_module_has_a_test_of_its_name_or_says_where_it_is_tested() -> None:
    names = {path.stem for path in (ROOT / "tests").rglob("test_*.py")}
    lost = []
    for layer in ("services", "domain"):
        for path in sorted((ROOT / "chalicelib" / layer).rglob("*.py")):
            if path.name == "__init__.py" or f"test_{path.stem}" in names:
                continue
            words = ast.get_docstring(ast.parse(path.read_text())) or ""
            said = re.search(r"^Tests: (tests/[\w/]+\.py)$", words, re.M)
            if said is None or not (ROOT / said[1]).is_file():
                lost.append(str(path.relative_to(ROOT)))
    assert lost == []
