"""``python -m infra.docs.house``: draw the layers and subjects into docs/architecture.md.

The order comes from the import contracts in pyproject.toml, the texts from the first line of each
package's docstring. A test fails if the page differs from the code.
"""

import ast
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- the house: begin -->\n", "<!-- the house: end -->\n"
_LAYERS = {
    "edge": ("entrypoints", "routes", "pages", "http", "auth"),
    "services": ("services",),
    "below services": ("imaging", "outside", "storage"),
    "domain": ("domain",),
}


def drawn() -> str:
    """The picture, the text between the two marks."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    orders = {
        contract["containers"][0]: contract["layers"]
        for contract in contracts["contracts"]
        if contract["type"] == "layers" and "containers" in contract
    }
    lines = ["app.py                        every way in: routes, schedules, streams, queues"]
    for packages in _LAYERS.values():
        for name in packages:
            lines.append(_line("chalicelib", name, 0))
            for layer in orders.get(f"chalicelib.{name}", []):
                lines += [
                    _line(f"chalicelib/{name}", part.strip(), 1)
                    for part in layer.split("|")
                    if name in ("services", "domain")
                ]
    return "```\n" + "\n".join(lines) + "\n```\n"


def text() -> str:
    """The page with the current picture."""
    page = PAGE.read_text()
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + BEGIN + drawn() + END + tail


def _line(folder: str, name: str, depth: int) -> str:
    path = ROOT / folder / name
    package = path.is_dir()
    source = (path / "__init__.py" if package else path.with_suffix(".py")).read_text()
    words = (ast.get_docstring(ast.parse(source)) or "").split("\n")[0].split(". ")[0]
    shown = "  " * depth + name + ("/" if package else ".py")
    return f"{shown:<30}{words}"


def main() -> int:
    """Write the page; with ``--check`` the exit status says whether it is up to date."""
    if "--check" in sys.argv[1:]:
        return int(PAGE.read_text() != text())
    PAGE.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
