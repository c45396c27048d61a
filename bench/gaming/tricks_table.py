"""The tricks of the outsider's trial, most of them with what they gained there."""

import random
from dataclasses import replace
from datetime import timedelta

from bench.gaming.cases import (
    Act,
    Case,
    acts_before,
    beginning,
    dismissed,
    reopened,
    verified,
    with_honest_acts,
)
from bench.gaming.place import AGENCY, PATROL, PROTECTED, PROVINCE
from bench.gaming.tricks import (
    HOUR,
    MINUTE,
    Trick,
    act,
    easy,
    fakes,
    farthest,
    instead,
    late,
    merged_into,
    overdue,
    sham,
    to_each,
    unrepaired,
    with_acts,
    worked_on,
)

_DAY, _WEEK = timedelta(days=1), timedelta(days=7)


def _friends(cases: list[Case], _: random.Random) -> list[Case]:
    """A friend files a duplicate, an officer merges it, and the friend verifies with five stars:
    a sham of what tends to be late, and also the repairs that nobody else answers."""
    made: list[Case] = []
    for case in cases:
        silent = case.kind == "repair" and not case.answers
        if not late(case) and not silent:
            made.append(case)
            continue
        made += [_friend(case), _verified_by_friend(case)]
    return made


def _friend(case: Case) -> Case:
    filed = case.filed_at + 10 * MINUTE
    place = (case.lat7 + 300, case.long7, case.ward)
    friend = easy(f"M{case.id[-20:]}", filed, f"{case.filer}-friend", place, case.service)
    merge = act(filed + 10 * MINUTE, "officer", "merge", into=case.id, reason="The same.")
    return replace(friend, kind="duplicate", acts=(replace(merge, target=case),), sound=True)


def _verified_by_friend(case: Case) -> Case:
    if not late(case):
        return with_acts(case, *verified(case.repaired_at + 3 * _DAY, 5, "friend", trick=True))
    done = max(case.at(0.3), case.heard_at + HOUR)
    paper = act(done, "worker", "finish", photos=["x"], note="Done.")
    again = reopened(case, done + 7 * _DAY) if case.complains else []
    yes = verified(done + HOUR, 5, "friend", trick=True)
    return replace(case, acts=(*beginning(case), paper, *yes, *again), sound=bool(again))


def _coordinate(case: Case, share: float = 0.01) -> Case:
    at = case.at(share)
    call = act(at, "officer", "coordinate", agency=AGENCY, reason="The agency's part.")
    return instead(case, call)


def _fakes_and_coordination(cases: list[Case], rng: random.Random) -> list[Case]:
    coordinated = [_coordinate(case) if late(case) else case for case in cases]
    return [*coordinated, *fakes(cases, 0.2, 1, rng)]


def _fakes_from_few(cases: list[Case], rng: random.Random) -> list[Case]:
    return [*cases, *fakes(cases, 1.0, 25, rng)]


def _fakes_from_many(cases: list[Case], rng: random.Random) -> list[Case]:
    return [*cases, *fakes(cases, 0.2, 1, rng)]


def _ask(case: Case, *, then: bool = False) -> Case:
    at = case.heard_at + 10 * MINUTE
    if at > case.repaired_at or not case.contactable:
        return _schedule(case) if then else case
    acts = [act(at, "officer", "ask", question="Where exactly?")]
    if case.kind == "repair" and case.repaired_at < at + _WEEK:
        # Officials take the question back before they say that it is repaired.
        person = f"s_worker-{case.district}"
        acts.append(act(case.repaired_at - MINUTE, "officer", "assign", person=person))
    elif then:
        later = at + _WEEK + MINUTE
        acts.append(act(later, "officer", "schedule", until=farthest(case, later), reason="Rain."))
    return with_acts(case, *acts)


def _ask_then_schedule(case: Case) -> Case:
    return _ask(case, then=True)


def _schedule(case: Case) -> Case:
    at = case.heard_at + 10 * MINUTE
    if at > case.repaired_at:
        return case
    date = act(at, "officer", "schedule", until=farthest(case, at), reason="Material.")
    return with_acts(replace(case, acts=tuple(a for a in case.acts if a.name != "schedule")), date)


def _protect(case: Case, share: float, answer: str = "take") -> Case:
    at = case.at(share)
    if case.kind == "repair" and case.repaired_at < at:
        return case
    return with_acts(
        case,
        act(at, "officer", "protect", service=PROTECTED, reason="A child was seen there."),
        act(at + HOUR, "protector", answer, **({} if answer == "take" else {"reason": "No."})),
    )


def _hand_over(case: Case) -> Case:
    at = case.at(0.05)
    return instead(
        case,
        act(at, "officer", "assign", unit=PROVINCE),
        act(at + 10 * MINUTE, "province", "accept"),
        Act(max(case.heard_at, at + HOUR), "province", "start", {"note": "We begin."}),
        who="province",
    )


def _one_filer(cases: list[Case], _: random.Random) -> list[Case]:
    return [replace(case, filer="d_one-phone") if late(case) else case for case in cases]


def _dispute(case: Case) -> Case:
    before = acts_before(case.acts, "refuse")
    refusal = case.acts[len(before)]
    dispute = act(refusal.at + 10 * MINUTE, "worker", "dispute", reason="It was repaired.")
    return replace(case, acts=(*before, refusal, dispute), sound=False)


