"""A whole stage as files in a folder, and back: for drills, moves, and what PITR cannot bring back.

    tables/<name>.jsonl.gz      items in DynamoDB's own JSON, a line each
    files/<key>                 the bucket, but uploads that still wait
    copy.json                   what was copied, when, and the digests

It holds everything, contacts included: keep it where such things are kept. Reading a table is a
Scan; on a busy stage prefer PITR, whose copies are of one moment.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from chalicelib import clock
from chalicelib.domain.times import iso
from chalicelib.settings import settings

# The order of restoring: what says that an event was counted comes before the events.
TABLES = ("city", "people", "control", "figures", "reports", "timeline")
_WAITING = "quarantine/"
_BATCH, _TRIES = 25, 8


class NotEmpty(RuntimeError):
    """A restore would mix two cities' histories."""


def backup(folder: Path) -> dict[str, Any]:
    """Copy everything; {"at", "tables": {name: items}, "files": n}."""
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
        found = boto3.client("s3").get_object(Bucket=settings().bucket, Key=key)
        target.write_bytes(found["Body"].read())
        (target.parent / f"{target.name}.type").write_text(found["ContentType"])
        files += 1
    about = {"at": iso(clock.now()), "tables": items, "files": files, "sha256": digests}
    (folder / "copy.json").write_text(json.dumps(about, indent=1))
    return {name: about[name] for name in ("at", "tables", "files")}


def restore(folder: Path) -> dict[str, Any]:
    """Bring everything into an empty stage. Raises ``NotEmpty``; ``ValueError`` for a copy that is
    not as it was made."""
    about = json.loads((folder / "copy.json").read_text())
    for name in TABLES:
        if next(_scan(settings().table(name)), None) is not None:
            raise NotEmpty(f"table {settings().table(name)} has something in it")
        if _digest(folder / "tables" / f"{name}.jsonl.gz") != about["sha256"][name]:
            raise ValueError(f"{name}: the copy is not as it was made")
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
    return {"tables": items, "files": files}


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
