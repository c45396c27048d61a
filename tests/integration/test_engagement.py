"""What people add without changing a report's state: comments, support, following, rating,
claiming."""

from typing import Any

import pytest

from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.services.people import claiming
from chalicelib.services.platform import signing
from chalicelib.services.platform.idempotency import Outcome
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import engagement, queries
from chalicelib.services.timeline import append
from chalicelib.storage import people, report_lists
from chalicelib.storage.transactions import Unavailable
from tests.support.world import JURISDICTION, PUBLIC, World, citizen, faults, official

REPORTER = citizen("reporter")


def refusal(call: Any, *given: Any, **fields: Any) -> Problem:
    """The problem that a call raises."""
    with pytest.raises(Problem) as found:
        call(*given, **fields)
    return found.value


def say(
    world: World, actor: Principal, report: str, text: str, audience: str, key: str | None = None
) -> Outcome:
    """Comment on a report."""
    op = world.operation(actor, "commentReport", [text, audience], key)
    return engagement.comment(actor, op, report, text, audience, world.now)


def support(world: World, actor: Principal, report: str, key: str | None = None) -> Outcome:
    """Support a report."""
    op = world.operation(actor, "supportReport", {}, key)
    return engagement.support(actor, op, report, world.now)


def rate(world: World, actor: Principal, report: str, stars: int, text: str | None = None) -> Any:
    """Rate a report."""
    op = world.operation(actor, "rateReport", [stars, text])
    return engagement.rate(actor, op, report, stars, text, world.now).answer


def claim(world: World, actor: Principal, report: str, secret: str) -> Outcome:
    """Claim a report."""
    op = world.operation(actor, "claimReport", secret)
    return claiming.claim(actor, op, report, secret, world.now)


def sound(world: World, report: str) -> None:
    """Every invariant of the report and of the tallies."""
    assert faults(world.head(report), world.links(report)) == []
    world.project()
    assert world.tallies() == monthly_counts.recount()


def test_inside_words_never_reach_the_public(world: World) -> None:
    """Case 80: two audiences of one timeline."""
    report = world.file()["id"]
    say(world, official("officer1"), report, "They call every week.", "inside")
    say(world, official("officer1"), report, "We come tomorrow.", "public")
    say(world, REPORTER, report, "Thank you.", "public")
    public = [event["words"] for event in queries.timeline(PUBLIC, report, 0)["events"][1:]]
    assert public == [{}, {"comment": "We come tomorrow."}, {"comment": "Thank you."}]
    inside = queries.case(official("worker1"), report)["timeline"][1:]
    assert inside[0]["words"] == {"comment": "They call every week."}
    assert world.head(report).comments == 3
    sound(world, report)


def test_who_may_comment(world: World) -> None:
    """The reporter in public, officials in scope; others 403 or 404."""
    report = world.file()["id"]
    assert refusal(say, world, REPORTER, report, "x", "inside").status == 403
    assert refusal(say, world, citizen("other"), report, "x", "public").status == 403
    assert refusal(say, world, official("officer2"), report, "x", "inside").status == 404
    hidden = world.file(citizen("b"), service="violence")["id"]
    assert refusal(say, world, official("safe"), hidden, "x", "public").status == 403
    assert refusal(say, world, official("officer1"), hidden, "x", "inside").status == 404
    assert say(world, official("safe"), hidden, "x", "inside").answer["version"] == 2
    assert world.head(report).version == 1


def test_a_public_comment_of_the_holding_unit_acknowledges(world: World) -> None:
    """Words for the public; inside words and other units' do not."""
    report = world.file()["id"]
    say(world, official("officer1"), report, "x", "inside")
    say(world, official("dispatcher"), report, "x", "public")
    say(world, REPORTER, report, "x", "public")
    assert world.head(report).acknowledged_at is None
    world.advance(hours=1)
    say(world, official("worker1"), report, "On it.", "public")
    assert world.head(report).acknowledged_at == world.now


def test_support_counts_a_person_once(world: World) -> None:
    """With any key; the supporter follows the report; a neighbour counts too."""
    report = world.file()["id"]
    assert support(world, citizen("a"), report).answer["supports"] == 1
    assert support(world, citizen("a"), report).answer["supports"] == 1
    assert support(world, citizen("b"), report, key="k").answer["supports"] == 2
    assert support(world, citizen("b"), report, key="k").replayed
    assert world.head(report).version == 3
    assert sorted(people.marks(JURISDICTION, report, people.FOLLOW, 10)) == ["d_a", "d_b"]
    sound(world, report)
    assert {"received": 1, "open": 1, "supported": 2} in world.tallies().values()


