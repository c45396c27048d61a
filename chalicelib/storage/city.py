"""Jurisdictions: the current city version, API keys and officials.

The rules and the boundary index of a version are files in S3 (``cities/<city>/<version>/``). They
are written before the version becomes current; old versions stay for old reports.
"""

import hashlib
import json
from typing import Any

from chalicelib.domain.row_types import KeyRecord, StaffRecord
from chalicelib.storage import files, tables
from chalicelib.storage.rows import dump, get
from chalicelib.storage.transactions import Put, commit, read

STAFF_LIMIT = 1000
_BATCH = 50
_SINCE = "SINCE#"
HISTORY_LIMIT = 200


def put_version(jurisdiction: str, version: str, rules: bytes, boundaries: bytes) -> None:
    """Store a version's files. It does not become current."""
    files.put(f"cities/{jurisdiction}/{version}/city.json", rules, "application/json")
    files.put(
        f"cities/{jurisdiction}/{version}/boundaries.bin",
        boundaries,
        "application/octet-stream",
    )


def rules(jurisdiction: str, version: str) -> dict[str, Any] | None:
    """The rules of a version."""
    body = files.get(f"cities/{jurisdiction}/{version}/city.json")
    return json.loads(body) if body else None


def boundaries(jurisdiction: str, version: str) -> bytes | None:
    """The boundary index of a version."""
    return files.get(f"cities/{jurisdiction}/{version}/boundaries.bin")


def current(jurisdiction: str) -> str | None:
    """The version that new reports are filed under."""
    row = get(tables.CityRow, f"{jurisdiction}#CITY", "CURRENT", consistent=False)
    return row["version"] if row else None


def since(jurisdiction: str) -> str | None:
    """When the current version became current (ISO 8601)."""
    row = get(tables.CityRow, f"{jurisdiction}#CITY", "CURRENT", consistent=False)
    return row["since"] if row else None


def make_current(jurisdiction: str, version: str, since: str) -> None:
    """Make a version current from ``since``, and add it to the history, in one transaction."""
    doc = json.dumps({"version": version, "since": since})
    key = f"{jurisdiction}#CITY"
    writes = [
        Put("current", tables.CityRow(key, "CURRENT", doc=doc)),
        Put("version", tables.CityRow(key, f"V#{version}", doc=doc)),
        Put("since", tables.CityRow(key, f"{_SINCE}{since}", doc=doc)),
    ]
    previous = get(tables.CityRow, key, "CURRENT")
    if previous is not None and previous["since"] < since:
        # A city loaded by older code has no history row of its version yet.
        row = tables.CityRow(key, f"{_SINCE}{previous['since']}", doc=json.dumps(previous))
        writes.append(Put("before", row))
    commit(writes)


def version_at(jurisdiction: str, moment: str) -> str | None:
    """The version that was current at a moment (ISO 8601), or the first known one if it is later.

    ``None`` if there is no such city.
    """
    key, row = f"{jurisdiction}#CITY", tables.CityRow
    until = row.sk.between(_SINCE, f"{_SINCE}{moment}")
    rows = read(lambda: list(row.query(key, until, scan_index_forward=False, limit=1)))
    if not rows:
        rows = read(lambda: list(row.query(key, row.sk.startswith(_SINCE), limit=1)))
    if not rows:
        return current(jurisdiction)
    version: str = json.loads(rows[0].doc)["version"]
    return version


def first_since(jurisdiction: str) -> str | None:
    """When the first known version of a city became current (ISO 8601)."""
    row = tables.CityRow
    condition = row.sk.startswith(_SINCE)
    rows = read(lambda: list(row.query(f"{jurisdiction}#CITY", condition, limit=1)))
    return rows[0].sk.removeprefix(_SINCE) if rows else since(jurisdiction)


