"""The index of what a person leaves: a row for each thing, in the thing's own transaction."""

import pytest

from chalicelib.services.people import claiming
from chalicelib.services.photos import moderation
from chalicelib.services.platform import signing
from chalicelib.services.reports import engagement
from chalicelib.storage import people
from tests.support.world import JURISDICTION, World, citizen, official

SITI, BUDI, OFFICER = citizen("siti"), citizen("budi"), official("officer1")


@pytest.fixture(name="world")
def fixture_world(aws: None) -> World:
    """The test city."""
    return World()


def left(uid: str | None) -> set[tuple[str, str, str]]:
    """What the index says that a person left."""
    return set(people.traces(JURISDICTION, uid or "", "", 1000))


def test_everything_that_a_person_leaves_is_in_their_index(world: World) -> None:
    photo = world.photo(SITI)
    contact = {"email": "siti@example.org"}
    mine = world.file(SITI, description="A hole", photos=[photo], contact=contact)["id"]
    ref = world.head(mine).contact
    other, original = world.file(BUDI)["id"], world.file(BUDI)["id"]
    op = world.operation
    engagement.support(SITI, op(SITI, "support", {}), other, world.now)
    flag = {"reason": "spam", "note": "An advertisement"}
    moderation.flag(SITI, op(SITI, "flag", {}), other, flag, world.now)
    flagged = f"{world.head(other).version:08d}#note"
    engagement.comment(SITI, op(SITI, "comment", {}), mine, "Still there", "public", world.now)
    said = f"{world.head(mine).version:08d}#comment"
    world.act(OFFICER, mine, "merge", into=original)
    assert left(SITI.uid) == {
        ("FILED", mine, "-"), ("PIC", "-", photo), ("SUP", other, "-"), ("FOL", other, "-"),
        ("FLG", other, "-"), ("TXT", other, flagged), ("TXT", mine, said), ("REP", original, mine),
        ("TXT", mine, "00000001#description"), ("CON", mine, ref),
    }  # fmt: skip
    engagement.follow(SITI, other, following=False, now=world.now)
    world.act(OFFICER, mine, "unmerge", reason="Another hole")
    assert not left(SITI.uid) & {("FOL", other, "-"), ("REP", original, mine)}
    assert left(BUDI.uid) == {("FILED", other, "-"), ("FILED", original, "-")}
    assert left(OFFICER.uid) == set()


def test_a_claimed_report_is_the_new_devices_and_leads_to_the_old_one(world: World) -> None:
    mine, lost = world.file(SITI)["id"], world.file(SITI)["id"]
    world.act(OFFICER, lost, "merge", into=mine)
    secret = signing.claim_secret(lost)
    claiming.claim(BUDI, world.operation(BUDI, "claim", {}), lost, secret, world.now)
    assert left(SITI.uid) == {("FILED", mine, "-"), ("FILED", lost, "-")}
    assert left(BUDI.uid) == {
        ("FILED", lost, "-"), ("WAS", lost, SITI.uid), ("REP", mine, lost),
    }  # fmt: skip
