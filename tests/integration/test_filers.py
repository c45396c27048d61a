"""Who filed a report: people who file through a key or an official count as people, not as a
channel."""

from typing import Any

import pytest

from chalicelib.domain.filer import Filer
from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.errors import Problem
from chalicelib.services.identity import api_keys, filers
from chalicelib.services.open311 import post as open311_post
from chalicelib.services.open311 import updates
from chalicelib.services.people import claiming, erasure
from chalicelib.services.platform import signing
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import actions, engagement, queries, queues
from chalicelib.services.scorecards import compute
from chalicelib.services.scorecards.report_weights import Weights
from chalicelib.storage import people, report_filers
from chalicelib.storage.transactions import commit
from tests.support.world import JURISDICTION, World, citizen, city, faults, official, spot

MONTH = "202611"
OFFICER = official("officer1")


def a_key(world: World, name: str = "fixmystreet") -> Principal:
    """The principal of a new key of an Open311 client."""
    key_id, _ = api_keys.issue(JURISDICTION, name, 10_000, world.now)
    many = frozenset({FOR_MANY})
    return Principal("citizen", JURISDICTION, uid=f"k_{key_id}", permissions=many)


def post(world: World, key: Principal, number: int = 0, **given: Any) -> str:
    """A request by a key; the report's id."""
    where = spot("D1-W1", 0.05 + number % 90 / 100)
    form = {"service_code": "pothole", **where, "description": f"Hole {number}", **given}
    fields = {name: [str(text)] for name, text in form.items()}
    answer = open311_post.file(key, city(), fields, [], "192.0.2.9", world.now)
    report: str = answer.answer["requests"][0]["service_request_id"]
    return report


def months_filers() -> dict[str, str]:
    """{report: filer} of the month."""
    return report_filers.filers(JURISDICTION, MONTH)


def filed(by: list[Filer]) -> None:
    """Reports of the month by these filers, in the index alone."""
    rows = [
        report_filers.put_filer(JURISDICTION, MONTH, f"{n:026}", one.filer or "")
        for n, one in enumerate(by)
    ]
    for start in range(0, len(rows), 100):
        commit(rows[start : start + 100])


def active_users(world: World) -> int:
    """What the month's scorecard says of the city."""
    settings = Settings.from_json(city().scoring)
    made = compute.compute(city(), MONTH, settings, world.now)
    card = next(one for one in made.cards if one["kind"] == "city")
    found: int = next(m["value"] for m in card["measures"] if m["measure"] == "active_users")
    return found


def weights(cap: int = 25) -> list[int]:
    """The weight of each of the month's reports, in millionths."""
    found = Weights(JURISDICTION, Settings(reporter_cap=cap))
    part = type("Part", (), {"measure": "on_time"})
    return [
        found.of({"filed_month": MONTH, "report": one}, part)  # type: ignore[arg-type]
        for one in found.filers(MONTH)
    ]


def test_erasing_one_of_fifteen_reports_of_a_key_leaves_fourteen_whole(world: World) -> None:
    key = a_key(world)
    reports = [post(world, key, n, email=f"person{n}@example.org") for n in range(15)]
    before = {one: (world.head(one), queries.public(OFFICER, one)) for one in reports}
    assert erasure.erase(JURISDICTION, reports[0], world.now) == [reports[0]]
    for one in reports[1:]:
        assert (world.head(one), queries.public(OFFICER, one)) == before[one]
        head = world.head(one)
        assert people.contact(JURISDICTION, head.contact or "")
    gone = world.head(reports[0])
    assert (gone.reporter, gone.filer, gone.contact, gone.via) == (None, None, None, key.uid)
    assert queries.public(OFFICER, reports[0])["description"] is None
    assert faults(gone, world.links(reports[0])) == []


