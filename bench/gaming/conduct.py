"""How honest districts and reporters behave: a seeded model, calibrated on public figures.

Sources. The hours of filing and the two services of water: 926 reports of Qlue, 20 to 22 February
2017 (PetaBencana.id), 344 with #drainaseburuk, 163 with #banjirkiriman or #banjir. In March 2021,
98.8 % of 13,312 reports were completed, in 26.85 hours in the mean (alinea.id, tirto.id); in 2024,
41,528 people filed 185,852 reports (smartcity.jakarta.go.id). All other shares and delays are
assumptions. They are chosen so that equal conduct scores as in the outsider's trial: about 48 with
15 reports, 57 with 40, 67 with 200, 68 with 500 (docs/scorecards-gaming.md).
"""

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bench.gaming.cases import Case, with_honest_acts
from bench.gaming.place import city, spot, wards
from chalicelib.domain.sla import deadlines

# Reports of each hour of the day.
HOURS = (
    1,
    1,
    1,
    6,
    34,
    107,
    149,
    129,
    106,
    65,
    51,
    34,
    23,
    32,
    30,
    34,
    28,
    29,
    23,
    13,
    16,
    7,
    8,
    1,
)
# {service: (share of a district's reports, share of them that tends to be late)}.
SERVICES = {
    "drainase": (0.26, 0.42),
    "banjir": (0.12, 0.40),
    "sampah": (0.30, 0.22),
    "trotoar": (0.12, 0.50),
    "kebisingan": (0.08, 0.25),
    "fasilitas_umum": (0.12, 0.45),
}
EASY = "sampah"
# How honest officials end a report; the rest is repaired.
KINDS = (("rejected", 0.04), ("duplicate", 0.03), ("disowned", 0.02), ("withdrawn", 0.01))
PAUSES = (("ask", 0.04), ("schedule", 0.03), ("coordinate", 0.03))
_STARS_IN_TIME, _STARS_LATE = (4, 4, 8, 34, 50), (18, 18, 24, 25, 15)
_NEW_PERSON = 0.6


@dataclass(frozen=True)
class Habits:
    """How a district works. ``pace`` multiplies all delays; shares are between 0 and 1.

    ``hard``: multiplies the share of each service that tends to be late. ``heard``: first words in
    time. ``works``: first repairs that hold. ``answers``: reporters who answer. ``dismisses``:
    multiplies the share that is closed without a repair.
    """

    pace: float = 1.0
    hard: float = 1.0
    heard: float = 0.84
    works: float = 0.88
    answers: float = 0.6
    dismisses: float = 1.0
    never: float = 0.02
    perfect: bool = False


PERFECT = Habits(0.7, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, perfect=True)
# 85 % in time, heard in time and verified.
GOOD = Habits(hard=0.6, heard=0.9, works=0.95, answers=0.88, dismisses=0.3, never=0.005)


def district_cases(
    seed: str, district: str, months: list[str], n: int, habits: Habits
) -> list[Case]:
    """``n`` reports a month of a district, with the acts of honest people."""
    made: list[Case] = []
    for month in months:
        start, end = city().bounds(month)
        for number in range(n):
            # A generator for each report: a trick that adds or drops one leaves the others as
            # they are.
            name = f"{district}{month}{number:05d}"
            rng = random.Random(f"{seed}|{name}")
            made.append(_case(rng, name, district, (start, (end - start).days), habits))
    made.sort(key=lambda case: case.filed_at)
    return [with_honest_acts(case) for case in _with_originals(_with_people(made, seed), seed)]


def _case(
    rng: random.Random, name: str, district: str, month: tuple[datetime, int], habits: Habits
) -> Case:
    start, days = month
    service = rng.choices(list(SERVICES), [share for share, _ in SERVICES.values()])[0]
    hour = rng.choices(range(24), HOURS)[0]
    moment = start + timedelta(days=rng.randrange(days), hours=hour, seconds=rng.randrange(3600))
    here = city()
    promise = deadlines.promise(here.services[service], district, moment, here)
    to_hear, to_repair = promise.acknowledge_due - moment, promise.due_at - moment
    hard = rng.random() < SERVICES[service][1] * habits.hard
    heard = rng.uniform(0.1, 0.95) if rng.random() < habits.heard else rng.uniform(1.1, 4)
    delay = rng.lognormvariate(*((0.55, 0.4) if hard else (-1.0, 0.42))) * habits.pace
    if habits.perfect:
        delay = min(delay, 0.9)
    heard_at = moment + to_hear * heard
    repaired_at = max(moment + to_repair * delay, heard_at + timedelta(minutes=20))
    late = repaired_at > promise.due_at
    kind = _drawn(rng, KINDS, habits.dismisses) or "repair"
    if kind == "repair" and hard and rng.random() < habits.never * 3:
        kind = "never"
    stars = rng.choices(range(1, 6), _STARS_LATE if late else _STARS_IN_TIME)[0]
    rates = rng.random() < 0.7
    lat7, long7 = spot(district, rng.random(), rng.random())
    return Case(
        id=_id(name), district=district, ward=rng.choice(wards(district)), service=service,
        filed_at=moment, acknowledge_due=promise.acknowledge_due, due=promise.due_at,
        filer=f"d_{name}", lat7=lat7, long7=long7, kind=kind, hard=hard,
        contactable=rng.random() < 0.8, heard_at=heard_at, repaired_at=repaired_at,
        works=rng.random() < habits.works, rework=to_repair * rng.uniform(0.2, 0.8),
        answers=rng.random() < habits.answers,
        answer_after=timedelta(hours=min(rng.expovariate(1 / 30), 300)),
        stars=(5 if habits.perfect else stars) if rates else 0,
        lenient=rng.random() < 0.1, complains=rng.random() < 0.3,
        pause=_drawn(rng, PAUSES, 0.0 if habits.perfect else 1.0) or "",
        errs=rng.random() < 0.05,
    )  # fmt: skip


def _drawn(rng: random.Random, shares: tuple[tuple[str, float], ...], times: float) -> str | None:
    lot = rng.random()
    for name, share in shares:
        lot -= share * times
        if lot < 0:
            return name
    return None


def _with_people(cases: list[Case], seed: str) -> list[Case]:
    # Some people file often: who files again is drawn among all reports so far.
    rng = random.Random(f"{seed}|people|{cases[0].district if cases else ''}")
    people: list[str] = []
    for case in cases:
        new = not people or rng.random() < _NEW_PERSON
        people.append(case.filer if new else rng.choice(people[-200:]))
    return [replace(case, filer=filer) for case, filer in zip(cases, people, strict=True)]


def _with_originals(cases: list[Case], seed: str) -> list[Case]:
    # A duplicate lies close to a report of its service that is still open then.
    made: list[Case] = []
    for number, case in enumerate(cases):
        if case.kind == "duplicate":
            original = next(
                (
                    other
                    for other in reversed(cases[max(0, number - 200) : number])
                    if other.service == case.service
                    and other.kind == "repair"
                    and other.repaired_at > case.heard_at
                ),
                None,
            )
            if original is None:
                case = replace(case, kind="repair")
            else:
                case = replace(
                    case, original=original, ward=original.ward, lat7=original.lat7 + 900,
                    long7=original.long7,
                )  # fmt: skip
        made.append(case)
    return made


def _id(name: str) -> str:
    # As long as a real id; the letters matter to nobody.
    return name.upper().rjust(26, "0")
