"""How officials and citizens behave: a stated model, drawn by the seed (docs/demo.md).

``STEPS`` are the next steps in a situation: one row is drawn by its share. It happens after a
lognormal delay with this median (hours of the city's time) and this spread (sigma of the
logarithm). The rest of the shares up to 1 is silence: nothing more happens.
``ASIDES`` are steps outside that course, each at most once, counted from filing.
"""

import random
from dataclasses import dataclass
from datetime import timedelta
from math import exp, log


@dataclass(frozen=True)
class Step:
    """One row: in ``situation``, ``who`` does ``action`` with this share, median and spread."""

    situation: str
    action: str
    who: str
    share: float
    median_hours: float
    spread: float = 0.8


STEPS = (
    Step("submitted", "assign", "officer", 0.74, 3.0, 1.0),
    Step("submitted", "coordinate", "officer", 0.05, 5.0),
    Step("submitted", "reject", "officer", 0.05, 6.0),
    Step("submitted", "ask", "officer", 0.03, 4.0),
    Step("submitted", "disown", "officer", 0.01, 8.0),
    Step("assigned", "start", "worker", 0.76, 5.0, 1.0),
    Step("assigned", "schedule", "officer", 0.04, 8.0),
    Step("assigned", "coordinate", "officer", 0.03, 8.0),
    Step("assigned", "decline", "worker", 0.04, 4.0),
    Step("assigned", "reject", "officer", 0.03, 8.0),
    Step("in_progress", "finish", "worker", 0.84, 14.0, 1.0),
    Step("in_progress", "schedule", "officer", 0.04, 10.0),
    Step("in_progress", "coordinate", "officer", 0.03, 12.0),
    Step("refused", "finish", "worker", 0.80, 20.0),
    Step("refused", "dispute", "worker", 0.10, 8.0),
    Step("coordinated", "finish", "worker", 0.60, 60.0),
    Step("coordinated", "assign", "officer", 0.20, 48.0),
    Step("scheduled", "resume", "worker", 0.55, 30.0),
    Step("scheduled", "finish", "worker", 0.30, 48.0),
    Step("needs_info", "answer", "reporter", 0.65, 10.0),
    Step("work_done", "verify", "reporter", 0.46, 12.0, 1.0),
    Step("work_done", "refuse", "reporter", 0.12, 10.0, 1.0),
    Step("work_done", "verify", "verifier", 0.08, 72.0),
    Step("work_done", "refuse", "verifier", 0.02, 72.0),
    Step("closed/verified", "rate", "reporter", 0.55, 1.0),
    Step("closed/verified", "reopen", "reporter", 0.03, 60.0),
    Step("closed/rejected", "reopen", "reporter", 0.10, 24.0),
)

# In a flood, officers first merge the reports of one street.
MERGE_SHARE = 0.45
MERGE = Step("submitted", "merge", "officer", MERGE_SHARE, 4.0)

ASIDES = (
    Step("any", "support", "neighbour", 0.16, 6.0, 1.0),
    Step("any", "support", "neighbour", 0.08, 12.0, 1.0),
    Step("any", "comment", "reporter", 0.04, 10.0),
    Step("any", "comment", "official", 0.06, 2.0),
    Step("any", "withdraw", "reporter", 0.02, 3.0),
)

CONTACT_SHARE = 0.15
PHOTO_SHARE = 0.1
# The day of the month on which verifiers audit the last month's sample. Sham closings fail, and one
# dismissal in ten.
AUDIT_DAY = 6
DISMISSAL_FAILS = 0.1
PERSON_SHARE = 0.5
STEPS_AT_MOST = 30


@dataclass(frozen=True)
class Diligence:
    """How a district works.

    Its officials' delays are multiplied by ``pace``, their shares by ``effort``. The share ``sham``
    of its repairs is reported as finished quickly, without a repair.
    """

    kind: str
    pace: float
    effort: float
    sham: float


DISTRICTS = (
    (0.35, Diligence("brisk", 0.5, 1.1, 0.0)),
    (0.35, Diligence("ordinary", 1.0, 1.0, 0.03)),
    (0.20, Diligence("slow", 3.0, 0.85, 0.05)),
    (0.10, Diligence("sham", 0.7, 1.0, 0.6)),
)
_OFFICIALS = frozenset({"officer", "worker"})
# The share of sham repairs that the reporter refuses; the others say nothing. How fast.
SHAM_REFUSED, SHAM_PACE = 0.6, 0.2


def diligence(seed: int, district: str) -> Diligence:
    """The diligence of a district; it depends only on the seed and the district's code."""
    left = random.Random(f"{seed}:district:{district}").random()
    for share, kind in DISTRICTS:
        left -= share
        if left < 0:
            return kind
    return DISTRICTS[-1][1]


def next_step(
    situation: str,
    rng: random.Random,
    merge: bool = False,
    district: Diligence = DISTRICTS[1][1],
    sham: bool = False,
) -> Step | None:
    """The next step, or ``None`` for silence.

    ``merge``: there is an older report to join. ``sham``: the repair was a sham.
    """
    if merge and situation == MERGE.situation and rng.random() < MERGE.share:
        return MERGE
    left = rng.random()
    for step in STEPS:
        if step.situation == situation:
            left -= _share(step, district, sham)
            if left < 0:
                return step
    return None


def _share(step: Step, district: Diligence, sham: bool) -> float:
    if sham and step.situation == "work_done":
        return SHAM_REFUSED if (step.action, step.who) == ("refuse", "reporter") else 0.0
    return step.share * (district.effort if step.who in _OFFICIALS else 1.0)


def asides(rng: random.Random) -> list[Step]:
    """The steps outside the course of one report."""
    return [step for step in ASIDES if rng.random() < step.share]


def delay(
    step: Step, rng: random.Random, district: Diligence = DISTRICTS[1][1], sham: bool = False
) -> timedelta:
    """The time from drawing a step to taking it, at least a minute."""
    hours = exp(rng.gauss(log(step.median_hours), step.spread))
    if step.who in _OFFICIALS:
        hours *= SHAM_PACE if sham and step.action == "finish" else district.pace
    return max(timedelta(minutes=1), timedelta(seconds=round(hours * 3600)))
