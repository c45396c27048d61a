"""Live tallies: what one report adds to its areas' months, and how an event changes it.

A tally is the sum over reports of ``contributions(facts)``, so an event's delta is the difference
between its two facts. The deltas of one report add up to its present contribution, so every month
stays exact in any order of the reports.
"""

from collections import Counter

from chalicelib.domain.timeline_types import Event, Facts

MEASURES = (
    "received", "open", "verified", "unverified", "rejected", "duplicate", "not_ours", "withdrawn",
    "finished", "refused", "reopened", "supported", "ratings", "rating_sum",
    "acknowledge_breached", "breached", "escalated",
)  # fmt: skip

Key = tuple[str, str, str]


def contributions(facts: Facts | None) -> Counter[Key]:
    """{(month, area, measure): n} of one report; a protected report counts nowhere, nor
    does one whose import was undone.

    ``received`` and ``open`` belong to the month of filing, a resolution to the month of closing,
    everything else to the month in which it happened.
    """
    counts: Counter[Key] = Counter()
    if facts is None or facts["protected"] or facts.get("undone"):
        return counts
    for area in (facts["district"], f"{facts['district']}/{facts['ward']}"):
        counts[facts["filed_month"], area, "received"] += 1
        if facts["state"] == "closed":
            assert facts["closed_month"]
            assert facts["resolution"]
            counts[facts["closed_month"], area, facts["resolution"]] += 1
        else:
            counts[facts["filed_month"], area, "open"] += 1
        for measure, months in facts["flow"].items():
            for month, n in months.items():
                counts[month, area, measure] += n
        if facts["supports"]:
            assert facts["support_month"]
            counts[facts["support_month"], area, "supported"] += facts["supports"]
        if facts["rating"]:
            assert facts["rating_month"]
            counts[facts["rating_month"], area, "ratings"] += 1
            counts[facts["rating_month"], area, "rating_sum"] += facts["rating"]
    return counts


def deltas(event: Event) -> dict[tuple[str, str], dict[str, int]]:
    """{(month, area): {measure: change}} of one event, without zeros."""
    moved = contributions(event["after"])
    moved.subtract(contributions(event["before"]))
    changes: dict[tuple[str, str], dict[str, int]] = {}
    for (month, area, measure), n in moved.items():
        if n:
            changes.setdefault((month, area), {})[measure] = n
    return changes
