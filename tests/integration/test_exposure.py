"""Whose data somebody with a stolen key, token or account could read (``ops exposed``)."""

import json
from typing import Any

import pytest

from chalicelib import clock
from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.services.identity import api_keys
from chalicelib.services.people import exposure
from chalicelib.services.photos import moderation
from chalicelib.services.reports import queries
from chalicelib.storage import access_index, tables
from infra.ops import backfill_traces, commands
from tests.support.world import JURISDICTION, START, World, citizen, official

SITI, BUDI = citizen("siti"), citizen("budi")
SECRET = "qzsecret"
CONTACT = {"email": f"{SECRET}@example.org"}


@pytest.fixture(name="world")
def fixture_world(aws: None) -> World:
    """The test city."""
    return World()


def pages(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """All rows of the command, one a page; it shows no text that a person wrote."""
    found: dict[str, Any] = {"reports": {}, "contacts_read": [], "left": []}
    after = ""
    for _ in range(60):
        assert (
            commands.main(["exposed", JURISDICTION, *words, "--limit", "1", "--after", after]) == 0
        )
        text = capsys.readouterr().out
        assert SECRET not in text
        page = json.loads(text)
        for row in page["reports"]:
            found["reports"][row["report"]] = row
        for name in ("contacts_read", "left"):
            found[name] += page.get(name, [])
        after = page["next"]
        if after is None:
            return found
    raise AssertionError("it comes to no end")


def read_contact(world: World, ref: str, report: str) -> None:
    """An official looks at who filed a report."""
    op = world.operation(official(ref), "readContact", {})
    queries.contact(official(ref), op, report, world.now)


def test_a_leaked_key_shows_what_came_by_it_and_that_it_reads_no_contact(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    key_id, _ = api_keys.issue(JURISDICTION, "app", 60, world.now)
    key = Principal("citizen", JURISDICTION, uid=f"k_{key_id}", permissions=frozenset({FOR_MANY}))
    plain = world.file(key, description=SECRET, contact=CONTACT)["id"]
    guarded = world.file(key, "misconduct", description=SECRET)["id"]
    private = world.file(key, description=SECRET, public=False)["id"]
    world.file(SITI)
    rows = pages(capsys, "key", key_id)["reports"]
    assert set(rows) == {plain, guarded, private}
    assert (rows[plain]["contact"], rows[plain]["texts"]) == ("kept", 1)
    assert [rows[one]["readable"] for one in (plain, guarded, private)] == [True, False, True]
    assert commands.main(["exposed", JURISDICTION, "key", "0" * 16]) == 1


def test_a_lost_phone_shows_what_its_owner_filed_and_left(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = world.file(SITI, "misconduct", description=SECRET, contact=CONTACT)["id"]
    theirs = world.file(BUDI)["id"]
    note = {"reason": "spam", "note": SECRET}
    moderation.flag(SITI, world.operation(SITI, "flag", {}), theirs, note, world.now)
    told = pages(capsys, "person", SITI.uid or "")
    assert set(told["reports"]) == {mine}
    assert told["reports"][mine]["readable"]
    left = {(one["kind"], one["report"]) for one in told["left"]}
    assert {("text", mine), ("contact", mine), ("text", theirs)} <= left


def test_a_stolen_account_of_an_official_shows_what_it_sees_and_what_it_has_read(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: world.now)
    here = world.file(SITI, description=SECRET, contact=CONTACT)["id"]
    world.file(SITI, ward="D2-W1", contact=CONTACT)
    world.file(SITI, "misconduct", contact=CONTACT)
    closed = world.file(SITI, ward="D1-W2", contact=CONTACT)["id"]
    world.act(SITI, closed, "withdraw", reason="x")
    read_contact(world, "officer1", here)
    world.advance(days=40)
    read_contact(world, "officer1", here)
    told = pages(capsys, "official", "s_officer1")
    rows = told["reports"]
    assert set(rows) == {here, closed}
    assert rows[here]["contact"] == rows[closed]["contact"] == "readable"
    assert [one["report"] for one in told["contacts_read"]] == [here, here]
    late = pages(capsys, "official", "s_officer1", "--since", world.now.isoformat())
    assert [one["version"] for one in late["contacts_read"]] == [world.head(here).version]
    assert set(late["reports"]) == {here}
    # An official without the permission for contacts reads the rest.
    rows = pages(capsys, "official", "s_colleague1")["reports"]
    assert rows[here]["contact"] == "kept"
    protected = pages(capsys, "official", "s_safe")["reports"]
    assert [one["protected"] for one in protected.values()] == [True]


def test_contacts_that_were_read_before_there_was_a_list_are_in_it_after_the_backfill(
    world: World,
) -> None:
    report = world.file(SITI, contact=CONTACT)["id"]
    read_contact(world, "officer1", report)
    (row,) = access_index.contacts_read(JURISDICTION, "s_officer1", "", 9)
    name = f"{row[0]}#{report}#{row[2]:08d}"
    tables.Person(f"{JURISDICTION}#READS#s_officer1", name).delete()
    backfill_traces.run()
    assert access_index.contacts_read(JURISDICTION, "s_officer1", "", 9) == [row]


def test_the_reads_for_one_page_are_bounded(world: World) -> None:
    for _ in range(3):
        world.file(SITI)
    page = exposure.of_official(JURISDICTION, "s_officer1", START, "desk ", 2, world.now)
    assert len(page["reports"]) == 2
    page = exposure.of_official(JURISDICTION, "s_officer1", START, page["next"], 2, world.now)
    assert (len(page["reports"]), page["next"]) == (1, None)
