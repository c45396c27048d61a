"""Forgetting a person, and the copies of a stage."""

import json
from pathlib import Path

import pytest

from chalicelib.services import erasing, feedback, figures, open311, reading
from chalicelib.services.operations import operation
from infra import backfill, copies, ops
from tests import aws
from tests.world import JURISDICTION, World, citizen, faults, official

CANARY = "qzperson"
SITI, BUDI = citizen("siti"), citizen("budi")


@pytest.fixture(name="world")
def fixture_world(aws: None) -> World:
    """The test city."""
    return World()


def traces() -> str:
    """Everything that is stored, but the journal of answers that lapses by itself."""
    rows = [
        row
        for table in ("reports", "timeline", "people", "figures", "control")
        for row in aws.rows(table)
        if not any(kind in row["pk"] for kind in ("#IDEM#",))
    ]
    return json.dumps(rows, default=str)


def test_nothing_of_a_person_is_left_and_the_citys_history_is(world: World) -> None:
    contact = {"email": f"{CANARY}@example.org", "name": CANARY}
    photo = world.photo(SITI)
    first = world.file(SITI, description=f"{CANARY} hole", contact=contact, photos=[photo])["id"]
    second = world.file(SITI, landmark=f"{CANARY} gate", ward="D2-W1")["id"]
    other = world.file(BUDI, description="Another hole")["id"]
    op = operation(SITI, "comment", "key-1", "")
    feedback.comment(SITI, op, first, f"{CANARY} still there", "public", world.now)
    officer = official("officer1")
    op = operation(officer, "comment", "key-2", "")
    feedback.comment(officer, op, first, "I saw it too", "public", world.now)
    world.act(official("officer1"), first, "assign", person="s_worker1")
    world.project()
    assert CANARY in traces()
    assert erasing.erase(JURISDICTION, first, world.now) == sorted([first, second])
    world.project()
    assert CANARY not in traces()
    assert (SITI.uid or "") not in traces()
    stored = set(aws.backend("s3").buckets["tanggap-files"].keys)
    assert not [key for key in stored if photo in key]
    for report in (first, second):
        head = world.head(report)
        assert (head.reporter, head.contact, head.contactable) == (None, None, False)
        assert faults(head, world.links(report)) == []
    seen = reading.case(official("officer1"), first)
    assert (seen["description"], seen["state"]) == (None, "assigned")
    words = [one["words"] for one in seen["timeline"] if one["words"]]
    assert {"comment": "I saw it too"} in words
    assert reading.public(BUDI, other)["description"] == "Another hole"
    told = open311.request(JURISDICTION, first)
    assert CANARY not in json.dumps(told)
    assert figures.rebuild()["changed"] == 0
    # Once more is nothing new.
    versions = [world.head(one).version for one in (first, second)]
    assert erasing.erase(JURISDICTION, first, world.now) == [first]
    assert [world.head(one).version for one in (first, second)] == versions


def stored() -> dict[str, list[str]]:
    """Every row of every table, in an order of their own."""
    return {
        table: sorted(json.dumps(row, sort_keys=True, default=str) for row in aws.rows(table))
        for table in copies.TABLES
    }


def test_a_copy_brings_every_report_back_and_counts_the_same(world: World, tmp_path: Path) -> None:
    photo = world.photo(SITI)
    report = world.file(SITI, description="A hole", photos=[photo])["id"]
    done = world.finished(service="litter")
    world.act(citizen("reporter"), done, "verify")
    world.project()
    before = stored()
    files = set(aws.backend("s3").buckets["tanggap-files"].keys)
    told = copies.backup(tmp_path)
    assert told["tables"]["timeline"] == len(aws.rows("timeline"))
    with pytest.raises(copies.NotEmpty):
        copies.restore(tmp_path)
    aws.fresh()
    copies.restore(tmp_path)
    assert stored() == before
    assert set(aws.backend("s3").buckets["tanggap-files"].keys) == files
    for one in (report, done):
        assert faults(world.head(one), world.links(one)) == []
    assert world.project() == 0
    assert figures.rebuild()["changed"] == 0


def test_a_copy_that_was_changed_is_refused(world: World, tmp_path: Path) -> None:
    world.file(SITI)
    copies.backup(tmp_path)
    aws.fresh()
    table = tmp_path / "tables" / "timeline.jsonl.gz"
    table.write_bytes(table.read_bytes() + b"\0")
    with pytest.raises(ValueError, match="timeline"):
        copies.restore(tmp_path)
    assert aws.rows("timeline") == []


def test_a_backfill_goes_on_where_it_was_and_changes_no_report(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = [world.file(citizen(f"c{n}"))["id"] for n in range(12)]
    before = stored()["reports"]
    # As a version before that index would have left them.
    table = aws.backend("dynamodb").tables["tanggap-reports"]
    for item in table.all_items():
        for name in ("qpk", "qsk", "m"):
            item.attrs.pop(name, None)
    # Tracking codes are rows of the table too, and come first here.
    monkeypatch.setattr(backfill, "PAGE", len(reports) + 4)
    first = backfill.run(pages=1)
    assert not first["done"]
    assert 0 < first["written"] < len(reports)
    rest = backfill.run()
    assert rest["done"]
    assert first["written"] + rest["written"] == len(reports)
    assert stored()["reports"] == before
    assert backfill.run()["written"] == len(reports)


def test_the_command_says_in_a_line_what_it_cannot_do(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.file(SITI)
    copies.backup(tmp_path)
    for words in (["erase", JURISDICTION, "nothing"], ["restore", str(tmp_path)]):
        assert ops.main(words) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1, said
    assert "has something in it" in said
