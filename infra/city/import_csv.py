"""The rows of a CSV file to import, checked as a file before the first row is imported.

Tests: tests/unit/test_import_mapping.py, tests/integration/test_legacy_import.py
"""

import codecs
import csv
import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.domain.city.city import City
from infra.city.findings import CityErrors
from infra.city.import_mapping import Mapping
from infra.city.import_rows import EXTRA, Row

# A cell may hold a long description.
csv.field_size_limit(16 * 1024 * 1024)
_FIRST = 100
_HEAD = 4096
# Longer marks first: that of UTF-32 begins as that of UTF-16 does.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
# What Excel reads in the first line: the separator of the file.
_SEPARATOR_LINE = re.compile(r"sep=.\s*", re.IGNORECASE)
# The beginning of HTML, XML or JSON; a column may be named [id].
_OTHER_FORMAT = re.compile(r"[<{]|\[\s*([\[{]|$)")
# A row after the last one. If it does not come alone, a quotation mark is open before it.
_END = "\x00the end\x00"


def rows(path: Path, mapping: Mapping, city: City) -> Iterator[Row]:
    """The rows of a CSV file with a header. Cells without a column are in a list, ``EXTRA``.

    Raises ``CityErrors`` before the first row: the file cannot be opened or decoded, is no table,
    has an open quotation mark, a column is missing or there twice, or none of the first times can
    be read.
    """
    try:
        encoding = _encoding(path, mapping)
        _check_encoding(path, encoding)
    except OSError as error:
        raise CityErrors([f"{path}: {error.strerror or error}"]) from None
    _check_quotes(path, encoding, mapping)
    later = _rows(path, encoding, mapping)
    first = list(itertools.islice(later, _FIRST))
    if not first:
        raise CityErrors([f"{path}: has no row below its header"])
    times = [str(row.get(mapping.columns["created"]) or "").strip() for row in first]
    mapping.check_times(times, city)
    return itertools.chain(first, later)


def _rows(path: Path, encoding: str, mapping: Mapping) -> Iterator[Row]:
    with _table(path, encoding) as (_, lines):
        reader = csv.DictReader(lines, delimiter=mapping.separator, restval="", restkey=EXTRA)
        header = [name.strip() for name in reader.fieldnames or ()]
        if header and _OTHER_FORMAT.match(header[0]):
            raise CityErrors([f"{path}: is no CSV: it begins with {header[0][:40]!r}"])
        mapping.check_header(header)
        reader.fieldnames = header
        yield from reader


@contextmanager
def _table(path: Path, encoding: str) -> Iterator[tuple[int, Iterator[str]]]:
    """(number of lines before the header, lines from the header on)."""
    with path.open(encoding=encoding, newline="") as file:
        for before, line in enumerate(file):
            if line.strip() and not _SEPARATOR_LINE.fullmatch(line):
                yield before, itertools.chain([line], file)
                return
    raise CityErrors([f"{path}: is empty"])


def _encoding(path: Path, mapping: Mapping) -> str:
    """The encoding by the file's own mark, else the mapping's."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_WORKBOOKS):
        raise CityErrors([f"{path}: is a workbook of a spreadsheet program; save it as CSV"])
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if head.count(0) > len(head) // 4 and not mapping.encoding.startswith(("utf-16", "utf-32")):
        raise CityErrors([f"{path}: {_wide(head)}"])
    return mapping.encoding


def _wide(head: bytes) -> str:
    # The first letter of a header is in most alphabets one byte and a zero.
    name = "utf-16-be" if head[:1] == b"\x00" else "utf-16-le"
    return f'has two bytes for each letter; write "encoding": "{name}" in the mapping'


def _check_encoding(path: Path, encoding: str) -> None:
    decoder, line = codecs.getincrementaldecoder(encoding)(), 0
    try:
        with path.open("rb") as file:
            for line, text in enumerate(file, start=1):  # noqa: B007  (used after an error)
                decoder.decode(text)
        decoder.decode(b"", final=True)
    except UnicodeError:
        raise CityErrors([
            f'{path}:{line}: is not in {encoding.removesuffix("-sig")}; write "encoding": '
            '"latin-1" (or "cp1252") in the mapping if the file comes from an older program'
        ]) from None  # fmt: skip


def _check_quotes(path: Path, encoding: str, mapping: Mapping) -> None:
    with _table(path, encoding) as (before, lines):
        reader = csv.reader(itertools.chain(lines, [_END]), delimiter=mapping.separator)
        begun = row = None
        try:
            while True:
                begun, row = reader.line_num, next(reader)
        except StopIteration:
            pass
        except csv.Error as error:
            raise CityErrors([f"{path}:{before + reader.line_num}: is no CSV: {error}"]) from None
    if row != [_END]:
        raise CityErrors([
            f"{path}:{before + (begun or 0) + 1}: a quotation mark opens in this row and is never "
            "closed: all rows below it would be lost"
        ])  # fmt: skip
