"""The twelve tricks that the product's first rules were made against.

tests/integration/test_gaming.py plays most of them through the product.
"""

import random
from dataclasses import replace

from bench.gaming.cases import Case, beginning, dismissed
from bench.gaming.place import DISTRICTS, PROVINCE, city, wards
from bench.gaming.tricks import (
    HOUR,
    MINUTE,
    Trick,
    act,
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
from chalicelib.domain.timestamps import shifted

_THERE = DISTRICTS[1]


def _leave(case: Case) -> Case:
    return unrepaired(case, *beginning(case))


def _unit(case: Case, share: float) -> Case:
    """The province holds it from a share of the clock on, and repairs it when it can be."""
    at = case.at(share)
    if case.kind == "repair" and case.repaired_at < at:
        return case
    before = [step for step in beginning(case) if step.at < at]
    give = act(at, "officer", "assign", unit=PROVINCE)
    return instead(case, *before, give, act(at + 10 * MINUTE, "province", "accept"), who="province")


def _transfer(case: Case, share: float, who: str) -> Case:
    at = case.at(share)
    return with_acts(case, act(at, who, "transfer", ward=wards(_THERE)[0], reason="Their street."))


def _colleague(case: Case, share: float) -> Case:
    at = case.at(share)
    if case.kind == "repair" and case.repaired_at < at:
        return case
    before = [step for step in beginning(case) if step.at < at]
    give = act(at, "officer", "assign", person=f"s_colleague-{case.district}")
    return instead(case, *before, give, who="colleague")


def _disown(case: Case) -> Case:
    at = case.filed_at + (case.acknowledge_due - case.filed_at) * 0.5
    acts, sound = dismissed(case, act(at, "officer", "disown", text="Not the city's matter."))
    return replace(case, acts=acts, sound=sound)


def _merge_all(cases: list[Case], _: random.Random) -> list[Case]:
    """What tends to be late in a ward is merged into the first of it, which is never repaired."""
    made: list[Case] = []
    firsts: dict[tuple[str, str], Case] = {}
    for case in cases:
        first = firsts.get((case.ward, case.service))
        if not late(case):
            made.append(case)
        elif first is None:
            firsts[case.ward, case.service] = case
            made.append(_leave(case))
        else:
            made.append(merged_into(case, first))
    return made


def _province_at_the_end(case: Case) -> Case:
    """What is overdue when the month ends goes to the province in its last hour."""
    month = city().month(case.due)
    at = city().bounds(shifted(month, 1))[0] - HOUR
    if case.kind == "repair" and case.repaired_at < at:
        return case
    give = act(at, "officer", "assign", unit=PROVINCE)
    accept = act(at + 10 * MINUTE, "province", "accept")
    return instead(case, *beginning(case), give, accept, who="province")


TRICKS = (
    Trick("leave_overdue", "before", "leave open what is overdue", to_each(_leave, overdue)),
    Trick("unit_before", "before", "hand what will be late to the province at 99 % of the clock",
          to_each(lambda c: _unit(c, 0.99), overdue)),
    Trick("unit_after", "before", "the same just after the deadline",
          to_each(lambda c: _unit(c, 1.01), overdue)),
    Trick("transfer_before", "before", "an officer transfers what will be late to another district"
          " at 99 % of the clock", to_each(lambda c: _transfer(c, 0.99, "officer"), overdue)),
    Trick("transfer_after", "before", "a dispatcher who helps does so just after the deadline",
          to_each(lambda c: _transfer(c, 1.01, "dispatcher"), overdue)),
    Trick("colleague_before", "before", "hand what will be late to a colleague at 99 % of the"
          " clock", to_each(lambda c: _colleague(c, 0.99), overdue)),
    Trick("colleague_after", "before", "the same just after the deadline",
          to_each(lambda c: _colleague(c, 1.01), overdue)),
    Trick("feign_unanswered", "before", "finish on paper, at 99 % of the clock, what nobody will"
          " answer",
          to_each(lambda c: sham(c, c.at(0.99)), lambda c: overdue(c) and not c.answers)),
    Trick("disown", "before", "disown what tends to be late", to_each(_disown)),
    Trick("merge_all", "before", "merge what tends to be late into one report that is never"
          " repaired", _merge_all),
    Trick("province_at_the_end", "before", "hand what is overdue to the province in the month's"
          " last hour", to_each(_province_at_the_end, overdue)),
    Trick("sham_all", "before", "finish everything on paper at half of the clock, where few are"
          " audited", to_each(lambda c: sham(c, c.at(0.5)), worked_on)),
)  # fmt: skip
