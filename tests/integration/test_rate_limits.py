"""What makes a version stale, and how much one person may add."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.city.city import City
from chalicelib.domain.city.limits import OF_CODES, OF_PERSONS
from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.identity import api_keys, rate_limits
from chalicelib.services.open311 import post as open311_post
from chalicelib.services.people import claiming
from chalicelib.services.photos import moderation
from chalicelib.services.platform import signing
from chalicelib.services.platform.idempotency import Outcome
from chalicelib.services.reports import actions, engagement, intake
from chalicelib.services.timeline import append
from chalicelib.storage import control, tables
from chalicelib.storage.transactions import Refused, Unavailable, Unknown
from tests.faults import world as faulty
from tests.faults.clients import Clients, Record
from tests.faults.scheduler import Replay
from tests.faults.state import State
from tests.faults.world import Call
from tests.support import warm_city
from tests.support.world import World, citizen, faults, official, spot

ROOT = Path(__file__).parents[2]
REPORTER = citizen("reporter")
OFFICER, COLLEAGUE = official("officer1"), official("colleague1")


@pytest.mark.parametrize("kind", [*OF_PERSONS, *OF_CODES])
def test_a_limit_is_used_and_on_the_page_of_the_city_folder(kind: str) -> None:
    services = (ROOT / "chalicelib" / "services").rglob("*.py")
    uses = re.compile(rf'"{kind}"|\b{kind}=')
    assert [path.name for path in services if uses.search(path.read_text())]
    page = (ROOT / "docs" / "city-folder.md").read_text()
    assert re.search(rf"^\| [^|]*`{kind}`[^|]* \|", page, re.M)


def comment(world: World, who: Any, report: str, key: str | None = None) -> Any:
    """A public comment."""
    op = world.operation(who, "commentReport", "hello", key)
    return engagement.comment(who, op, report, "Hello.", "public", world.now)


def support(world: World, who: Any, report: str, key: str | None = None) -> Any:
    """A support."""
    op = world.operation(who, "supportReport", "", key)
    return engagement.support(who, op, report, world.now)


def used(kind: str) -> int:
    """How many tokens of a kind of limit are taken in all windows."""
    return sum(int(row.used or 0) for row in tables.Control.scan() if f"#RATE#{kind}#" in row.pk)


def limits(monkeypatch: pytest.MonkeyPatch, **kinds: int) -> None:
    """The city's limits, a day each."""
    real = cities.current
    rows = {kind: [{"n": n, "seconds": 86_400}] for kind, n in kinds.items()}

    def current(place: str, now: Any) -> City:
        return replace(real(place, now), limits=rows)

    monkeypatch.setattr(cities, "current", current)


def test_118_comments_refuse_none_of_ten_actions_of_officials(world: World) -> None:
    """Also no comment of a colleague, which acknowledges the report."""
    filed = [world.file(service="litter", ward="D1-W1")["id"] for _ in range(10)]
    for number in range(118):
        who = COLLEAGUE if number // 10 % 2 else REPORTER
        comment(world, who, filed[number % 10])
    done = [world.act(OFFICER, one, "assign", version=1, person="s_worker1") for one in filed]
    assert [one["state"] for one in done] == ["assigned"] * 10
    assert faults(world.head(filed[0]), world.links(filed[0])) == []


def test_more_supports_than_a_window_of_events_make_no_version_stale(world: World) -> None:
    """With the window of events eleven were too many."""
    report = world.file()["id"]
    for number in range(11):
        support(world, citizen(f"n{number}"), report)
    assert world.act(OFFICER, report, "assign", version=1, person="s_worker1")["version"] == 13


def test_additions_do_not_make_an_officers_version_stale(world: World) -> None:
    """Ratings, claims, flags, followers, reading the contact: twelve of them."""
    report = world.finished()
    seen = world.head(report).version
    ann = citizen("ann")
    for stars in (1, 2, 3, 4, 5):
        op = world.operation(REPORTER, "rateReport", stars)
        engagement.rate(REPORTER, op, report, stars, None, world.now)
    for generation, who in enumerate((ann, REPORTER)):
        secret = signing.claim_secret(report, generation)
        op = world.operation(who, "claimReport", secret)
        claiming.claim(who, op, report, secret, world.now)
    op = world.operation(ann, "flagReport", {})
    moderation.flag(ann, op, report, {"reason": "other"}, world.now)
    for _ in range(5):
        comment(world, OFFICER, report)
    assert world.head(report).version == seen + 13
    assert world.act(official("verifier2"), report, "verify", version=seen)["state"] == "closed"


