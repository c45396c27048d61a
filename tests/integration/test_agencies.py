"""What an agency's officials see and may do with reports for which another unit is responsible."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.domain.principal import Grant, Principal
from chalicelib.errors import Problem
from chalicelib.services.notifications import daily_digest, outbox
from chalicelib.services.reports import queries, queues
from chalicelib.services.timeline import access
from chalicelib.storage import tables
from infra.ops import backfill
from tests.integration.test_outbox import quiet, sent
from tests.support.world import JURISDICTION, World, citizen, official

REASON = {"reason": "Theirs is the pipe."}


def queue(world: World, who: Principal, **asked: Any) -> list[str]:
    """All pages of an official's queue, two rows a page, without naming a district."""
    wanted = {"district": None, "state": None, "due_within": None, **asked}
    return [row["id"] for page in _pages(world, who, wanted) for row in page["reports"]]


def _pages(world: World, who: Principal, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
    cursor = None
    for _ in range(20):
        page = queues.queue(who, **wanted, limit=2, cursor=cursor, now=world.now)
        yield page
        cursor = page["cursor"]
        if cursor is None:
            return
    raise AssertionError("no end of pages")


def coordinated(world: World, agency: str = "u-lamps", **more: Any) -> str:
    """A pothole of D1 that its officer has coordinated with an agency."""
    report: str = world.file(**more)["id"]
    world.act(official("officer1"), report, "coordinate", agency=agency, **REASON)
    return report


def offered(world: World, unit: str = "u-lamps", **more: Any) -> str:
    """A pothole of D1 that its officer has offered to another unit."""
    report: str = world.file(**more)["id"]
    world.act(official("officer1"), report, "assign", unit=unit)
    return report


def test_an_agencys_officer_works_on_what_was_coordinated_with_it(world: World) -> None:
    """The officer's grant names only lamps: the officer sees the case and may finish it."""
    report = coordinated(world)
    lamps = official("lamps")
    case = queries.case(lamps, report)
    assert case["agency"]["code"] == "u-lamps"
    assert case["open_actions"] == ["finish"]
    world.finish(lamps, report)
    assert world.head(report).finished_by == "s_lamps"
    with pytest.raises(Problem, match="not_found"):
        access.load(official("lamps"), world.file(citizen("other"))["id"])


def test_an_agencys_officer_does_not_run_the_district(world: World) -> None:
    """They may not reject, merge or transfer it, as the district's officer may."""
    report = coordinated(world)
    for action in ("disown", "transfer", "reclassify", "merge"):
        assert action not in queries.case(official("lamps"), report)["open_actions"]
    assert "disown" in queries.case(official("officer1"), report)["open_actions"]


def test_a_unit_that_is_offered_a_report_takes_it_and_works_on_it(world: World) -> None:
    """It accepts, and assigns one of its officials, who starts and finishes the work."""
    report = offered(world)
    lamps, lampist = official("lamps"), official("lampist")
    assert {"accept", "decline"} <= set(queries.case(lamps, report)["open_actions"])
    world.act(lamps, report, "accept")
    assert queue(world, lamps) == [report]
    world.act(lamps, report, "assign", person="s_lampist")
    world.act(lampist, report, "start")
    assert queue(world, lampist, holder="me") == [report]
    world.finish(lampist, report)
    assert world.head(report).unit == "u-lamps"


def test_a_unit_does_not_see_a_report_that_was_routed_elsewhere(world: World) -> None:
    """A new service routes it to another unit: the unit that accepted it no longer sees it."""
    report = offered(world)
    world.act(official("lamps"), report, "accept")
    world.act(official("dispatcher"), report, "reclassify", service="litter", reason="Waste.")
    assert world.head(report).unit == "u-d1"
    with pytest.raises(Problem, match="not_found"):
        access.load(official("lamps"), report)
    assert queue(world, official("lamps")) == []


def test_a_unit_for_the_whole_city_has_one_queue(world: World) -> None:
    """Its own service in every district, what it is coordinated with, what it is offered: by
    deadline, each once, without naming a district."""
    lamps = official("lamps")
    own = [world.file(citizen(w), service="lamp", ward=w)["id"] for w in ("D1-W1", "D2-W1")]
    called = [coordinated(world), offered(world)]
    world.file(citizen("x"))
    found = queue(world, lamps)
    assert sorted(found) == sorted([*own, *called])
    dues = [world.head(one).due_at for one in found]
    assert dues == sorted(dues)
    assert queue(world, lamps, state="coordinated") == [called[0]]
    assert queue(world, lamps, due_within=24 * 7) == found
    assert queue(world, lamps, district="D1") == [one for one in found if one != own[1]]


def test_older_reports_are_in_the_queue_after_a_backfill(world: World) -> None:
    """Their rows had no such keys."""
    report = coordinated(world)
    client, name = tables.client(), tables.Report.Meta.table_name
    client.update_item(
        TableName=name, Key={"pk": {"S": f"{JURISDICTION}#R#{report}"}},
        UpdateExpression="REMOVE wpk, wsk, apk, ask",
    )  # fmt: skip
    assert queue(world, official("lamps")) == []
    assert backfill.run()["written"] == 1
    assert queue(world, official("lamps")) == [report]


def test_a_report_that_is_called_back_leaves_the_queue(world: World) -> None:
    """The district's officer assigns it again, or closes it."""
    first, second = coordinated(world), coordinated(world)
    world.act(official("officer1"), first, "assign", person="s_worker1")
    world.act(official("officer1"), second, "disown", text="The toll road's.")
    assert queue(world, official("lamps")) == []


def test_an_official_of_two_districts_has_one_queue(world: World) -> None:
    """Both districts' reports by deadline; a third district's are not among them."""
    grants = (Grant("officer", frozenset({"D1", "D2"}), frozenset({"*"})),)
    both = Principal("staff", JURISDICTION, uid="s_both", unit="u-d1", grants=grants)
    filed = []
    for ward in ("D2-W1", "D1-W1", "D2-W2", "D1-W2"):
        filed.append(world.file(citizen(ward), ward=ward)["id"])
        world.advance(minutes=1)
    assert queue(world, both) == filed
    one = queues.queue(both, None, None, None, 1, None, world.now)
    with pytest.raises(Problem, match="cursor_invalid"):
        queues.queue(both, "D1", None, None, 1, one["cursor"], world.now)


def test_a_protected_report_is_in_no_units_ordinary_queue(world: World) -> None:
    """Its unit still lists it with ``district=protected``."""
    secret = world.file(service="violence")["id"]
    assert queue(world, official("safe")) == []
    assert queue(world, official("safe"), district="protected") == [secret]


def test_the_morning_digest_tells_an_agency_what_it_is_called_to(world: World) -> None:
    """Both the agency and the responsible unit hear of the deadline."""
    coordinated(world)
    offered(world, "u-prov")
    quiet(world)
    world.advance(days=5, hours=1)
    assert daily_digest.notify(world.now) == 3
    outbox.drain(now=world.now)
    told = {message.attributes["unit"]: message.data["overdue"] for message in sent()}
    assert told == {"u-d1": 2, "u-lamps": 1, "u-prov": 1}


def test_coordinating_with_the_verifiers_bureau_leaves_somebody_to_verify(world: World) -> None:
    """The bureau was asked and did nothing: its verifiers may judge what the district did."""
    report = coordinated(world, "u-gov")
    world.act(official("officer1"), report, "assign", person="s_worker1")
    world.act(official("officer1"), report, "coordinate", agency="u-gov", **REASON)
    world.finish(official("worker1"), report)
    assert world.head(report).agency == "u-gov"
    world.act(official("verifier"), report, "verify")
    assert world.head(report).resolution == "verified"


def test_a_verifier_never_judges_what_their_own_unit_did(world: World) -> None:
    """The bureau's dispatcher finished it, or had a hand in it before it was called back."""
    report = coordinated(world, "u-gov")
    bureau = official("dispatcher")
    world.finish(bureau, report)
    with pytest.raises(Problem) as refused:
        world.act(official("verifier"), report, "verify")
    assert refused.value.members["rule"] == "verify.two_person"
    world.act(official("verifier2"), report, "refuse", reason="Still there.")
    world.act(official("officer1"), report, "assign", person="s_worker1")
    world.act(official("worker1"), report, "start")
    world.finish(official("worker1"), report)
    assert world.head(report).agency is None
    with pytest.raises(Problem) as refused:
        world.act(official("verifier"), report, "verify")
    assert refused.value.members["rule"] == "verify.two_person"
    world.act(official("verifier2"), report, "verify")
