"""Who gets each alert, and who gets it if those officials cannot be reached."""

from collections import Counter
from typing import Any

import pytest

from chalicelib.services.city import staff
from chalicelib.services.notifications import alerts
from chalicelib.services.notifications import outbox as notifications_outbox
from chalicelib.storage import city as store
from tests.integration.test_outbox import Sent, quiet, sent
from tests.support.world import JURISDICTION, STAFF, World, citizen, official

REASON = {"reason": "Theirs is the pipe."}
# All officials of the test city except those for protected reports, with an address.
ALL = frozenset(one["ref"][2:] for one in STAFF)


@pytest.fixture(autouse=True)
def _no_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """No hourly limit; test_bursts.py tests the limit."""
    monkeypatch.setattr(notifications_outbox, "_within_limit", lambda *_, **__: True)


def reach(*refs: str) -> None:
    """Give these officials an address, and nobody else."""
    records = []
    for one in STAFF:
        ends = [{"protocol": "email", "endpoint": f"{one['ref']}@example.org"}]
        more = {"protected_unit": True} if one["unit"] == "u-safe" else {}
        records.append({**one, **more, "endpoints": ends if one["ref"][2:] in refs else []})
    store.put_staff(JURISDICTION, records)
    staff.forget()


def told(world: World) -> dict[str, list[str]]:
    """{event: references without "s_" of those whom its alerts reach} since the last ``quiet``."""
    world.project()
    notifications_outbox.drain(now=world.now)
    found: dict[str, list[str]] = {}
    for message in sent():
        people = [ref[2:] for ref, _ in alerts.recipients(message.data)]
        found.setdefault(message.data["event"], []).extend(sorted(people))
    return found


def last(world: World) -> Sent:
    """The newest message."""
    world.project()
    notifications_outbox.drain(now=world.now)
    return sent()[-1]


def test_a_new_report_tells_its_unit_and_its_districts_officials(world: World) -> None:
    """No verifier, no auditor, no city administrator, nobody of the other district."""
    reach(*ALL)
    world.file()
    concerned = {"officer1", "colleague1", "worker1", "mate1", "head1", "verifier1", "litterer"}
    assert set(told(world)["file"]) == concerned, "all of the district's unit"


def test_a_new_report_of_an_agency_tells_the_agency_and_the_district(world: World) -> None:
    """The lamps' people, and the officers and the head of the district, not its workers."""
    reach(*ALL)
    world.file(service="lamp")
    assert set(told(world)["file"]) == {
        "lamps", "lampist", "officer1", "colleague1", "verifier1", "head1"
    }  # fmt: skip


def test_an_agency_hears_of_what_is_coordinated_with_it(world: World) -> None:
    """The agency and the unit that asked it; the text names both; no city-wide official is told."""
    reach(*ALL)
    report = world.file()["id"]
    world.act(official("officer1"), report, "assign", person="s_worker1")
    quiet(world)
    world.act(official("officer1"), report, "coordinate", agency="u-lamps", **REASON)
    assert told(world)["coordinate"] == ["lampist", "lamps", "worker1"]
    text = last(world).text
    assert "Dipegang u-d1 (id)." in text
    assert "Dikoordinasikan dengan u-lamps (id)." in text


def test_a_unit_hears_of_what_it_is_offered(world: World) -> None:
    """The giving unit hears that it was accepted or declined."""
    reach(*ALL)
    first, second = world.file()["id"], world.file(citizen("b"))["id"]
    quiet(world)
    world.act(official("officer1"), first, "assign", unit="u-lamps")
    assert {"lamps", "lampist"} <= set(told(world)["assign"])
    assert "Ditawarkan kepada u-lamps (id)." in last(world).text
    world.act(official("officer1"), second, "assign", unit="u-lamps")
    quiet(world)
    world.act(official("lamps"), first, "accept")
    world.act(official("lamps"), second, "decline", reason_code="not_ours")
    heard = told(world)
    for action in ("accept", "decline"):
        assert {"officer1", "lamps"} <= set(heard[action])
        assert not {"verifier", "auditor", "admin", "dispatcher", "officer2"} & set(heard[action])


def test_an_agency_hears_that_it_is_called_back(world: World) -> None:
    """The district's officer gives it to one of their own."""
    reach(*ALL)
    report = world.file()["id"]
    world.act(official("officer1"), report, "coordinate", agency="u-lamps", **REASON)
    quiet(world)
    world.act(official("officer1"), report, "assign", person="s_worker1")
    assert told(world)["assign"] == ["lampist", "lamps", "worker1"]


def test_a_dispute_goes_before_the_verifiers(world: World) -> None:
    """A refusal is for those who hold the report; its dispute for the verifiers too."""
    reach(*ALL)
    report = world.finished()
    quiet(world)
    world.act(citizen("reporter"), report, "refuse", reason="Still there.")
    refused = set(told(world)["refuse"])
    assert {"worker1", "officer1"} <= refused
    assert not {"verifier", "verifier2", "auditor"} & refused
    world.act(official("worker1"), report, "dispute", reason="It is repaired.")
    assert {"officer1", "verifier", "verifier2"} <= set(told(world)["dispute"])


