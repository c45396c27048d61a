"""Random people do random things to a few reports; after every step all invariants hold.

No illegal transition, versions that grow by one, a whole chain, a head that is the fold of its
events, tallies that equal two recounts (from the last events, and from the heads), and protected
reports in no tally. A refusal changes nothing; a replay answers the same and changes nothing.
"""

import json
import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from moto.dynamodb.models.dynamo_type import DynamoType

from chalicelib import ids
from chalicelib.domain.hash_chain import Entry
from chalicelib.domain.principal import Principal, system
from chalicelib.domain.report import Report
from chalicelib.domain.sla import timers
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow import table as workflow_table
from chalicelib.errors import Problem
from chalicelib.services.map import heatmap
from chalicelib.services.people import claiming
from chalicelib.services.platform import signing
from chalicelib.services.projections import monthly_counts, timeline_events
from chalicelib.services.reports import actions, engagement, queries
from chalicelib.services.scorecards import lifecycle
from chalicelib.services.timeline import access
from chalicelib.storage import tables
from tests.support.aws import backend, start
from tests.support.map_client import Watcher, by_id, look
from tests.support.world import (
    JURISDICTION,
    STAFF,
    WARDS,
    World,
    citizen,
    city,
    faults,
    official,
    spot,
    whole,
)

CITIZENS = ("ann", "budi", "citra")
PEOPLE = [*CITIZENS, *(record["ref"][2:] for record in STAFF)]
ACTIONS = list(workflow_table.table()["actions"])
UNITS = ["u-d1", "u-d2", "u-lamps", "u-prov", "u-safe", "u-none"]
SERVICES = ["pothole", "litter", "bridge", "lamp", "retired"]
CLOSING = frozenset({"reject", "disown", "withdraw", "merge"})
CLOCKS = {
    "needs_info": "answer",
    "scheduled": "resume",
    "work_done": "lapse",
    "closed": "unmerge",
}
REPORTS_MOST = 6
HISTORIES = int(os.environ.get("TANGGAP_HISTORIES", "20"))
# A seed decides the details of a step: Hypothesis alone would mostly repeat a few actions.
SEEDS = st.integers(0, 2**32 - 1)


def person(name: str) -> Principal:
    """A citizen or an official by name."""
    return citizen(name) if name in CITIZENS else official(name)


def stored(report: str) -> Report:
    """The head as it lies in moto, without a request."""
    table = backend("dynamodb").tables[tables.Report.Meta.table_name]
    row = table.get_item(DynamoType({"S": f"{JURISDICTION}#R#{report}"}))
    return Report.from_doc(json.loads(row.attrs["doc"].value))


def outcome(call: Callable[[], Any]) -> tuple[Any, int]:
    """What a call answers, or the status of its refusal."""
    try:
        return call(), 0
    except Problem as problem:
        return None, problem.status


