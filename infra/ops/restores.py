"""Restores a copy of ``infra.ops.backups`` into an empty stage. An interrupted restore continues.

The timeline's stream sees each event that is written. The markers that an event was counted expire
after 30 days, so each event gets a new marker before it is written: nothing is counted or told
again. The counters are then compared with the timeline, for what was counted while the copy was
being made. Messages that waited in the outbox come last and are published.

A mark in the table ``control`` says which copy is being restored and how far. It is deleted last.
"""

import gzip
import itertools
import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from chalicelib import clock
from chalicelib.domain.timestamps import parse
from chalicelib.services.projections import monthly_counts, timeline_events
from chalicelib.settings import settings
from chalicelib.storage import control
from infra.ops.backups import TABLES, digest, erase_again, known_here, listed, scan

Item = dict[str, Any]
MARK = {"pk": {"S": "*#RESTORE#0"}, "sk": {"S": "-"}}
_BATCH, _TRIES, _MOST_SECONDS = 25, 10, 10.0
# After so many batches the place is noted.
_NOTED = 20


class NotEmpty(RuntimeError):
    """The stage is not empty: a restore would mix two histories."""


def restore(folder: Path) -> dict[str, Any]:
    """Restore one copy into an empty stage, and repeat the erasures made since it began.

    Raises ``NotEmpty``, and ``ValueError`` for a copy that was changed.
    """
    about = _checked(folder)
    progress = _progress()
    if progress is None:
        _check_empty()
    elif progress["copy"] != about["sha256"]:
        raise NotEmpty("another copy was restored here, but not to its end")
    else:
        print(f"continuing after {json.dumps(progress['done'])}", file=sys.stderr)
    done: dict[str, int] = progress["done"] if progress else {}
    # The bucket's list may be newer than the copy's: it is read before the copy sets it back.
    records = [*listed(folder.parent), *known_here()]
    _note(about["sha256"], done)
    files = _restore_files(folder / "files")
    for name in TABLES:
        for count in _restore_table(folder, name, done.get(name, 0)):
            done[name] = count
            _note(about["sha256"], done)
    monthly_counts.rebuild()
    erased = erase_again(parse(about["at"]), records)
    for batch in _batches(filter(_waits, _items(folder, "control"))):
        write("control", batch)
    boto3.client("dynamodb").delete_item(TableName=settings().table("control"), Key=MARK)
    return {"tables": {name: done[name] for name in TABLES}, "files": files, "erased": erased}


def _checked(folder: Path) -> dict[str, Any]:
    if not (folder / "copy.json").exists():
        there = ", ".join(sorted(path.parent.name for path in folder.glob("*/copy.json")))
        raise ValueError(f"{folder} is no copy" + (f"; it has {there}" if there else ""))
    about: dict[str, Any] = json.loads((folder / "copy.json").read_text())
    for name in TABLES:
        if digest(folder / "tables" / f"{name}.jsonl.gz") != about["sha256"][name]:
            raise ValueError(f"{name}: the copy is not as it was made")
    return about


def _check_empty() -> None:
    for name in TABLES:
        if next(scan(settings().table(name)), None) is not None:
            raise NotEmpty(f"table {settings().table(name)} has something in it")


def _progress() -> dict[str, Any] | None:
    """{"copy": its digests, "done": {table: items}} of a restore that was begun here."""
    table = settings().table("control")
    item = boto3.client("dynamodb").get_item(TableName=table, Key=MARK, ConsistentRead=True)
    return json.loads(item["Item"]["doc"]["S"]) if "Item" in item else None


def _note(copy: dict[str, str], done: dict[str, int]) -> None:
    doc = json.dumps({"copy": copy, "done": done})
    item = {**MARK, "doc": {"S": doc}}
    boto3.client("dynamodb").put_item(TableName=settings().table("control"), Item=item)


def _restore_files(root: Path) -> int:
    count, locks = 0, _has_locks()
    for path in sorted(root.rglob("*.type")):
        own = path.with_suffix("")
        # Older copies have only the content type.
        content_type, _, kept = path.read_text().partition("\n")
        boto3.client("s3").put_object(
            Bucket=settings().bucket, Key=own.relative_to(root).as_posix(),
            Body=own.read_bytes(), ContentType=content_type, **_attributes(kept, locks=locks),
        )  # fmt: skip
        count += 1
    return count


def _has_locks() -> bool:
    """Whether the stage's bucket can lock files; a local one cannot."""
    try:
        boto3.client("s3").get_object_lock_configuration(Bucket=settings().bucket)
    except ClientError:
        return False
    return True


def _attributes(kept: str, *, locks: bool) -> dict[str, Any]:
    """The attributes of a stored file; without a lock that has ended."""
    attributes: dict[str, Any] = json.loads(kept) if kept else {}
    until = attributes.pop("ObjectLockRetainUntilDate", None)
    if until and locks and parse(until) > clock.wall():
        return {**attributes, "ObjectLockRetainUntilDate": parse(until)}
    attributes.pop("ObjectLockMode", None)
    return attributes


def _restore_table(folder: Path, name: str, begin: int) -> Iterator[int]:
    """Write a table's items from number ``begin`` on. Yields now and then how many are done."""
    count = begin
    items = itertools.islice(_items(folder, name), begin, None)
    for number, batch in enumerate(_batches(items), start=1):
        if name == "timeline":
            write("control", [_marker(item) for item in batch])
        # What waits in the outbox would be published, and on continuing published again.
        write(name, [item for item in batch if not _waits(item)])
        count += len(batch)
        if number % _NOTED == 0:
            yield count
    yield count


def _items(folder: Path, name: str) -> Iterator[Item]:
    with gzip.open(folder / "tables" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _waits(item: Item) -> bool:
    return bool(item["pk"]["S"] == control.OUTBOX)


def _marker(item: Item) -> Item:
    """The marker that a stored event was counted."""
    event = json.loads(item["event"]["S"])
    seen = control.put_seen(
        timeline_events.NAME, event["jurisdiction"], event["report"], int(item["version"]["N"])
    )
    marker: Item = seen.item.to_dynamodb_dict()
    return marker


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    left = iter(items)
    while batch := list(itertools.islice(left, _BATCH)):
        yield batch


def write(table: str, items: list[Item], pause: Callable[[float], None] = time.sleep) -> None:
    """Write a batch of items. What DynamoDB does not take is tried again with growing pauses.

    Raises ``RuntimeError`` if it takes nothing for a minute; the restore can then be continued.
    """
    client, name = boto3.client("dynamodb"), settings().table(table)
    requests = [{"PutRequest": {"Item": item}} for item in items]
    for attempt in range(_TRIES):
        if not requests:
            return
        if attempt:
            pause(min(_MOST_SECONDS, 0.1 * 2**attempt) * (0.5 + random.random()))  # nosec B311
        answer = client.batch_write_item(RequestItems={name: requests})
        requests = answer.get("UnprocessedItems", {}).get(name, [])
    if requests:
        raise RuntimeError(f"{name} does not take what it is given; run the same command again")