def test_no_support_of_closed_or_protected_reports(world: World) -> None:
    """409 and 404."""
    report = world.file()["id"]
    world.act(REPORTER, report, "withdraw")
    assert refusal(support, world, citizen("a"), report).slug == "report_closed"
    hidden = world.file(service="violence")["id"]
    assert refusal(support, world, citizen("a"), hidden).status == 404
    assert refusal(support, world, REPORTER, hidden).status == 404


def test_support_is_no_event_of_a_person(world: World) -> None:
    """The timeline does not say who."""
    report = world.file()["id"]
    support(world, citizen("canary"), report)
    assert "canary" not in str(world.links(report))


def test_the_reporter_rates_once_the_work_is_said_to_be_done(world: World) -> None:
    """Case 71; a later rating replaces the earlier one."""
    report = world.file()["id"]
    assert refusal(rate, world, REPORTER, report, 5).slug == "not_yet_rated"
    world.act(official("officer1"), report, "assign", person="s_worker1")
    world.finish(official("worker1"), report)
    assert refusal(rate, world, citizen("other"), report, 5).slug == "reporter_only"
    assert rate(world, REPORTER, report, 2, "Slow.")["rating"] == 2
    world.advance(days=40)
    assert rate(world, REPORTER, report, 4)["rating"] == 4
    assert queries.public(PUBLIC, report)["rating"] == 4
    sound(world, report)
    rated = {key[1]: row for key, row in world.tallies().items() if "ratings" in row}
    assert {month: (row["ratings"], row["rating_sum"]) for month, row in rated.items()} == {
        "202612": (1, 4)
    }


def test_a_report_without_work_is_not_rated(world: World) -> None:
    """A rejected report, nor a protected one."""
    report = world.file()["id"]
    world.act(official("officer1"), report, "reject", reason_code="spam", text="x")
    assert refusal(rate, world, REPORTER, report, 1).slug == "not_yet_rated"
    hidden = world.file(service="violence")["id"]
    world.act(official("safe"), hidden, "assign", person="s_guard")
    world.act(official("guard"), hidden, "finish", note="x")
    assert refusal(rate, world, REPORTER, hidden, 1).slug == "not_yet_rated"


def test_a_claim_makes_another_device_the_reporter(world: World) -> None:
    """The lost phone is no longer the reporter; the event names neither phone."""
    filed = world.file(service="violence")
    report, phone = filed["id"], citizen("newphone")
    assert refusal(queries.public, phone, report).status == 404
    answer = claim(world, phone, report, filed["claim_secret"]).answer
    assert (answer["claimed"], answer["version"]) == (True, 2)
    assert queries.public(phone, report)["id"] == report
    assert refusal(queries.public, REPORTER, report).status == 404
    assert "newphone" not in str(world.links(report))
    assert [one for _, one in report_lists.of_reporter(JURISDICTION, "d_newphone", None, 5)]
    world.act(phone, report, "withdraw")
    sound(world, report)


def test_a_wrong_secret_is_404_and_writes_nothing(world: World) -> None:
    """Also that of another report, and for a report that does not exist."""
    report, other = world.file()["id"], world.file(citizen("b"))
    nowhere = "01J00000000000000000000000"
    for target, secret in (
        (report, "0" * 32),
        (report, other["claim_secret"]),
        (nowhere, signing.claim_secret(nowhere)),
    ):
        assert refusal(claim, world, citizen("thief"), target, secret).status == 404
    assert world.head(report).version == 1


def test_following_is_not_in_the_timeline(world: World) -> None:
    """No event; twice is once; stopping stops."""
    report = world.file()["id"]
    for _ in range(2):
        assert engagement.follow(citizen("a"), report, True, world.now)["following"] is True
    assert people.marks(JURISDICTION, report, people.FOLLOW, 10) == ["d_a"]
    assert engagement.follow(citizen("a"), report, False, world.now)["following"] is False
    assert people.marks(JURISDICTION, report, people.FOLLOW, 10) == []
    assert world.head(report).version == 1
    hidden = world.file(citizen("b"), service="violence")["id"]
    assert refusal(engagement.follow, citizen("a"), hidden, True, world.now).status == 404


def test_a_comment_waits_for_its_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another write was faster: it is tried again on the newest head, and finally is a 503."""
    report = world.file()["id"]
    real, turns = append.write_with_key, []

    def slow(*given: Any) -> Outcome:
        if len(turns) < 2:
            turns.append(1)
            world.act(official("officer1"), report, "assign", unit="u-d1")
        return real(*given)

    monkeypatch.setattr(append, "write_with_key", slow)
    assert say(world, REPORTER, report, "x", "public").answer["version"] == 4

    def busy(*given: Any) -> Outcome:
        world.act(official("officer1"), report, "assign", unit="u-d1")
        return real(*given)

    monkeypatch.setattr(append, "write_with_key", busy)
    monkeypatch.setattr(append, "ATTEMPTS", 4)
    with pytest.raises(Unavailable):
        say(world, REPORTER, report, "x", "public")
    sound(world, report)