def test_a_question_that_lapses_does_not_say_that_the_reporter_answered(world: World) -> None:
    """The clock resumed the report."""
    report = world.file(contact={"email": "ann@example.org"})["id"]
    world.act(official("officer1"), report, "ask", question="Which side?")
    quiet(world)
    world.advance(days=7, minutes=1)
    world.sweep()
    world.project()
    notifications_outbox.drain(now=world.now)
    (answer,) = (message for message in sent() if message.data["event"] == "answer")
    assert answer.data["level"] == "unanswered"
    assert "Pelapor tidak menjawab pada waktunya" in answer.text


def test_a_grant_for_some_services_hears_of_those_alone(world: World) -> None:
    """Grants are not mixed: an officer of D1's litter who verifies everything hears of no new
    bridge in D1."""
    record = next(one for one in STAFF if one["ref"] == "s_litterer")
    grants = [*record["grants"], {"role": "verifier", "districts": ["*"], "services": ["*"]}]
    mail = [{"protocol": "email", "endpoint": "x@example.org"}]
    store.put_staff(
        JURISDICTION, [{**record, "unit": "u-prov", "grants": grants, "endpoints": mail}]
    )
    staff.forget()
    world.file(service="bridge")
    world.file(service="litter")
    world.project()
    notifications_outbox.drain(now=world.now)
    heard = {message.data["service"]: alerts.recipients(message.data) for message in sent()}
    assert heard == {"bridge": [], "litter": [("s_litterer", "district:officer")]}


@pytest.mark.parametrize(
    ("reachable", "by", "to"),
    [
        ("worker1 head1 dispatcher", "unit", ["head1", "worker1"]),
        ("head2 dispatcher admin", "dispatcher", ["dispatcher"]),
        ("officer2 admin auditor", "city_admin", ["admin", "auditor"]),
    ],
)
def test_an_alert_climbs_at_once_until_it_reaches_somebody(
    world: World, reachable: str, by: str, to: list[str]
) -> None:
    """The unit, its head, a dispatcher, the city; the text says why they get it."""
    reach(*reachable.split())
    world.file()
    assert told(world)["file"] == to
    message = sent()[-1]
    climbed = message.data.get("climbed")
    assert climbed is None if by == "unit" else by in climbed
    assert ("tidak dapat dihubungi" in message.text) == (by != "unit")


def test_an_agency_that_nobody_can_reach_climbs_though_the_giver_hears(world: World) -> None:
    """The giving unit does not count as reached: the head learns that the agency got nothing."""
    reach("worker1", "head1")
    report = world.file()["id"]
    world.act(official("officer1"), report, "assign", person="s_worker1")
    quiet(world)
    world.act(official("officer1"), report, "coordinate", agency="u-lamps", **REASON)
    message = last(world)
    assert message.data["climbed"] == ["unit:u-d1"]
    assert "Penerimanya (u-lamps (id)) tidak dapat dihubungi" in message.text


def test_a_colleague_who_left_is_told_by_the_unit(world: World) -> None:
    """A report held by somebody who is inactive: the unit hears what was for them."""
    report = world.file()["id"]
    world.act(official("officer1"), report, "assign", person="s_worker1")
    reach("worker1", "mate1")
    gone = next(one for one in store.all_staff(JURISDICTION) if one["ref"] == "s_worker1")
    store.put_staff(JURISDICTION, [{**gone, "active": False}])
    staff.forget()
    quiet(world)
    world.act(citizen("reporter"), report, "withdraw")
    assert told(world)["withdraw"] == ["mate1"]


def test_a_protected_alert_never_climbs_out_of_its_unit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody in the unit has an address: it is counted, and nobody else is told."""
    counted: Counter[str] = Counter()
    monkeypatch.setattr("chalicelib.observability.count", lambda name: counted.update([name]))
    reach("head1", "dispatcher", "admin")
    world.file(service="violence")
    assert told(world)["file"] == []
    (message,) = sent()
    assert message.attributes["audience"] == ["unit:u-safe"]
    assert counted == {"AlertsWithoutRecipient": 1}
    reach("safe", "head1")
    world.file(citizen("b"), service="violence")
    quiet(world)
    world.file(citizen("c"), service="violence")
    assert told(world)["file"] == ["safe"]


def test_an_old_row_without_an_audience_reaches_the_unit_and_the_district(world: World) -> None:
    """What waits in the outbox while a release goes out."""
    reach(*ALL)
    world.file()
    (_, message), *_ = outbox(world)
    message.pop("audience")
    message.pop("held_by")
    to = {ref for ref, _ in alerts.recipients(alerts.with_fallback_audience(message, world.now))}
    assert "s_officer1" in to
    assert "s_auditor" not in to


def outbox(world: World) -> list[tuple[str, dict[str, Any]]]:
    """What waits to be published."""
    from chalicelib.storage import control

    world.project()
    return control.outbox(10)
