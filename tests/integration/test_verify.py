"""``infra.ops verify`` finds what somebody with all rights over the tables has changed."""

import json
from random import Random

import pytest

from chalicelib.domain import hash_chain
from chalicelib.storage import tables
from chalicelib.storage.record import Record
from infra.ops import record_check, verify
from tests.support import aws, tampering
from tests.support.world import JURISDICTION, World

FEW, MANY = 15, 60


@pytest.fixture(scope="module")
def stored() -> Record:
    """The rows of a city in which reports have lived."""
    with aws.start():
        return tampering.play(World())


def told(found: list[list[str]]) -> str:
    """The faults as one text."""
    return "; ".join(fault for _, _, fault in found)


def test_a_city_that_nobody_tampered_with_has_no_faults(stored: Record) -> None:
    assert record_check.faults(stored) == []


@pytest.mark.parametrize(
    "seed", [*range(FEW), *(pytest.param(n, marks=pytest.mark.long) for n in range(FEW, MANY))]
)
def test_random_tampering_is_found(stored: Record, seed: int) -> None:
    rows, what = tampering.tampered(stored, Random(seed))
    assert record_check.faults(rows), what


@pytest.mark.parametrize("kind", tampering.KINDS, ids=lambda kind: kind.__name__.strip("_"))
def test_each_kind_of_tampering_is_found(stored: Record, kind: tampering.Tampering) -> None:
    rows, what = tampering.by(kind, stored, Random(len(kind.__name__)))
    assert record_check.faults(rows), what


def test_a_description_that_was_replaced_is_found(world: World) -> None:
    report = world.file(description="A hole")["id"]
    row = tables.Person.get(f"{JURISDICTION}#T#{report}", "00000001#description")
    # As if officials had hidden it: such rows have no salt.
    row.doc = json.dumps({"text": "All is well", "audience": "public", "now": row.sk})
    row.save()
    assert "replaced by what no event says" in told(verify.check()["faults"])


def test_an_event_whose_public_part_says_something_else_is_found(world: World) -> None:
    """Its hashes are right, and the inside part says what head and tallies say."""
    report = world.file()["id"]
    (row,) = tables.Event.query(f"{JURISDICTION}#R#{report}")
    event, inside = json.loads(row.event), json.loads(row.inside)
    public = {name: value for name, value in event.items() if name not in ("inside", "prev")}
    inside["after"]["ward"] = public["after"]["ward"]
    public["after"]["ward"] = "Z1"
    entry = hash_chain.seal(public, inside, bytes.fromhex(row.salt), hash_chain.GENESIS)
    row.event, row.hash, row.inside, row.salt = entry
    row.save()
    head = tables.Report.get(f"{JURISDICTION}#R#{report}")
    head.doc = json.dumps({**json.loads(head.doc), "tail": entry.hash})
    head.save()
    world.project()
    assert told(verify.check()["faults"]) == "event 1 says in its inside part what is public"


def test_a_report_whose_events_are_all_deleted_is_found(world: World) -> None:
    report = world.file()["id"]
    for row in tables.Event.query(f"{JURISDICTION}#R#{report}"):
        row.delete()
    assert "there are no events" in told(verify.check()["faults"])


def test_a_report_that_was_wiped_is_found(world: World) -> None:
    report = world.file()["id"]
    world.file()
    world.project()
    for model in (tables.Report, tables.Event, tables.Person, tables.Figure, tables.Control):
        for row in model.scan():
            if report in row.pk or getattr(row, "doc", "") == report:
                row.delete()
    assert "is not the sum of the events" in told(verify.check()["faults"])


def test_a_code_that_leads_nowhere_is_found(world: World) -> None:
    report = world.file()["id"]
    tables.Report.get(f"{JURISDICTION}#R#{report}").delete()
    assert "there is no head" in told(verify.check()["faults"])


def test_an_event_that_waits_to_be_counted_is_no_fault(world: World) -> None:
    world.file()
    assert verify.check()["faults"] == []
    world.project()
    world.file()
    assert verify.check()["faults"] == []
