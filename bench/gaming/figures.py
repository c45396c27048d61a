"""The figures of the bench: means over seeds with intervals, the table, the document."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any, NamedTuple

from bench.gaming.catalogue import TRICKS
from bench.gaming.conduct import GOOD, PERFECT, Habits
from bench.gaming.simulation import JUDGED, MONTHS, Base, Outcome, settings

DRAWS = 1000
# Honest districts of which the outsider published scores: reports a month, habits, score.
REFERENCES = {
    "same conduct, 15 reports": (15, Habits(), 48.0),
    "same conduct, 40 reports": (40, Habits(), 57.2),
    "same conduct, 200 reports": (200, Habits(), 67.0),
    "same conduct, 500 reports": (500, Habits(), 68.4),
    "perfect, 12 reports": (12, PERFECT, 75.1),
    "85 %, 400 reports": (400, GOOD, 81.8),
}
LEFT = "Replaying three tricks through the product, and the detectors, come later."


class Run(NamedTuple):
    """The results of one seed and size, as plain values that processes can exchange."""

    seed: int
    n: int
    honest: float | None
    tricks: dict[str, dict[str, Any]]
    references: dict[str, float | None]


def run(
    seed: int,
    n: int,
    names: Sequence[str],
    changed: Mapping[str, float] | None = None,
    *,
    references: bool,
) -> Run:
    """All figures of one seed and size; ``changed``: settings of the scoring."""
    base = Base(seed, n, changed)
    honest = base.outcome
    tricks: dict[str, dict[str, Any]] = {}
    for name in names:
        outcome = base.game(TRICKS[name].play)
        tricks[name] = {
            "gain": _gain(honest, outcome),
            "touched": outcome.touched,
            "tried": outcome.tried,
            "refused": dict(outcome.refused),
        }
    others = {
        name: _mean(base.other(many, habits, name).scores.values())
        for name, (many, habits, _) in REFERENCES.items()
        if references
    }
    return Run(seed, n, _mean(honest.scores.values()), tricks, others)


def document(
    runs: Sequence[Run], names: Sequence[str], changed: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """The report: settings, honest scores, references, and each trick by size."""
    sizes = sorted({run.n for run in runs})
    return {
        "seeds": len({run.seed for run in runs}),
        "sizes": sizes,
        "months": MONTHS,
        "judged": list(JUDGED),
        "settings": settings(changed).published(),
        "detectors": None,
        "left": LEFT,
        "honest": {
            str(n): {**interval([run.honest for run in runs if run.n == n]), "flagged": None}
            for n in sizes
        },
        "references": {
            name: {
                "published": published,
                **interval([run.references.get(name) for run in runs]),
            }
            for name, (_, _, published) in REFERENCES.items()
        },
        "tricks": [_trick(name, runs, sizes) for name in names],
    }


def _trick(name: str, runs: Sequence[Run], sizes: Sequence[int]) -> dict[str, Any]:
    trick = TRICKS[name]
    return {
        "name": name,
        "group": trick.group,
        "about": trick.about,
        "published": trick.published,
        "sizes": {str(n): _sized([run.tricks[name] for run in runs if run.n == n]) for n in sizes},
    }


def _sized(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    tried = sum(row["tried"] for row in found)
    refused: Counter[str] = sum((Counter(row["refused"]) for row in found), Counter())
    return {
        **interval([row["gain"] for row in found]),
        "flagged": None,
        "touched": round(mean(row["touched"] for row in found), 3),
        "acts": tried,
        "refused": dict(sorted(refused.items())),
        "possible": not tried or refused.total() < tried,
    }


def interval(values: Sequence[float | None]) -> dict[str, float | None]:
    """Mean and 95 % interval: a bootstrap over seeds, itself seeded."""
    known = [value for value in values if value is not None]
    if not known:
        return {"mean": None, "low": None, "high": None}
    rng = random.Random(2026)
    means = sorted(mean(rng.choices(known, k=len(known))) for _ in range(DRAWS))
    low, high = means[round(0.025 * DRAWS)], means[round(0.975 * DRAWS) - 1]
    return {"mean": round(mean(known), 2), "low": round(low, 2), "high": round(high, 2)}


def table(report: Mapping[str, Any]) -> str:
    """The summary for a terminal: honest scores, references, then gains by size."""
    sizes = [str(n) for n in report["sizes"]]
    lines = [f"{report['seeds']} seeds; score of an honest district of the mean conduct:"]
    lines += [f"  n = {n:>4} {_shown(report['honest'][n])}" for n in sizes]
    lines.append("honest districts beside those of the outsider's trial:")
    for name, row in report["references"].items():
        if row["mean"] is not None:
            lines.append(f"  {name:28} {_shown(row)}  trial {row['published']}")
    head = "".join(f"{'n = ' + n:>27}" for n in sizes)
    lines.append(f"{'gain of the score by':22}{'trial':>7}{head}")
    for trick in report["tricks"]:
        trial = "" if trick["published"] is None else f"{trick['published']:+.1f}"
        cells = "".join(f"{_cell(trick['sizes'][n]):>27}" for n in sizes)
        lines.append(f"{trick['name']:22}{trial:>7}{cells}")
    lines.append("flagged by detectors: there are none yet")
    return "\n".join(lines)


def _cell(row: Mapping[str, Any]) -> str:
    if not row["possible"]:
        rule = max(row["refused"], key=row["refused"].get)
        return f"refused: {rule.split('.')[-1]}"[:26]
    return _shown(row, "+")


def _shown(row: Mapping[str, Any], sign: str = "") -> str:
    if row["mean"] is None:
        return "no score"
    form = f"{sign}.1f"
    return f"{row['mean']:{form}} [{row['low']:{form}} {row['high']:{form}}]"


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return mean(known) if known else None


def _gain(honest: Outcome, gamed: Outcome) -> float | None:
    return _mean(
        score - before
        for month, score in gamed.scores.items()
        if score is not None and (before := honest.scores[month]) is not None
    )