def history(jurisdiction: str) -> list[str]:
    """The newest ``HISTORY_LIMIT`` versions, in the order in which they were current.

    A version that was current twice is there twice. A city without a history has the current one.
    """
    row = tables.CityRow
    condition = row.sk.startswith(_SINCE)
    key = f"{jurisdiction}#CITY"
    rows = read(
        lambda: list(row.query(key, condition, scan_index_forward=False, limit=HISTORY_LIMIT))
    )
    if not rows:
        return [entry] if (entry := current(jurisdiction)) else []
    return [json.loads(entry.doc)["version"] for entry in reversed(rows)]


def districts(jurisdiction: str) -> list[str]:
    """Every district of any version of the city."""
    row = get(tables.CityRow, f"{jurisdiction}#CITY", "DISTRICTS")
    return row["districts"] if row else []


def put_districts(jurisdiction: str, codes: list[str]) -> None:
    """Store the districts; written before a version is current, so that none is missing."""
    row = tables.CityRow(f"{jurisdiction}#CITY", "DISTRICTS", doc=dump({"districts": codes}))
    commit([Put("districts", row)])


def jurisdictions() -> list[str]:
    """The cities of this deployment."""
    row = get(tables.CityRow, "*#CITIES", "ALL", consistent=False)
    return row["jurisdictions"] if row else []


def put_jurisdictions(names: list[str]) -> None:
    """Set the list of cities."""
    doc = json.dumps({"jurisdictions": names})
    commit([Put("cities", tables.CityRow("*#CITIES", "ALL", doc=doc))])


def put_key(jurisdiction: str, digest: str, doc: KeyRecord) -> None:
    """Store the record of an API key under the key's hash; the key itself is not stored."""
    commit([Put("key", tables.CityRow(f"{jurisdiction}#KEYS", digest, doc=dump(doc)))])


def key(jurisdiction: str, digest: str) -> KeyRecord | None:
    """The record of an API key."""
    doc: KeyRecord | None = get(tables.CityRow, f"{jurisdiction}#KEYS", digest)
    return doc


def keys(jurisdiction: str) -> list[tuple[str, KeyRecord]]:
    """Every API key of a city, (hash, record): for the administrator's command."""
    rows = read(lambda: list(tables.CityRow.query(f"{jurisdiction}#KEYS")))
    return [(row.sk, json.loads(row.doc)) for row in rows]


def put_staff(jurisdiction: str, records: list[StaffRecord]) -> None:
    """Write staff records, each under its subject and its reference."""
    rows = []
    for record in records:
        doc = json.dumps(record, sort_keys=True)
        subject = _subject(record["issuer"], record["subject"])
        rows.append(tables.CityRow(f"{jurisdiction}#STAFF", f"P#{record['ref']}", doc=doc))
        rows.append(tables.CityRow(f"{jurisdiction}#STAFF", subject, doc=doc))
    for start in range(0, len(rows), _BATCH):
        commit([Put(row.sk, row) for row in rows[start : start + _BATCH]])


def staff_by_subject(jurisdiction: str, issuer: str, subject: str) -> StaffRecord | None:
    """The staff record of a signed-in person."""
    doc: StaffRecord | None = get(
        tables.CityRow, f"{jurisdiction}#STAFF", _subject(issuer, subject), consistent=False
    )
    return doc


def staff_by_ref(jurisdiction: str, ref: str) -> StaffRecord | None:
    """The staff record of a reference, by which the timeline names officials."""
    doc: StaffRecord | None = get(
        tables.CityRow, f"{jurisdiction}#STAFF", f"P#{ref}", consistent=False
    )
    return doc


def all_staff(jurisdiction: str) -> list[StaffRecord]:
    """Every record, at most ``STAFF_LIMIT``: for administration, not for a request path."""
    rows = read(
        lambda: list(
            tables.CityRow.query(
                f"{jurisdiction}#STAFF",
                tables.CityRow.sk.startswith("P#"),
                limit=STAFF_LIMIT,
            )
        )
    )
    return [json.loads(row.doc) for row in rows]


def _subject(issuer: str, subject: str) -> str:
    return "S#" + hashlib.sha256(f"{issuer}|{subject}".encode()).hexdigest()[:40]
