"""A restore counts nothing twice, tells nothing again, and goes on where it was interrupted."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib import clock
from chalicelib.entrypoints import batches
from chalicelib.services.notifications import outbox
from chalicelib.services.projections import monthly_counts
from chalicelib.settings import settings
from chalicelib.storage import files
from infra.ops import backups, restores
from tests.support import aws
from tests.support.world import World, citizen

REPORTS = 4
LOCKED, ENDED = "scorecards/a/202611/r1/scorecard.json", "scorecards/a/202511/r1/scorecard.json"
KEPT = ("photos/a/1.webp", "open-data/a/2026-11.csv", LOCKED)


def city_of_reports(world: World) -> None:
    """Reports that were filed, counted and told."""
    for number in range(REPORTS):
        world.file(citizen(f"c{number}"), description=f"hole {number}")
    project()
    while outbox.drain(now=world.now):
        pass


def project() -> Any:
    """Give the function of the stream all that the stream has."""
    records = aws.stream()
    return batches.project({"Records": records}, None) if records else None


def attributes(key: str) -> dict[str, Any]:
    """What S3 knows of a file."""
    client, bucket = boto3.client("s3"), settings().bucket
    stored = client.head_object(Bucket=bucket, Key=key)
    names = ("ContentType", "CacheControl", "ObjectLockMode", "ObjectLockRetainUntilDate")
    tags = client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    return {**{name: stored.get(name) for name in names}, "tags": tags}


def published() -> int:
    """How many alerts the topic took."""
    return sum(len(topic.sent_notifications) for topic in aws.backend("sns").topics.values())


def rows(kind: str) -> list[dict[str, Any]]:
    """The control rows of a kind."""
    return [row for row in aws.rows("control") if f"#{kind}#" in row["pk"]]


def forget_markers() -> None:
    """Let the markers of counted events lapse, as DynamoDB does after 30 days."""
    client = boto3.client("dynamodb")
    for row in rows("SEEN"):
        key = {"pk": {"S": row["pk"]}, "sk": {"S": row["sk"]}}
        client.delete_item(TableName="tanggap-control", Key=key)


def events(timeline: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    """(partition, version, text) of every event."""
    return sorted((row["pk"], int(row["version"]), row["event"]) for row in timeline)


def waiting() -> list[str]:
    """The names of the outbox's rows that are not deferred."""
    return [row["sk"] for row in rows("OUT") if not row["sk"].startswith("~")]


@pytest.mark.parametrize("lapsed", [True, False], ids=["lapsed", "kept"])
def test_a_restored_city_is_counted_once_and_nobody_is_told_again(
    world: World, tmp_path: Path, lapsed: bool
) -> None:
    city_of_reports(world)
    if lapsed:
        forget_markers()
    tallies = world.tallies()
    copy = Path(backups.backup(tmp_path)["copy"])
    aws.fresh()
    restores.restore(copy)
    project()
    assert world.tallies() == tallies
    assert monthly_counts.rebuild()["changed"] == 0
    assert waiting() == []
    assert published() == 0
    assert len(rows("SEEN")) == len(aws.rows("timeline"))
    assert all(row["ttl"] for row in rows("SEEN"))


def test_an_alert_that_waited_is_told_after_the_restore(world: World, tmp_path: Path) -> None:
    world.file()
    project_only(world)
    assert len(waiting()) == 1
    copy = Path(backups.backup(tmp_path)["copy"])
    aws.fresh()
    restores.restore(copy)
    assert outbox.drain(now=world.now) == 1
    assert published() == 1


def project_only(world: World) -> None:
    """Count, and publish nothing yet."""
    world.project()