def test_erasing_one_call_leaves_the_other_callers_reports_of_that_official(world: World) -> None:
    calls = [
        world.file(OFFICER, description=f"Call {n}", contact={"phone": f"+62811000000{n}"})["id"]
        for n in range(4)
    ]
    assert erasure.erase(JURISDICTION, calls[2], world.now) == [calls[2]]
    left = [queries.public(OFFICER, one)["description"] for one in calls]
    assert left == ["Call 0", "Call 1", None, "Call 3"]


def test_erasing_one_report_of_an_unconfirmed_contact_leaves_its_others(world: World) -> None:
    key = a_key(world)
    one, other = (post(world, key, n, email="ani@example.org") for n in range(2))
    known = report_filers.reporters(JURISDICTION, MONTH)
    assert erasure.erase(JURISDICTION, one, world.now) == [one]
    assert queries.public(OFFICER, other)["description"] == "Hole 1"
    assert report_filers.reporters(JURISDICTION, MONTH) == known
    filer = world.head(other).filer
    assert filer
    erasure.erase(JURISDICTION, other, world.now)
    # Counted as before, for nobody.
    assert report_filers.reporters(JURISDICTION, MONTH) == known
    assert filer not in set(months_filers().values())


def test_sixty_people_by_one_key_are_sixty_active_users(world: World) -> None:
    key = a_key(world)
    for number in range(5):
        post(world, key, number, email=f"person{number}@example.org")
    assert report_filers.reporters(JURISDICTION, MONTH) == 5
    filed([filers.filer_of(key, f"{n:026}", {"email": f"p{n}@example.org"}) for n in range(55)])
    assert active_users(world) == 60


def test_sixty_callers_by_one_official_are_sixty_active_users(world: World) -> None:
    for number in range(3):
        world.file(OFFICER, contact={"phone": f"+628110000{number:03}"})
    # Each report without a contact counts as another person's.
    world.file(OFFICER)
    world.file(OFFICER, contact={"name": "A name is no contact"})
    assert report_filers.reporters(JURISDICTION, MONTH) == 5
    filed([filers.filer_of(OFFICER, f"{n:026}", {"phone": f"+62812000{n:03}"}) for n in range(55)])
    assert active_users(world) == 60


def test_four_hundred_people_of_a_key_weigh_four_hundred(world: World) -> None:
    key = a_key(world)
    filed([filers.filer_of(key, f"{n:026}", {"email": f"p{n}@example.org"}) for n in range(400)])
    assert weights() == [1_000_000] * 400


