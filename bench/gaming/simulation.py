"""A city of honest districts, computed once; then one district again for each trick."""

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta

from bench.gaming.cases import Case
from bench.gaming.conduct import Habits, district_cases
from bench.gaming.judging import Month, Part, weighed
from bench.gaming.life import Life, audited, life_of
from bench.gaming.place import DISTRICTS, GAMED, city
from chalicelib.domain.scorecards.card_types import Card
from chalicelib.domain.scorecards.contributions import Contribution, Window, closing_to_audit
from chalicelib.domain.scorecards.statistics import Settings
from chalicelib.domain.scorecards.totals import MonthTotals
from chalicelib.domain.sla import periods
from chalicelib.domain.timeline_types import ScoreRow
from chalicelib.domain.timestamps import shifted

MONTHS = ["202606", "202607", "202608", "202609", "202610", "202611"]
# From the third month on, audits and recurrences have the months before that they need.
JUDGED = MONTHS[2:]
# Districts of other paces; the gamed one has the pace of the mean.
_PACES = (0.85, 0.93, 1.0, 1.07, 1.15)
_AUDIT_DAY = timedelta(days=7)
# Everything filed in the last month is over by then.
END = city().bounds(shifted(MONTHS[-1], 3))[0]


@dataclass
class Played:
    """A district's six months: its cases and lives, and the parts of each judged month.

    ``rows`` and ``plain`` are without audits; ``audits`` are the rows of reports that were drawn
    and audited, and ``parts`` are with them.
    """

    cases: dict[str, Case]
    lives: dict[str, Life]
    rows: dict[str, ScoreRow]
    audits: dict[str, ScoreRow] = field(default_factory=dict)
    plain: dict[str, dict[str, Part]] = field(default_factory=dict)
    parts: dict[str, dict[str, Part]] = field(default_factory=dict)
    again: dict[str, list[Contribution]] = field(default_factory=dict)

    def filers(self) -> dict[str, dict[str, str]]:
        """{month: {report: filer}}."""
        people: dict[str, dict[str, str]] = {}
        for case in self.cases.values():
            people.setdefault(city().month(case.filed_at), {})[case.id] = case.filer
        return people


@dataclass(frozen=True)
class Outcome:
    """A district's scores by month, and what became of a trick's acts."""

    scores: dict[str, float | None]
    touched: float = 0.0
    tried: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)


def settings(changed: Mapping[str, float] | None = None) -> Settings:
    """The demo city's scoring, with some settings changed."""
    known = {spec.name for spec in fields(Settings)}
    if unknown := sorted((changed or {}).keys() - known):
        raise ValueError(f"no such setting: {', '.join(unknown)}")
    return Settings.from_json({**city().scoring, **(changed or {})})


