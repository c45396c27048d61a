"""Modules and files that documents and docstrings name do exist."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LAYERS = "services|domain|storage|http|auth|routes|entrypoints|pages|imaging|outside"
_MODULE = re.compile(rf"`(?:chalicelib\.)?((?:{_LAYERS})(?:\.\w+)+)")
_TOOL = re.compile(r"(?<![\w./-])((?:infra|tests|bench)(?:\.\w+)+)(?=[`\s])")
_FILE = re.compile(
    r"(?<![\w./-])((?:chalicelib|infra|tests|bench|docs)/[\w/-]+\.(?:py|md|json|sh))\b"
)

_IMPORT = re.compile(r"^\s*from ((?:chalicelib|infra|tests)[\w.]*) import ([\w, ]+)$", re.M)


def _texts() -> list[tuple[str, str]]:
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.md", "Makefile"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    # Decisions and the changelog may name former modules.
    return [
        (name, (ROOT / name).read_text())
        for name in listed
        if not name.startswith(("docs/decisions/", "CHANGELOG", "tests/unit/test_names"))
    ]


def _exists(root: Path, dotted: str) -> bool:
    """Whether ``dotted`` is a module, or a name that a module has."""
    path = root
    for at, part in enumerate(dotted.split(".")):
        if (path / part).is_dir():
            path = path / part
        elif (path / f"{part}.py").is_file():
            rest = dotted.split(".")[at + 1 :]
            text = (path / f"{part}.py").read_text()
            return not rest or re.search(rf"\b{re.escape(rest[0])}\b", text) is not None
        else:
            init = path / "__init__.py"
            return init.is_file() and re.search(rf"\b{part}\b", init.read_text()) is not None
    return True


def test_modules_that_are_named_exist() -> None:
    missing = {
        (name, found)
        for name, text in _texts()
        for pattern, root in ((_MODULE, ROOT / "chalicelib"), (_TOOL, ROOT))
        for found in pattern.findall(text)
        if not found.endswith((".json", ".md")) and not _exists(root, found)
    }
    assert missing == set()


def test_files_that_are_named_exist() -> None:
    missing = {
        (name, found)
        for name, text in _texts()
        for found in _FILE.findall(text)
        if not (ROOT / found).exists()
    }
    assert missing == set()


def test_programs_in_strings_import_what_exists() -> None:
    """Tests and benches run small programs in processes of their own; no checker reads those."""
    missing = set()
    for name, text in _texts():
        if not name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(text)):
            if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                continue
            for module, names in _IMPORT.findall(node.value):
                for each in names.split(","):
                    dotted = f"{module}.{each.split(' as ')[0].strip()}"
                    if not _exists(ROOT, dotted):
                        missing.add((name, dotted))
    assert missing == set()
