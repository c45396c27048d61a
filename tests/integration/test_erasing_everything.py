"""After an erasure nothing of the person is left anywhere."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.services.open_data import publishing
from chalicelib.services.people import claiming, erasure
from chalicelib.services.photos import duplicates, moderation, processing, storage_keys
from chalicelib.services.platform import signing
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import engagement
from chalicelib.storage import files, people, report_texts, tables
from chalicelib.storage.transactions import commit
from infra.ops import verify
from tests.support import aws, personal_data_search, photo_files, random_people
from tests.support.world import JURISDICTION, World, citizen, official

CANARY = "qzperson"
SITI, BUDI = citizen("siti"), citizen("budi")
OFFICER, WORKER = official("officer1"), official("worker1")
CONTACT = {"email": f"{CANARY}@example.org", "phone": "+6281234567890", "name": CANARY}


@pytest.fixture(name="world")
def fixture_world(aws: None) -> Iterator[World]:
    """The test city, whose bucket keeps old versions."""
    with personal_data_search.versions_kept():
        yield World()


# Many more: python -m tests.erasures
SEEDS = (1,)
_KINDS = (
    "#T#", "#C#", "SUP#", "FOL#", "FLG#", "REP#", "#FILED#", "#REPORTERS#", "#PH#", "#P#", "#R#",
    "#RATE#", "#BY#", "masters/", "open-data/", "quarantine/",
)  # fmt: skip


def upload(number: int = 0) -> bytes:
    """A photo with the canary in it."""
    return b"\xff\xd8\xff" + f"{CANARY} {number}".encode() * 30


def photo(world: World, who: Principal, *, processed: bool = True, number: int = 0) -> str:
    """A photo that its owner has uploaded, with a likeness and with facts if it is processed."""
    made = world.photo(who, upload(number), processed=False)
    if processed:
        told = {"facts": {"taken": "2026-11-01T08:00:00", "model": CANARY}}
        with photo_files.quick(likeness=f"{number:032x}", **told):
            processing.develop(JURISDICTION, made, world.now)
    return made


def say(world: World, who: Principal, report: str, text: str) -> None:
    """A public comment."""
    op = world.operation(who, "comment", [report, text])
    engagement.comment(who, op, report, text, "public", world.now)


def lived(world: World) -> dict[str, Any]:
    """Siti leaves one of everything; {"mine": ids of her reports, "photos": hers}."""
    op, now = world.operation, world.now
    shots = [photo(world, SITI, number=number) for number in range(4)]
    waits = photo(world, SITI, processed=False, number=9)
    mine: str = world.file(
        SITI, description=f"{CANARY} hole", landmark=f"{CANARY} gate", contact=CONTACT,
        photos=[shots[0], waits],
    )["id"]  # fmt: skip
    say(world, SITI, mine, f"{CANARY} still there")
    say(world, OFFICER, mine, "We are looking at it")
    world.act(OFFICER, mine, "ask", question="Which gate?")
    world.act(SITI, mine, "answer", text=f"{CANARY} the left one")
    world.act(OFFICER, mine, "assign", person=WORKER.uid)
    world.act(WORKER, mine, "start")
    world.finish(WORKER, mine)
    world.act(SITI, mine, "refuse", reason=f"{CANARY} not repaired", photos=[shots[1]])
    world.finish(WORKER, mine)
    world.act(SITI, mine, "verify", note=f"{CANARY} thanks")
    engagement.rate(SITI, op(SITI, "rate", [mine]), mine, 4, f"{CANARY} good work", now)
    for report, used in ((mine, shots[0]), (mine, shots[1])):
        duplicates.register_use(JURISDICTION, report, used, now)
    gone: str = world.file(SITI, description=f"{CANARY} lamp", ward="D1-W2")["id"]
    world.act(SITI, gone, "withdraw", reason=f"{CANARY} my mistake")
    other: str = world.file(BUDI, description="Another hole", ward="D2-W1")["id"]
    engagement.support(SITI, op(SITI, "support", [other]), other, now)
    note = {"reason": "spam", "note": f"{CANARY} an advertisement"}
    moderation.flag(SITI, op(SITI, "flag", [other]), other, note, now)
    duplicate: str = world.file(SITI, description=f"{CANARY} same", ward="D2-W1")["id"]
    world.act(official("officer2"), duplicate, "merge", into=other)
    say(world, SITI, other, f"{CANARY} here too")
    world.act(official("officer2"), other, "assign", person="s_worker2")
    world.act(official("worker2"), other, "start")
    world.finish(official("worker2"), other)
    world.act(SITI, other, "refuse", reason=f"{CANARY} no", photos=[shots[3]])
    say(world, BUDI, other, "Mine too")
    world.project()
    return {"mine": sorted([mine, gone, duplicate]), "first": mine, "other": other,
            "photos": [*shots, waits]}  # fmt: skip


def test_one_of_everything_a_person_leaves_and_no_trace_of_any(world: World) -> None:
    life = lived(world)
    other = life["other"]
    publishing.publish(world.now)
    names = [CANARY, SITI.uid or "", CONTACT["phone"]]
    before, supports = world.tallies(), world.head(other).supports
    places = " ".join(personal_data_search.stored(*names))
    for kind in _KINDS:
        assert kind in places, kind
    assert verify.check()["faults"] == []

    assert erasure.erase(JURISDICTION, life["first"], world.now) == life["mine"]
    world.project()
    world.advance(minutes=1)
    publishing.publish(world.now)

    assert personal_data_search.stored(*names) == []
    held = aws.backend("s3").buckets["tanggap-files"].keys
    assert [key for key in held if any(one in key for one in life["photos"])] == []
    assert [row for row in aws.rows("control") if "#LIKE#" in row["pk"]] == []
    assert verify.check()["faults"] == []
    assert world.tallies() == before
    assert monthly_counts.rebuild()["changed"] == 0
    assert world.head(other).supports == supports
    # What others wrote is there, and the original knows its duplicate.
    texts = json.dumps([report_texts.all_texts(JURISDICTION, one)
                        for one in (life["first"], other)], default=str)  # fmt: skip
    for kept in ("We are looking at it", "Another hole", "Mine too"):
        assert kept in texts
    assert set(people.duplicates(JURISDICTION, other)) == set(life["mine"]) - {
        life["first"], *[one for one in life["mine"] if world.head(one).resolution == "withdrawn"],
    }  # fmt: skip
    assert world.head(other).reporter == BUDI.uid
    # Once more is nothing new.
    versions = [world.head(one).version for one in (*life["mine"], other)]
    erasure.erase(JURISDICTION, life["first"], world.now)
    assert [world.head(one).version for one in (*life["mine"], other)] == versions


def test_erasing_some_of_twenty_people_leaves_no_trace_of_them_and_every_word_of_the_others(
    world: World,
) -> None:
    with personal_data_search.quick():
        for seed in SEEDS:
            assert random_people.check(seed, steps=24) == [], f"history {seed}"


def test_an_erasure_names_each_text_and_photo_so_that_a_loss_is_noticed(world: World) -> None:
    shot = photo(world, SITI)
    mine = world.file(SITI, description="A hole", landmark="The gate", photos=[shot])["id"]
    other = world.file(BUDI, description="A lamp", ward="D2-W1")["id"]
    flag = {"reason": "spam", "note": "An advertisement"}
    moderation.flag(SITI, world.operation(SITI, "flag", {}), other, flag, world.now)
    say(world, BUDI, other, "Still dark")
    erasure.erase(JURISDICTION, mine, world.now)
    first = [event["data"] for event in world.events(mine) if event["action"] == "erased"]
    assert {"texts": [[1, "description"], [1, "landmark"]], "photos": [shot]} in first
    gone = [event for event in world.events(other) if event["action"] == "erased"]
    assert [event["data"] for event in gone] == [{"texts": [[2, "note"]]}]
    assert [event["actor"]["uid"] for event in gone] == ["system"]
    assert verify.check()["faults"] == []
    # A missing text that no event names was lost, not erased.
    commit([report_texts.delete_text(JURISDICTION, other, "00000003#comment")])
    (fault,) = verify.check()["faults"]
    assert fault[1:] == [
        other, "text 00000003#comment is missing, and no event says that it was removed",
    ]  # fmt: skip


def test_a_person_without_a_report_is_erased_by_their_own_name(world: World) -> None:
    other = world.file(BUDI, description="A hole")["id"]
    engagement.support(SITI, world.operation(SITI, "support", {}), other, world.now)
    world.photo(SITI, upload())
    assert erasure.erase(JURISDICTION, SITI.uid or "", world.now) == []
    assert personal_data_search.stored(SITI.uid or "", CANARY) == []
    assert world.head(other).supports == 1
    with pytest.raises(Problem, match="not_found"):
        erasure.erase(JURISDICTION, "d_nobody", world.now)


def test_another_persons_words_and_photos_on_the_same_report_stay(world: World) -> None:
    mine, theirs = world.file(SITI, description="A hole")["id"], world.file(BUDI)["id"]
    world.act(OFFICER, theirs, "merge", into=mine)
    say(world, BUDI, mine, "I fell into it")
    say(world, SITI, mine, f"{CANARY} me too")
    world.act(OFFICER, mine, "assign", person=WORKER.uid)
    world.act(WORKER, mine, "start")
    world.finish(WORKER, mine)
    shot = photo(world, BUDI)
    world.act(BUDI, mine, "refuse", reason="Still there", photos=[shot])
    erasure.erase(JURISDICTION, mine, world.now)
    told = [text for text, _ in report_texts.all_texts(JURISDICTION, mine).values()]
    assert {"I fell into it", "Still there"} <= set(told)
    assert not [one for one in told if CANARY in one]
    assert world.head(mine).pictures[shot]["state"] == "ready"
    assert people.has_right(JURISDICTION, mine, BUDI.uid or "")


def test_what_the_lost_device_wrote_goes_with_the_new_one(world: World) -> None:
    lost, kept = world.file(SITI, description=CANARY)["id"], world.file(SITI)["id"]
    say(world, SITI, lost, f"{CANARY} still there")
    secret = signing.claim_secret(lost)
    claiming.claim(BUDI, world.operation(BUDI, "claim", {}), lost, secret, world.now)
    erasure.erase(JURISDICTION, lost, world.now)
    assert personal_data_search.stored(CANARY, BUDI.uid or "") == []
    assert world.head(kept).reporter == SITI.uid
    assert people.traces(JURISDICTION, SITI.uid or "", "", 10) == [("FILED", kept, "-")]


def test_an_erasure_that_is_killed_anywhere_is_finished_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = lived(world)
    real, steps = tables.client().transact_write_items, 0

    class Killed(BaseException):
        """As if the process ended."""

    def limited(**given: Any) -> Any:
        nonlocal steps
        steps -= 1
        if steps < 0:
            raise Killed
        return real(**given)

    for number in range(60):
        steps = number % 7
        with monkeypatch.context() as patch:
            patch.setattr(tables.client(), "transact_write_items", limited)
            try:
                erasure.erase(JURISDICTION, life["first"], world.now)
            except Killed:
                continue
            break
    else:
        raise AssertionError("it never came to an end")
    world.project()
    assert personal_data_search.stored(CANARY, SITI.uid or "", CONTACT["phone"]) == []
    assert verify.check()["faults"] == []
    filed = {row["doc"] for row in aws.rows("people") if "#FILED#" in row["pk"]}
    assert len(filed) == 2, "all that she filed counts for one nobody"


def test_a_photo_that_is_made_while_its_owner_is_erased_leaves_no_file(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = photo(world, SITI, processed=False)
    mine = world.file(SITI, photos=[shot])["id"]
    store = files.put

    def then_erased(key: str, *given: Any, **more: Any) -> None:
        store(key, *given, **more)
        if key.endswith("320.webp"):
            monkeypatch.setattr(files, "put", store)
            erasure.erase(JURISDICTION, mine, world.now)
            store(key, *given, **more)

    monkeypatch.setattr(files, "put", then_erased)
    world.process(shot)
    files.put(storage_keys.quarantined(JURISDICTION, shot), upload(), "image/jpeg")
    world.process(shot)
    held = aws.backend("s3").buckets["tanggap-files"].keys
    assert [key for key in held if shot in key] == []
    assert verify.check()["faults"] == []
