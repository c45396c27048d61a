"""Erasing a person, and copies of a stage."""

import json
from pathlib import Path

import pytest

from chalicelib import clock
from chalicelib.domain.principal import Principal
from chalicelib.domain.timestamps import iso
from chalicelib.services.open311 import requests, updates
from chalicelib.services.open311.attachments import Attachments
from chalicelib.services.people import claiming, data_copy, erasure
from chalicelib.services.platform import signing
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import engagement, queries, text_moderation
from chalicelib.storage import people, report_texts
from infra.ops import backfill, backups, commands, restores, verify
from tests.integration.test_filers import post
from tests.integration.test_merging import BUDI as BUDI_MAIL
from tests.integration.test_merging import family
from tests.integration.test_updates import fixture_key
from tests.support import aws, personal_data_search, photo_files
from tests.support.world import JURISDICTION, World, citizen, faults, official

__all__ = ("fixture_key",)
CANARY = "qzperson"
SITI, BUDI = citizen("siti"), citizen("budi")


@pytest.fixture(name="world")
def fixture_world(aws: None) -> World:
    """The test city."""
    return World()


def traces() -> str:
    """Everything that is stored, except the idempotency rows, which expire."""
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
    op = keyed_operation(SITI, "comment", "key-1", "")
    engagement.comment(SITI, op, first, f"{CANARY} still there", "public", world.now)
    officer = official("officer1")
    op = keyed_operation(officer, "comment", "key-2", "")
    engagement.comment(officer, op, first, "I saw it too", "public", world.now)
    world.act(official("officer1"), first, "assign", person="s_worker1")
    world.project()
    assert CANARY in traces()
    assert erasure.erase(JURISDICTION, first, world.now) == sorted([first, second])
    world.project()
    assert CANARY not in traces()
    assert (SITI.uid or "") not in traces()
    stored = set(aws.backend("s3").buckets["tanggap-files"].keys)
    assert not [key for key in stored if photo in key]
    for report in (first, second):
        head = world.head(report)
        assert (head.reporter, head.contact, head.contactable) == (None, None, False)
        assert faults(head, world.links(report)) == []
    seen = queries.case(official("officer1"), first)
    assert (seen["description"], seen["state"]) == (None, "assigned")
    words = [one["words"] for one in seen["timeline"] if one["words"]]
    assert {"comment": "I saw it too"} in words
    assert queries.public(BUDI, other)["description"] == "Another hole"
    told = requests.request(JURISDICTION, first)
    assert CANARY not in json.dumps(told)
    assert monthly_counts.rebuild()["changed"] == 0
    # Once more is nothing new.
    versions = [world.head(one).version for one in (first, second)]
    assert erasure.erase(JURISDICTION, first, world.now) == [first]
    assert [world.head(one).version for one in (first, second)] == versions


@pytest.mark.parametrize("claimed", [False, True], ids=["not claimed", "claimed"])
@pytest.mark.parametrize("merged", [False, True], ids=["on the report", "on the original"])
def test_what_the_filer_says_later_through_a_front_end_is_copied_and_erased_with_the_report(
    world: World, key: Principal, merged: bool, claimed: bool
) -> None:
    about = copy = post(world, key, 1, email=BUDI_MAIL)
    if merged:
        about, copy = family(world, key)
    world.advance(hours=1)
    picture = Attachments((("image/jpeg", photo_files.jpeg()),), ("http://192.0.2.1/a.gif",))
    for who, words in ((BUDI_MAIL, f"{CANARY}@example.org"), ("ani@example.org", "Not mine")):
        form = {
            "update_id": words, "service_request_id": copy, "status": "UNCHANGED", "email": who,
            "updated_datetime": world.now.strftime("%Y-%m-%dT%H:%M:%SZ"), "description": words,
        }  # fmt: skip
        updates.receive(key, form.get, world.now, picture, further=f"note: {words}")
    mine, other = list(world.head(about).pictures)
    if claimed:
        op = world.operation(SITI, "claimReport", {})
        claiming.claim(SITI, op, copy, signing.claim_secret(copy), world.now)
    copied = json.dumps(list(data_copy.of_report(JURISDICTION, copy)))
    assert (copied.count(CANARY), copied.count(mine)) == (2, 1)
    assert (copied.count("Not mine"), copied.count(other)) == (0, 0)
    # An official hid one of the texts.
    hidden = {
        "version": world.head(about).version - 1,
        "field": "comment",
        "reason": "personal_data",
    }
    op = world.operation(official("admin"), "hideText", hidden)
    text_moderation.hide(official("admin"), op, about, hidden, world.now)
    erasure.erase(JURISDICTION, (SITI.uid or "") if claimed else copy, world.now)
    world.project()
    assert CANARY not in traces()
    assert "Not mine" in traces()
    pictures = world.head(about).pictures
    assert (pictures[mine]["state"], pictures[other]["state"]) == ("hidden", "pending")
    stored = set(aws.backend("s3").buckets["tanggap-files"].keys)
    assert not [name for name in stored if mine in name]
    assert faults(world.head(about), world.links(about)) == []


def stored() -> dict[str, list[str]]:
    """Every row of every table, in an order of their own, without the expiry of markers."""
    return {
        table: sorted(
            json.dumps(
                {
                    name: one
                    for name, one in row.items()
                    if name != "ttl" or "#SEEN#" not in row["pk"]
                },
                sort_keys=True,
                default=str,
            )
            for row in aws.rows(table)
        )
        for table in backups.TABLES
    }