def test_one_contact_through_several_keys_is_one_person(world: World) -> None:
    keys = [a_key(world, f"key{n}") for n in range(3)]
    for number in range(6):
        written = ("Ani@Example.org", "ani@example.ORG", "ANI@EXAMPLE.ORG")[number % 3]
        post(world, keys[number % 3], number, email=written)
    assert len(set(months_filers().values())) == 1
    assert report_filers.reporters(JURISDICTION, MONTH) == 1
    ani = {"email": "ani@example.org"}
    filed([filers.filer_of(keys[n % 3], f"{n:026}", ani) for n in range(394)])
    assert len(set(months_filers().values())) == 1
    # A weight that only one person has would identify them. Five people share one.
    assert weights() == [1_000_000] * 400
    others = [Filer(None, f"c_{who}", None) for who in range(4) for _ in range(200)]
    filed([*(filers.filer_of(keys[0], "", ani) for _ in range(394)), *others])
    assert weights() == [1_000_000 // 8] * 1200


def test_a_device_that_files_by_itself_is_its_own_filer_whatever_contact_it_names(
    world: World,
) -> None:
    victim = {"email": "victim@example.org"}
    report = world.file(citizen("stranger"), contact=victim)["id"]
    head = world.head(report)
    assert (head.reporter, head.filer, head.via) == ("d_stranger", "d_stranger", None)
    assert months_filers() == {report: "d_stranger"}


def test_what_a_key_files_has_no_reporter_and_the_key_no_reporters_rights(world: World) -> None:
    key = a_key(world)
    report = post(world, key, email="ani@example.org")
    head = world.head(report)
    assert (head.reporter, head.via) == (None, key.uid)
    assert head.filer is not None
    assert head.filer.startswith("c_")
    with pytest.raises(Problem, match="role_not_allowed"):
        world.act(key, report, "withdraw")
    op = keyed_operation(key, "rateReport", "1", "")
    with pytest.raises(Problem):
        engagement.rate(key, op, report, 5, None, world.now)
    with pytest.raises(Problem):
        queues.mine(key, 10, None, world.now)


def test_a_key_passes_on_what_its_people_say_of_their_own_reports_alone(world: World) -> None:
    key, other = a_key(world), a_key(world, "another")
    report = post(world, key, email="ani@example.org")
    world.act(OFFICER, report, "assign", person="s_worker1")
    world.act(official("worker1"), report, "start")
    world.finish(official("worker1"), report)

    def update(actor: Principal, number: int, status: str) -> None:
        told = {
            "update_id": str(number),
            "service_request_id": report,
            "status": status,
            "updated_datetime": world.now.isoformat(),
            "description": "Still there",
            "email": "ani@example.org",
        }
        updates.receive(actor, told.get, world.now)

    with pytest.raises(Problem):
        update(other, 1, "OPEN")
    update(key, 2, "OPEN")
    assert world.head(report).state == "in_progress"
    # Once somebody has claimed it, the channel passes on words alone.
    world.finish(official("worker1"), report)
    ani = citizen("ani")
    secret = signing.claim_secret(report)
    claiming.claim(ani, keyed_operation(ani, "claim", "1", ""), report, secret, world.now)
    update(key, 3, "FIXED")
    head = world.head(report)
    assert (head.state, head.comments) == ("work_done", 2)


def test_no_claim_secret_is_shown_to_an_official_or_a_key(world: World) -> None:
    assert "claim_secret" in world.file(citizen("ani"))
    assert "claim_secret" not in world.file(OFFICER, contact={"phone": "+628110000001"})
    assert "claim_secret" not in world.file(a_key(world))


def test_a_merged_report_of_a_key_gives_the_key_no_right_in_the_original(world: World) -> None:
    key = a_key(world)
    original = world.file(citizen("ani"))["id"]
    duplicate = post(world, key, email="budi@example.org", lat=-6.195, long=106.805)
    world.act(OFFICER, duplicate, "merge", into=original)
    assert people.duplicates(JURISDICTION, original) == [duplicate]
    for uid in (key.uid or "", world.head(duplicate).filer or "", "-"):
        who = Principal("citizen", JURISDICTION, uid=uid, permissions=key.permissions)
        assert not actions.access.reporter_of(who, world.head(original))
    # The device that claims the duplicate gets it.
    budi = citizen("budi")
    secret = signing.claim_secret(duplicate)
    claiming.claim(budi, keyed_operation(budi, "claim", "1", ""), duplicate, secret, world.now)
    assert actions.access.reporter_of(budi, world.head(original))
    assert people.duplicates(JURISDICTION, original) == [duplicate]
    world.act(OFFICER, duplicate, "unmerge", reason="Another hole.")
    assert people.duplicates(JURISDICTION, original) == []
    assert not actions.access.reporter_of(budi, world.head(original))


def test_the_one_tap_link_answers_for_a_report_that_a_key_filed(world: World) -> None:
    from chalicelib.services.notifications import citizen_messages
    from chalicelib.services.reports import one_tap

    report = post(world, a_key(world), email="ani@example.org")
    world.act(OFFICER, report, "assign", person="s_worker1")
    world.act(official("worker1"), report, "start")
    world.finish(official("worker1"), report)
    finished = world.head(report).finished_at
    assert finished is not None
    token = citizen_messages.answer_link(JURISDICTION, report, finished).rsplit("/", 1)[1]
    assert one_tap.answer(token, True, world.now)
    head = world.head(report)
    assert (head.state, head.resolution) == ("closed", "verified")
    assert faults(head, world.links(report)) == []
    world.project()
    assert monthly_counts.rebuild()["changed"] == 0
