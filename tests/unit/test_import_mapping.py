"""The mapping of an import: everything that is wrong is said before the first row."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.city import import_csv
from infra.city.findings import CityErrors
from infra.city.import_mapping import Mapping
from infra.city.import_mapping_checks import checked, from_file
from tests.support.world import city

GOOD: dict[str, Any] = {
    "source": "oldtown",
    "columns": {"id": "no", "created": "opened", "closed": "closed", "lat": "lat", "long": "lon",
                "service": "kind", "status": "state"},
    "statuses": {"Open": "open", "Closed": "unverified"},
    "services": {"*": "litter"},
}  # fmt: skip


def faults(**more: Any) -> list[str]:
    """What is wrong with a mapping that differs from the good one."""
    with pytest.raises(CityErrors) as raised:
        checked({**GOOD, **more}, city())
    return raised.value.findings


def mapping(**more: Any) -> Mapping:
    """A mapping without faults."""
    return checked({**GOOD, **more}, city())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"statuses": {"Closed": "done"}}, "statuses.Closed: 'done' is neither"),
        ({"statuses": {"Closed": "verifed"}}, "(did you mean 'verified'?)"),
        ({"statuses": {}}, "statuses: names no status"),
        ({"statuses": ["open"]}, "statuses: must be an object of texts"),
        ({"colums": {}}, "colums: is no key of a mapping (did you mean 'columns'?)"),
        ({"columns": {**GOOD["columns"], "longitude": "x"}}, "columns.longitude: is no field"),
        ({"columns": {**GOOD["columns"], "lat": ""}}, "columns.lat: is missing"),
        ({"columns": {**GOOD["columns"], "closed": ""}}, "columns.closed: is missing"),
        ({"columns": {**GOOD["columns"], "status": ""}}, '"statuses": {"": "open"}'),
        ({"services": {"Pothole": "potholes"}}, "no service 'potholes' (did you mean 'pothole'?)"),
        ({"services": {"/(/": "pothole"}}, "is no regular expression"),
        ({"separator": ";;"}, "separator: must be one character"),
        ({"encoding": "latin-one"}, "encoding: 'latin-one' is no encoding"),
        ({"zone": "Atlantis"}, "zone: 'Atlantis' is no time zone"),
        ({"zone": 7}, "zone: 7 is no time zone"),
        ({"dates": "dd/mm/yyyy"}, "dates: 'dd/mm/yyyy' is no format"),
        ({"dates": "%d/%m"}, "dates: '%d/%m' is no format"),
        ({"dates": 3}, "dates: must be a format"),
        ({"source": ""}, "source: must be a short name"),
    ],
    ids=str,
)
def test_a_fault_of_a_mapping_is_said_in_words(change: dict[str, Any], words: str) -> None:
    assert any(words in line for line in faults(**change)), faults(**change)


def test_all_faults_are_said_at_once() -> None:
    assert len(faults(statuses={"Closed": "done"}, services={"a": "b"}, zone="?", x=1)) == 4


def test_services_are_named_exactly_by_their_beginning_or_by_a_pattern() -> None:
    made = mapping(
        services={"Graffiti": "lamp", "Graffiti*": "litter", "/.*(pothole|crater).*/": "pothole",
                  "*": "bridge"}
    )  # fmt: skip
    names = ("Graffiti", "Graffiti - wall", "HCD-Big Pothole", "crater", "Tree")
    assert [made.service(name) for name in names] == [
        "lamp", "litter", "pothole", "pothole", "bridge",
    ]  # fmt: skip
    assert mapping(services={}).service("pothole") == "pothole"


@pytest.mark.parametrize(
    ("more", "text", "moment"),
    [
        ({}, "2024-03-05 08:00", (2024, 3, 5, 1, 0)),
        ({"dates": "%m/%d/%Y %I:%M:%S %p"}, "03/05/2024 08:00:00 AM", (2024, 3, 5, 1, 0)),
        ({"dates": ["%d.%m.%Y", "%d.%m.%Y %H:%M"]}, "05.03.2024 08:00", (2024, 3, 5, 1, 0)),
        ({"dates": "%d.%m.%Y %H:%M", "zone": "America/New_York"}, "05.07.2024 08:00",
         (2024, 7, 5, 12, 0)),
        ({"dates": "%d.%m.%Y %H:%M%z"}, "05.03.2024 08:00+02:00", (2024, 3, 5, 6, 0)),
        ({"zone": "America/New_York"}, "2024-01-05 08:00", (2024, 1, 5, 13, 0)),
        ({"dates": "epoch_ms"}, "1709600400000", (2024, 3, 5, 1, 0)),
        ({"dates": "epoch"}, "1709600400", (2024, 3, 5, 1, 0)),
    ],
    ids=str,
)  # fmt: skip
def test_times_are_read_by_format_and_zone(
    more: dict[str, Any], text: str, moment: tuple[int, ...]
) -> None:
    assert mapping(**more).moment(text, city()) == datetime(*moment, tzinfo=UTC)  # type: ignore[misc]


@pytest.mark.parametrize("text", ["", "x", "99999999999999999999", "nan", "31.02.2024"])
def test_a_time_that_cannot_be_read_is_a_value_error(text: str) -> None:
    for dates in ("epoch_ms", "%d.%m.%Y", []):
        with pytest.raises(ValueError):
            mapping(dates=dates).moment(text, city())


HEADER = "no,opened,closed,lat,lon,kind,state\n"
ROW = "1,2024-03-05,2024-03-06,-6.195,106.805,x,Open\n"


def refusal(path: Path, text: str | bytes, **more: Any) -> str:
    """Why a file is refused before its first row."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(CityErrors) as raised:
        list(import_csv.rows(path, mapping(**more), city()))
    return "\n".join(raised.value.findings)


