"""Copies a whole stage into files: for drills, moves, and losses beyond PITR.

``infra.ops.restores`` restores a copy.

    erasures.jsonl                      who was erased, when (``storage.erasures``), for all copies
    <moment>/tables/<name>.jsonl.gz     items in DynamoDB's own JSON, a line each
    <moment>/files/<key>                the bucket, without unprocessed uploads
    <moment>/copy.json                  the contents, the time, and the digests

A copy has the name of the time at which it began. When it is restored, people who were erased since
then are erased again: by the list beside the copy, the list in the stage's bucket, and the one in
the copy. A copy contains all personal data, so protect it. It reads tables by Scan; on a busy
stage prefer PITR, which copies one moment.
"""

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3

from chalicelib import clock
from chalicelib.domain.row_types import NamedErasure
from chalicelib.domain.timestamps import iso
from chalicelib.services.city import cities
from chalicelib.services.people import closed_reports, erasure
from chalicelib.settings import settings
from chalicelib.storage import erasures, people, reports

TABLES = ("city", "people", "control", "figures", "reports", "timeline")
ERASURES = "erasures.jsonl"
_WAITING = "quarantine/"
_ATTRIBUTES = ("CacheControl", "ContentDisposition", "ObjectLockMode")
_LOCKED_UNTIL = "ObjectLockRetainUntilDate"


def backup(copies: Path) -> dict[str, Any]:
    """Copy everything into a new folder of ``copies``; {"copy": the folder, "at": when it began,
    "tables": {name: items}, "files": n, "erasures": entries of the list}."""
    began = clock.now()
    folder = copies / began.astimezone(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    (folder / "tables").mkdir(parents=True)
    items, digests = {}, {}
    for name in TABLES:
        path = folder / "tables" / f"{name}.jsonl.gz"
        count = 0
        with gzip.GzipFile(path, "wb", mtime=0) as file:
            for item in scan(settings().table(name)):
                file.write(json.dumps(item, separators=(",", ":"), sort_keys=True).encode() + b"\n")
                count += 1
        items[name], digests[name] = count, digest(path)
    files = 0
    for key in _keys():
        target = folder / "files" / key
        target.parent.mkdir(parents=True, exist_ok=True)
        stored = boto3.client("s3").get_object(Bucket=settings().bucket, Key=key)
        target.write_bytes(stored["Body"].read())
        attributes = f"{stored['ContentType']}\n{json.dumps(_kept(key, stored), sort_keys=True)}"
        (target.parent / f"{target.name}.type").write_text(attributes)
        files += 1
    about = {"at": iso(began), "tables": items, "files": files, "sha256": digests}
    (folder / "copy.json").write_text(json.dumps(about, indent=1))
    summary = {name: about[name] for name in ("at", "tables", "files")}
    return {"copy": str(folder), **summary, "erasures": keep_erasures(copies)}


def keep_erasures(copies: Path) -> int:
    """Update the list of erasures beside the copies. Returns its length."""
    path = copies / ERASURES
    held = {(record["jurisdiction"], record["who"]): record for record in listed(copies)}
    for record in known_here():
        key = (record["jurisdiction"], record["who"])
        if key not in held or record["at"] >= held[key]["at"]:
            held[key] = record
    copies.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(held[key], sort_keys=True) for key in sorted(held)]
    path.write_text("".join(f"{line}\n" for line in lines))
    return len(lines)


def erase_again(since: datetime, records: list[NamedErasure]) -> list[str]:
    """Repeat the later erasures of ``records`` and of this stage. Returns the reports."""
    for jurisdiction in cities.jurisdictions():
        # Data that the retention schedule had erased may be back.
        closed_reports.restart(jurisdiction)
    chosen = erasure.ended_since([*records, *known_here()], since)
    if not chosen:
        return []
    uids: dict[tuple[str, str], set[str]] = defaultdict(set)
    for jurisdiction, uid in people.all_traced():
        uids[jurisdiction, erasures.hashed(jurisdiction, uid)].add(uid)
    for record in chosen:
        for report in record["reports"]:
            head = reports.get(record["jurisdiction"], report)
            if head is not None and head.reporter:
                who = erasures.hashed(head.jurisdiction, head.reporter)
                uids[head.jurisdiction, who].add(head.reporter)
    done = set[str]()
    for record in chosen:
        theirs = uids.get((record["jurisdiction"], record["who"]), set())
        done |= set(erasure.repeat(record, theirs, clock.now()))
    return sorted(done)


def listed(copies: Path | None) -> list[NamedErasure]:
    """The erasures in the list beside the copies; none without a list."""
    if copies is None or not (path := copies / ERASURES).exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def known_here() -> list[NamedErasure]:
    """The erasures that this stage knows of, in its table and its bucket."""
    named: list[NamedErasure] = []
    for jurisdiction in sorted({*cities.jurisdictions(), *erasures.cities_in_files()}):
        named += [*erasures.in_table(jurisdiction), *erasures.in_files(jurisdiction)]
    return named


def scan(table: str) -> Iterator[dict[str, Any]]:
    """Every item of a table."""
    pages = boto3.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _keys() -> Iterator[str]:
    pages = boto3.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=settings().bucket):
        for row in page.get("Contents", ()):
            if not row["Key"].startswith(_WAITING):
                yield row["Key"]


def _kept(key: str, stored: dict[str, Any]) -> dict[str, str]:
    """What S3 knows of an object beside its content type: when it expires, until when it is locked,
    how it is served."""
    kept = {name: stored[name] for name in _ATTRIBUTES if stored.get(name)}
    if until := stored.get(_LOCKED_UNTIL):
        kept[_LOCKED_UNTIL] = iso(until)
    if stored.get("TagCount"):
        tags = boto3.client("s3").get_object_tagging(Bucket=settings().bucket, Key=key)["TagSet"]
        kept["Tagging"] = urlencode({tag["Key"]: tag["Value"] for tag in tags})
    return kept


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
