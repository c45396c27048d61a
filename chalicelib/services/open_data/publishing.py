"""Open data: a file a month and format, written anew where something in the month has changed.

Nothing personal and nothing protected is in them: they hold what GeoReport's lists hold. A run
that breaks off leaves the note of how far it came as it was, and the next one does it again.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib import ids
from chalicelib.domain.city.city import City
from chalicelib.domain.open_data import formats
from chalicelib.domain.timestamps import iso, parse
from chalicelib.services.city import cities
from chalicelib.services.open311 import requests
from chalicelib.services.open_data import writers
from chalicelib.settings import settings
from chalicelib.storage import city as store
from chalicelib.storage import files, open311_requests

PAGE = 1000
_SHOWN = ("name", "path", "mediatype", "rows", "bytes", "hash")
# How many changes one run looks through for the months that they fall into.
CHANGES = 50_000
LICENCE = {"name": "ODC-BY-1.0", "title": "Open Data Commons Attribution License 1.0",
           "path": "https://opendatacommons.org/licenses/by/1-0/"}  # fmt: skip
_FIRST = datetime(2010, 1, 1, tzinfo=UTC)
# A projection may be late by as much.
_LATE = timedelta(hours=1)


def keep(now: datetime, may_go_on: Callable[[], bool] = lambda: True) -> list[str]:
    """Bring every city's files up to now while there is time; the files written."""
    written: list[str] = []
    for jurisdiction in store.jurisdictions():
        city = cities.current(jurisdiction, now)
        written += _city(city, now, may_go_on)
    return written


def listed(city: City) -> dict[str, Any]:
    """The package as it is: every file with its size, rows, digest and an address for minutes."""
    package = _package(city.jurisdiction)
    found = [
        {
            **{name: one[name] for name in _SHOWN},
            "url": files.address(f"open-data/{city.jurisdiction}/{one['path']}"),
        }
        for one in package.get("resources", [])
    ]
    return {"updated": package.get("created"), "licence": LICENCE, "files": found}


def _city(city: City, now: datetime, may_go_on: Callable[[], bool]) -> list[str]:
    package = _package(city.jurisdiction)
    since = parse(package["checked"]) - _LATE if package else None
    resources = {one["path"]: one for one in package.get("resources", [])}
    written: list[str] = []
    for month in _changed(city.jurisdiction, since, now):
        if not may_go_on():
            return written
        made = _write_month(city, month)
        resources |= made
        written += made
    if written:
        newest = requests.listed(city, {"page_size": str(formats.NEWEST)}, now)
        text = "".join(formats.georss(newest, city.text(city.name), settings().public_url))
        with tempfile.TemporaryFile() as file:
            file.write(text.encode())
            made = _keep(city.jurisdiction, "newest.xml", formats.GEORSS.media, file, len(newest))
        resources |= made
        written += made
        # A text that was erased must not live on in the file of before.
        files.delete_old(f"open-data/{city.jurisdiction}/")
    made_at = iso(now) if written or not package else package["created"]
    _put_package(city, resources, made_at, now)
    return written


def _changed(jurisdiction: str, since: datetime | None, now: datetime) -> list[str]:
    """The months of filing (UTC) in which something has changed, the oldest first; all of them
    where there are no files yet, or where more has changed than one run looks through."""
    found = open311_requests.changed(jurisdiction, since, now, CHANGES) if since else []
    if since and len(found) < CHANGES:
        return sorted({ids.moment(one).strftime("%Y%m") for one in found})
    return open311_requests.months_with_rows(jurisdiction, _FIRST, now)


def _write_month(city: City, month: str) -> dict[str, dict[str, Any]]:
    """Every format of a month in one reading of its rows."""
    name = f"{month[:4]}-{month[4:]}"
    title = f"{city.text(city.name)} {name}"
    held, rows = writers.every(name, title), 0
    for page in open311_requests.of_month(city.jurisdiction, month, PAGE):
        for one in requests.told(city.jurisdiction, page):
            for file in held:
                file.add(one)
            rows += 1
    found: dict[str, dict[str, Any]] = {}
    for file in held:
        with file.finish() as written:
            found |= _keep(city.jurisdiction, file.name, file.media, written, rows)
    return found


def _keep(
    jurisdiction: str, name: str, media: str, file: Any, rows: int
) -> dict[str, dict[str, Any]]:
    """Store a written file; {its name: what the package says of it}."""
    size = file.tell()
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    files.put_file(f"open-data/{jurisdiction}/{name}", file, media, name)
    known = {"name": name.replace(".", "-"), "path": name, "mediatype": media,
             "rows": rows, "bytes": size, "hash": f"sha256:{digest}"}  # fmt: skip
    return {name: known}


def _package(jurisdiction: str) -> dict[str, Any]:
    held = files.get(f"open-data/{jurisdiction}/datapackage.json")
    found: dict[str, Any] = json.loads(held) if held else {}
    return found


def _put_package(
    city: City, resources: dict[str, dict[str, Any]], made_at: str, now: datetime
) -> None:
    schema = {"fields": [{"name": name, "type": _TYPES.get(name, "string")}
                         for name in formats.COLUMNS]}  # fmt: skip
    package = {
        "name": f"{city.jurisdiction}-requests",
        "title": f"{city.text(city.name)}: requests to the city",
        "created": made_at,
        "checked": iso(now),
        "licenses": [LICENCE],
        "resources": [
            {**one, **({"schema": schema} if path.endswith(".csv") else {})}
            for path, one in sorted(resources.items())
        ],
    }
    key = f"open-data/{city.jurisdiction}/datapackage.json"
    files.put(key, json.dumps(package, indent=1).encode(), "application/json")


_TYPES = {"lat": "number", "long": "number", "requested_datetime": "datetime",
          "updated_datetime": "datetime", "closed_date": "datetime"}  # fmt: skip
