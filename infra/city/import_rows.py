"""One row of an old system, read by a mapping: the report to import, or what is wrong with the row.

Tests: tests/integration/test_legacy_import.py
"""

import hashlib
import json
import math
import re
from contextlib import suppress
from datetime import UTC, datetime, time, tzinfo
from typing import Any

from chalicelib.domain.city.city import City
from chalicelib.domain.input.redaction import redact
from chalicelib.domain.input.text import mended
from chalicelib.domain.timestamps import FIRST
from chalicelib.services.city import cities
from chalicelib.services.reports.legacy_import import LegacyReport
from infra.city.import_mapping import OPEN, Mapping

Row = dict[str, Any]
# The cells of a row that have no column.
EXTRA = "\x00extra"
_ID = re.compile(r"[A-Za-z0-9._:/#-]{1,64}")
# With a point, or with the comma of a spreadsheet in many languages.
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST = {"description": 4000, "landmark": 200}


class Wrong(ValueError):
    """A row that cannot be imported; its text is the kind of finding."""


def named(row: Row, mapping: Mapping) -> dict[str, str]:
    """The row's texts by the names of ``mapping.columns``, with an ``id`` also where the file has
    none: then equal rows are the same report."""
    texts = {name: _text(row.get(column)) for name, column in mapping.columns.items() if column}
    if not mapping.columns.get("id"):
        whole = json.dumps(row, sort_keys=True, default=str)
        texts["id"] = hashlib.sha256(whole.encode()).hexdigest()[:32]
    return texts


def old_report(
    city: City, row: dict[str, str], mapping: Mapping, now: datetime
) -> tuple[LegacyReport, list[str]]:
    """The report in a row's texts, and remarks about what was changed. Raises ``Wrong``."""
    if not _ID.fullmatch(row.get("id", "")):
        raise Wrong("id_unusable")
    filed_at = _moment(city, mapping, row.get("created", ""), "created")
    if filed_at < FIRST:
        raise Wrong("created_before_1970")
    if filed_at > now:
        raise Wrong("created_in_the_future")
    given = row.get("status", "")
    # Some Open311 servers write "Open" and "CLOSED".
    status = mapping.statuses.get(given) or mapping.statuses.get(given.lower())
    if status is None:
        raise Wrong("unknown_status")
    remarks, texts = list[str](), {}
    closed_at = None
    if status != OPEN:
        closed_at = _moment(city, mapping, row.get("closed", ""), "closed")
        if closed_at < filed_at:
            closed_at = _later(closed_at, filed_at, mapping.zone or city.zone)
            remarks.append("closed_time_assumed")
        if closed_at > now:
            raise Wrong("closed_in_the_future")
    promised_at = _promised(city, mapping, row.get("promised", ""), filed_at, remarks)
    lat, long = _place(city, row)
    for name, longest in _LONGEST.items():
        given = mended(row.get(name, "")).strip()
        text = redact(given, city.patterns)
        if text != given:
            remarks.append("personal_data_hidden")
        texts[name] = text[:longest]
    old = LegacyReport(
        mapping.source, row["id"], mapping.service(row.get("service", "")), lat, long, filed_at,
        closed_at=closed_at, resolution=None if closed_at is None else status,
        promised_at=promised_at, **texts,
    )  # fmt: skip
    return old, remarks


def _text(value: Any) -> str:
    # A list or an object of a JSON answer is no text of a person.
    is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value).strip() if is_text else ""


def _moment(city: City, mapping: Mapping, text: str, name: str) -> datetime:
    try:
        return mapping.moment(text, city)
    except ValueError:
        raise Wrong(f"{name}_unreadable") from None


def _promised(
    city: City, mapping: Mapping, text: str, filed_at: datetime, remarks: list[str]
) -> datetime | None:
    """The old system's promise; ``None``, with a remark, if it cannot be one."""
    if not text:
        return None
    with suppress(ValueError):
        promised_at = mapping.moment(text, city)
        if promised_at >= filed_at:
            return promised_at
    remarks.append("promise_unusable")
    return None


def _later(closed_at: datetime, filed_at: datetime, zone: tzinfo) -> datetime:
    """When a report was closed whose closing, as it was read, is before its filing.

    In the hour that a change of clocks repeats, the second one is meant. A closing without a time
    on the day of filing was not before the filing. Raises ``Wrong`` for every other closing.
    """
    local = closed_at.astimezone(zone)
    second = local.replace(fold=1).astimezone(UTC)
    if second >= filed_at:
        return second
    if local.time() == time() and local.date() == filed_at.astimezone(zone).date():
        return filed_at
    raise Wrong("closed_before_created")


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise Wrong("place_unreadable")
    return float(text.replace(",", "."))


def _place(city: City, row: dict[str, str]) -> tuple[float, float]:
    lat, long = _number(row.get("lat", "")), _number(row.get("long", ""))
    if not (math.isfinite(lat) and math.isfinite(long) and abs(lat) <= 180 and abs(long) <= 180):
        raise Wrong("place_unreadable")
    if abs(lat) < 1e-6 and abs(long) < 1e-6:
        raise Wrong("place_zero")
    if lat == round(lat) and long == round(long):
        raise Wrong("place_in_whole_degrees")
    index = cities.boundaries(city.jurisdiction, city.version)
    inside = abs(lat) <= 90 and index.ward_at(lat, long) is not None
    if not inside and abs(long) <= 90 and index.ward_at(long, lat) is not None:
        raise Wrong("place_swapped")
    return lat, long
