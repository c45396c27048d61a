"""Copies a whole stage into files, and restores it: for drills, moves, and losses beyond PITR.

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

import boto3

from chalicelib import clock
from chalicelib.domain.row_types import NamedErasure
from chalicelib.domain.timestamps import iso, parse
from chalicelib.services.city import cities
from chalicelib.services.people import closed_reports, erasure
from chalicelib.settings import settings
from chalicelib.storage import erasures, people, reports

# The order of restoring: the marks of counted events come before the events.
TABLES = ("city", "people", "control", "figures", "reports", "timeline")
ERASURES = "erasures.jsonl"
_WAITING = "quarantine/"
_BATCH, _TRIES = 25, 8


class NotEmpty(RuntimeError):
    """The stage is not empty: a restore would mix two histories."""


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
            for item in _scan(settings().table(name)):
                file.write(json.dumps(item, separators=(",", ":"), sort_keys=True).encode() + b"\n")
                count += 1
        items[name], digests[name] = count, _digest(path)
    files = 0
    for key in _keys():
        target = folder / "files" / key
        target.parent.mkdir(parents=True, exist_ok=True)
        stored = boto3.client("s3").get_object(Bucket=settings().bucket, Key=key)
        target.write_bytes(stored["Body"].read())
        (target.parent / f"{target.name}.type").write_text(stored["ContentType"])
        files += 1
    about = {"at": iso(began), "tables": items, "files": files, "sha256": digests}
    (folder / "copy.json").write_text(json.dumps(about, indent=1))
    told = {name: about[name] for name in ("at", "tables", "files")}
    return {"copy": str(folder), **told, "erasures": keep_erasures(copies)}


def keep_erasures(copies: Path) -> int:
    """Update the list of erasures beside the copies. Returns its length."""
    path = copies / ERASURES
    held = {(one["jurisdiction"], one["who"]): one for one in listed(copies)}
    for one in _known_here():
        key = (one["jurisdiction"], one["who"])
        if key not in held or one["at"] >= held[key]["at"]:
            held[key] = one
    copies.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(held[key], sort_keys=True) for key in sorted(held)]
    path.write_text("".join(f"{line}\n" for line in lines))
    return len(lines)


def erase_again(since: datetime, records: list[NamedErasure]) -> list[str]:
    """Repeat the later erasures of ``records`` and of this stage. Returns the reports."""
    for place in cities.jurisdictions():
        # Data that the retention schedule had erased may be back.
        closed_reports.restart(place)
    chosen = erasure.ended_since([*records, *_known_here()], since)
    if not chosen:
        return []
    uids: dict[tuple[str, str], set[str]] = defaultdict(set)
    for place, uid in people.all_traced():
        uids[place, erasures.hashed(place, uid)].add(uid)
    for one in chosen:
        for report in one["reports"]:
            head = reports.get(one["jurisdiction"], report)
            if head is not None and head.reporter:
                who = erasures.hashed(head.jurisdiction, head.reporter)
                uids[head.jurisdiction, who].add(head.reporter)
    done = set[str]()
    for one in chosen:
        theirs = uids.get((one["jurisdiction"], one["who"]), set())
        done |= set(erasure.repeat(one, theirs, clock.now()))
    return sorted(done)


def listed(copies: Path | None) -> list[NamedErasure]:
    """The erasures in the list beside the copies; none without a list."""
    if copies is None or not (path := copies / ERASURES).exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def _known_here() -> list[NamedErasure]:
    found: list[NamedErasure] = []
    for place in sorted({*cities.jurisdictions(), *erasures.cities_in_files()}):
        found += [*erasures.in_table(place), *erasures.in_files(place)]
    return found


def restore(folder: Path) -> dict[str, Any]:
    """Restore one copy into an empty stage, and repeat the erasures made since it began.

    Raises ``NotEmpty``, and ``ValueError`` for a copy that was changed.
    """
    if not (folder / "copy.json").exists():
        there = ", ".join(sorted(one.parent.name for one in folder.glob("*/copy.json")))
        raise ValueError(f"{folder} is no copy" + (f"; it has {there}" if there else ""))
    about = json.loads((folder / "copy.json").read_text())
    for name in TABLES:
        if next(_scan(settings().table(name)), None) is not None:
            raise NotEmpty(f"table {settings().table(name)} has something in it")
        if _digest(folder / "tables" / f"{name}.jsonl.gz") != about["sha256"][name]:
            raise ValueError(f"{name}: the copy is not as it was made")
    # What the bucket knows is older than nothing: a copy must not set it back.
    records = [*listed(folder.parent), *_known_here()]
    files = 0
    root = folder / "files"
    for path in sorted(root.rglob("*.type")):
        own = path.with_suffix("")
        boto3.client("s3").put_object(
            Bucket=settings().bucket, Key=own.relative_to(root).as_posix(),
            Body=own.read_bytes(), ContentType=path.read_text(),
        )  # fmt: skip
        files += 1
    items = {}
    for name in TABLES:
        with gzip.open(folder / "tables" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            items[name] = _write(settings().table(name), (json.loads(line) for line in file))
    erased = erase_again(parse(about["at"]), records)
    return {"tables": items, "files": files, "erased": erased}


def _scan(table: str) -> Iterator[dict[str, Any]]:
    pages = boto3.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _keys() -> Iterator[str]:
    pages = boto3.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=settings().bucket):
        for row in page.get("Contents", ()):
            if not row["Key"].startswith(_WAITING):
                yield row["Key"]


def _write(table: str, items: Iterator[dict[str, Any]]) -> int:
    client, count, batch = boto3.client("dynamodb"), 0, list[dict[str, Any]]()
    for item in items:
        batch.append({"PutRequest": {"Item": item}})
        count += 1
        if len(batch) == _BATCH:
            _put(client, table, batch)
            batch = []
    if batch:
        _put(client, table, batch)
    return count


def _put(client: Any, table: str, batch: list[dict[str, Any]]) -> None:
    for _ in range(_TRIES):
        answer = client.batch_write_item(RequestItems={table: batch})
        batch = answer.get("UnprocessedItems", {}).get(table, [])
        if not batch:
            return
    raise RuntimeError(f"{table} does not take what it is given")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
