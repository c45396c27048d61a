"""Imports an old system's history row by row; faulty rows are reported and left out.

    python -m infra.city import-reports old.csv --mapping mapping.json
    python -m infra.city import-reports https://old.example.org/open311/v2 --since 2024-01-01

Importing again changes nothing, so repeat a run that was interrupted (docs/import.md).

Tests: tests/integration/test_legacy_import.py
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.input.text import no_formula
from chalicelib.domain.timestamps import FIRST, iso
from chalicelib.errors import Problem
from chalicelib.services.notifications import import_notice
from chalicelib.services.people import closed_reports
from chalicelib.services.reports import import_undo, intake, legacy_import
from chalicelib.services.reports.legacy_import import LegacyReport
from chalicelib.storage import imports
from chalicelib.storage.transactions import Unavailable, Unknown
from infra.city import import_csv, import_mapping_checks, import_open311
from infra.city.findings import CityErrors
from infra.city.import_mapping import Mapping
from infra.city.import_rows import EXTRA, Row, Wrong, named, old_report

GEOREPORT = {
    "source": "open311",
    "columns": {
        "id": "service_request_id", "created": "requested_datetime", "closed": "updated_datetime",
        "promised": "expected_datetime", "lat": "lat", "long": "long",
        "service": "service_code", "status": "status", "description": "description",
        "landmark": "address",
    },
    "statuses": {"open": "open", "closed": "unverified"},
    "services": {},
}  # fmt: skip


@dataclass
class Outcome:
    """The counts of rows by result, and the findings of those left out or changed."""

    imported: int = 0
    known: int = 0
    findings: list[tuple[int, str, str]] = field(default_factory=list)
    services: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    open_by_unit: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """The counts, how often each finding occurred, and the commonest names without a line in
        the mapping."""
        kinds = Counter(kind for _, _, kind in self.findings)
        return {
            "imported": self.imported,
            "known": self.known,
            "findings": dict(sorted(kinds.items())),
            "statuses": dict(sorted(self.statuses.items())),
            "services": dict(sorted(self.services.items())),
            **({"notified": self.told} if self.told else {}),
            **({"without a line": dict(self.unknown.most_common(20))} if self.unknown else {}),
        }


def run(
    city: City,
    rows: Iterator[Row],
    mapping: Mapping,
    now: datetime,
    name: str = "",
    *,
    dry: bool = False,
) -> Outcome:
    """Import the correct rows; ``name``: the id of the import, by which it can be undone; ``dry``:
    only count what would be imported."""
    outcome, seen = Outcome(), set[str]()
    try:
        for number, row in enumerate(rows, start=1):
            extra = row.pop(EXTRA, ())
            texts = named(row, mapping)
            old_id = texts["id"]
            if any(cell.strip() for cell in extra):
                outcome.findings.append((number, old_id, "too_many_cells"))
                continue
            if old_id in seen:
                outcome.findings.append((number, old_id, "duplicate_id"))
                continue
            seen.add(old_id)
            try:
                old, remarks = old_report(city, texts, mapping, now)
                new = legacy_import.import_report(city, old, now, name, dry=dry)
            except (Unavailable, Unknown):
                # Not this row's fault. Import again: what is stored is known then.
                raise
            except (Wrong, Problem) as wrong:
                kind = str(wrong)
                outcome.findings.append((number, old_id, kind))
                if kind in ("unknown_service", "unknown_status"):
                    outcome.unknown[f"{kind[8:]} {texts.get(kind[8:], '')!r}"] += 1
                continue
            outcome.imported += new
            outcome.known += not new
            if new and old.resolution is None:
                outcome.open_by_unit[_unit(city, old)] += 1
            outcome.services[old.service] += 1
            outcome.statuses[old.resolution or "open"] += 1
            outcome.findings += [(number, old_id, remark) for remark in remarks]
    finally:
        # Closed long ago; the schedule of retention no longer visits them. Also after a run that
        # broke off, and for reports of a run that was killed before this.
        if (outcome.imported or outcome.known) and not dry:
            closed_reports.restart(city.jurisdiction)
    return outcome


def _unit(city: City, old: LegacyReport) -> str:
    ward, _ = intake.locate(city, old.lat, old.long)
    return city.unit_for(old.service, city.district_and_path(ward)[0])


def command(options: Any, city: City) -> int:
    """``import-reports``: import, write the findings to a CSV, print the counts.

    Returns 1 if an endpoint did not give everything.
    """
    from chalicelib import clock

    now, name = clock.now(), "mapping"
    raw: dict[str, Any] = GEOREPORT
    from_endpoint = re.match(r"https?://", options.reports)
    if options.mapping:
        name = options.mapping.name
        raw = import_mapping_checks.from_file(options.mapping, GEOREPORT if from_endpoint else {})
    elif not from_endpoint:
        raise CityErrors(["--mapping is needed for a file: docs/import.md shows one"])
    mapping = import_mapping_checks.checked(raw, city, name)
    reader = None
    if from_endpoint:
        reader = import_open311.Reader(options.reports)
        rows = reader.rows(_since(options.since, now), now)
    else:
        rows = import_csv.rows(Path(options.reports), mapping, city)
    run_id = ids.new_ulid(now)
    known = {"source": mapping.source, "input": options.reports, "at": iso(now)}
    if not options.dry_run:
        imports.save(city.jurisdiction, run_id, known)
    outcome = run(city, rows, mapping, now, run_id, dry=options.dry_run)
    if not options.dry_run:
        imports.save(city.jurisdiction, run_id, {**known, "imported": outcome.imported})
        if options.notify_units:
            outcome.told = import_notice.tell(city, run_id, outcome.open_by_unit, now)
    _write_findings(options.findings, outcome)
    print(json.dumps({
        **({"dry_run": True} if options.dry_run else {"import": run_id}),
        **(reader.summary() if reader else {}),
        **outcome.summary(),
        "written": str(options.findings),
    }, indent=2, ensure_ascii=False))  # fmt: skip
    return 1 if reader and reader.not_read else 0


def undo(options: Any, city: City) -> int:
    """``undo-import``: take an import's reports out of everything but their timelines."""
    from chalicelib import clock

    counts = import_undo.undo(city, options.run, clock.now(), dry=options.dry_run)
    print(json.dumps({**({"dry_run": True} if options.dry_run else {}), **counts}, indent=2))
    return 0


def listed(city: City) -> int:
    """``imports``: the newest imports of a city."""
    print(json.dumps(imports.runs(city.jurisdiction, 100), indent=2, ensure_ascii=False))
    return 0


def _since(text: str, now: datetime) -> datetime:
    try:
        since = datetime.fromisoformat(text)
    except ValueError:
        raise CityErrors([f"--since: {text!r} is no day such as 2024-01-01"]) from None
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    if not FIRST <= since < now:
        raise CityErrors([f"--since: {text!r} is before 1970 or in the future"])
    return since


def _write_findings(path: Path, outcome: Outcome) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("row", "id", "finding"))
            for finding in outcome.findings:
                writer.writerow([no_formula(str(value)) for value in finding])
    except OSError as error:
        raise CityErrors([f"{path}: {error.strerror or error}"]) from None