def test_a_file_that_does_not_fit_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    assert "the file has no 'opened' (did you mean 'opend'?)" in refusal(
        path, HEADER.replace("opened", "opend") + ROW
    )
    assert 'write "separator": ";"' in refusal(path, (HEADER + ROW).replace(",", ";"))
    latin = (HEADER + ROW.replace("x", "Stra\u00dfe")).encode("latin-1")
    assert 'old.csv:2: is not in utf-8; write "encoding": "latin-1"' in refusal(path, latin)
    american = HEADER + ROW.replace("2024-03-05", "03/25/2024 08:00:00 AM")
    assert 'write "dates": "%m/%d/%Y %I:%M:%S %p"' in refusal(path, american)
    doubtful = HEADER + ROW.replace("2024-03-05", "03/05/2024")
    assert '"%d/%m/%Y" or "dates": "%m/%d/%Y"' in refusal(path, doubtful)
    assert "dates: none of the first 1 times" in refusal(
        path, HEADER + ROW.replace("2024-03-05", "tempo hari")
    )
    missing = tmp_path / "gone.csv"
    with pytest.raises(CityErrors, match="No such file"):
        import_csv.rows(missing, mapping(), city())


def test_a_file_in_another_encoding_and_with_another_separator_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    text = (HEADER + ROW.replace("x", "Stra\u00dfe")).replace(",", ";")
    path.write_bytes(text.encode("latin-1"))
    (row,) = import_csv.rows(path, mapping(separator=";", encoding="latin-1"), city())
    assert row["kind"] == "Stra\u00dfe"


def test_a_file_whose_first_column_is_in_brackets_is_read(tmp_path: Path) -> None:
    path = tmp_path / "old.csv"
    path.write_text("[id]," + HEADER + "7," + ROW)
    (row,) = import_csv.rows(path, mapping(), city())
    assert (row["[id]"], row["no"]) == ("7", "1")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("named", [None, "utf8", "U8", "cp1252", "utf-16"])