class City(RuleBasedStateMachine):
    """The test city and what its people did to it."""

    @initialize()
    def begin(self) -> None:
        """An empty city."""
        self.aws = start()
        self.aws.__enter__()
        ids.use(random.Random(0))
        self.world = World()
        self.steps = 0
        self.heads: dict[str, Report] = {}
        self.projected: dict[str, int] = {}
        self.replays: list[tuple[Callable[[], Any], Any]] = []
        self.watcher = Watcher(self.world.now)
        self.file(random.Random(1))

    def draw(self, seed: int) -> random.Random:
        """Random choices of one step, different each time, though Hypothesis prefers the seed 0."""
        self.steps += 1
        return random.Random(f"{self.steps}/{seed}")

    def teardown(self) -> None:
        """Everything again, twice: nothing changes."""
        if not hasattr(self, "world"):
            return
        try:
            if self.projected == {report: head.version for report, head in self.heads.items()}:
                tallies = self.world.tallies()
                assert self.world.project() == 0
                assert monthly_counts.rebuild()["changed"] == 0
                assert self.world.tallies() == tallies
        finally:
            self.aws.__exit__(None, None, None)

    def attempt(self, call: Callable[[], Any], *touched: str) -> Any:
        """Do it; a refusal must be a known one, and leave the reports as they were."""
        answer, status = outcome(call)
        if status:
            assert status in (403, 404, 409, 422)
            assert all(stored(report) == self.heads[report] for report in touched)
            return None
        self.replays.append((call, answer))
        return answer

    def fields(self, draw: random.Random, action: str, who: Principal, head: Report) -> Any:
        """Fields of an action, mostly as they should be."""
        row = workflow_table.actions_of(head)[action]
        staff = [record["ref"] for record in STAFF if record["unit"] == head.unit]
        protected = draw.random() < (0.9 if head.protected else 0.1)
        choices: dict[str, list[Any]] = {
            "unit": [head.unit, head.unit, "u-prov", *UNITS],
            "person": [*staff, *staff, "s_nobody"],
            "reason_code": workflow_table.table()["reasons"].get(action, ["none"]),
            "agency": ["u-prov", "u-prov", "u-lamps", "u-d2"],
            "until": [iso(self.world.now + timedelta(hours=hours)) for hours in (-1, 5, 30, 400)],
            "service": ["violence", "misconduct"] if protected else SERVICES,
            "ward": [*WARDS, "D1"],
            "lat": [spot("D1-W1", north=share)["lat"] for share in (0.2, 0.5, 0.8)],
            "long": [0.0, *(spot(ward)["long"] for ward in WARDS)],
            "into": list(self.heads),
        }
        names = [*row.requires]
        if row.any_of:
            names.append(draw.choice(row.any_of))
        names += [one for one in row.optional if one != "photos" and draw.random() < 0.5]
        if draw.random() < 0.03 and names:
            names.pop()
        given: dict[str, Any] = {}
        for name in names:
            given[name] = draw.choice(choices[name]) if name in choices else "words"
        if "photos" in given:
            given["photos"] = [self.world.photo(who)]
        return given

    def file(self, draw: random.Random) -> None:
        """Somebody files a report, often of the same problem."""
        who = person(draw.choice([*CITIZENS, "officer1"]))
        service = draw.choice(["pothole", "pothole", "litter", "lamp", "bridge", "violence"])
        ward = draw.choice(["D1-W1", "D1-W1", "D1-W2", "D2-W1"])
        contact = {"contact": {"email": "x@example.org"}} if draw.random() < 0.7 else {}
        where = spot(ward, draw.choice([0.5, 0.6, 0.95]))
        filed = self.world.file(who, service, ward, **where, **contact)
        self.heads[filed["id"]] = stored(filed["id"])

    @rule(seed=SEEDS)
    def work(self, seed: int) -> None:
        """People and their open actions; actions that close are rare."""
        for _ in range(5):
            draw = self.draw(seed)
            if len(self.heads) < REPORTS_MOST and draw.random() < 0.2:
                self.file(draw)
            self.act_as_allowed(draw)
            self.every_report_is_sound()

    def act_as_allowed(self, draw: random.Random) -> None:
        """One action by somebody who may take it."""
        report = draw.choice(list(self.heads))
        head = self.heads[report]
        open_to: dict[str, list[str]] = {}
        for name in PEOPLE:
            ours = access.reporter_of(person(name), head)
            found = workflow_table.standing(person(name), head, is_reporter=ours)
            for action in workflow_table.open_actions(head, found):
                open_to.setdefault(action, []).append(name)
        if open_to:
            weights = [1 if action in CLOSING else 6 for action in open_to]
            action = draw.choices(list(open_to), weights)[0]
            self.act(draw, report, action, draw.choice(open_to[action]))

    @rule(seed=SEEDS)
    def trouble(self, seed: int) -> None:
        """Somebody tries any action, the clock is early, or a version is stale."""
        for _ in range(3):
            draw = self.draw(seed)
            kinds = [self.act_at_random, self.act_on_another_version, self.clock, self.clock]
            draw.choice(kinds)(draw, draw.choice(list(self.heads)))
            self.every_report_is_sound()

    def act_at_random(self, draw: random.Random, report: str) -> None:
        """Somebody tries any action."""
        self.act(draw, report, draw.choice(ACTIONS), draw.choice(PEOPLE))

    def act(self, draw: random.Random, report: str, action: str, who: str) -> None:
        """Try an action on the newest version."""
        actor, head = person(who), self.heads[report]
        fields = self.fields(draw, action, actor, head)
        key, version = f"act-{next(self.world.keys)}", head.version
        note(f"{who} {action} {report} {fields}")

        def call() -> Any:
            return self.world.act(actor, report, action, version, key, **fields)

        answer = self.attempt(call, report)
        if answer is not None:
            assert answer["version"] == head.version + 1

    def clock(self, draw: random.Random, report: str) -> None:
        """The clock tries one of its actions."""
        actor, head, now = system(JURISDICTION), self.heads[report], self.world.now
        fitting = CLOCKS.get(head.state, "lapse")
        action = fitting if draw.random() < 0.8 else draw.choice(list(CLOCKS.values()))
        op = self.world.operation(actor, action, report)
        self.attempt(lambda: actions.act_by_clock(actor, op, head, action, {}, now).answer, report)

    def act_on_another_version(self, draw: random.Random, report: str) -> None:
        """A version that is not the newest is always refused."""
        version = self.heads[report].version + draw.choice([-2, -1, 1, 2])
        actor, action = official("officer1"), draw.choice(ACTIONS)
        answer = self.attempt(lambda: self.world.act(actor, report, action, version), report)
        assert answer is None

    @rule(seed=SEEDS)
    def add(self, seed: int) -> None:
        """Comment, support, rate, claim, read a contact."""
        draw = self.draw(seed)
        report, stars = draw.choice(list(self.heads)), draw.randint(1, 5)
        who = draw.choice([*CITIZENS, *CITIZENS, *PEOPLE])
        what = draw.choice(["comment", "inside", "support", "rate", "claim", "contact"])
        actor, now = person(who), self.world.now
        if actor.kind == "staff" and what in ("support", "claim", "rate"):
            what = "contact"  # The table of operations keeps officials from these.
        secret = signing.claim_secret(report, self.world.head(report).claims)
        op = self.world.operation(actor, what, [report, stars])
        calls: dict[str, Callable[[], Any]] = {
            "comment": lambda: engagement.comment(actor, op, report, "words", "public", now),
            "inside": lambda: engagement.comment(actor, op, report, "words", "inside", now),
            "support": lambda: engagement.support(actor, op, report, now),
            "rate": lambda: engagement.rate(actor, op, report, stars, None, now),
            "claim": lambda: claiming.claim(actor, op, report, secret, now),
            "contact": lambda: queries.contact(actor, op, report, now),
        }
        note(f"{who} {what} {report}")
        self.attempt(lambda: calls[what]().answer, report)

    @rule(seed=SEEDS)
    def repeat(self, seed: int) -> None:
        """The same request with the same key: the same answer, and nothing else."""
        if not self.replays:
            return
        call, answer = self.draw(seed).choice(self.replays[-12:])
        again, status = outcome(call)
        # Somebody who lost the right to read a contact does not get it with an old key.
        assert again == answer or status in (403, 404)
        assert {report: stored(report) for report in self.heads} == self.heads

    @rule(seed=SEEDS)
    def wait(self, seed: int) -> None:
        """Time passes: an hour or a month."""
        hours = self.draw(seed).choice([1, 1, 5, 24, 24, 24 * 7, 24 * 14, 24 * 31])
        self.world.advance(hours=hours)
        self.watcher.sleep(self.world.now)

    @rule()
    def sweep(self) -> None:
        """The SLA clock: afterwards no step is left, and a second sweep does nothing."""
        self.world.sweep()
        for report in self.heads:
            assert timers.due_step(stored(report), city(), self.world.now) is None
        assert self.world.sweep() == {}

    @invariant()
    def every_report_is_sound(self) -> None:
        """Each changed report's head, versions, chain and legality; then the tallies."""
        changed = False
        for report, before in list(getattr(self, "heads", {}).items()):
            head = stored(report)
            assert head.version >= before.version
            if head != before or report not in self.projected:
                changed = True
                links = self.world.links(report)
                self.check(before, head, links)
                self.project(report, links)
            self.heads[report] = head
        if changed:
            assert self.world.tallies() == monthly_counts.recount()
            assert self.counted() == self.by_heads()
            self.map_is_right()

    def map_is_right(self) -> None:
        """The map, a client that only follows its changes, and its counters show the same."""
        counted = [head for head in self.heads.values() if not head.protected]
        public = [head for head in counted if not head.hidden]
        there = by_id(look(self.world.now))
        assert there.keys() == {head.id for head in public if head.open}
        assert {one["properties"].get("late", False) for one in there.values()} <= {True, False}
        self.watcher.poll(self.world.now)
        assert self.watcher.there == there
        for status, many in (
            ("open", sum(head.open for head in counted)),
            (None, len(counted)),
        ):
            assert (
                heatmap.cells(JURISDICTION, heatmap.HeatQuery(16, status=status), self.world.now)[
                    "total"
                ]
                == many
            )

    def check(self, before: Report, head: Report, links: list[Entry]) -> None:
        """One report after a change."""
        assert faults(head, links) == []
        assert head.version > before.version or head.id not in self.projected
        text = json.dumps([whole(entry) for entry in links])
        assert "words" not in text.replace('"words":', "")
        assert not any(f"d_{name}" in text for name in CITIZENS)
        if head.protected:
            assert head.unit == "u-safe"
            assert head.holder in (None, "s_safe", "s_guard")
            assert (head.offered_to, head.merged_into) == (None, None) or before.merged_into
        assert (head.resolution is not None) == (head.state == "closed")
        assert (head.paused_at is not None) == (workflow_table.clock(head.state) == "paused")
        assert head.due_at > head.clock_from
        assert head.clock_from >= head.filed_at

    def project(self, report: str, links: list[Entry]) -> None:
        """Project a report's new events, newest first: the order does not matter."""
        for entry in reversed(links[self.projected.get(report, 0) :]):
            assert timeline_events.apply(whole(entry), self.world.now)
            assert not timeline_events.apply(whole(entry), self.world.now)
        self.projected[report] = len(links)

    def counted(self) -> Counter[str]:
        """The city's tallies, all months together, by measure."""
        total: Counter[str] = Counter()
        for (_, _, area), row in self.world.tallies().items():
            if "/" not in area:
                total.update(row)
        return +total

    def by_heads(self) -> Counter[str]:
        """The same, counted from the heads without any of the product's counting."""
        total: Counter[str] = Counter()
        for head in self.heads.values():
            if head.protected:
                continue
            total["received"] += 1
            total[head.resolution or "open"] += 1
            total["supported"] += head.supports
            total["ratings"] += head.rating is not None
            total["rating_sum"] += head.rating or 0
            for measure, months in head.flow.items():
                total[measure] += sum(months.values())
        return +total


