"""Reports written when a channel counted as the reporter: they are read correctly and converted."""

import json
from typing import Any

import pytest

from chalicelib.domain.principal import Principal
from chalicelib.services.open311 import updates
from chalicelib.services.people import erasure
from chalicelib.services.reports import queues
from chalicelib.storage import people, report_filers, scorecards
from chalicelib.storage.transactions import commit
from infra.ops import backfill
from tests.integration.test_filers import MONTH, a_key, months_filers, post
from tests.support import aws
from tests.support.world import JURISDICTION, World, citizen, faults, official

OFFICER = official("officer1")


def made_old(world: World, report: str, uid: str) -> None:
    """Write a report's head and index rows as the earlier version did."""
    table = aws.backend("dynamodb").tables["tanggap-reports"]
    item = next(one for one in table.all_items() if one.hash_key.value.endswith(f"R#{report}"))
    doc = json.loads(item.attrs["doc"].value)
    head = world.head(report)
    for name in ("filer", "via"):
        doc.pop(name, None)
    doc["reporter"] = uid
    item.attrs["doc"].value = json.dumps(doc)
    filer = head.filer or ""
    commit(
        [
            report_filers.put_filer(JURISDICTION, head.filed_month, report, uid),
            report_filers.first_filed(JURISDICTION, head.filed_month, uid),
        ]
    )
    if filer != uid:
        commit([report_filers.forget_reporter(JURISDICTION, filer)])
        commit([people.delete_trace(JURISDICTION, filer, people.FILED, report)])


@pytest.fixture(name="old")
def fixture_old(world: World) -> dict[str, Any]:
    """Two reports of a key, one of an official without a contact, one of a device."""
    key = a_key(world)
    mine = [post(world, key, n, email=f"p{n}@example.org", description="Hole") for n in range(2)]
    call, own = world.file(OFFICER)["id"], world.file(citizen("ani"))["id"]
    filers = {one: world.head(one).filer for one in (*mine, call, own)}
    for report in mine:
        made_old(world, report, key.uid or "")
    made_old(world, call, OFFICER.uid or "")
    made_old(world, own, "d_ani")
    return {"key": key, "mine": mine, "call": call, "own": own, "filers": filers}


def test_an_older_head_gives_its_channel_no_rights_even_before_the_backfill(
    world: World, old: dict[str, Any]
) -> None:
    key: Principal = old["key"]
    one, other = old["mine"]
    head = world.head(one)
    assert (head.reporter, head.via) == (None, key.uid)
    told = {
        "update_id": "1", "service_request_id": one, "status": "OPEN",
        "updated_datetime": "2026-11-02T08:00:00Z", "description": "Still there",
    }  # fmt: skip
    updates.receive(key, told.get, world.now)
    assert world.head(one).comments == 1
    assert erasure.erase(JURISDICTION, one, world.now) == [one]
    assert world.head(other).contact
    assert faults(world.head(one), world.links(one)) == []


def test_the_backfill_tells_people_from_channels_without_an_event(
    world: World, old: dict[str, Any]
) -> None:
    for _ in range(2):
        assert backfill.run()["done"]
        for report, filer in old["filers"].items():
            head = world.head(report)
            assert (head.filer, head.version) == (filer, 1)
            assert faults(head, world.links(report)) == []
        assert months_filers() == old["filers"]
        assert report_filers.reporters(JURISDICTION, MONTH) == 4
        first = old["filers"][old["mine"][0]]
        found = people.traces(JURISDICTION, first, "", 5)
        assert [report for _, report, _ in found] == [old["mine"][0]]
    assert [one["id"] for one in queues.mine(citizen("ani"), 5, None, world.now)["reports"]] == [
        old["own"]
    ]


@pytest.mark.parametrize("stage", ["provisional", "draft"])
def test_a_month_that_is_judged_keeps_its_weights(
    world: World, old: dict[str, Any], stage: str
) -> None:
    before = months_filers()
    doc = {"month": MONTH, "stage": stage, "edition": 1}
    commit([scorecards.put_month(JURISDICTION, MONTH, doc, None)])
    backfill.run()
    assert months_filers() == before
    # The people behind the channels are registered from the next month on.
    assert report_filers.reporters(JURISDICTION, MONTH) == 1
    assert report_filers.reporters(JURISDICTION, "202612") == 4
    assert world.head(old["mine"][0]).filer == old["filers"][old["mine"][0]]
