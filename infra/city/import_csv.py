"""The rows of a CSV file to import, checked as a file before the first row is imported.

Tests: tests/integration/test_legacy_import.py
"""

import codecs
import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

from chalicelib.domain.city.city import City
from infra.city.findings import CityErrors
from infra.city.import_mapping import Mapping
from infra.city.import_rows import Row

# A cell may hold a long description.
csv.field_size_limit(16 * 1024 * 1024)
_FIRST = 100


def rows(path: Path, mapping: Mapping, city: City) -> Iterator[Row]:
    """The rows of a CSV file with a header.

    Raises ``CityErrors`` before the first row: the file cannot be opened or decoded, a column is
    missing, or none of the first times can be read.
    """
    _check_encoding(path, mapping)
    found = _rows(path, mapping)
    first = list(itertools.islice(found, _FIRST))
    times = [str(row.get(mapping.columns["created"]) or "").strip() for row in first]
    mapping.check_times(times, city)
    return itertools.chain(first, found)


def _rows(path: Path, mapping: Mapping) -> Iterator[Row]:
    with path.open(encoding=mapping.encoding, newline="") as file:
        reader = csv.DictReader(file, delimiter=mapping.separator, restval="")
        mapping.check_header(reader.fieldnames or ())
        try:
            for row in reader:
                row.pop(None, None)
                yield row
        except csv.Error as error:
            raise CityErrors([f"{path}:{reader.line_num}: is no CSV: {error}"]) from None


def _check_encoding(path: Path, mapping: Mapping) -> None:
    decoder, line = codecs.getincrementaldecoder(mapping.encoding)(), 0
    try:
        with path.open("rb") as file:
            for line, text in enumerate(file, start=1):  # noqa: B007  (used after an error)
                decoder.decode(text)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise CityErrors([
            f'{path}:{line}: is not in {mapping.encoding.removesuffix("-sig")}; write "encoding": '
            '"latin-1" (or "cp1252") in the mapping if the file comes from an older program'
        ]) from None  # fmt: skip
    except OSError as error:
        raise CityErrors([f"{path}: {error.strerror or error}"]) from None
