"""The measures of a scorecard: one row each in rules/scorecard.json.

A row has ``code``, ``kind``, ``name`` and ``formula`` (published), and what the code needs:
``hit`` and ``other``, for a rate that is one outcome ÷ both (``domain.scorecards.contributions``);
``rows``, the measures of the contributions behind its figure (its own, if it names none);
``scored``, how it enters the score (docs/scorecards.md), with ``weight``, what the weight is of;
``uncapped``, if a reporter who files very many counts in full.
"""

from functools import cache
from typing import Any

from chalicelib import rules

PUBLISHED = ("code", "kind", "name", "formula")
# Contributions without a figure of their own. What verifiers found in the sample:
AUDIT = "audit"
# Deadlines of the months before, which only say whether there are enough reports for a score.
EARLIER = "due_earlier"


@cache
def table() -> dict[str, dict[str, Any]]:
    """Every row by code, in the order of a card."""
    return {row["code"]: row for row in rules.load("scorecard")["measures"]}


@cache
def measures() -> dict[str, dict[str, Any]]:
    """The measures by code: kind, name and formula in both languages."""
    return {code: {name: row[name] for name in PUBLISHED} for code, row in table().items()}


def scored() -> tuple[str, ...]:
    """The measures that may have a weight in the score."""
    return tuple(code for code, row in table().items() if "scored" in row)


def behind() -> dict[str, tuple[str, ...]]:
    """{figure: the measures of the contributions that it is computed from}, if it has any."""
    sources = {code: tuple(row.get("rows", (code,))) for code, row in table().items()}
    return {
        AUDIT: (AUDIT,),
        EARLIER: (EARLIER,),
        **{code: measures for code, measures in sources.items() if measures},
    }


def uncapped() -> frozenset[str]:
    """The measures in which all reports of one filer count in full, however many there are."""
    return frozenset({AUDIT, *(code for code, row in table().items() if row.get("uncapped"))})
