"""The mapping of an import: how an old system's rows are read (docs/import.md).

``import_mapping_checks.checked`` makes one.

Tests: tests/unit/test_import_mapping.py
"""

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from chalicelib.domain.city.city import City
from chalicelib.domain.input.moments import plausible
from chalicelib.domain.open311.georeport import InvalidArgument, moment
from infra.city.findings import CityErrors, Findings

OPEN, OTHER, EPOCH, EPOCH_MS = "open", "*", "epoch", "epoch_ms"
# Formats that are proposed if a file's times cannot be read.
_USUAL = (
    "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p",
    "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M", "%d-%m-%Y", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M:%S%z", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y%m%d",
    "%d %b %Y %H:%M", "%b %d, %Y %I:%M %p", "%b %d %Y %I:%M%p", EPOCH_MS, EPOCH,
)  # fmt: skip


# How many columns of a file are named, and compared with a name that it lacks.
_SHOWN, _COMPARED = 30, 500


@dataclass(frozen=True)
class Mapping:
    """A checked mapping. ``patterns`` of services are tried in the order of the file."""

    source: str
    columns: dict[str, str]
    statuses: dict[str, str]
    services: dict[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...] = ()
    other: str | None = None
    dates: tuple[str, ...] = ()
    zone: ZoneInfo | None = None
    separator: str = ","
    encoding: str = "utf-8-sig"
    file: str = field(default="mapping", compare=False)

    def service(self, text: str) -> str:
        """The service of the city for the old system's; the text itself if no line fits."""
        if text in self.services:
            return self.services[text]
        for pattern, code in self.patterns:
            if pattern.fullmatch(text):
                return code
        return text if self.other is None else self.other

    def moment(self, text: str, city: City) -> datetime:
        """The moment in a row's text. Raises ``ValueError``."""
        zone = self.zone or city.zone
        if not self.dates:
            try:
                return moment(text, zone)
            except InvalidArgument as error:
                raise ValueError from error
        for form in self.dates:
            try:
                return read_moment(text, form, zone)
            except (ValueError, OverflowError, OSError):
                continue
        raise ValueError(text)

    def check_header(self, header: Iterable[str]) -> None:
        """Raise ``CityErrors`` if the file has not the columns that the mapping names."""
        names = list(header)
        findings = Findings()
        if len(names) == 1 and (found := next((one for one in ";\t|" if one in names[0]), None)):
            shown = json.dumps(found)
            message = f'the file has one column {names[0]!r}; write "separator": {shown}'
            raise CityErrors([f"{self.file}: separator: {message}"])
        shown = ", ".join(map(repr, names[:_SHOWN]))
        if len(names) > _SHOWN:
            shown = f"{shown} and {len(names) - _SHOWN} more"
        for name, column in self.columns.items():
            if column and column not in names:
                hint = like(column, names[:_COMPARED]) or f"; it has {shown}"
                findings.add(self.file, f"columns.{name}", f"the file has no {column!r}{hint}")
            elif column and names.count(column) > 1:
                message = f"the file has {column!r} twice: rename the one that is not meant"
                findings.add(self.file, f"columns.{name}", message)
        findings.stop_if_any()

    def check_times(self, texts: list[str], city: City) -> None:
        """Raise ``CityErrors`` if none of the first times can be read; names formats that fit."""
        texts = [text for text in texts if text]
        if not texts or any(self._reads(text, city) for text in texts):
            return
        fitting = [form for form in _USUAL if all(_fits(text, form) for text in texts)]
        if fitting:
            forms = " or ".join(f'"dates": {json.dumps(form)}' for form in fitting[:2])
            hint = f"; write {forms}"
        else:
            hint = '; "dates" is a format such as "%d/%m/%Y %H:%M", or a list of formats'
        raise CityErrors([
            f"{self.file}: dates: none of the first {len(texts)} times can be read, such as "
            f"{texts[0]!r}{hint}"
        ])  # fmt: skip

    def _reads(self, text: str, city: City) -> bool:
        try:
            self.moment(text, city)
        except ValueError:
            return False
        return True


def read_moment(text: str, form: str, zone: tzinfo) -> datetime:
    """The moment in a text of a ``strptime`` format, ``epoch`` or ``epoch_ms``.

    Raises ``ValueError``, ``OverflowError`` or ``OSError``.
    """
    if form in (EPOCH, EPOCH_MS):
        if not re.fullmatch(r"-?\d{1,15}(\.\d+)?", text):
            raise ValueError(text)
        return plausible(
            datetime.fromtimestamp(float(text) / (1000 if form == EPOCH_MS else 1), UTC)
        )
    read = datetime.strptime(text, form)  # noqa: DTZ007  (the zone follows)
    return plausible(read if read.tzinfo else read.replace(tzinfo=zone))


def _fits(text: str, form: str) -> bool:
    try:
        read_moment(text, form, UTC)
    except (ValueError, OverflowError, OSError):
        return False
    return True


def like(text: str, names: Iterable[str]) -> str:
    """The name that was perhaps meant, for the end of a message."""
    close = difflib.get_close_matches(text, list(names), 1, 0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
