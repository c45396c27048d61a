"""Patterns and arithmetic that exist once: a second copy fails here, with its file."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree

import pytest

from chalicelib.domain.input import phone_number
from chalicelib.domain.input.text import no_formula
from chalicelib.domain.open_data.formats import COLUMNS, FORMATS
from chalicelib.domain.timestamps import first_day, months, shifted
from chalicelib.services.open_data.writers import Text
from chalicelib.services.scorecards.compute import cards_csv

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder in ("chalicelib", "infra", "bench")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
# {what: (its only file, a pattern that finds a copy)}
HOMES = {
    "ids and tracking codes": ("chalicelib/ids.py", r"A-HJKMNP-TV-Z"),
    "telephone numbers": ("chalicelib/domain/input/phone_number.py", r"\\\+\[1-9\]"),
    "e-mail addresses": ("chalicelib/domain/input/email_address.py", r"\[\^@|@\[\^"),
    "adding months": (
        "chalicelib/domain/timestamps.py",
        r"\* 12 \+|[/%] 12\b|divmod\([^)]*, 12\)|timedelta\(days=(?:31|32)\)\)\.replace\(day=1",
    ),
    "formulas in spreadsheets": ("chalicelib/domain/input/text.py", r"\[=\+|.=., ?.\+."),
}


@pytest.mark.parametrize("what", HOMES)
def test_it_is_written_in_one_place(what: str) -> None:
    home, copy = HOMES[what]
    places = [str(path.relative_to(ROOT)) for path in SOURCES if re.search(copy, path.read_text())]
    assert places == [home]


def test_whatever_writes_csv_guards_its_cells() -> None:
    writes = re.compile(r"csv\.(?:Dict)?[wW]riter\(|text/csv")
    unguarded = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if writes.search(path.read_text()) and "no_formula" not in path.read_text()
    ]
    assert unguarded == []


@pytest.mark.parametrize("text", ["=1+1", " =1+1", "＝1+1", "\u200b-2", "\t@SUM(A1)", "　＋1"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert no_formula(text) == f"'{text}"


def test_months_go_over_the_turn_of_the_year() -> None:
    assert shifted("202612", 1) == "202701"
    assert shifted("202701", -1) == "202612"
    assert shifted("202601", -13) == "202412"
    assert months("202611", "202702") == ["202611", "202612", "202701", "202702"]
    assert months("202702", "202611") == []
    assert str(first_day("202602")) == "2026-02-01"


def test_a_number_is_e_164_however_it_was_written() -> None:
    assert phone_number.plain("+62 (812) 345-6789") == "+628123456789"
    assert phone_number.plain("0812 345") is None


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_of_open_data_writes_a_whole_file(name: str) -> None:
    """Also a new format: it has its own head and rows."""
    texts = dict.fromkeys((*COLUMNS, "status", "service_code"), "=1")
    request = {**texts, "lat": -6.1, "long": 106.8}
    file = Text(FORMATS[name], "2026-11", "Kota")
    file.add(request)
    file.add(request)
    with file.finish() as whole:
        whole.seek(0)
        text = whole.read().decode()
    assert file.name == f"2026-11.{FORMATS[name].ending}"
    if name == "csv":
        assert [len(row) for row in csv.reader(io.StringIO(text))] == [len(COLUMNS)] * 3
    elif name == "ndjson":
        assert [json.loads(line)["type"] for line in text.splitlines()] == ["Feature"] * 2
    elif name == "geojson":
        assert len(json.loads(text)["features"]) == 2
    else:
        assert len(ElementTree.fromstring(text)[0]) == 3


def test_a_name_in_a_scorecard_is_no_formula() -> None:
    class Town:
        areas: ClassVar[dict[str, Any]] = {}
        units: ClassVar[dict[str, Any]] = {}

    card = {"kind": "ward", "code": " =1+1", "score": 1, "rank": 1, "of": 1}
    figure = {"measure": "on_time", "value": 1}
    (_, line) = csv.reader(io.StringIO(cards_csv([{**card, "measures": [figure]}], Town())))
    assert "' =1+1" in line
