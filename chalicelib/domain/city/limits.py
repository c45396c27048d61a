"""How much one person may add, and how many codes may be sent, if the city does not say otherwise.

Tests: tests/integration/test_rate_limits.py
"""

from typing import NamedTuple

_HOUR, _DAY = 3_600, 86_400


class Limit(NamedTuple):
    """What a limit counts, and its windows: at most ``n`` in so many ``seconds`` each."""

    counts: str
    windows: list[dict[str, int]]


def _limit(counts: str, **n: int) -> Limit:
    seconds = {"hour": _HOUR, "day": _DAY}
    return Limit(counts, [{"n": most, "seconds": seconds[unit]} for unit, most in n.items()])


OF_PERSONS = {
    "flags": _limit("Flags of one person.", day=20),
    "comments": _limit("Comments of one citizen.", day=60),
    "report_comments": _limit("Comments of one citizen on one report.", hour=10, day=20),
    "supports": _limit("Reports that one citizen supports.", day=100),
    "follows": _limit("Reports that one citizen follows.", day=200),
    "ratings": _limit("Ratings of one citizen.", day=30),
    "claims": _limit("Claims of one citizen.", day=20),
    "proposals": _limit("Reports that one person proposes for protection.", day=5),
}
OF_CODES = {
    "codes": _limit("Codes that one device asks for.", hour=5, day=10),
    "codes_contact": _limit("Codes sent to one contact.", hour=5, day=10),
    "codes_address": _limit("Codes that one address asks for.", hour=20),
}
PERSON_LIMITS = {kind: limit.windows for kind, limit in OF_PERSONS.items()}
CODE_LIMITS = {kind: limit.windows for kind, limit in OF_CODES.items()}
