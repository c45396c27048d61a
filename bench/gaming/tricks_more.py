"""Thirteen tricks more: with photos, pressure, money, people, places and the calendar."""

import random
from dataclasses import replace
from datetime import timedelta

from bench.gaming.cases import Case, beginning, ending, verified
from bench.gaming.conduct import EASY
from bench.gaming.place import DISTRICTS, GAMED, city, spot, wards
from bench.gaming.tricks import (
    HOUR,
    MINUTE,
    Trick,
    act,
    easy,
    late,
    overdue,
    sham,
    to_each,
    with_acts,
    worked_on,
)
from chalicelib.domain.timestamps import shifted

_DAY = timedelta(days=1)
_THERE = DISTRICTS[1]


def _edited(cases: list[Case], rng: random.Random) -> list[Case]:
    """An edited photo convinces half of the reporters who answer."""
    return [
        sham(case, case.at(0.9), believed=rng.random() < 0.5) if late(case) else case
        for case in cases
    ]


def _pressed_to_withdraw(cases: list[Case], rng: random.Random) -> list[Case]:
    """Half of the reporters yield; withdrawing is possible only before work begins."""
    made: list[Case] = []
    for case in cases:
        if late(case) and rng.random() < 0.5:
            at = case.filed_at + (case.acknowledge_due - case.filed_at) * 0.8
            start = [step for step in beginning(case) if step.name == "assign" and step.at < at]
            case = replace(case, acts=(*start, act(at, "reporter", "withdraw")), sound=False)
        made.append(case)
    return made


def _pressed_to_confirm(cases: list[Case], rng: random.Random) -> list[Case]:
    """Half of the reporters yield, and say of a sham that it is repaired, with five stars."""
    made: list[Case] = []
    for case in cases:
        if late(case) and rng.random() < 0.5:
            at = case.at(0.9)
            start = [step for step in beginning(case) if step.at < at]
            paper = act(at, "worker", "finish", photos=["x"], note="Done.")
            yes = verified(at + HOUR, 5, trick=True)
            case = replace(case, acts=(*start, paper, *yes), sound=False)
        made.append(case)
    return made


def _emergency(case: Case) -> Case:
    at = case.at(0.5)
    return with_acts(case, act(at, "head", "declare_emergency", until=at + _DAY, reason="Rain."))


def _ordered(case: Case) -> Case:
    """The head of the district verifies at once what workers had to finish on paper."""
    paper = sham(case, case.at(0.95))
    return with_acts(paper, act(case.at(0.95) + HOUR, "head", "verify"))


def _bought(cases: list[Case], rng: random.Random) -> list[Case]:
    """Whoever answers gets a present for five stars, and half of the silent answer for one."""
    made: list[Case] = []
    for case in cases:
        paid = case.kind == "repair" and case.works and (case.answers or rng.random() < 0.5)
        if paid:
            begun = tuple(step for step in case.acts if step.at < case.repaired_at)
            bought = replace(case, answers=True, stars=5)
            end, sound = ending(bought, case.repaired_at, True)
            pressed = tuple(replace(step, trick=step.name == "rate") for step in end)
            case = replace(bought, acts=(*begun, *pressed), sound=sound)
        made.append(case)
    return made