def test_what_was_counted_while_the_copy_was_made_is_counted_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy reads one table after another, and the city goes on."""
    city_of_reports(world)
    real = backups.scan

    def busy(table: str) -> Any:
        if table.endswith("-timeline"):
            world.file(citizen("late"))
        return real(table)

    with monkeypatch.context() as patched:
        patched.setattr(backups, "scan", busy)
        copy = Path(backups.backup(tmp_path)["copy"])
    project()
    tallies = world.tallies()
    aws.fresh()
    restores.restore(copy)
    project()
    assert world.tallies() == tallies


@pytest.mark.parametrize("at", [1, 4, 9, 14])
def test_a_restore_that_broke_off_is_continued(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr(restores, "_BATCH", 2)
    monkeypatch.setattr(restores, "_NOTED", 1)
    city_of_reports(world)
    project_only(world)
    tallies, timeline = world.tallies(), aws.rows("timeline")
    copy = Path(backups.backup(tmp_path)["copy"])
    aws.fresh()
    real, calls = restores.write, []

    def breaking(*given: Any) -> None:
        calls.append(given)
        if len(calls) == at:
            raise RuntimeError("the connection is gone")
        real(*given)

    with monkeypatch.context() as broken:
        broken.setattr(restores, "write", breaking)
        with pytest.raises(RuntimeError, match="gone"):
            restores.restore(copy)
    # What was written is on its way through the stream already.
    project()
    before = len(calls)
    with monkeypatch.context() as counted:
        counted.setattr(restores, "write", lambda *given: (calls.append(given), real(*given)))
        restores.restore(copy)
    project()
    assert world.tallies() == tallies
    assert events(aws.rows("timeline")) == events(timeline)
    assert waiting() == []
    assert published() == 0
    assert rows("RESTORE") == []
    # It went on and did not begin again.
    assert len(calls) - before <= before + len(calls) - at
    with pytest.raises(restores.NotEmpty):
        restores.restore(copy)


@pytest.mark.parametrize("locks", [True, False], ids=["on AWS", "here"])
def test_a_restored_file_expires_is_locked_and_is_served_as_before(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locks: bool
) -> None:
    """A photo that nobody used would stay for ever, and a published month could be changed."""
    bucket = aws.backend("s3").buckets[settings().bucket]
    monkeypatch.setattr(bucket, "object_lock_enabled", True)
    files.put("photos/a/1.webp", b"1", "image/webp", unused=True)
    files.put("open-data/a/2026-11.csv", b"a", "text/csv")
    for key, until in ((LOCKED, timedelta(days=9)), (ENDED, timedelta(days=-1))):
        lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": clock.wall() + until}
        boto3.client("s3").put_object(Bucket=settings().bucket, Key=key, Body=b"{}", **lock)
    before = {key: attributes(key) for key in KEPT}
    copy = Path(backups.backup(tmp_path)["copy"])
    aws.fresh()
    monkeypatch.setattr(bucket, "object_lock_enabled", locks)
    restores.restore(copy)
    after = {key: attributes(key) for key in KEPT}
    assert before["photos/a/1.webp"]["tags"] == [{"Key": "unused", "Value": "yes"}]
    assert (before[LOCKED]["ObjectLockMode"], attributes(ENDED)["ObjectLockMode"]) == (
        "GOVERNANCE",
        None,
    )
    changed = [key for key in KEPT if before[key] != after[key]]
    assert changed == ([] if locks else [LOCKED])


def test_another_copy_is_not_poured_into_a_half_restored_stage(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city_of_reports(world)
    first = Path(backups.backup(tmp_path / "first")["copy"])
    world.file(citizen("later"))
    second = Path(backups.backup(tmp_path / "second")["copy"])
    aws.fresh()
    with monkeypatch.context() as broken:
        broken.setattr(restores, "write", lambda *_: pytest.skip)
        broken.setattr(restores, "_restore_table", _gone)
        with pytest.raises(RuntimeError):
            restores.restore(first)
    with pytest.raises(restores.NotEmpty, match="another copy"):
        restores.restore(second)
    restores.restore(first)
    assert len(aws.rows("timeline")) == REPORTS


def _gone(*_: Any) -> Any:
    raise RuntimeError("gone")


def test_what_dynamodb_does_not_take_at_once_is_tried_again_with_growing_pauses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Any] = []

    class Busy:
        def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
            ((table, requests),) = RequestItems.items()
            taken.append(requests[0])
            return {"UnprocessedItems": {table: requests[1:]}}

    monkeypatch.setattr(restores.boto3, "client", lambda service: Busy())
    pauses: list[float] = []
    items = [{"pk": {"S": str(number)}} for number in range(5)]
    restores.write("control", items, pauses.append)
    assert [one["PutRequest"]["Item"] for one in taken] == items
    assert len(pauses) == 4
    assert pauses[-1] > pauses[0]
    with pytest.raises(RuntimeError, match="run the same command again"):
        restores.write("control", items * 5, pauses.append)
    assert max(pauses) <= 1.5 * restores._MOST_SECONDS


def test_the_mark_of_a_restore_is_a_row_that_nothing_else_reads(world: World) -> None:
    restores._note({"city": "x"}, {"city": 1})
    assert restores._progress() == {"copy": {"city": "x"}, "done": {"city": 1}}
    assert json.dumps(outbox.drain(now=world.now)) == "0"
