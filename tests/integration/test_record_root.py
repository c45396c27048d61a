"""The daily root of the record: what is wiped everywhere is missed by it."""
# ruff: noqa: F811

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain import hash_chain, merkle, record_days
from chalicelib.domain.hash_chain import GENESIS
from chalicelib.domain.record_days import Tail
from chalicelib.services.notifications import outbox
from chalicelib.services.record import inclusion, sealing
from chalicelib.settings import settings
from chalicelib.storage import files, record, record_roots, tables
from infra.ops import backfill, proof, record_check, verify
from tests.integration.test_outbox import sent
from tests.integration.test_record_proof import outsider
from tests.security.conftest import edge  # noqa: F401
from tests.security.edge import Edge
from tests.support import aws
from tests.support.world import JURISDICTION, World, official


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Files of one test are not those of another."""
    inclusion._month.cache_clear()


def sealed(world: World, days: int = 1) -> list[str]:
    """Let days end, with the schedule each hour of the last; the days that were sealed."""
    world.advance(days=days)
    return [one.split()[1] for one in sealing.seal_all(world.now)]


def newest() -> dict[str, Any]:
    """The newest root: its document, its text and its hash."""
    (row,) = record_roots.roots(JURISDICTION, None, 1)
    return {**json.loads(row["document"]), "text": row["document"], "hash": row["hash"]}


def tails() -> dict[str, Tail]:
    """{report: its tail} in the newest root."""
    return {
        tail.report: tail
        for row in newest()["months"]
        for tail in record_roots.month(JURISDICTION, row["month"], row["root"]) or []
        if tail.report
    }


def wipe(report: str) -> None:
    """Delete every row that names a report."""
    for model in tables.MODELS.values():
        for row in model.scan():
            if report in json.dumps(row.to_simple_dict(), default=str):
                row.delete()


def found() -> str:
    """The faults that ``verify`` prints."""
    return "; ".join(fault for _, _, fault in verify.check()["faults"])


def test_each_day_has_one_root_over_all_reports_chained_to_the_day_before(world: World) -> None:
    reports = [world.file()["id"], world.file(service="misconduct")["id"]]
    first = record_roots.day_of(world.now)
    assert sealed(world) == [first]
    day = newest()
    assert (day["day"], day["prev"], sorted(tails())) == (first, GENESIS, sorted(reports))
    world.act(official("officer1"), reports[0], "assign", unit="u-d1")
    assert len(sealed(world, 2)) == 2
    assert tails()[reports[0]].version == 2
    assert tails()[reports[1]].version == 1
    (before,) = record_roots.roots(JURISDICTION, newest()["day"], 1)
    assert newest()["prev"] == before["hash"]
    assert verify.check()["faults"] == []


def test_a_root_of_a_day_is_written_once_however_often_the_schedule_runs(world: World) -> None:
    world.file()
    sealed(world)
    before = aws.rows("figures")
    assert sealing.seal_all(world.now) == []
    assert sealing.seal_all(world.now + timedelta(hours=3)) == []
    assert aws.rows("figures") == before


def test_a_day_is_not_sealed_while_its_last_functions_may_run(world: World) -> None:
    world.file()
    end = (world.now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    assert sealing.seal_all(end + timedelta(minutes=59)) == [
        f"{JURISDICTION} {record_roots.day_of(end - timedelta(days=2))}"
    ]
    assert len(sealing.seal_all(end + timedelta(hours=1))) == 1


def test_a_run_that_broke_off_before_the_file_is_completed_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.file()
    with monkeypatch.context() as patch:
        patch.setattr(record_roots, "put_day", lambda *_: None)
        sealed(world)
    key = record_roots.day_key(JURISDICTION, newest()["day"])
    assert files.get(key) is None
    sealing.seal_all(world.now)
    assert files.get(key) == newest()["text"].encode()


def test_days_that_were_missed_are_caught_up_and_time_is_kept(world: World) -> None:
    world.file()
    sealed(world)
    world.advance(days=5)
    turns = iter([True, True, False])
    assert len(sealing.seal_all(world.now, lambda: next(turns))) == 2
    assert len(sealing.seal_all(world.now)) == 3


def test_an_event_written_just_after_its_day_was_sealed_is_in_the_next_root(world: World) -> None:
    sealed(world)
    late = world.file()["id"]
    (row,) = [one for one in tables.Control.scan() if "#TAILS#" in one.pk]
    tables.Control(f"{JURISDICTION}#TAILS#{newest()['day']}", late, doc=row.doc).save()
    row.delete()
    sealed(world)
    assert late in tails()


def test_the_root_goes_to_who_subscribes_to_it_and_to_no_official(world: World) -> None:
    world.file()
    sealed(world)
    outbox.drain()
    told = [one for one in sent() if one.attributes["event"] == "record_root"]
    assert [one.data["hash"] for one in told] == [newest()["hash"]]
    assert told[0].attributes["audience"] == ["record"]


def test_a_report_that_was_wiped_everywhere_is_missed_by_the_root(world: World) -> None:
    kept, wiped = world.file()["id"], world.file(service="misconduct")["id"]
    sealed(world)
    wipe(wiped)
    assert verify.check()["faults"] == [
        [JURISDICTION, wiped, f"is in the root of {newest()['day']} and not in the record"]
    ]
    assert kept in tails()


def test_a_history_that_was_rewritten_with_all_its_hashes_is_missed_by_the_root(
    world: World,
) -> None:
    report = world.file()["id"]
    world.act(official("officer1"), report, "assign", unit="u-d1")
    world.project()
    sealed(world)
    rows = sorted(tables.Event.scan(), key=lambda row: int(row.version))
    tail = GENESIS
    for row in rows:
        event = json.loads(row.event.replace('"at":"2026', '"at":"2025'))
        public = {name: value for name, value in event.items() if name not in ("inside", "prev")}
        entry = hash_chain.seal(public, json.loads(row.inside), bytes.fromhex(row.salt), tail)
        row.event, row.hash, row.inside, row.salt = entry
        row.save()
        tail = entry.hash
    head = tables.Report.get(f"{JURISDICTION}#R#{report}")
    head.doc = json.dumps({**json.loads(head.doc), "tail": tail})
    head.save()
    # Heads, events, texts and tallies fit together again. Only the root remembers.
    assert record_check.faults(record.everything()) == []
    assert [fault[1] for fault in verify.check()["faults"]] == [report]


def test_a_root_that_is_made_again_after_a_wipe_does_not_replace_the_first_one(
    world: World,
) -> None:
    """Also a restore to an earlier moment makes roots again: the first ones name what is lost."""
    wiped = world.file()["id"]
    sealed(world)
    first = newest()
    wipe(wiped)
    tables.Figure(f"{JURISDICTION}#ROOTS#ALL", first["day"]).delete()
    sealing.seal_all(world.now)
    assert newest()["hash"] != first["hash"]
    assert files.get(record_roots.day_key(JURISDICTION, first["day"])) == first["text"].encode()
    assert [JURISDICTION, wiped, f"is in the root of {first['day']} and not in the record"] in (
        verify.check()["faults"]
    )


def test_a_file_of_a_root_that_was_replaced_is_found_by_its_versions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = aws.backend("s3").buckets[settings().bucket]
    monkeypatch.setattr(bucket, "versioning_status", "Enabled")
    world.file()
    sealed(world)
    (row,) = tables.Figure.query(f"{JURISDICTION}#ROOTS#ALL")
    months = {one["month"]: one["root"] for one in newest()["months"]}
    text, stamp = record_days.document(JURISDICTION, row.sk, {"hidden": months["hidden"]}, None)
    row.doc = json.dumps({"day": row.sk, "document": text, "hash": stamp})
    row.save()
    files.put(record_roots.day_key(JURISDICTION, row.sk), text.encode(), "application/json")
    assert found() == f"the file of the root of {row.sk} was replaced or deleted"


@pytest.mark.parametrize("what", ["figures", "bucket"])
def test_a_root_that_was_changed_or_wiped_is_found(world: World, what: str) -> None:
    world.file()
    sealed(world, 3)
    sealed(world)
    (row,) = record_roots.roots(JURISDICTION, None, 1)
    if what == "figures":
        tables.Figure(f"{JURISDICTION}#ROOTS#ALL", row["day"]).delete()
    else:
        text = row["document"].replace('"schema":1', '"schema":2').encode()
        files.put(record_roots.day_key(JURISDICTION, row["day"]), text, "application/json")
    assert "the root of" in found()


def test_leaves_do_not_tell_how_many_reports_are_secret(world: World) -> None:
    sizes = set()
    for count in range(1, 9):
        known = [Tail(f"{n:026}", 1, "0" * 64) for n in range(count)]
        month = record_days.month_with([], known, lambda: b"filler")
        sizes.add(len(month))
        leaves = record_days.leaves(JURISDICTION, month)
        assert leaves == sorted(leaves)
    assert sizes == {16}


def public_months() -> dict[str, str]:
    """{month: its root} of the newest document, without the tree of hidden reports."""
    return {
        row["month"]: row["root"]
        for row in newest()["months"]
        if row["month"] != record_days.HIDDEN
    }


def test_nothing_in_the_roots_tells_that_a_secret_report_was_filed_or_changed(world: World) -> None:
    sealed(world)
    assert public_months() == {}
    secret = world.file(service="misconduct")["id"]
    sealed(world)
    assert public_months() == {}
    world.file()
    sealed(world)
    before = newest()["months"]
    world.act(official("safe"), secret, "assign", person="s_guard")
    for _ in range(10):
        world.file(service="misconduct")
    sealed(world)
    assert public_months() == {
        row["month"]: row["root"] for row in before if row["month"] in public_months()
    }


def test_the_tree_of_secret_reports_is_new_each_day_and_of_one_size(world: World) -> None:
    def tree() -> tuple[str, set[str], int]:
        (root,) = [row["root"] for row in newest()["months"] if row["month"] == record_days.HIDDEN]
        leaves = record_days.leaves(
            JURISDICTION, record_roots.month(JURISDICTION, record_days.HIDDEN, root) or []
        )
        return root, set(leaves), len(leaves)

    sealed(world)
    empty = tree()
    world.file(service="misconduct")
    sealed(world)
    one = tree()
    sealed(world)
    unchanged = tree()
    assert len({empty[0], one[0], unchanged[0]}) == 3
    assert not empty[1] & one[1]
    assert not one[1] & unchanged[1]
    assert empty[2] == one[2] == unchanged[2]


def test_an_older_event_does_not_replace_a_newer_tail() -> None:
    newer, older = Tail("1" * 26, 3, "c" * 64), Tail("1" * 26, 2, "b" * 64)
    month = record_days.month_with([newer], [older], lambda: b"x")
    assert [tail for tail in month if tail.report] == [newer]


def test_reports_of_before_enter_the_root_by_a_backfill(world: World) -> None:
    old = world.file()["id"]
    for row in tables.Control.scan():
        if "#TAILS#" in row.pk:
            row.delete()
    backfill.run()
    for row in tables.Control.scan():
        if "#TAILS#" in row.pk:
            tables.Control(
                f"{JURISDICTION}#TAILS#{record_roots.day_of(world.now)}", row.sk, doc=row.doc
            ).save()
    sealed(world)
    assert list(tails()) == [old]


def test_anybody_proves_that_a_public_report_is_in_the_newest_root(edge: Edge) -> None:
    report = edge.file(edge.device()).body["id"]
    edge.file(edge.device(), service="misconduct")
    assert outsider(edge)(f"/v1/reports/{report}/inclusion")["inclusion"] is None
    edge.advance(days=1)
    sealing.seal_all(edge.now)
    result = proof.check(report, outsider(edge))
    assert (result["faults"], result["day"]) == ([], newest()["day"])
    shown = edge.get("/v1/record").body["days"]
    assert [row["hash"] for row in shown] == [newest()["hash"]]


def test_an_outsider_finds_a_proof_of_another_history(edge: Edge) -> None:
    report = edge.file(edge.device()).body["id"]
    edge.advance(days=1)
    sealing.seal_all(edge.now)
    fetch = outsider(edge)

    def forged(path: str) -> dict[str, Any]:
        answer = fetch(path)
        if "inclusion" in answer:
            answer["inclusion"]["hash"] = "0" * 64
        return answer

    assert proof.check(report, forged)["faults"] != []


def test_a_list_of_roots_from_a_cache_is_no_fault(edge: Edge) -> None:
    """The CDN keeps ``/v1/record`` for minutes; a proof of the day's first hour is newer."""
    report = edge.file(edge.device()).body["id"]
    cached = edge.get("/v1/record").body
    edge.advance(days=1)
    sealing.seal_all(edge.now)
    fetch = outsider(edge)

    def through_cache(path: str) -> dict[str, Any]:
        return cached if path == "/v1/record?limit=100" else fetch(path)

    result = proof.check(report, through_cache)
    assert (result["faults"], result["day"]) == ([], newest()["day"])