def test_a_byte_order_mark_says_the_encoding(
    tmp_path: Path, encoding: str, named: str | None
) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes((HEADER + ROW.replace("x", "Stra\u00dfe")).encode(encoding))
    more = {"encoding": named} if named else {}
    (row,) = import_csv.rows(path, mapping(**more), city())
    assert (row["no"], row["kind"]) == ("1", "Stra\u00dfe")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\n \r\n\n", "is empty"),
        (HEADER, "has no row below its header"),
        (b"PK\x03\x04" + bytes(300), "save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(300), "save it as CSV"),
        ("<html><body>Log in</body></html>", "is no CSV: it begins with '<html>"),
        ('[{"no": 1}]', "is no CSV: it begins with '[{"),
        ((HEADER + ROW).encode("utf-16-le"), 'write "encoding": "utf-16-le"'),
        ((HEADER + ROW).encode("utf-16-be"), 'write "encoding": "utf-16-be"'),
        (HEADER.replace("\n", ",lat\n") + ROW, "the file has 'lat' twice"),
        (HEADER + ROW + ROW.replace("x", '"x') + ROW * 3, "old.csv:3: a quotation mark"),
        ("x," * 100_000 + "\n" + ROW, "and 99971 more"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_what_is_no_table_is_said_before_the_first_row(
    tmp_path: Path, text: str | bytes, words: str
) -> None:
    said = refusal(tmp_path / "old.csv", text)
    assert words in said
    assert len(said) < 4000


@pytest.mark.parametrize(
    "text",
    [
        f"\n\n{HEADER}{ROW}",
        f"sep=,\r\n{HEADER}{ROW}",
        f"{HEADER.replace(',', ' , ')}{ROW}",
        f"{HEADER}{ROW}".replace("\n", "\r"),
        f"{HEADER}{ROW.strip()}",
        f"{HEADER.strip()},note\n{ROW.strip()},5\" pipe\n",
        f'{HEADER.strip()},note\r\n{ROW.strip()},"two\r\nlines, ""quoted"""\r\n',
        f"{HEADER.strip()}{',c' * 100_000}\n{ROW.strip()}{',1' * 100_000}\n",
        f"{HEADER}{ROW.strip()},,,\n",
        f"{HEADER.strip()},note\n{ROW.strip()},a\x00b\n",
    ],
    ids=[
        "blank lines first", "the separator first", "spaces in the header", "line ends of old Macs",
        "no line end at the end", "a mark within a cell", "quoted lines", "100,000 columns",
        "empty cells too many", "a stray zero",
    ],
)  # fmt: skip
def test_what_programs_write_around_a_table_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "old.csv"
    path.write_bytes(text.encode())
    (row,) = import_csv.rows(path, mapping(), city())
    assert [row[name] for name in ("no", "opened", "state")] == ["1", "2024-03-05", "Open"]


@pytest.mark.parametrize(
    "name",
    ["punycode", "idna", "undefined", "unicode_escape", "raw_unicode_escape", "rot13", "base64",
     "utf\0-8", "", "klingon", 8],
)  # fmt: skip
def test_what_is_no_encoding_of_a_file_is_said(name: Any) -> None:
    with pytest.raises(CityErrors, match="is no encoding"):
        mapping(encoding=name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"{", "is no JSON"), (b"[]", "must be an object"), (b"\xff", "must be UTF-8"),
        (b"[" * 100_000, "is no JSON"),
        (b'{"services": {"A": "x", "A": "y"}}', "'A' is there twice"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_read_is_said(tmp_path: Path, text: bytes, words: str) -> None:
    path = tmp_path / "mapping.json"
    path.write_bytes(text)
    with pytest.raises(CityErrors, match=words):
        from_file(path, {})


def test_a_mapping_of_an_endpoint_needs_only_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "mapping.json"
    path.write_text(json.dumps({"columns": {"service": "service_name"}, "services": {"*": "lamp"}}))
    raw = from_file(path, GOOD)
    assert raw["columns"] == {**GOOD["columns"], "service": "service_name"}
    assert checked(raw, city()).other == "lamp"
