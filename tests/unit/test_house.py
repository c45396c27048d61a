"""The picture of the code in docs/architecture.md is the code's own."""

from infra.docs import house


def test_the_picture_of_the_house_is_drawn_from_the_code() -> None:
    assert house.PAGE.read_text() == house.text(), "run: python -m infra.docs.house"


def test_every_subject_says_in_one_line_what_it_is() -> None:
    bare = [line for line in house.drawn().splitlines()[1:-1] if len(line.split(None, 1)) < 2]
    assert bare == []
