"""A report of the simulation: what is true of it, and the acts by which it goes through its life.

An act is an action of the workflow, by somebody, at a moment. ``with_honest_acts`` makes the acts
of honest officials and reporters from what is true of a report. A trick changes acts, and never
what a reporter sees or when the real repair is possible (``bench.gaming.tricks``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

PHOTOS = ("01J00000000000000000000001",)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_RETURN, _OBJECTS = timedelta(days=19), timedelta(days=2)


@dataclass(frozen=True)
class Act:
    """One action: ``who`` is a part of ``place.official``, "reporter" or "friend".

    ``name`` is an action of the workflow, or "rate". ``target``: the original of a merge. ``spot``:
    (lat7, long7, ward) of a moved pin. ``trick``: the act belongs to a trick, so that a refusal of
    it is counted.
    """

    at: datetime
    who: str
    name: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    target: "Case | None" = None
    spot: tuple[int, int, str] | None = None
    trick: bool = False


@dataclass(frozen=True)
class Case:
    """A report. ``kind``: how honest officials end it: repair, rejected, duplicate, disowned,
    withdrawn, or never.

    ``hard``: it tends to be late, as officials see at once. ``heard_at``, ``repaired_at``: when
    honest officials speak and have repaired. ``works``: whether the first repair holds.
    ``answers``, ``answer_after``, ``stars`` (0: no rating), ``lenient`` (says "repaired" of what is
    not) and ``complains`` (opens again what closed unrepaired) are the reporter's. ``sound``:
    whether an audit should pass it; ``errs``: whether the auditor is mistaken.
    """

    id: str
    district: str
    ward: str
    service: str
    filed_at: datetime
    acknowledge_due: datetime
    due: datetime
    filer: str
    lat7: int
    long7: int
    kind: str
    hard: bool
    contactable: bool
    heard_at: datetime
    repaired_at: datetime
    works: bool
    rework: timedelta
    answers: bool
    answer_after: timedelta
    stars: int
    lenient: bool
    complains: bool
    pause: str
    errs: bool
    sound: bool = True
    original: "Case | None" = None
    acts: tuple[Act, ...] = ()

    def at(self, share: float) -> datetime:
        """The moment at which a share of the resolve target has passed."""
        return self.filed_at + (self.due - self.filed_at) * share


def with_honest_acts(case: Case) -> Case:
    """The case with the acts of honest officials and of its reporter."""
    if case.kind == "repair":
        acts, sound = ending(case, case.repaired_at, case.works)
        return replace(case, acts=(*beginning(case), *_pause(case), *acts), sound=sound)
    if case.kind == "never":
        return replace(case, acts=tuple(beginning(case)), sound=False)
    return replace(case, acts=(_dismissal(case),))


def beginning(case: Case) -> list[Act]:
    """Assigned to a worker, who says that work begins: the first words for the public."""
    assigned = case.filed_at + (case.heard_at - case.filed_at) * 0.7
    worker = {"person": f"s_worker-{case.district}"}
    return [
        Act(assigned, "officer", "assign", worker),
        Act(case.heard_at, "worker", "start", {"note": "We begin."}),
    ]


def ending(
    case: Case, finish_at: datetime, repaired: bool, *, who: str = "worker"
) -> tuple[list[Act], bool]:
    """(acts from the finish on, whether it is repaired in the end).

    What was not repaired is repaired after a refusal or a complaint, but not before it can be.
    """
    acts = [finish(finish_at, who)]
    heard = finish_at + case.answer_after
    if case.answers and (repaired or case.lenient):
        return acts + verified(heard, case.stars), repaired
    if case.answers:
        again = max(heard + case.rework, case.repaired_at)
        acts += [Act(heard, "reporter", "refuse", {"reason": "Not repaired."}), finish(again, who)]
        return acts + verified(again + case.answer_after, min(case.stars, 3)), True
    if not repaired and case.complains:
        return acts + reopened(case, finish_at + _RETURN, who), True
    return acts, repaired


def reopened(case: Case, at: datetime, who: str = "worker") -> list[Act]:
    """The reporter opens it again, and it is repaired, but not before it can be."""
    done = max(at + 2 * _HOUR + case.rework, case.repaired_at)
    return [
        Act(at, "reporter", "reopen", {"reason": "Not repaired."}),
        Act(at + 2 * _HOUR, who, "start", {"note": "Again."}),
        finish(done, who),
    ]


def dismissed(case: Case, act: Act) -> tuple[tuple[Act, ...], bool]:
    """(acts, whether it is repaired in the end) of a real problem that officials dismiss."""
    if not case.complains:
        return (act,), False
    return (act, *reopened(case, act.at + _OBJECTS)), True


def finish(at: datetime, who: str = "worker", *, trick: bool = False) -> Act:
    """The worker says that it is repaired, with a photo."""
    return Act(at, who, "finish", {"photos": list(PHOTOS), "note": "Done."}, trick=trick)


def verified(at: datetime, stars: int, who: str = "reporter", *, trick: bool = False) -> list[Act]:
    """Somebody with a reporter's rights says that it is repaired, and rates it."""
    acts = [Act(at, who, "verify", trick=trick)]
    return [*acts, Act(at + _HOUR, who, "rate", {"stars": stars}, trick=trick)] if stars else acts


def acts_before(acts: tuple[Act, ...], name: str) -> tuple[Act, ...]:
    """The acts before the first of this name."""
    for number, act in enumerate(acts):
        if act.name == name:
            return acts[:number]
    return acts


def _pause(case: Case) -> list[Act]:
    # Honest officials, too, ask, schedule and coordinate now and then, with a good reason.
    at = case.heard_at + _HOUR
    if at + _DAY > case.repaired_at:
        return []
    if case.pause == "ask" and case.contactable:
        return [
            Act(at, "officer", "ask", {"question": "Where exactly?"}),
            Act(at + _DAY / 2, "reporter", "answer", {"text": "By the shop."}),
        ]
    if case.pause == "schedule":
        date = min(case.repaired_at - _HOUR, at + (case.due - case.filed_at))
        return [Act(at, "officer", "schedule", {"until": date, "reason": "Material."})]
    if case.pause == "coordinate":
        return [Act(at, "officer", "coordinate", {"agency": "dinas_bina_marga", "reason": "Pipe."})]
    return []


def _dismissal(case: Case) -> Act:
    at = case.heard_at
    if case.kind == "rejected":
        reason = {"reason_code": "no_problem_found", "text": "Nothing there."}
        return Act(at, "officer", "reject", reason)
    if case.kind == "disowned":
        return Act(at, "officer", "disown", {"text": "The owner's matter."})
    if case.kind == "duplicate" and case.original is not None:
        return Act(at, "officer", "merge", {"into": case.original.id}, target=case.original)
    return Act(at, "reporter", "withdraw")