class Base:
    """The honest city of one seed and size; ``changed``: settings of its scoring."""

    def __init__(self, seed: int, n: int, changed: Mapping[str, float] | None = None) -> None:
        self.seed = f"{seed}|{n}"
        self.settings = settings(changed)
        self.months = {month: Month(month, self.settings, END) for month in JUDGED}
        paces = random.Random(f"{self.seed}|paces").sample(_PACES, len(_PACES))
        self.peers = [
            self._play(district_cases(self.seed, code, MONTHS, n, Habits(pace=pace)))
            for code, pace in zip(DISTRICTS[1:], paces, strict=True)
        ]
        self._filers = _merged(peer.filers() for peer in self.peers)
        self.honest = self._play(district_cases(self.seed, GAMED, MONTHS, n, Habits()))
        self._weighed = self._weights(self.honest)
        self._beside = self._peer_totals(self._weighed)
        self.outcome = self._judged(self.honest)

    def game(self, trick: Callable[[list[Case], random.Random], list[Case]]) -> Outcome:
        """The gamed district's outcome if it plays a trick."""
        rng = random.Random(f"{self.seed}|trick")
        cases = trick(list(self.honest.cases.values()), rng)
        played = self._play(cases, self.honest)
        own = self.honest.cases
        new = [case for case in cases if own.get(case.id) is not case]
        gone = len(own.keys() - played.cases.keys())
        lives = [played.lives[case.id] for case in new]
        refused = Counter(rule for life in lives for rule in life.refused)
        scores = self._judged(played).scores
        touched = (len(new) + gone) / max(1, len(own))
        return Outcome(scores, touched, sum(life.tried for life in lives), refused)

    def cards(self, name: str) -> list[Card]:
        """All cards of a judged month of the honest city."""
        month, own = self.months[name], self.honest
        beside = self._beside[name]
        totals = month.totals(own.parts[name], own.again[name], self._weighed, beside)
        return month.cards(totals)

    def other(self, n: int, habits: Habits, name: str) -> Outcome:
        """The outcome of an honest district of other habits in the gamed one's stead."""
        cases = district_cases(f"{self.seed}|{name}", GAMED, MONTHS, n, habits)
        return self._judged(self._play(cases))

    def _play(self, cases: Iterable[Case], known: Played | None = None) -> Played:
        by_id = {case.id: case for case in cases}
        same = {
            case.id: known.lives[case.id]
            for case in by_id.values()
            if known and known.cases.get(case.id) is case
        }
        lives = same | {
            case.id: life_of(case, END) for case in by_id.values() if case.id not in same
        }
        rows = {
            code: known.rows[code] if known and code in same else life.row
            for code, life in lives.items()
        }
        plain = {code: row for code, row in rows.items() if row is not None}
        played = Played(by_id, lives, plain)
        played.audits = drawn = self._audit(played)
        for name, month in self.months.items():
            old = known.plain[name] if known else {}
            parts = {
                code: old[code] if code in same and code in old else month.part(row)
                for code, row in plain.items()
            }
            played.plain[name] = parts
            played.parts[name] = parts | {code: month.part(row) for code, row in drawn.items()}
            played.again[name] = month.recurrences(plain.values())
        return played

    def _audit(self, played: Played) -> dict[str, ScoreRow]:
        """The rows of the reports that were drawn and audited."""
        drawn: dict[str, ScoreRow] = {}
        for month in MONTHS:
            window, end = Window.of(month, city(), END), city().bounds(month)[1]
            lots = sorted(
                (hashlib.sha256(f"{self.seed}|{month}|{code}".encode()).digest(), code)
                for code, row in played.rows.items()
                if closing_to_audit(row, window)
            )
            for _, code in lots[: self.settings.audit_sample]:
                case = played.cases[code]
                passed = case.sound != case.errs
                head = audited(played.lives[code].report, passed, end + _AUDIT_DAY)
                if (audited_row := periods.score_row(head, city())) is not None:
                    drawn[code] = audited_row
        return drawn

    def _weights(self, played: Played) -> dict[str, dict[str, int]]:
        return weighed(_merged([self._filers, played.filers()]), self.settings)

    def _peer_totals(self, weights: dict[str, dict[str, int]]) -> dict[str, MonthTotals]:
        made: dict[str, MonthTotals] = {}
        for name, month in self.months.items():
            totals: MonthTotals | None = None
            for peer in self.peers:
                totals = month.totals(peer.parts[name], peer.again[name], weights, totals)
            assert totals is not None
            made[name] = totals
        return made

    def _judged(self, played: Played) -> Outcome:
        weights = self._weights(played)
        # A trick may change the weights of others: few people may hold a step.
        same = _without(weights, played) == _without(self._weighed, self.honest)
        beside = self._beside if same else self._peer_totals(weights)
        scores: dict[str, float | None] = {}
        for name, month in self.months.items():
            totals = month.totals(played.parts[name], played.again[name], weights, beside[name])
            scores[name] = month.score(totals, GAMED)
        return Outcome(scores)


def _without(weights: dict[str, dict[str, int]], played: Played) -> dict[str, int]:
    """The weights of the other districts' reports."""
    return {
        code: weight
        for own in weights.values()
        for code, weight in own.items()
        if code not in played.cases
    }


def _merged(parts: Iterable[Mapping[str, Mapping[str, str]]]) -> dict[str, dict[str, str]]:
    merged: dict[str, dict[str, str]] = {}
    for people in parts:
        for month, filers in people.items():
            merged.setdefault(month, {}).update(filers)
    return merged