def _puppets(cases: list[Case], rng: random.Random) -> list[Case]:
    """Invented reports like real ones: own phones, places, hours and delays; good ends."""
    copied = rng.sample(cases, len(cases) // 5)
    made: list[Case] = []
    for number, model in enumerate(copied):
        lat7, long7 = spot(GAMED, rng.random(), rng.random())
        place = (lat7, long7, rng.choice(wards(GAMED)))
        filed = model.filed_at + timedelta(minutes=rng.randrange(1, 600))
        case = easy(f"S{number:06d}", filed, f"d_puppet-{number}", place, EASY)
        wait = timedelta(hours=rng.uniform(4, 20))
        case = replace(case, repaired_at=filed + wait, answer_after=wait, stars=rng.choice((4, 5)))
        end, _ = ending(case, case.repaired_at, True)
        pressed = tuple(replace(step, trick=True) for step in end)
        made.append(replace(case, acts=(*beginning(case), *pressed)))
    return [*cases, *made]


def _refuse_intake(cases: list[Case], rng: random.Random) -> list[Case]:
    """Half of those who come with what tends to be late are sent away, and nothing is filed."""
    return [case for case in cases if not late(case) or rng.random() < 0.5]


def _contest(case: Case) -> Case:
    at = city().day(shifted(city().month(case.due), 1), 17)
    return with_acts(case, act(at, "head", "contest", reason="Not our fault."))


def _border(case: Case) -> Case:
    """The pin goes 50 m beyond the border of the next district."""
    at = case.filed_at + 20 * MINUTE
    lat7, long7 = spot(_THERE, 0.001, 0.5)
    place = {"lat": lat7 / 1e7, "long": long7 / 1e7}
    pin = act(at, "officer", "move_pin", **place, reason="The pin was wrong.")
    return with_acts(case, replace(pin, spot=(lat7, long7, wards(_THERE)[0])))


def _cosmetic(cases: list[Case], rng: random.Random) -> list[Case]:
    """Quick repairs that look good and do not last: the same is reported again in some weeks."""
    made: list[Case] = []
    for case in cases:
        if not late(case):
            made.append(case)
            continue
        at = case.at(0.6)
        start = [step for step in beginning(case) if step.at < at]
        end, _ = ending(replace(case, lenient=True), at, repaired=True)
        made.append(replace(case, acts=(*start, replace(end[0], trick=True), *end[1:])))
        back = at + timedelta(days=rng.uniform(15, 45))
        span = back - case.filed_at
        again = replace(
            case, id=f"C{case.id[-25:]}", filed_at=back,
            acknowledge_due=case.acknowledge_due + span,
            due=case.due + span, heard_at=case.heard_at + span,
            repaired_at=case.repaired_at + span, filer=f"{case.filer}-2",
        )  # fmt: skip
        if again.kind == "repair":
            end, sound = ending(again, again.repaired_at, again.works)
            again = replace(again, acts=(*beginning(again), *end), sound=sound)
        else:
            again = replace(again, acts=tuple(beginning(again)))
        made.append(again)
    return made


def _rush(case: Case) -> Case:
    """What is still open in the month's last two days is finished on paper."""
    at = city().bounds(shifted(city().month(case.filed_at), 1))[0] - _DAY
    opened = case.kind == "never" or case.repaired_at > at
    if not opened or case.heard_at > at:
        return case
    return sham(case, at)


def _split(cases: list[Case], rng: random.Random) -> list[Case]:
    """Friends file two more of every other easy report that its reporter will verify."""
    made = list(cases)
    for case in cases:
        whole = case.kind == "repair" and not case.hard and case.works and case.answers
        if not whole or rng.random() < 0.5:
            continue
        for number in (1, 2):
            filed = case.filed_at + number * 20 * MINUTE
            place = (case.lat7 + 200 * number, case.long7, case.ward)
            name = f"X{number}{case.id[-20:]}"
            made.append(easy(name, filed, f"{case.filer}-{number}", place, case.service))
    return made


TRICKS = (
    Trick("edited_photo", "more", "an edited photo of what tends to be late at 90 % of the clock",
          _edited),
    Trick("pressed_to_withdraw", "more", "reporters of what tends to be late are pressed to"
          " withdraw", _pressed_to_withdraw),
    Trick("pressed_to_confirm", "more", "they are pressed to say that a sham is a repair",
          _pressed_to_confirm),
    Trick("emergency", "more", "the district declares an emergency to stop its clocks",
          to_each(_emergency, worked_on)),
    Trick("ordered_closing", "more", "the head of the district orders paper finishes and verifies"
          " them", to_each(_ordered)),
    Trick("bought_ratings", "more", "five stars for a present", _bought),
    Trick("sock_puppets", "more", "a fifth as many invented reports, from real phones, like real"
          " ones", _puppets),
    Trick("refused_intake", "more", "half of what tends to be late is not taken in",
          _refuse_intake),
    Trick("contest_all", "more", "contest every missed deadline in the draft",
          to_each(_contest, overdue)),
    Trick("border_pins", "more", "move the pin of what tends to be late across the border",
          to_each(_border)),
    Trick("cosmetic_repairs", "more", "quick repairs that recur", _cosmetic),
    Trick("month_end_rush", "more", "finish on paper what is open when the month ends",
          to_each(_rush, worked_on)),
    Trick("splitting", "more", "one easy job filed as three reports", _split),
)  # fmt: skip
