"""Reading and checking the mapping of an import, whole, before the first row is read.

Everything that is wrong is said in words, with the name that was perhaps meant.

Tests: tests/unit/test_import_mapping.py
"""

import codecs
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.domain.city.city import City
from chalicelib.domain.workflow.table import table
from infra.city.findings import CityErrors, Findings
from infra.city.import_mapping import EPOCH, EPOCH_MS, OPEN, OTHER, Mapping, like, read_moment

COLUMNS = (
    "id", "created", "closed", "promised", "lat", "long", "service", "status", "description",
    "landmark",
)  # fmt: skip
_NEEDED = ("created", "lat", "long", "service")
_KEYS = (
    "source", "columns", "statuses", "services", "dates", "zone", "separator", "encoding", "about",
)  # fmt: skip
# Python's own encodings, which no file is in.
_NO_FILES = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined"})
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,39}")


def checked(raw: Any, city: City, file: str = "mapping") -> Mapping:
    """The mapping of a JSON document. Raises ``CityErrors`` with everything that is wrong."""
    findings = Findings()
    if not isinstance(raw, dict):
        raise CityErrors([f"{file}: must be an object, such as docs/import.md shows"])
    for key in sorted(raw.keys() - set(_KEYS)):
        findings.add(file, str(key), f"is no key of a mapping{like(str(key), _KEYS)}")
    reader = _Reader(findings, file, raw)
    exact, patterns, other = reader.services(city)
    mapping = Mapping(
        source=reader.source(),
        columns=reader.columns(),
        statuses=reader.statuses(),
        services=exact,
        patterns=patterns,
        other=other,
        dates=reader.dates(),
        zone=reader.zone(),
        separator=reader.separator(),
        encoding=reader.encoding(),
        file=file,
    )
    reader.check_together(mapping)
    findings.stop_if_any()
    return mapping


def from_file(path: Path, base: dict[str, Any]) -> dict[str, Any]:
    """The document of a mapping over a base. Raises ``CityErrors`` if it cannot be read."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
    except OSError as error:
        raise CityErrors([f"{path}: {error.strerror or error}"]) from None
    except UnicodeDecodeError:
        raise CityErrors([f"{path}: must be UTF-8"]) from None
    except json.JSONDecodeError as error:
        raise CityErrors([f"{path}:{error.lineno}: is no JSON: {error.msg}"]) from None
    except RecursionError:
        raise CityErrors([f"{path}: is no JSON of a mapping"]) from None
    except _Twice as twice:
        raise CityErrors([f"{path}: {twice.args[0]!r} is there twice in one object"]) from None
    if not isinstance(raw, dict):
        raise CityErrors([f"{path}: must be an object, such as docs/import.md shows"])
    columns = raw.get("columns")
    if isinstance(columns, dict):
        raw = {**raw, "columns": {**base.get("columns", {}), **columns}}
    return {**base, **raw}


class _Twice(ValueError):
    """A key that is there twice in one object; the last one would win in silence."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _Twice(name)
        found[name] = value
    return found


