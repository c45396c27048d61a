"""Every relative link in a page leads to a file, and every anchor to a heading of that file."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")],
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")


def _anchors(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    anchors: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        words = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        anchor, n = words, 0
        while anchor in anchors:
            n += 1
            anchor = f"{words}-{n}"
        anchors.add(anchor)
    return anchors


def broken(page: Path) -> list[str]:
    """The links of a page that lead nowhere, as they are written."""
    text = page.read_text(encoding="utf-8")
    wrong = []
    for link in LINK.findall(CODE.sub("", FENCE.sub("", text))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        anchors = (
            _anchors(target.read_text(encoding="utf-8")) if anchor and target.is_file() else {""}
        )
        if not target.exists() or anchor not in anchors:
            wrong.append(link)
    return wrong


def test_every_relative_link_between_pages_leads_somewhere() -> None:
    links = {str(page.relative_to(ROOT)): broken(page) for page in PAGES}
    assert {page: wrong for page, wrong in links.items() if wrong} == {}


def test_a_link_to_a_missing_page_or_heading_is_found(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("# Day 0\n\n## Day 0\n", encoding="utf-8")
    page = tmp_path / "a.md"
    page.write_text("[x](b.md#day-0-1) [y](b.md#day-1) [z](c.md) `[w](d.md)`", encoding="utf-8")
    assert broken(page) == ["b.md#day-1", "c.md"]


def test_every_page_can_be_reached_from_the_readme() -> None:
    """Pages of folders (decisions, incidents) are reached by the folder's own link."""
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached:
            continue
        reached.add(page)
        for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.is_dir():
                todo += target.glob("*.md")
            elif target.suffix == ".md" and target.exists():
                todo.append(target)
    pages = {page for page in PAGES if "tests" not in page.relative_to(ROOT).parts}
    assert {str(page.relative_to(ROOT)) for page in pages - reached} == set()
