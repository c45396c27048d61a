"""Random lives of reports in the test city, played by the product itself: people and the clock."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from chalicelib.domain.principal import Principal
from chalicelib.domain.report import Report
from chalicelib.domain.sla import timers
from chalicelib.domain.timestamps import iso
from chalicelib.domain.workflow.table import open_actions, standing
from chalicelib.errors import Problem
from chalicelib.services.reports import engagement
from chalicelib.services.scorecards import audits
from chalicelib.services.timeline import access
from chalicelib.storage import score_rows
from tests.support.world import JURISDICTION, WARDS, World, citizen, city, official, spot

SERVICES = ("pothole", "pothole", "litter", "litter", "bridge", "lamp")
OFFICIALS = (
    "officer1", "colleague1", "worker1", "mate1", "officer2", "worker2", "dispatcher", "verifier",
    "lamps", "lampist", "province",
)  # fmt: skip
# How often an action is chosen where it is open; the rest is 4.
RARE = {
    "merge": 1, "reject": 1, "disown": 1, "withdraw": 1, "unmerge": 2, "reopen": 2, "transfer": 2,
    "reclassify": 1, "move_pin": 1, "schedule": 2, "ask": 2, "finish": 12, "start": 8, "verify": 8,
}  # fmt: skip


class Lives:
    """A world in which reports are filed and people act at random."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.rng = world, Random(seed)
        self.reports: dict[str, Principal] = {}
        self.refused = 0
        self.done: set[str] = set()
        self.heads: dict[str, Report] = {}
        self.due: dict[str, datetime | None] = {}
        self.officials = [official(name) for name in OFFICIALS]

    def play(self, reports: int, steps: int, hours: float) -> None:
        """Let the reports be filed and acted on, in steps some hours apart, with the clock."""
        month = city().month(self.world.now)
        for step in range(steps):
            self.world.advance(milliseconds=round(self.rng.expovariate(1 / hours) * 3_600_000))
            self.tick()
            if step * reports // steps >= len(self.reports):
                self.file()
            self.act()
            if (now := city().month(self.world.now)) != month:
                audits.draw(city(), month, 12, self._settle())
                month = now
        self.world.advance(milliseconds=1)
        self._settle()

    def _settle(self) -> datetime:
        self.world.project()
        return self.world.now

    def tick(self) -> None:
        """Every step of the clock that is due."""
        waiting = [one for one, due in self.due.items() if due and due <= self.world.now]
        for report in waiting:
            while step := timers.due_step(self._seen(report), city(), self.world.now):
                facts = {"target": step.target, "level": step.level}
                given = {name: value for name, value in facts.items() if value is not None}
                self.world.clock(report, step.action, **given)
                self.done.add(step.action)

    def _seen(self, report: str) -> Report:
        head = self.heads[report] = self.world.head(report)
        self.due[report] = timers.next_due(head, city())
        return head

    def file(self) -> None:
        """File one more report, often at the place of an earlier one."""
        rng = self.rng
        who = citizen(f"p{min(rng.randrange(12), rng.randrange(12))}")
        more = {"contact": {"email": "a@example.org"}} if rng.random() < 0.5 else {}
        east = rng.choice((0.5, 0.50001, 0.5001))
        spot = {"long": 106.80 + (WARDS.index(ward := rng.choice(WARDS)) + east) * 0.01}
        found = self.world.file(who, rng.choice(SERVICES), ward, **spot, **more)
        self.reports[found["id"]] = who
        self._seen(found["id"])

    def act(self) -> None:
        """Take one of the open actions on one of the reports."""
        rng, report = self.rng, self.rng.choice(list(self.reports))
        head, who = self.heads[report], self.reports[report]
        if head.finished_at and rng.random() < 0.15:
            self._try("rate", self._rate, who, report)
            return
        actors = [who, *self.officials]
        chances = []
        for actor in actors:
            ours = access.reporter_of(actor, head)
            for action in open_actions(head, standing(actor, head, is_reporter=ours)):
                chances.append((actor, action))
        if not chances:
            return
        actor, action = rng.choices(chances, [RARE.get(name, 4) for _, name in chances])[0]
        if action == "finish":
            self._try("finish", self.world.finish, actor, report)
        else:
            fields = self._fields(action, report, actor)
            self._try(action, self.world.act, actor, report, action, **fields)
        self._seen(report)

    def _try(self, name: str, call: Any, *given: Any, **fields: Any) -> None:
        try:
            call(*given, **fields)
        except Problem:
            self.refused += 1
        else:
            self.done.add(name)

    def _rate(self, who: Principal, report: str) -> None:
        stars = self.rng.randint(1, 5)
        op = self.world.operation(who, "rateReport", [report, stars, self.world.now.isoformat()])
        engagement.rate(who, op, report, stars, None, self.world.now)

    def _fields(self, action: str, report: str, actor: Principal) -> dict[str, Any]:
        rng, head = self.rng, self.heads[report]
        until = iso(self.world.now + timedelta(hours=rng.choice((5, 20, 40))))
        people = {"u-d1": ("worker1", "mate1", "officer1"), "u-d2": ("worker2", "officer2")}
        mates = people.get(head.unit, ("lampist", "lamps"))
        older = [other for other in self.reports if other != report]
        if action == "assign":
            if rng.random() < 0.3:
                return {"unit": rng.choice(("u-prov", "u-d1", "u-d2", "u-lamps"))}
            return {"person": f"s_{rng.choice(mates)}"}
        given: dict[str, dict[str, Any]] = {
            "decline": {"reason_code": "unsafe"},
            "start": {"note": "On it."} if rng.random() < 0.7 else {},
            "coordinate": {"agency": rng.choice(("u-prov", "u-lamps")), "reason": "x"},
            "schedule": {"until": until, "reason": "x"},
            "ask": {"question": "Where?"},
            "answer": {"text": "There."},
            "reject": {"reason_code": "spam", "text": "x"},
            "disown": {"text": "x"},
            "merge": {"into": rng.choice(older) if older else report},
            "reclassify": {"service": rng.choice(("pothole", "litter", "bridge")), "reason": "x"},
            "transfer": {"ward": rng.choice(WARDS), "reason": "x"},
            "move_pin": {**spot(rng.choice(WARDS), rng.random(), rng.random()), "reason": "x"},
            "audit": {"result": rng.choice(("pass", "pass", "fail")), "reason": "x"},
        }
        wanted = ("refuse", "dispute", "unmerge", "reopen")
        return given.get(action, {"reason": "x"} if action in wanted else {})

    def rows(self) -> list[dict[str, Any]]:
        """The rows as they are stored, straight from the table."""
        found = [score_rows.score(JURISDICTION, report) for report in self.reports]
        return [row for row in found if row]