def test_a_copy_brings_every_report_back_and_counts_the_same(world: World, tmp_path: Path) -> None:
    photo = world.photo(SITI)
    report = world.file(SITI, description="A hole", photos=[photo])["id"]
    done = world.finished(service="litter")
    world.act(citizen("reporter"), done, "verify")
    world.project()
    before = stored()
    files = set(aws.backend("s3").buckets["tanggap-files"].keys)
    told = backups.backup(tmp_path)
    assert told["tables"]["timeline"] == len(aws.rows("timeline"))
    copy = Path(told["copy"])
    with pytest.raises(restores.NotEmpty):
        restores.restore(copy)
    aws.fresh()
    restores.restore(copy)
    assert stored() == before
    assert set(aws.backend("s3").buckets["tanggap-files"].keys) == files
    for one in (report, done):
        assert faults(world.head(one), world.links(one)) == []
    assert world.project() == 0
    assert monthly_counts.rebuild()["changed"] == 0


def test_a_restore_repeats_the_erasures_since_the_copy(world: World, tmp_path: Path) -> None:
    clock.use(lambda: world.now)
    contact = {"email": f"{CANARY}@example.org"}
    photo = world.photo(SITI, b"\xff\xd8\xff" + CANARY.encode() * 30)
    first = world.file(SITI, description=CANARY, contact=contact, photos=[photo])["id"]
    long_ago = world.file(citizen("ani"), description="qzlongago")["id"]
    other = world.file(BUDI, description="Another hole")["id"]
    op = world.operation(SITI, "support", {})
    engagement.support(SITI, op, other, world.now)
    world.project()
    world.advance(hours=1)
    erasure.erase(JURISDICTION, long_ago, world.now)
    again = world.file(citizen("ani"), description="Filed after the erasure")["id"]
    world.advance(hours=1)
    copy = Path(backups.backup(tmp_path)["copy"])
    assert copy.name == "2026-11-02T030000Z"
    world.advance(hours=1)
    assert commands.main(["erase", JURISDICTION, first, "--copies", str(tmp_path)]) == 0
    aws.fresh()
    world.advance(hours=1)
    told = restores.restore(copy)
    world.project()
    assert told["erased"] == [first]
    assert personal_data_search.stored(CANARY, SITI.uid or "", "qzlongago") == []
    assert verify.check()["faults"] == []
    assert world.head(other).supports == 1
    texts = [text for one in (other, again)
             for text, _ in report_texts.all_texts(JURISDICTION, one).values()]  # fmt: skip
    assert texts == ["Another hole", "Filed after the erasure"]
    # The next copy knows of it too, and its restore has nothing to do.
    world.advance(hours=1)
    later = Path(backups.backup(tmp_path)["copy"])
    aws.fresh()
    assert restores.restore(later)["erased"] == []


def test_after_a_table_was_set_back_the_bucket_knows_who_was_erased(
    world: World, tmp_path: Path
) -> None:
    clock.use(lambda: world.now)
    first = world.file(SITI, description=CANARY)["id"]
    before = world.now
    copy = Path(backups.backup(tmp_path)["copy"])
    world.advance(hours=1)
    erasure.erase(JURISDICTION, first, world.now)
    held = aws.backend("s3").buckets["tanggap-files"].keys
    kept = {key: held[key] for key in list(held) if key.startswith("erasures/")}
    aws.fresh()
    (tmp_path / backups.ERASURES).unlink()
    for key, found in kept.items():
        held[key] = found
    restores.restore(copy)
    assert personal_data_search.stored(CANARY) == []
    assert commands.main(["erase-again", iso(before)]) == 0
    assert verify.check()["faults"] == []


def test_what_was_left_before_there_was_an_index_is_found_after_a_backfill(world: World) -> None:
    other = world.file(BUDI, description="A hole")["id"]
    world.photo(SITI, b"\xff\xd8\xff" + CANARY.encode() * 30)
    mine = world.file(SITI, description=CANARY, ward="D2-W1")["id"]
    engagement.support(SITI, world.operation(SITI, "support", {}), other, world.now)
    table = aws.backend("dynamodb").tables["tanggap-people"]
    kept = set(people.traces(JURISDICTION, SITI.uid or "", "", 100))
    for partition in [one for one in table.items if "#BY#" in str(one)]:
        del table.items[partition]
    backfill.main()
    # The report tells who wrote the texts of the filing.
    found = {one for one in kept if one[0] != people.TEXT}
    assert set(people.traces(JURISDICTION, SITI.uid or "", "", 100)) == found
    erasure.erase(JURISDICTION, mine, world.now)
    assert personal_data_search.stored(CANARY, SITI.uid or "") == []


def test_a_copy_that_was_changed_is_refused(world: World, tmp_path: Path) -> None:
    world.file(SITI)
    copy = Path(backups.backup(tmp_path)["copy"])
    aws.fresh()
    table = copy / "tables" / "timeline.jsonl.gz"
    table.write_bytes(table.read_bytes() + b"\0")
    with pytest.raises(ValueError, match="timeline"):
        restores.restore(copy)
    assert aws.rows("timeline") == []


def test_a_backfill_goes_on_where_it_was_and_changes_no_report(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports = [world.file(citizen(f"c{n}"))["id"] for n in range(12)]
    before = stored()["reports"]
    # As a version without that index wrote them.
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
    copy = backups.backup(tmp_path)["copy"]
    for words in (["erase", JURISDICTION, "nothing"], ["restore", copy]):
        assert commands.main(words) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1, said
    assert "has something in it" in said