class _Reader:
    """Reads the keys of a mapping, and notes what is wrong with each."""

    def __init__(self, findings: Findings, file: str, raw: dict[str, Any]) -> None:
        self._findings, self._file, self._raw = findings, file, raw

    def fault(self, name: str, message: str) -> None:
        self._findings.add(self._file, name, message)

    def source(self) -> str:
        value = self._raw.get("source")
        if not isinstance(value, str) or not _SOURCE.fullmatch(value):
            self.fault("source", 'must be a short name of the old system, such as "oldtown"')
            return ""
        return value

    def columns(self) -> dict[str, str]:
        value = {name: column.strip() for name, column in self._texts("columns").items()}
        for name in value.keys() - set(COLUMNS):
            self.fault(f"columns.{name}", f"is no field of a report{like(name, COLUMNS)}")
        for name in _NEEDED:
            if not value.get(name):
                self.fault(f"columns.{name}", "is missing: the name of the column in the file")
        return value

    def statuses(self) -> dict[str, str]:
        value, allowed = self._texts("statuses"), (OPEN, *table()["resolutions"])
        choices = ", ".join(allowed[1:])
        for name, status in value.items():
            if status not in allowed:
                hint = like(status, allowed)
                message = f'{status!r} is neither "open" nor a resolution ({choices}){hint}'
                self.fault(f"statuses.{name}", message)
        if not value:
            self.fault("statuses", "names no status, so no row could be imported")
        return value

    def services(
        self, city: City
    ) -> tuple[dict[str, str], tuple[tuple[re.Pattern[str], str], ...], str | None]:
        """(exact names, patterns, the service of every other name)."""
        exact: dict[str, str] = {}
        patterns: list[tuple[re.Pattern[str], str]] = []
        other = None
        for name, code in self._texts("services", missing={}).items():
            if code not in city.services:
                hint = like(code, city.services)
                self.fault(f"services.{name}", f"the city has no service {code!r}{hint}")
            if name == OTHER:
                other = code
            elif len(name) > 2 and name.startswith("/") and name.endswith("/"):
                try:
                    patterns.append((re.compile(name[1:-1], re.IGNORECASE), code))
                except re.error as error:
                    self.fault(f"services.{name}", f"is no regular expression: {error}")
            elif name.endswith(OTHER):
                start = re.escape(name.removesuffix(OTHER))
                patterns.append((re.compile(f"{start}.*", re.DOTALL), code))
            else:
                exact[name] = code
        return exact, tuple(patterns), other

    def dates(self) -> tuple[str, ...]:
        value = self._raw.get("dates", [])
        forms = [value] if isinstance(value, str) else value
        if not isinstance(forms, list) or not all(isinstance(form, str) for form in forms):
            self.fault("dates", 'must be a format such as "%d/%m/%Y %H:%M", or a list of formats')
            return ()
        for form in forms:
            if form not in (EPOCH, EPOCH_MS) and not _is_format(form):
                self.fault(
                    "dates",
                    f"{form!r} is no format with day, month and year: %d, %m (or %b, %B), %Y (or "
                    f"%y); hours are %H, or %I with %p",
                )
        return tuple(forms)

    def zone(self) -> ZoneInfo | None:
        value = self._raw.get("zone")
        if value is None:
            return None
        try:
            return ZoneInfo(value)
        except (TypeError, ValueError, OSError, KeyError):
            self.fault("zone", f'{value!r} is no time zone such as "America/New_York"')
            return None

    def separator(self) -> str:
        value = self._raw.get("separator", ",")
        if not isinstance(value, str) or len(value) != 1 or value in '"\r\n':
            self.fault("separator", 'must be one character, such as ";" or "\\t"')
            return ","
        return value

    def encoding(self) -> str:
        value = self._raw.get("encoding", "utf-8-sig")
        try:
            "".encode(value)
            name = codecs.lookup(value).name
        except (LookupError, TypeError, ValueError):
            name = ""
        if not name or name in _NO_FILES:
            self.fault("encoding", f'{value!r} is no encoding such as "utf-8" or "latin-1"')
            name = "utf-8"
        return "utf-8-sig" if name == "utf-8" else name

    def check_together(self, mapping: Mapping) -> None:
        closing = sorted(name for name, to in mapping.statuses.items() if to != OPEN)
        if closing and not mapping.columns.get("closed"):
            shown = ", ".join(repr(name) for name in closing)
            self.fault("columns.closed", f"is missing: reports with the status {shown} are closed")
        if not mapping.columns.get("status") and "" not in mapping.statuses:
            self.fault(
                "columns.status", 'is missing; if the file has none, write "statuses": {"": "open"}'
            )

    def _texts(self, name: str, missing: dict[str, str] | None = None) -> dict[str, str]:
        value = self._raw.get(name, missing)
        if not isinstance(value, dict) or not all(isinstance(to, str) for to in value.values()):
            self.fault(name, "must be an object of texts")
            return {}
        return value


def _is_format(form: str) -> bool:
    sample = datetime(2019, 11, 28, 13, 45, 59, tzinfo=UTC)
    try:
        return read_moment(sample.strftime(form), form, UTC).date() == sample.date()
    except (ValueError, OverflowError):
        return False
