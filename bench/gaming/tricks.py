"""What all tricks are made of: whom they touch, and acts beside the honest ones.

A trick is a function from the gamed district's honest cases to other cases. What it leaves as it
is stays the same object, so that only the rest is lived again. It never touches the scoring.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bench.gaming.cases import Act, Case, beginning, ending, finish, verified
from bench.gaming.conduct import EASY
from bench.gaming.place import GAMED, city, spot, wards
from chalicelib.domain.city.service import Target
from chalicelib.domain.sla import deadlines

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MONTHS = 6
Play = Callable[[list[Case], random.Random], list[Case]]


@dataclass(frozen=True)
class Trick:
    """A trick: ``group`` is table, before or more; ``published``: what it gained in the
    outsider's trial, with 200 reports a district (docs/scorecards-gaming.md)."""

    name: str
    group: str
    about: str
    play: Play
    published: float | None = None


def worked_on(case: Case) -> bool:
    """Whether honest officials work on the report, instead of closing it without a repair."""
    return case.kind in ("repair", "never")


def late(case: Case) -> bool:
    """Whether the report tends to be late and would be worked on."""
    return case.hard and worked_on(case)


def overdue(case: Case) -> bool:
    """Whether the honest repair comes after the deadline, or never."""
    return case.kind == "never" or (case.kind == "repair" and case.repaired_at > case.due)


def to_each(change: Callable[[Case], Case], which: Callable[[Case], bool] = late) -> Play:
    """A trick that changes some reports, each by itself."""

    def play(cases: list[Case], _: random.Random) -> list[Case]:
        return [change(case) if which(case) else case for case in cases]

    return play


def act(at: datetime, who: str, name: str, **fields: object) -> Act:
    """An act of a trick."""
    return Act(at, who, name, fields, trick=True)


def with_acts(case: Case, *acts: Act) -> Case:
    """The case with more acts beside the honest ones."""
    return replace(case, acts=(*case.acts, *acts))


def instead(case: Case, *acts: Act, who: str = "worker") -> Case:
    """The case with these acts, then the honest repair by ``who``."""
    if case.kind == "never":
        return replace(case, acts=acts)
    repair, sound = ending(case, case.repaired_at, case.works, who=who)
    return replace(case, acts=(*acts, *repair), sound=sound)


def sham(case: Case, at: datetime, *, believed: bool = False) -> Case:
    """The case finished on paper at this moment, with the real repair only on demand.

    ``believed``: its reporter, if they answer, says that it is repaired.
    """
    start = [step for step in beginning(case) if step.at < at]
    end, sound = ending(replace(case, lenient=case.lenient or believed), at, repaired=False)
    paper = replace(end[0], trick=True)
    return replace(case, acts=(*start, paper, *end[1:]), sound=sound)


def unrepaired(case: Case, *acts: Act) -> Case:
    """The case with these acts and no repair."""
    return replace(case, acts=acts, sound=False)


def merged_into(case: Case, other: Case) -> Case:
    """The case merged into another report. Its pin goes there first: the workflow asks for
    nearness."""
    at = case.filed_at + 20 * MINUTE
    place = {"lat": other.lat7 / 1e7, "long": other.long7 / 1e7}
    pin = act(at, "officer", "move_pin", **place, reason="There.")
    merge = act(at + MINUTE, "officer", "merge", into=other.id, reason="The same.")
    return unrepaired(
        case,
        replace(pin, spot=(other.lat7, other.long7, other.ward)),
        replace(merge, target=other),
    )


def farthest(case: Case, now: datetime) -> datetime:
    """The last date to which the workflow lets work be scheduled, asked ``now``."""
    target = city().services[case.service].resolve
    return deadlines.due(Target(2 * target.hours, target.clock), now, city().calendar) - MINUTE


def fakes(cases: list[Case], share: float, each: int, rng: random.Random) -> list[Case]:
    """Invented easy reports: ``share`` of the real number; ``each`` of them from one phone.

    They are filed, heard, finished and verified within hours, with five stars.
    """
    made: list[Case] = []
    months: dict[str, list[Case]] = {}
    for case in cases:
        months.setdefault(city().month(case.filed_at), []).append(case)
    many = round(share * len(cases) / MONTHS)
    for month in sorted(months):
        start, end = city().bounds(month)
        for number in range(many):
            filed = start + (end - start) * rng.random()
            made.append(fake(f"F{month}{number:05d}", filed, f"d_f{month}-{number // each}", rng))
    return made


def fake(name: str, filed: datetime, filer: str, rng: random.Random) -> Case:
    """One invented report of an easy service."""
    lat7, long7 = spot(GAMED, rng.random(), rng.random())
    ward = rng.choice(wards(GAMED))
    return easy(name, filed, filer, (lat7, long7, ward), EASY)


def easy(name: str, filed: datetime, filer: str, place: tuple[int, int, str], service: str) -> Case:
    """A report that is heard at once, finished soon, and verified with five stars."""
    promise = deadlines.promise(city().services[service], GAMED, filed, city())
    heard, done = filed + 10 * MINUTE, filed + 2 * HOUR
    case = Case(
        id=name.upper().rjust(26, "0"), district=GAMED, ward=place[2], service=service,
        filed_at=filed, acknowledge_due=promise.acknowledge_due, due=promise.due_at, filer=filer,
        lat7=place[0], long7=place[1], kind="repair", hard=False, contactable=True,
        heard_at=heard, repaired_at=done, works=True, rework=HOUR, answers=True,
        answer_after=HOUR, stars=5, lenient=True, complains=False, pause="", errs=False,
        sound=False,
    )  # fmt: skip
    acts = (*beginning(case), finish(done, trick=True), *verified(done + HOUR, 5, trick=True))
    return replace(case, acts=acts)
