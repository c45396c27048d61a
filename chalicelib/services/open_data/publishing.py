"""Open data: one file for each month and format, rewritten when something in the month changed.

The files contain what GeoReport's lists contain: no personal data and no protected reports. An
interrupted run does not move the time of the last check, so the next run does the same again.

Tests: tests/integration/test_open_data.py
"""

import hashlib
import json
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.open_data import formats
from chalicelib.domain.timestamps import FIRST, iso, parse
from chalicelib.services.city import cities
from chalicelib.services.open311 import request_views, requests
from chalicelib.services.open_data import writers
from chalicelib.services.platform import set_aside
from chalicelib.settings import settings
from chalicelib.storage import city as store
from chalicelib.storage import files, open311_requests
from chalicelib.storage.transactions import Unavailable, Unknown

PAGE = 1000
SOURCE = "write_open_data"
_SHOWN = ("name", "path", "mediatype", "rows", "bytes", "hash")
# How many changes one run reads to find the months to rewrite.
CHANGES = 50_000
LICENCE = {"name": "ODC-BY-1.0", "title": "Open Data Commons Attribution License 1.0",
           "path": "https://opendatacommons.org/licenses/by/1-0/"}  # fmt: skip
# How late a projection may be.
_LATE = timedelta(hours=1)


def publish(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> list[str]:
    """Update every city's files while ``may_go_on`` says so. Returns the files written."""
    written: list[str] = []
    run = set_aside.Run(SOURCE, now)
    for jurisdiction in store.jurisdictions():
        with run.item(jurisdiction):
            written += _publish_city(run, cities.current(jurisdiction, now), now, may_go_on)
    run.finish()
    return written


def listed(city: City) -> dict[str, Any]:
    """The package: every file with its size, rows, digest and a URL valid for some minutes."""
    package = _package(city.jurisdiction)
    entries = [
        {
            **{name: resource[name] for name in _SHOWN},
            "url": files.address(f"open-data/{city.jurisdiction}/{resource['path']}"),
        }
        for resource in package.get("resources", [])
    ]
    return {"updated": package.get("created"), "licence": LICENCE, "files": entries}


def _publish_city(
    run: set_aside.Run, city: City, now: datetime, may_go_on: Callable[[], bool]
) -> list[str]:
    package = _package(city.jurisdiction)
    since = parse(package["checked"]) - _LATE if package.get("checked") else None
    resources = {resource["path"]: resource for resource in package.get("resources", [])}
    written: list[str] = []
    all_done = True
    for month in _changed_months(city.jurisdiction, since, now):
        if not may_go_on():
            return written
        month_done = False
        with run.item(city.jurisdiction, f"month:{month}"):
            files_written, month_done = _write_month(run, city, month)
            resources |= files_written
            written += files_written
        all_done = all_done and month_done
    if written:
        newest_done = False
        with run.item(city.jurisdiction, "newest"):
            files_written = _write_newest(city, now)
            resources |= files_written
            written += files_written
            newest_done = True
        all_done = all_done and newest_done
        # Older versions of the files may contain texts that were erased since.
        files.delete_old(f"open-data/{city.jurisdiction}/")
    made_at = iso(now) if written or not package else package["created"]
    # If something failed, the next run looks at the same changes again.
    _put_package(city, resources, made_at, iso(now) if all_done else package.get("checked"))
    return written


def _write_newest(city: City, now: datetime) -> dict[str, dict[str, Any]]:
    newest = requests.search(city, {"page_size": str(formats.NEWEST)}, now)
    text = "".join(formats.georss(newest, city.text(city.name), settings().public_url))
    with tempfile.TemporaryFile() as file:
        file.write(text.encode())
        return _store(city.jurisdiction, "newest.xml", formats.GEORSS_MEDIA, file, len(newest))


def _changed_months(jurisdiction: str, since: datetime | None, now: datetime) -> list[str]:
    """The months of filing (UTC) with a change, oldest first. All months if there are no files yet,
    or if there are more changes than one run reads."""
    report_ids = open311_requests.changed(jurisdiction, since, now, CHANGES) if since else []
    if since and len(report_ids) < CHANGES:
        return sorted({ids.moment(report_id).strftime("%Y%m") for report_id in report_ids})
    return open311_requests.months_with_rows(jurisdiction, FIRST, now)


def _write_month(
    run: set_aside.Run, city: City, month: str
) -> tuple[dict[str, dict[str, Any]], bool]:
    """Write every format of a month while reading its rows once. Also whether no row failed."""
    name = f"{month[:4]}-{month[4:]}"
    title = f"{city.text(city.name)} {name}"
    open_files, rows, failed = writers.every(name, title), 0, run.failed
    for page in open311_requests.of_month(city.jurisdiction, month, PAGE):
        for request in _requests(run, city.jurisdiction, page):
            for file in open_files:
                file.add(request)
            rows += 1
    resources: dict[str, dict[str, Any]] = {}
    for file in open_files:
        with file.finish() as written:
            resources |= _store(city.jurisdiction, file.name, file.media, written, rows)
    return resources, run.failed == failed


def _requests(
    run: set_aside.Run, jurisdiction: str, page: list[open311_requests.Row]
) -> list[dict[str, Any]]:
    """The requests of a page of rows; if one row fails, the page without it."""
    try:
        made = request_views.to_requests(jurisdiction, page)
    except (Unavailable, Unknown):
        raise
    except Exception:  # noqa: BLE001  (one by one, to find the row that fails)
        made = []
        for row in page:
            with run.item(jurisdiction, f"row:{row.get('id')}"):
                made += request_views.to_requests(jurisdiction, [row])
    else:
        for row in page:
            run.forget(jurisdiction, f"row:{row.get('id')}")
    return made


def _store(
    jurisdiction: str, name: str, media: str, file: Any, rows: int
) -> dict[str, dict[str, Any]]:
    """Store a written file. Returns {name: its entry in the package}."""
    size = file.tell()
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    files.put_file(f"open-data/{jurisdiction}/{name}", file, media, name)
    resource = {"name": name.replace(".", "-"), "path": name, "mediatype": media,
             "rows": rows, "bytes": size, "hash": f"sha256:{digest}"}  # fmt: skip
    return {name: resource}


def _package(jurisdiction: str) -> dict[str, Any]:
    body = files.get(f"open-data/{jurisdiction}/datapackage.json")
    package: dict[str, Any] = json.loads(body) if body else {}
    return package


def _put_package(
    city: City, resources: dict[str, dict[str, Any]], made_at: str, checked: str | None
) -> None:
    schema = {"fields": [{"name": name, "type": _TYPES.get(name, "string")}
                         for name in formats.COLUMNS]}  # fmt: skip
    package = {
        "name": f"{city.jurisdiction}-requests",
        "title": f"{city.text(city.name)}: requests to the city",
        "created": made_at,
        "checked": checked,
        "licenses": [LICENCE],
        "resources": [
            {**resource, **({"schema": schema} if path.endswith(".csv") else {})}
            for path, resource in sorted(resources.items())
        ],
    }
    key = f"open-data/{city.jurisdiction}/datapackage.json"
    files.put(key, json.dumps(package, indent=1).encode(), "application/json")


_TYPES = {"lat": "number", "long": "number", "requested_datetime": "datetime",
          "updated_datetime": "datetime", "closed_date": "datetime"}  # fmt: skip
