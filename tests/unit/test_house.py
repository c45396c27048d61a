"""The picture of the code in docs/architecture.md is the code's own."""

from pathlib import Path

from infra.docs import house

ROOT = Path(__file__).parents[2]


def test_the_picture_of_the_house_is_drawn_from_the_code() -> None:
    assert house.PAGE.read_text() == house.text(), "run: python -m infra.docs.house"


def test_every_subject_says_in_one_line_what_it_is() -> None:
    bare = [line for line in house.drawn().splitlines()[1:-1] if len(line.split(None, 1)) < 2]
    assert bare == []


# Modules that may be longer, each with the reason.
LONG: dict[str, str] = {}


def test_no_module_is_too_long_to_read_in_one_go() -> None:
    too_long = {
        str(path.relative_to(ROOT)): lines
        for folder in ("chalicelib", "infra", "bench")
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 300
    }
    assert set(too_long) <= set(LONG), "split these modules, one subject each"
