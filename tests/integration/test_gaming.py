"""A district that games the scorecard never beats its honest twin.

Two districts get the same reports at the same moments. Both repair five in time, of which nobody
answers two; six are repaired three days late by the honest one (D1), and the other (D2) does
with its six what the test says. Everything goes through the product; the weights are the demo
city's.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.scorecards.contributions import AUDITED
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.domain.sla import timers
from chalicelib.services.projections import timeline_events
from chalicelib.services.reports import engagement
from chalicelib.services.scorecards import audits, compute
from tests.support.world import World, citizen, city, official

DEMO = json.loads(Path("infra/cities/demo/scoring.json").read_text())
TIMELY, UNANSWERED, LATE = 5, 2, 6
PROMISE = 120  # hours for a pothole
Trick = Callable[["Twins", str, int], None]


class Twins:
    """Both districts through a month, or several."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.people: dict[str, str] = {}
        self.unrepaired: set[str] = set()
        self.hours = 0.0

    def until(self, hours: float) -> None:
        """Go on to so many hours after the reports were filed."""
        self.world.advance(hours=hours - self.hours)
        self.hours = hours

    def filed(self, district: str, count: int) -> list[str]:
        """So many reports, each by another person, all assigned and begun except the late ones."""
        found = []
        for number in range(count):
            who = f"{district}-{len(self.people)}"
            report = self.world.file(citizen(who), ward=f"{district}-W{number % 2 + 1}")["id"]
            self.people[report] = who
            found.append(report)
        return found

    def begin(self, district: str, report: str) -> None:
        """Assign a report to the district's worker, who says that work begins."""
        n = district[-1]
        self.world.act(official(f"officer{n}"), report, "assign", person=f"s_worker{n}")
        self.world.act(official(f"worker{n}"), report, "start", note="On it.")

    def done(self, ref: str, report: str, stars: int | None) -> None:
        """Finish a report; its reporter verifies and rates it, or nobody answers."""
        self.world.finish(official(ref), report)
        if stars is not None:
            who = citizen(self.people[report])
            self.world.act(who, report, "verify")
            op = self.world.operation(who, "rateReport", [report, stars])
            engagement.rate(who, op, report, stars, None, self.world.now)

    def clock(self) -> None:
        """Every step of the clock."""
        for report in self.people:
            while step := timers.due_step(self.world.head(report), city(), self.world.now):
                facts = {"target": step.target, "level": step.level}
                given = {name: value for name, value in facts.items() if value is not None}
                self.world.clock(report, step.action, **given)

    def project(self) -> None:
        """Project the newest event of each report: it holds the row that counts."""
        for report in self.people:
            timeline_events.apply(self.world.events(report)[-1])

    def audit(self, month: str) -> None:
        """Draw every closing of a month, and find what was not repaired."""
        self.project()
        audits.draw(city(), month, 40, self.world.now)
        for report in self.people:
            head = self.world.head(report)
            if head.closed_month == month and head.resolution in AUDITED:
                result = "fail" if report in self.unrepaired else "pass"
                self.world.act(official("verifier"), report, "audit", result=result, reason="x")

    def play(self, tricks: dict[float, Trick], repair: float = PROMISE + 72) -> None:
        """The month: the cheat's tricks at their hours, late repairs at ``repair``."""
        timely = {d: self.filed(d, TIMELY) for d in ("D1", "D2")}
        late = {d: self.filed(d, LATE) for d in ("D1", "D2")}
        self.until(2)
        for district in ("D1", "D2"):
            for report in timely[district]:
                self.begin(district, report)
        for report in late["D1"]:
            self.begin("D1", report)
        for number, report in enumerate(late["D2"]):
            if 2 in tricks:
                tricks[2](self, report, number)
            else:
                self.begin("D2", report)
        self.until(20)
        for district, reports in timely.items():
            for number, report in enumerate(reports):
                stars = None if number < UNANSWERED else 5
                self.done(f"worker{district[-1]}", report, stars)
        for hours in sorted(tricks.keys() - {2}):
            self.until(hours)
            for number, report in enumerate(late["D2"]):
                tricks[hours](self, report, number)
        self.until(max(self.hours, repair))
        for report in late["D1"]:
            self.done("worker1", report, 2)
        for report in late["D2"]:
            if report not in self.unrepaired:
                head = self.world.head(report)
                ref = {"u-prov": "province", "u-d1": "worker1"}.get(head.unit, "worker2")
                if head.holder not in (None, f"s_{ref}"):
                    ref = str(head.holder).removeprefix("s_")
                self.done(ref, report, 2)

    def more(self) -> None:
        """Some more in each district, which are repaired at once."""
        for district in ("D1", "D2"):
            for report in self.filed(district, TIMELY):
                self.begin(district, report)
                self.done(f"worker{district[-1]}", report, 5)

    def over(self, days: int) -> None:
        """Go on to so many days after the filing, with the clock and an audit of November."""
        if self.hours < 30 * 24:
            self.until(22 * 24)
            self.clock()
            self.until(30 * 24)
            self.audit("202611")
        self.until(days * 24)
        self.clock()
        self.project()

    def scores(
        self, month: str, kind: str = "district", names: tuple[str, str] = ("D1", "D2"), **more: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The cards of the honest and of the cheat."""
        settings = Settings.from_json({**DEMO, "audit_from": 2, "score_from": 1, **more})
        found = compute.compute(city(), month, settings, self.world.now)
        cards = {card["code"]: card for card in found.cards if card["kind"] == kind}
        return cards[names[0]], cards[names[1]]


def told(honest: dict[str, Any], cheat: dict[str, Any]) -> str:
    """Both cards, one line each, for the message of a failure."""
    lines = []
    for card in (honest, cheat):
        values = {
            measure["measure"]: (measure["value"], measure["n"]) for measure in card["measures"]
        }
        lines.append(f"{card['code']} {card['score']} rank {card['rank_best']}: {values}")
    return "\n".join(lines)


def beaten(honest: dict[str, Any], cheat: dict[str, Any], gain: float = 0) -> None:
    """The district that games has no higher score, and is not surely better. ``gain``: the points
    that a trick is known to earn with so few reports, which alone would have no score."""
    assert cheat["score"] <= round(honest["score"] + gain, 1), told(honest, cheat)
    assert cheat["score_low"] <= honest["score_high"], told(honest, cheat)
    if honest["ranked"] and cheat["ranked"]:
        assert cheat["rank_best"] >= honest["rank_best"], told(honest, cheat)


@pytest.fixture
def twins(world: World) -> Twins:
    """Two districts on the same day."""
    return Twins(world)


def nothing(twins: Twins, report: str, number: int) -> None:
    """Leave it."""
    twins.unrepaired.add(report)


def away(twins: Twins, report: str, number: int) -> None:
    """Give it to the province, which accepts."""
    twins.world.act(official("officer2"), report, "assign", unit="u-prov")
    twins.world.act(official("province"), report, "accept")


def colleague(twins: Twins, report: str, number: int) -> None:
    """Give it from the worker to the officer of the unit."""
    twins.world.act(official("officer2"), report, "assign", person="s_officer2")


def transfer(twins: Twins, report: str, number: int) -> None:
    """Transfer it to the other district by a dispatcher."""
    twins.world.act(official("dispatcher"), report, "transfer", ward="D1-W1", reason="x")
    twins.world.act(official("officer1"), report, "assign", person="s_worker1")


def feign(twins: Twins, report: str, number: int) -> None:
    """Say that it is done when it is not."""
    twins.done("worker2", report, None)
    twins.unrepaired.add(report)


def more(twins: Twins, report: str, number: int) -> None:
    """Do nothing to these; once, file some new ones in each district."""
    if number == 0:
        twins.more()


def reject(twins: Twins, report: str, number: int) -> None:
    """Reject it as not found."""
    officer = official("officer2")
    twins.world.act(officer, report, "reject", reason_code="no_problem_found", text="x")
    twins.unrepaired.add(report)


def disown(twins: Twins, report: str, number: int) -> None:
    """Reject it as not the city's matter."""
    twins.world.act(official("officer2"), report, "disown", text="x")
    twins.unrepaired.add(report)


def merge(twins: Twins, report: str, number: int) -> None:
    """Merge all of them into the first of the ward, which is never repaired."""
    firsts = [one for one in twins.people if twins.people[one].startswith("D2")][TIMELY:]
    if number < 2:
        twins.begin("D2", report)
    else:
        into = firsts[number % 2]
        twins.world.act(official("officer2"), report, "merge", into=into, reason="x")
    twins.unrepaired.add(report)


def test_two_districts_that_do_the_same_have_the_same_score(twins: Twins) -> None:
    """Without a trick, both have the same score."""
    twins.play({})
    twins.over(45)
    honest, cheat = twins.scores("202611")
    assert honest["score"] == cheat["score"]
    for card in (honest, cheat):
        assert (card["rank_best"], card["rank_worst"], card["of"]) == (1, 2, 2)


def test_leaving_late_reports_open_does_not_help(twins: Twins) -> None:
    """In the month of the deadlines, and in the next, where new ones fall due."""
    twins.play({PROMISE + 1: nothing})
    twins.over(31)
    twins.more()
    twins.over(62)
    for month in ("202611", "202612"):
        beaten(*twins.scores(month))


@pytest.mark.parametrize("hours", [PROMISE - 1, PROMISE + 1], ids=["before", "after"])
@pytest.mark.parametrize("trick", [away, transfer], ids=["unit", "district"])
def test_handing_late_reports_to_others_does_not_help(
    twins: Twins, trick: Trick, hours: int
) -> None:
    """Just before the deadline, and just after it."""
    twins.play({hours: trick})
    twins.over(45)
    # The receiver also gets the bad ratings of reports that are handed over before the deadline.
    beaten(*twins.scores("202611"), gain=0.1)


@pytest.mark.parametrize("hours", [PROMISE - 1, PROMISE + 1], ids=["before", "after"])
def test_handing_late_reports_to_a_colleague_does_not_help(twins: Twins, hours: int) -> None:
    """It helps neither the district nor the officer."""
    twins.play({hours: colleague})
    twins.over(45)
    beaten(*twins.scores("202611"))
    beaten(*twins.scores("202611", "officer", ("s_worker1", "s_worker2")))


@pytest.mark.parametrize(
    ("hours", "trick"),
    [(PROMISE - 1, feign), (2, reject), (2, disown), (2, merge)],
    ids=["lapse", "reject", "disown", "merge"],
)
def test_closing_reports_without_a_repair_does_not_help(
    twins: Twins, hours: int, trick: Trick
) -> None:
    """Finished in time without a repair: the audit finds it."""
    twins.play({hours: trick})
    twins.over(45)
    beaten(*twins.scores("202611"))


def test_handing_reports_over_in_time_does_not_help(twins: Twins) -> None:
    """Repaired in January in both districts; in the gaming one the province has them from day
    six."""
    twins.play({PROMISE + 1: away, 31 * 24: more}, repair=62 * 24)
    twins.over(63)
    beaten(*twins.scores("202612"))


def test_claiming_repairs_where_few_are_audited_does_not_help(twins: Twins) -> None:
    """Eight are audited and six fail, but a district needs thirty audits for its own pass rate.

    The pass rate is borrowed from an agency whose repairs all pass.
    """
    for number in range(12):
        who = f"lamp-{number}"
        done = twins.world.finished("lampist", "u-lamps", actor=citizen(who), service="lamp")
        twins.people[done] = who
    twins.play({PROMISE - 1: feign})
    twins.over(45)
    beaten(*twins.scores("202611", audit_from=30), gain=0.7)
