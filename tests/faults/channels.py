"""People file through keys and officials, and one of them is erased: the others lose nothing.

I13  an erasure changes nothing of anybody else's: neither their heads, texts and contacts, nor
     who counts as having filed
"""

import random
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.services.people import claiming, erasure
from chalicelib.services.platform import signing
from chalicelib.storage import people, report_filers, report_texts, reports
from tests.support import aws
from tests.support.world import JURISDICTION, World, citizen, official

FILERS, CLAIMS = 10, 2


@dataclass
class Result:
    """The result of one seed."""

    seed: int
    faults: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def story(self) -> str:
        """What to print when something is wrong."""
        return "\n".join([f"seed {self.seed}", *self.faults, "schedule: " + ", ".join(self.steps)])


def play(seed: int) -> Result:
    """File by two keys, an official and two devices, claim some, erase the person who filed one."""
    aws.fresh()
    chance, world, result = random.Random(f"channels {seed}"), World(), Result(seed)
    keys = [
        Principal("citizen", JURISDICTION, f"k_{n}", permissions=frozenset({FOR_MANY}))
        for n in range(2)
    ]
    ways = [*keys, official("officer1"), citizen("ani"), citizen("budi")]
    # The person behind each report: by device, or by contact.
    whose: dict[str, str] = {}
    for number in range(FILERS):
        # Each way is used, and most are used again.
        way = ways[number] if number < len(ways) else chance.choice(ways)
        email = f"person{chance.randrange(4)}@example.org"
        report = world.file(way, contact={"email": email}, description=f"Text {number}")["id"]
        direct = way.uid in ("d_ani", "d_budi")
        # Nobody has confirmed the contact: each of its reports counts as another person's.
        whose[report] = (way.uid or "") if direct else report
        result.steps.append(f"{way.uid} files {report}")
    for report in chance.sample([one for one in whose if whose[one] == one], CLAIMS):
        who = citizen(chance.choice(["ani", "citra"]))
        op = world.operation(who, "claimReport", report)
        claiming.claim(who, op, report, signing.claim_secret(report), world.now)
        whose[report] = who.uid or ""
        result.steps.append(f"{who.uid} claims {report}")
    # One that nobody has claimed, and any other.
    unclaimed = chance.choice([one for one in whose if whose[one] == one])
    for chosen in (unclaimed, chance.choice([one for one in whose if one != unclaimed])):
        result.steps.append(f"erase {chosen}")
        others = [one for one in whose if whose[one] != whose[chosen]]
        before = {one: _stored(one) for one in others}
        erasure.erase(JURISDICTION, chosen, world.now)
        result.faults += [
            f"I13 erasing {chosen} changed {one}, which is another person's"
            for one in others
            if _stored(one) != before[one]
        ]
    return result


def _stored(report: str) -> dict[str, Any]:
    head = reports.get(JURISDICTION, report)
    assert head is not None
    return {
        "head": head,
        "texts": report_texts.texts(JURISDICTION, report, 1, head.version),
        "contact": people.contact(JURISDICTION, head.contact or "-"),
        "counted": report_filers.filer(JURISDICTION, head.filed_month, report),
    }
