"""How much each report counts if its filer filed many in one month (rules/weighing.json).

A weight is public with each row behind a figure. So it must not tell which reports are of one
person: there are few weights, and each below 1 is held by several people
(docs/decisions/public-record.md).
"""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from chalicelib import rules
from chalicelib.domain.sla.custody import WHOLE

# The version of months that were judged before there were versions.
FIRST = 1


@cache
def _rules() -> dict[str, Any]:
    loaded: dict[str, Any] = rules.load("weighing")
    return loaded


def present() -> int:
    """The version by which new months are judged."""
    version: int = _rules()["version"]
    return version


def weights(filers: Mapping[str, str], cap: int, version: int) -> dict[str, int]:
    """{report: millionths} of a month's reports, from {report: filer}."""
    rule = _rules()["versions"][str(version)]
    filed = Counter(filers.values())
    if "steps" in rule:
        by_filer = _in_steps(filed, cap, rule["steps"], rule["fewest"])
    else:
        by_filer = {who: WHOLE * cap // max(cap, count) for who, count in filed.items()}
    return {report: by_filer[who] for report, who in filers.items()}


def _in_steps(filed: Mapping[str, int], cap: int, steps: list[int], fewest: int) -> dict[str, int]:
    """{filer: millionths}; ``steps`` are the parts that count, 1 first: 1/1, 1/2, …"""
    held = {
        who: max(step for step in steps if step == 1 or count >= cap * step)
        for who, count in filed.items()
    }
    for above, step in reversed(list(pairwise(steps))):
        people = [who for who, own in held.items() if own == step]
        if len(people) < fewest:
            held |= dict.fromkeys(people, above)
    return {who: WHOLE // step for who, step in held.items()}