def _reject_and_reopen(case: Case) -> Case:
    """Coordinating for ten minutes is the first word: what is begun cannot be rejected."""
    at, person = case.at(0.95), f"s_worker-{case.district}"
    if case.kind == "repair" and case.repaired_at < at:
        return case
    return instead(
        case,
        act(case.heard_at, "officer", "coordinate", agency=AGENCY, reason="We look."),
        act(case.heard_at + 10 * MINUTE, "officer", "assign", person=person),
        act(at, "officer", "reject", reason_code="no_problem_found", text="Nothing there."),
        act(at + 10 * MINUTE, "officer", "reopen", reason="It is there after all."),
        Act(at + 20 * MINUTE, "worker", "start", {"note": "We begin."}),
    )


def _patrol(cases: list[Case], rng: random.Random) -> list[Case]:
    """Officials file what they find themselves; nobody is there to answer."""
    finds = fakes(cases, 0.5, 1, rng)
    own = [easy(f"P{find.id[-20:]}", find.filed_at, f"r_{find.id}",
                (find.lat7, find.long7, find.ward), PATROL) for find in finds]  # fmt: skip
    return [*cases, *(replace(find, acts=find.acts[:3], sound=True) for find in own)]


def _first_word(case: Case) -> Case:
    first = beginning(replace(case, heard_at=case.filed_at + MINUTE))
    rest = [step for step in case.acts if step.name not in ("assign", "start")]
    return replace(case, acts=(*(replace(step, trick=True) for step in first), *rest))


def _merge_unrelated(cases: list[Case], _: random.Random) -> list[Case]:
    """What tends to be late is merged into the newest open report of its service.

    The other report's repair is no repair for those who were merged into it: they refuse it.
    """
    made: dict[str, Case] = {}
    newest: dict[str, Case] = {}
    for case in cases:
        into = newest.get(case.service)
        made[case.id] = case
        if late(case) and into is not None and into.repaired_at > case.filed_at + HOUR:
            made[case.id] = merged_into(case, into)
            if case.answers:
                made[into.id] = with_honest_acts(
                    replace(into, works=False, answers=True, lenient=False)
                )
        elif case.kind == "repair" and (into is None or case.repaired_at > into.repaired_at):
            newest[case.service] = case
    return list(made.values())


def _reject(case: Case) -> Case:
    at = case.filed_at + (case.acknowledge_due - case.filed_at) * 0.5
    reason = {"reason_code": "no_problem_found", "text": "Nothing there."}
    acts, sound = dismissed(case, act(at, "officer", "reject", **reason))
    return replace(case, acts=acts, sound=sound)


def _is_refused(case: Case) -> bool:
    return any(step.name == "refuse" for step in case.acts)


TRICKS = (
    Trick("friend_verifies", "table", "a friend files a duplicate of what tends to be late, an"
          " officer merges it, the friend verifies a sham with five stars", _friends, 21.7),
    Trick("fakes_and_coordination", "table", "fakes, a fifth as many as real reports, and"
          " coordinating what tends to be late", _fakes_and_coordination, 19.8),
    Trick("fakes_few_phones", "table", "as many fakes as real reports, 25 from each phone",
          _fakes_from_few, 18.2),
    Trick("fakes_many_phones", "table", "fakes, a fifth as many as real reports, each from its"
          " own phone", _fakes_from_many, 7.0),
    Trick("ask_then_schedule", "table", "ask, wait seven days, then schedule what tends to be"
          " late", to_each(_ask_then_schedule), 15.7),
    Trick("protect_before", "table", "what will be late goes to a protected service before the"
          " breach, and its unit takes it", to_each(lambda c: _protect(c, 0.9), overdue), 15.0),
    Trick("protect_after", "table", "the same just after the breach",
          to_each(lambda c: _protect(c, 1.02), overdue), 15.0),
    Trick("protect_given_back", "table", "the same before the breach, and the unit gives it back",
          to_each(lambda c: _protect(c, 0.9, "return"), overdue)),
    Trick("coordinate", "table", "coordinate what tends to be late at 1 % of the clock, nobody"
          " asked", to_each(_coordinate), 14.4),
    Trick("schedule_all", "table", "schedule everything",
          to_each(_schedule, worked_on), 14.0),
    Trick("schedule_late", "table", "schedule what tends to be late", to_each(_schedule), 13.3),
    Trick("province", "table", "hand what tends to be late to the province at 5 % of the clock,"
          " which accepts", to_each(_hand_over), 10.9),
    Trick("one_filer", "table", "what tends to be late is filed from one phone", _one_filer, 7.1),
    Trick("dispute", "table", "dispute every refusal; no verifier rules",
          to_each(_dispute, _is_refused), 6.1),
    Trick("reject_reopen", "table", "reject what tends to be late at 95 % of the clock, and reopen"
          " it", to_each(_reject_and_reopen), 5.7),
    Trick("patrol", "table", "finds of one's own, half as many as reports", _patrol, 4.2),
    Trick("ask", "table", "ask the reporter of what tends to be late", to_each(_ask), 2.0),
    Trick("first_word", "table", "an automatic first word on everything",
          to_each(_first_word, worked_on), 1.7),
    Trick("never_finish", "table", "never finish what tends to be late",
          to_each(lambda c: unrepaired(c, *beginning(c))), 0.1),
    Trick("merge_unrelated", "table", "merge what tends to be late into another report",
          _merge_unrelated, -8.0),
    Trick("reject", "table", "reject what tends to be late", to_each(_reject), -5.3),
    Trick("sham", "table", "finish what tends to be late on paper at 95 % of the clock",
          to_each(lambda c: sham(c, c.at(0.95))), -0.5),
)  # fmt: skip
