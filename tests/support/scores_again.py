"""A second computation of the scores of engine 2, from docs/scorecards.md and its rows alone.

``scorecards_in_pandas`` gives the rows. Nothing here comes from the product.
"""

import hashlib
from collections import defaultdict
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

import numpy as np

MILLION = 1_000_000
PLAIN = {
    "acknowledged_on_time": ("in_time", "late"),
    "verified": ("verified", "unverified"),
    "recurrence": ("recurred", "lasted"),
}
BAD = ("overdue_carried", "reopened_or_refused", "recurrence")
LATE = ("on_time", "case_mix")
TIMES = np.repeat(np.arange(6), [95, 93, 47, 16, 4, 1])
Key = tuple[str, str]
Sums = dict[str, Any]


def tenth(score: Fraction) -> float:
    """As published: 0 to 100 with one digit, halves up."""
    return floor(score * 1000 + Fraction(1, 2)) / 10


class Line(NamedTuple):
    """One row of a card: ``amount`` is its share × weight (10^12 for one report)."""

    key: Key
    report: str
    measure: str
    outcome: str
    service: str
    district: str
    amount: int


class Again:
    """The scores of a month, from all rows of all cards."""

    def __init__(
        self, place: str, month: str, settings: dict[str, Any], lines: list[Line], root: Key
    ) -> None:
        self.seed, self.settings, self.root = f"{place}|{month}", settings, root
        self.c = settings["shrink_n"]
        self.of: dict[Key, list[Line]] = defaultdict(list)
        self.audits: dict[str, list[Line]] = defaultdict(list)
        for line in lines:
            if line.measure != "audit":
                self.of[line.key].append(line)
            elif line.key == root:
                self.audits[line.district].append(line)
        every = [line for group in self.audits.values() for line in group]
        passed = sum(line.outcome == "pass" for line in every)
        self.whole = (
            Fraction(passed, len(every))
            if every
            else Fraction(str(settings["unaudited_pass_rate"]))
        )
        self.late_in = self.late(root)
        late, due = (sum((pair[n] for pair in self.late_in.values()), Fraction(0)) for n in (0, 1))
        self.due_in_city, self.l = due, late / due if due else None
        self.mean: dict[str, Fraction | None] = {}
        for measure, weight in settings["weights"].items():
            if weight:
                hit, n = (None, None) if measure in LATE else self.plain(root, measure)
                rate = Fraction(hit, n) if n else None
                self.mean[measure] = self.l if measure in LATE else rate
        self.weights = {
            name: settings["weights"][name] for name, mean in self.mean.items() if mean is not None
        }

    def prior(self, district: str) -> int:
        """As how many audits the city's rate counts."""
        few = len(self.audits.get(district, ())) < self.settings["audit_from"]
        return int(self.settings["audit_prior"]) if few else 0

    def pass_rate(self, district: str) -> Fraction:
        """The pass rate of a district, exactly."""
        own = self.audits.get(district, []) if district else []
        n = len(own) + self.prior(district)
        if not district or not n:
            return self.whole
        hit = sum(line.outcome == "pass" for line in own)
        return (hit + self.prior(district) * self.whole) / n

    def late(self, key: Key) -> dict[str, tuple[Fraction, Fraction]]:
        """{service: (late, due)}."""
        found: dict[str, tuple[Fraction, Fraction]] = {}
        for line in self.of[key]:
            if line.measure == "on_time":
                failed = line.amount * (1 - self.pass_rate(line.district))
                late = {"late": Fraction(line.amount), "verified": Fraction(0)}
                due = failed if line.outcome == "dismissed" else Fraction(line.amount)
                was = found.get(line.service, (Fraction(0), Fraction(0)))
                found[line.service] = (was[0] + late.get(line.outcome, failed), was[1] + due)
        return found

    def expected(self, key: Key) -> dict[str, Fraction]:
        """How often the rest of the city is late, by service."""
        one, rates = 10**12, {}
        for service, (late, due) in self.late(key).items():
            city = self.late_in[service]
            rates[service] = (city[0] - late + one * (self.l or 0)) / (city[1] - due + one)
        return rates

    def part(self, key: Key) -> Fraction:
        """The city's deadlines ÷ those of the rest."""
        own = sum((due for _, due in self.late(key).values()), Fraction(0))
        return (
            self.due_in_city / (self.due_in_city - own) if self.due_in_city > own else Fraction(0)
        )

    def plain(self, key: Key, measure: str, times: dict[str, Any] | None = None) -> Any:
        """(H, N) of a measure; with ``times``, of each draw, in millionths."""
        sums: dict[str, Any] = defaultdict(int)
        for line in self.of[key]:
            amount: Any = line.amount
            if times is not None:
                amount = line.amount // MILLION * times[line.report]
            if line.measure == "on_time":
                sums["due"] += amount
            elif line.measure == measure:
                sums[line.outcome] += amount
        if measure in PLAIN:
            hit, other = PLAIN[measure]
            return sums[hit], sums[hit] + sums[other]
        if measure == "overdue_carried":
            return sums["carried"], sums["carried"] + sums["due"]
        if measure == "reopened_or_refused":
            again = sums["reopened"] + sums["refused"]
            return again, np.maximum(again, sums["finished"]) if times else max(
                again, sums["finished"]
            )
        stars = range(1, 6)
        return (
            sum((star - 1) * sums[f"stars_{star}"] for star in stars),
            4 * sum(sums[f"stars_{star}"] for star in stars),
        )

    def exact(self, key: Key) -> Fraction | None:
        """The score, from 0 to 1."""
        if not self.weights:
            return None
        total = Fraction(0)
        for measure, weight in self.weights.items():
            mean = self.mean[measure]
            assert mean is not None
            if measure in LATE:
                prior = self.c * self.part(key) * 10**12 * mean
                expected = self.expected(key)
                late = prior + sum(late for late, _ in self.late(key).values())
                norm = prior + sum(due * expected[k] for k, (_, due) in self.late(key).items())
                value = 1 - min(Fraction(1), mean * (Fraction(late) / norm if norm else 1))
            else:
                hit, n = self.plain(key, measure)
                c = self.c * 10**12 * (4 if measure == "satisfaction" else 1)
                value = Fraction(hit + c * mean) / (n + c) if n + c else mean
                value = 1 - value if measure in BAD else value
            total += weight * value
        return total / sum(self.weights.values())

    def times(self, report: str) -> Any:
        """How often each draw has a report."""
        raw = hashlib.shake_256(f"{self.seed}|{report}".encode()).digest(1000)
        return TIMES[np.frombuffer(raw, np.uint8)].astype(object)

    def added(self, measure: str) -> Any:
        """What the city adds in each draw."""
        name = "on_time" if measure in LATE else measure
        bounds = [self.mean[measure] or Fraction(0)]
        if measure == "satisfaction":
            lines = [line for line in self.of[self.root] if line.measure == measure]
            n = sum(line.amount for line in lines)
            bounds = [
                Fraction(sum(line.amount for line in lines if line.outcome >= f"stars_{star}"), n)
                for star in (2, 3, 4, 5)
            ]
        raw = hashlib.shake_256(f"{self.seed}|={name}".encode()).digest(2000 * self.c)
        x = np.frombuffer(raw, ">u2").astype(np.int64).reshape(1000, self.c)
        return sum(
            (x * MILLION < 65536 * floor(bound * MILLION)).sum(axis=1) for bound in bounds
        ).astype(object)

    def interval(self, key: Key) -> tuple[Fraction, Fraction]:
        """The ends of the interval, from 0 to 1."""
        every = [*self.of[key], *(line for group in self.audits.values() for line in group)]
        times = {line.report: self.times(line.report) for line in every}
        times[""] = None
        total = np.zeros(1000, dtype=object)
        for measure, weight in self.weights.items():
            mean = floor((self.mean[measure] or 0) * MILLION)
            added = self.added(measure)
            if measure in LATE:
                value = self._not_late(key, times, mean, added)
            else:
                c = self.c * MILLION * (4 if measure == "satisfaction" else 1)
                hit, n = self.plain(key, measure, times)
                hit, n = hit + np.zeros(1000, dtype=object), n + c + np.zeros(1000, dtype=object)
                pairs = zip(hit + MILLION * added, n, strict=True)
                value = np.array([h * MILLION // m if m else mean for h, m in pairs], dtype=object)
                value = MILLION - value if measure in BAD else value
            total = total + weight * value
        drawn = sorted(total)
        whole = sum(self.weights.values())
        score = self.exact(key)
        assert score is not None
        low, high = (Fraction(int(drawn[n]) // whole, MILLION) for n in (24, 975))
        return min(low, score), max(high, score)

    def _not_late(self, key: Key, times: dict[str, Any], mean: int, added: Any) -> Any:
        rates = {code: floor(rate * MILLION) for code, rate in self.expected(key).items()}
        zero = np.zeros(1000, dtype=object)
        late, norm = zero, zero
        doubt: dict[tuple[str, str], Any] = defaultdict(lambda: zero)
        for line in self.of[key]:
            if line.measure != "on_time":
                continue
            amount = line.amount // MILLION
            part = amount * rates[line.service] // MILLION
            if line.outcome == "late":
                late = late + amount * times[line.report]
            elif line.outcome != "verified":
                doubt["late", line.district] = (
                    doubt["late", line.district] + amount * times[line.report]
                )
            if line.outcome == "dismissed":
                doubt["norm", line.district] = (
                    doubt["norm", line.district] + part * times[line.report]
                )
            else:
                norm = norm + part * times[line.report]
        for (name, district), amount in doubt.items():
            failed = (MILLION - self._drawn_rate(district, times)) * amount // MILLION
            late, norm = (late + failed, norm) if name == "late" else (late, norm + failed)
        part = self.part(key)
        late = late + floor(part * MILLION) * added
        norm = norm + floor(part * self.c * mean)
        return np.array(
            [
                MILLION - (min(MILLION, mean * a // b) if b else mean)
                for a, b in zip(late, norm, strict=True)
            ],
            dtype=object,
        )

    def _drawn_rate(self, district: str, times: dict[str, Any]) -> Any:
        whole = floor(self.whole * MILLION)
        own = self.audits.get(district, []) if district else []
        zero = np.zeros(1000, dtype=object)
        passed = sum((times[one.report] for one in own if one.outcome == "pass"), zero)
        prior = self.prior(district) if district else 0
        n = sum((times[one.report] for one in own), zero) + prior
        pairs = zip(MILLION * passed + prior * whole, n, strict=True)
        return np.array([a // b if b else whole for a, b in pairs], dtype=object)
