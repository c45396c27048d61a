"""Imports an old system's history row by row; faulty rows are reported and left out.

    python -m infra.city import-reports old.csv --mapping mapping.json
    python -m infra.city import-reports https://old.example.org/open311/v2 --since 2024-01-01

Importing again changes nothing, so repeat a run that was interrupted (docs/import.md).
"""

import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import urllib3

from chalicelib.domain.city.city import City
from chalicelib.domain.input.redaction import redact
from chalicelib.domain.input.text import no_formula
from chalicelib.domain.open311.georeport import SPAN, InvalidArgument, format_time, moment
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.people import closed_reports
from chalicelib.services.reports import legacy_import
from chalicelib.services.reports.legacy_import import LegacyReport

COLUMNS = ("id", "created", "closed", "lat", "long", "service", "status", "description", "landmark")
GEOREPORT = {
    "source": "open311",
    "columns": {
        "id": "service_request_id", "created": "requested_datetime", "closed": "updated_datetime",
        "lat": "lat", "long": "long", "service": "service_code", "status": "status",
        "description": "description", "landmark": "",
    },
    "statuses": {"open": "open", "closed": "unverified"},
    "services": {},
}  # fmt: skip
PAGE, TIMEOUT, LARGEST = 200, 30.0, 32 * 1024 * 1024
_ID = re.compile(r"[A-Za-z0-9._:/#-]{1,64}")

Row = dict[str, Any]


@dataclass
class Outcome:
    """The counts of rows by result, and the findings of those left out or changed."""

    imported: int = 0
    known: int = 0
    findings: list[tuple[int, str, str]] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """The counts, and how often each finding occurred."""
        kinds = Counter(kind for _, _, kind in self.findings)
        return {
            "imported": self.imported,
            "known": self.known,
            "findings": dict(sorted(kinds.items())),
        }


class Wrong(ValueError):
    """A row that cannot be imported; its text is the kind of finding."""


def run(city: City, rows: Iterator[Row], mapping: dict[str, Any], now: datetime) -> Outcome:
    """Import the correct rows; docs/import.md describes ``mapping``."""
    outcome, seen = Outcome(), set[str]()
    for number, row in enumerate(rows, start=1):
        named = {name: _text(row.get(column)) for name, column in mapping["columns"].items()}
        if not mapping["columns"].get("id"):
            # Without ids in the file, an equal row is the same report.
            named["id"] = hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:32]
        old_id = named["id"]
        if old_id in seen:
            outcome.findings.append((number, old_id, "duplicate_id"))
            continue
        seen.add(old_id)
        try:
            old, remarks = _old(city, named, mapping, now)
            new = legacy_import.import_report(city, old, now)
        except (Wrong, Problem) as wrong:
            outcome.findings.append((number, old_id, str(wrong)))
            continue
        outcome.imported += new
        outcome.known += not new
        outcome.findings += [(number, old_id, one) for one in remarks]
    if outcome.imported:
        # Closed long ago; the schedule no longer visits them.
        closed_reports.restart(city.jurisdiction)
    return outcome


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _old(
    city: City, row: dict[str, str], mapping: dict[str, Any], now: datetime
) -> tuple[LegacyReport, list[str]]:
    if not _ID.fullmatch(row.get("id", "")):
        raise Wrong("id_unusable")
    filed_at = _moment(city, row.get("created", ""), "created_unreadable")
    if filed_at > now:
        raise Wrong("created_in_the_future")
    status = mapping["statuses"].get(row.get("status", ""))
    if status is None:
        raise Wrong("unknown_status")
    closed_at = None
    if status != "open":
        closed_at = _moment(city, row.get("closed", ""), "closed_unreadable")
        if closed_at < filed_at:
            raise Wrong("closed_before_created")
    lat, long = _place(city, row)
    services = mapping["services"]
    code = services.get(row.get("service", ""), services.get("*", row.get("service", "")))
    remarks, texts = [], {}
    for name in ("description", "landmark"):
        text = redact(row.get(name, ""), city.patterns)
        if text != row.get(name, ""):
            remarks.append("personal_data_hidden")
        texts[name] = text[: 4000 if name == "description" else 200]
    old = LegacyReport(
        mapping["source"], row["id"], code, lat, long, filed_at, closed_at,
        None if closed_at is None else status, **texts,
    )  # fmt: skip
    return old, remarks


def _moment(city: City, text: str, kind: str) -> datetime:
    try:
        return moment(text, city.zone)
    except InvalidArgument:
        raise Wrong(kind) from None


def _place(city: City, row: dict[str, str]) -> tuple[float, float]:
    try:
        lat, long = float(row.get("lat", "")), float(row.get("long", ""))
    except ValueError:
        raise Wrong("place_unreadable") from None
    if not (abs(lat) <= 180 and abs(long) <= 180):
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


def from_csv(path: Path) -> Iterator[Row]:
    """The rows of a CSV file with a header, in UTF-8."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def from_open311(base: str, since: datetime, now: datetime) -> Iterator[Row]:
    """The requests of a GeoReport endpoint, each once, by windows of 90 days and by pages."""
    http, seen, start = urllib3.PoolManager(), set[str](), since
    while start < now:
        end = min(now, start + SPAN)
        for page in range(1, 1_000_000):
            fields = {
                "start_date": format_time(start),
                "end_date": format_time(end),
                "page": str(page),
                "page_size": str(PAGE),
            }
            rows = _page(http, f"{base.rstrip('/')}/requests.json", fields)
            fresh = [one for one in rows if str(one.get("service_request_id")) not in seen]
            seen.update(str(one.get("service_request_id")) for one in fresh)
            yield from fresh
            # A server without pages returns the same requests again.
            if len(rows) < PAGE or not fresh:
                break
        start = end + timedelta(seconds=1)


def _page(http: urllib3.PoolManager, url: str, fields: dict[str, str]) -> list[Row]:
    answer = http.request(
        "GET", url, fields=fields, timeout=TIMEOUT, preload_content=False,
        retries=urllib3.Retry(4, backoff_factor=1, status_forcelist=(429, 502, 503, 504)),
    )  # fmt: skip
    data = answer.read(LARGEST + 1)
    answer.release_conn()
    if answer.status != 200 or len(data) > LARGEST:
        raise SystemExit(f"{url} answered with {answer.status} and {len(data)} bytes")
    rows = json.loads(data)
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise SystemExit(f"{url} answered with no list of requests")
    return rows


def command(options: Any, city: City) -> int:
    """``import-reports``: import, write the findings to a CSV, print the counts."""
    from chalicelib import clock

    mapping, now = GEOREPORT, clock.now()
    if options.mapping:
        mapping = {**GEOREPORT, **json.loads(options.mapping.read_text(encoding="utf-8"))}
    if re.match(r"https?://", options.reports):
        since = datetime.fromisoformat(options.since).replace(tzinfo=UTC)
        rows = from_open311(options.reports, since, now)
    else:
        rows = from_csv(Path(options.reports))
    outcome = run(city, rows, mapping, now)
    options.findings.parent.mkdir(parents=True, exist_ok=True)
    with options.findings.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("row", "id", "finding"))
        for finding in outcome.findings:
            writer.writerow([no_formula(str(value)) for value in finding])
    print(json.dumps({**outcome.summary(), "written": str(options.findings)}, indent=2))
    return 0