def test_a_secret_report_has_no_inclusion_for_anybody_else(edge: Edge) -> None:
    me = edge.device()
    report = edge.file(me, service="misconduct").body["id"]
    assert edge.get(f"/v1/reports/{report}/inclusion").status == 404
    assert edge.get(f"/v1/reports/{report}/inclusion", me).status == 200


def test_the_reporter_of_a_secret_report_proves_that_it_is_in_the_root(edge: Edge) -> None:
    me = edge.device()
    report = edge.file(me, service="misconduct").body["id"]
    edge.advance(days=1)
    sealing.seal_all(edge.now)
    result = proof.check(report, outsider(edge, me))
    assert (result["faults"], result["day"]) == ([], newest()["day"])


def test_a_secret_report_of_before_is_proved_by_the_tree_of_its_month(edge: Edge) -> None:
    """Notes of before do not say that a report is secret."""
    me = edge.device()
    report = edge.file(me, service="misconduct").body["id"]
    (row,) = [one for one in tables.Control.scan() if "#TAILS#" in one.pk]
    row.doc = json.dumps({k: v for k, v in json.loads(row.doc).items() if k in ("v", "h")})
    row.save()
    edge.advance(days=1)
    sealing.seal_all(edge.now)
    assert proof.check(report, outsider(edge, me))["day"] == newest()["day"]


def test_days_with_very_many_months_come_in_several_pages(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A city that took over the reports of fifty years has long documents."""
    sealed(edge)
    sealed(edge, 3)
    whole = edge.get("/v1/record").body["days"]
    monkeypatch.setattr(inclusion, "_LARGEST", len(whole[0]["document"]) * 2)
    first = edge.get("/v1/record").body
    assert (first["days"], first["next"]) == (whole[:2], whole[1]["day"])
    second = edge.get("/v1/record", before=first["next"]).body
    assert (first["days"] + second["days"], second["next"]) == (whole, None)


def test_a_path_that_leads_elsewhere_is_no_proof() -> None:
    leaves = [merkle.leaf(bytes([n])) for n in range(5)]
    assert merkle.climb(leaves[0], merkle.path(leaves, 1)) != merkle.root(leaves)