City.TestCase.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=25,
    deadline=None,
    derandomize="TANGGAP_HISTORIES" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)


class FewHistories(City):
    """The same, of which few are drawn."""


FewHistories.TestCase.settings = settings(City.TestCase.settings, max_examples=2)


class TestCityOnce(FewHistories.TestCase):
    """As many histories as ``make test`` has time for."""


@pytest.mark.long
class TestCity(City.TestCase):
    """Random histories, the same in every run; ``TANGGAP_HISTORIES=200`` draws as many new ones."""


def test_the_machine_reaches_every_action(aws: None) -> None:
    """A history with every action keeps the same invariants."""
    world = World()
    officer, worker = official("officer1"), official("worker1")
    guarded = world.file(citizen("eve"))["id"]
    for answer in ("return", "protect_lapse", "take"):
        world.act(officer, guarded, "protect", service="misconduct", reason="x")
        if answer == "protect_lapse":
            world.advance(hours=9)
            world.clock(guarded, answer)
        else:
            world.act(
                official("safe"), guarded, answer, **({"reason": "x"} if answer == "return" else {})
            )
    older = world.file(citizen("ann"), contact={"email": "x@example.org"})["id"]
    world.advance(hours=1)
    report = world.file(citizen("budi"), contact={"email": "y@example.org"})["id"]
    world.act(officer, report, "assign", unit="u-prov")
    world.act(official("roadman"), report, "accept")
    world.act(officer, report, "assign", unit="u-d1")
    world.act(officer, report, "accept")
    world.act(worker, report, "decline", reason_code="unsafe")
    world.act(officer, report, "ask", question="?")
    world.act(citizen("budi"), report, "answer", text="!")
    world.act(officer, report, "coordinate", agency="u-lamps", reason="x")
    until = iso(world.now + timedelta(hours=2))
    world.act(officer, report, "schedule", until=until, reason="x")
    world.act(officer, report, "assign", person="s_worker1")
    world.act(official("dispatcher"), report, "schedule", until=until, reason="x")
    world.advance(hours=3)
    world.clock(report, "resume")
    world.act(officer, report, "assign", person="s_worker1")
    world.act(worker, report, "start")
    world.finish(worker, report)
    world.act(citizen("budi"), report, "refuse", reason="x")
    world.act(worker, report, "dispute", reason="x")
    world.act(official("verifier"), report, "refuse", reason="x")
    world.finish(worker, report)
    world.advance(days=14)
    world.clock(report, "lapse")
    world.act(citizen("budi"), report, "reopen", reason="x")
    world.act(officer, report, "merge", into=older)
    world.act(officer, report, "unmerge", reason="x")
    world.act(officer, report, "transfer", ward="D1-W2", reason="x")
    world.act(officer, report, "move_pin", **spot("D1-W2", east=0.3), reason="x")
    world.act(official("dispatcher"), report, "reclassify", service="bridge", reason="x")
    world.act(citizen("budi"), report, "withdraw")
    world.act(officer, report, "reopen", reason="x")
    world.act(officer, report, "reject", reason_code="spam", text="x")
    world.act(officer, report, "reopen", reason="x")
    world.act(officer, report, "disown", text="x")
    world.act(officer, report, "reopen", reason="x")
    world.clock(report, "finish_outside", note="x")
    done = world.finished(service="litter")
    world.act(citizen("reporter"), done, "verify")
    released, late = world.file(citizen("cici"))["id"], world.file(citizen("dedi"))["id"]
    world.act(officer, late, "merge", into=released)
    world.act(officer, released, "reject", reason_code="spam", text="x")
    world.clock(released, "release")
    world.act(officer, late, "unmerge", reason="x")
    gone, heir, follower = (world.file(citizen(f"same{n}"))["id"] for n in range(3))
    for one in (heir, follower):
        world.act(officer, one, "merge", into=gone)
    world.act(officer, gone, "reject", reason_code="spam", text="x")
    assert world.sweep()["remerge"] == 1
    world.advance(days=9)
    assert world.sweep()["escalate"] >= 2
    world.act(officer, late, "reject", reason_code="spam", text="x")
    world.project()
    world.now = datetime(2026, 12, 31, 18, tzinfo=UTC)
    world.sweep()
    lifecycle.update_all(world.now)
    world.act(official("verifier"), late, "audit", result="pass", reason="x")
    for one in (older, report, done, released, late, guarded):
        assert faults(world.head(one), world.links(one)) == []
    taken = {
        event["action"]
        for one in (report, done, released, late, heir, follower, guarded)
        for event in world.events(one)
    }
    assert taken >= set(ACTIONS)
    world.project()
    assert world.tallies() == monthly_counts.recount()
    assert system(JURISDICTION).uid == "system"