def test_a_decision_makes_a_version_stale_whatever_was_added_after_it(world: World) -> None:
    """An assignment between two comments is not overlooked."""
    report = world.file()["id"]
    comment(world, REPORTER, report)
    world.act(COLLEAGUE, report, "assign", version=1, person="s_worker1")
    decided = world.head(report).version
    for _ in range(3):
        comment(world, REPORTER, report)
    for version in range(1, decided):
        with pytest.raises(Problem, match="stale_version"):
            world.act(OFFICER, report, "reject", version=version, reason_code="spam", text="x")
    fields = {"reason_code": "spam", "text": "x"}
    assert world.act(OFFICER, report, "reject", version=decided, **fields)["state"] == "closed"


def test_one_person_s_comments_claims_supports_and_ratings_end_in_429(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the city's data; another person, and an official, goes on."""
    limits(monkeypatch, report_comments=2, comments=3, supports=1, claims=1, ratings=1, follows=1)
    one, two = world.file()["id"], world.file()["id"]
    for _ in range(2):
        comment(world, REPORTER, one)
    secret = signing.claim_secret(two)

    def claim() -> None:
        op = world.operation(citizen("c"), "claimReport", secret)
        claiming.claim(citizen("c"), op, two, secret, world.now)

    def follow() -> None:
        engagement.follow(REPORTER, two, True, world.now)

    comment(world, REPORTER, two)
    support(world, citizen("a"), one)
    claim()
    follow()
    again: list[Callable[[], Any]] = [
        lambda: comment(world, REPORTER, one),
        lambda: comment(world, REPORTER, two),
        lambda: support(world, citizen("a"), two),
        claim,
        follow,
    ]
    for call in again:
        with pytest.raises(Problem) as refused:
            call()
        assert (refused.value.status, refused.value.slug) == (429, "too_many")
        assert 0 < int(refused.value.headers["Retry-After"]) <= 86_400
    comment(world, OFFICER, one)
    support(world, citizen("b"), two)
    world.advance(days=1)
    comment(world, REPORTER, one)


def test_a_city_that_says_nothing_lets_nobody_comment_a_hundred_times(world: World) -> None:
    """The product's own limits: ten of one report in an hour."""
    report = world.file()["id"]
    for _ in range(10):
        comment(world, REPORTER, report)
    with pytest.raises(Problem, match="too_many"):
        comment(world, REPORTER, report)
    assert world.head(report).comments == 10


def test_a_repeated_key_takes_no_token(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for a report, nor for a comment, a support or a flag."""
    limits(monkeypatch, device=1, comments=1, report_comments=1, supports=1, flags=1, tickets=1)
    first = world.file(REPORTER, key="same")
    report = first["id"]
    for _ in range(3):
        assert world.file(REPORTER, key="same")["id"] == report
        comment(world, REPORTER, report, "c")
        support(world, REPORTER, report, "s")
        op = world.operation(REPORTER, "flagReport", {}, "f")
        moderation.flag(REPORTER, op, report, {"reason": "other"}, world.now)
    counts = {kind: used(kind) for kind in ("device", "comments", "supports", "flags")}
    assert counts == dict.fromkeys(counts, 1)


def test_a_request_that_wrote_nothing_gives_its_token_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal after the count, and a repeated support."""
    limits(monkeypatch, device=2, comments=2, report_comments=2, supports=2)
    report = world.file()["id"]
    with pytest.raises(Problem, match="role_not_allowed"):
        comment(world, citizen("a"), report)
    support(world, citizen("a"), report)
    for _ in range(3):
        support(world, citizen("a"), report)
    assert (used("comments"), used("supports"), used("device")) == (0, 1, 1)
    with monkeypatch.context() as patch:
        patch.setattr(intake, "_write", _raising(Unavailable()))
        with pytest.raises(Unavailable):
            world.file()
    assert used("device") == 1
    with monkeypatch.context() as patch:
        # It is unknown whether this one was written: it counts.
        patch.setattr(intake, "_write", _raising(Unknown()))
        with pytest.raises(Unknown):
            world.file()
    assert used("device") == 2


def test_a_form_of_another_system_that_is_sent_again_or_refused_takes_no_token(
    world: World,
) -> None:
    """Open311 has no keys of requests: the same form is the same request."""
    _, key = api_keys.issue("testville", "app", 2, world.now)
    city = cities.current("testville", world.now)
    form = {"service_code": ["pothole"], "description": ["A hole."]}
    form |= {name: [str(value)] for name, value in spot("D1-W1").items()}

    def post(**more: list[str]) -> Any:
        def attempt(actor: Any) -> Outcome:
            return open311_post.file(actor, city, {**form, **more}, [], "192.0.2.1", world.now)

        return api_keys.run_with_key("testville", key, world.now, attempt).answer["requests"][0]

    first = post()
    assert [post() for _ in range(3)] == [first] * 3
    with pytest.raises(ExceptionGroup):
        post(email=["nonsense"])
    post(email=["s\u00edt\u00ed@b\u00fccher.example"], description=["Another."])
    assert used("key") == 2
    with pytest.raises(Problem, match="too_many"):
        post(description=["A third."])


def test_a_system_that_passes_on_many_people_s_comments_is_not_one_person(world: World) -> None:
    """It has its own limit, by the minute."""
    key = Principal("citizen", "testville", uid="k_1", permissions=frozenset({FOR_MANY}))
    spent = rate_limits.person_usage(key, world.now, "comments", report_comments="x")
    assert spent == rate_limits.UNLIMITED
    assert rate_limits.person_usage(REPORTER, world.now, "comments").limits


def test_no_window_goes_below_zero(world: World) -> None:
    """A token that was not taken is not given back."""
    bucket = control.Bucket("device#x", 2, 60, 0)
    control.take("testville", [bucket])
    control.give_back("testville", [bucket])
    with pytest.raises(Refused):
        control.give_back("testville", [bucket])
    assert used("device") == 0


def _raising(error: Exception) -> Callable[..., Any]:
    def fail(*given: Any) -> Any:
        raise error

    return fail


class _Lockstep(Replay):
    """All read, then all write, in each round: the worst order for a crowd."""

    def __init__(self) -> None:
        super().__init__([])
        self.last = ""

    def turn(self, waiting: Sequence[str]) -> str:
        later = [one for one in sorted(waiting) if one > self.last]
        self.last = (later or sorted(waiting))[0]
        return self.last


def _writes_the_report(call: Call) -> bool:
    return call.writes and any(name.endswith("reports") for name in call.tables)


@pytest.mark.usefixtures("aws")
def test_25_supports_at_once_are_all_taken_and_an_action_among_them() -> None:
    """No 503 in the worst order."""
    with faulty.World(_Lockstep(), seed="crowd", point=_writes_the_report) as world:
        warm_city.reset()
        record = Record()
        clients = Clients(world, record)
        lat, long = warm_city.SPOTS["D1-W1"]
        body = {"service": "pothole", "lat": lat, "long": long}
        world.run([("before", clients.file(citizen("ani"), "first", body))])
        report = next(iter(State([]).heads))
        crowd = [
            (f"n{number:02}", clients.support(citizen(f"n{number}"), "s", report))
            for number in range(25)
        ]
        assign = {"action": "assign", "version": 1, "person": "s_worker1"}
        boss = clients.act(official("officer1"), "a", report, assign)
        world.run([*crowd, ("boss", boss)])
        head = State([]).heads[report]
    assert (head["supports"], head["version"], record.crashes) == (25, 27, [])
    assert [one.refusal for one in record.answers] == [None] * 27
    assert record.open == []
    assert append.ATTEMPTS > 25
    assert actions.ATTEMPTS >= 20
