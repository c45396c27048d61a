"""Random histories of reports as rows of the scorecards, made without the product.

Each history is played event by event up to ``now``, so that a row never contains later events.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.domain.scorecards.measures import scored
from tests.support.world import BUNDLE, both

MS, HOUR = timedelta(milliseconds=1), timedelta(hours=1)
HOURS = {"pothole": (24, 120), "litter": (4, 24), "bridge": (48, 960), "lamp": (8, 36)}
GONE = "D1-OLD"  # a former ward in a present district
DISTRICTS = ("D1", "D2", "D3")
WARDS = [f"{district}-W{n}" for district in DISTRICTS for n in (1, 2)]
UNITS = [
    *((f"u-{district.lower()}", "district", [district]) for district in DISTRICTS),
    ("u-both", "district", ["D1", "D2"]),
    ("u-lamps", "agency", list(DISTRICTS)),
    ("u-prov", "province", list(DISTRICTS)),
]
# Months that begin or end in odd ways: with a change of the clock, in a leap year, in winter.
MONTHS = ("202603", "202610", "202604", "202611", "202701", "202802", "202803", "202612")
ZONES = ("Asia/Jakarta", "Europe/Amsterdam")
DISMISSALS = ("rejected", "duplicate", "not_ours", "withdrawn")


def bundle(zone: str) -> dict[str, Any]:
    """The test city with a third district, more units, people, and any time zone."""
    people = {"TV": 70_000, "D1": 40_000, "D2": 29_500}
    people |= {"D1-W1": 12_345, "D3-W1": 9_000, "D3-W2": 8_001}
    areas = [{"code": "TV", "name": "Testville", "level": "city", "parent": None}]
    areas += [{"code": d, "name": d, "level": "district", "parent": "TV"} for d in DISTRICTS]
    areas += [{"code": w, "name": w, "level": "ward", "parent": w[:2]} for w in WARDS]
    for area in areas:
        if people.get(area["code"]):
            area["population"] = people[area["code"]]  # type: ignore[assignment]
    units = [
        {"code": code, "name": both(code), "kind": kind, "districts": covered}
        for code, kind, covered in UNITS
    ]
    return {**BUNDLE, "time_zone": zone, "areas": areas, "units": units, "overrides": []}


def first(zone: str, month: str, later: int = 0) -> datetime:
    """The first moment of a month, or of one some months later."""
    number = int(month[:4]) * 12 + int(month[4:]) - 1 + later
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)


@dataclass
class Town:
    """A random month of a random town: its rows, who filed them, its settings."""

    seed: int
    zone: str = ""
    month: str = ""
    now: datetime = datetime.min
    settings: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    filers: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = Random(self.seed)
        self.zone, self.month = ZONES[self.seed % 2], MONTHS[self.seed // 2 % len(MONTHS)]
        start, end = first(self.zone, self.month), first(self.zone, self.month, 1)
        self.now = (
            end + timedelta(days=15, hours=3),
            end,
            start + timedelta(days=rng.randint(1, 27), hours=rng.randint(0, 23)),
            end + timedelta(days=80),
            start + timedelta(hours=1),
        )[self.seed % 5]
        self.settings = _settings(rng)
        habit = {d: rng.uniform(0.3, 2.0) for d in DISTRICTS}
        if self.seed % 3 == 0:
            habit = {"D1": 0.02, "D2": 0.05, "D3": 4.0}
        for number in range(rng.randint(30, 110)):
            row = _Life(rng, self, f"R{self.seed:03d}{number:05d}", start, end, habit).played()
            if row is not None:
                self.rows.append(row)
                crowd = rng.choice((3, 60))
                if rng.random() < 0.95:
                    month = self.filers.setdefault(row["filed_month"], {})
                    month[row["report"]] = f"d_{crowd}_{rng.randrange(crowd)}"
        self.filers.setdefault(self.month, {})


def _settings(rng: Random) -> dict[str, Any]:
    measures = scored()
    cuts = sorted(rng.sample(range(1, 100), len(measures) - 1))
    shares = [b - a for a, b in zip([0, *cuts], [*cuts, 100], strict=True)]
    return {
        "weights": dict(zip(measures, shares, strict=True)),
        "rank_from": rng.choice((1, 3, 10)),
        "audit_from": rng.choice((2, 5, 30)),
        "audit_prior": rng.choice((0, 5)),
        "unaudited_pass_rate": rng.choice((0.5, 0.7)),
        "reporter_cap": rng.choice((2, 3, 7, 25)),
        "weighing": rng.choice((1, 2)),
        "score_from": 1 + len(measures) % 3,
        "shrink_n": rng.choice((1, 5, 20)),
        "old_factor": rng.choice((3.0, 1.5)),
        "recurrence_m": rng.choice((30.0, 45.5)),
        "recurrence_days": rng.choice((60, 20)),
    }


def iso(moment: datetime) -> str:
    """In the format of the rows."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class _Over(Exception):
    """The history has reached ``now``."""


class _Life:
    """One report's life."""

    def __init__(
        self,
        rng: Random,
        town: Town,
        name: str,
        start: datetime,
        end: datetime,
        habit: dict[str, float],
    ) -> None:
        self.rng, self.town, self.name, self.habit = rng, town, name, habit
        self.start, self.end = start, end
        self.service = rng.choices(list(HOURS), (5, 4, 2, 3))[0]
        self.ward = rng.choice(WARDS) if rng.random() > 0.06 else GONE
        self.unit = "u-lamps" if self.service == "lamp" else self._home()
        self.officer: str | None = None
        self.holds: list[tuple[datetime, str, str, str | None]] = []
        self.marks: list[list[Any]] = []
        self.rounds: list[dict[str, Any]] = []
        self.state, self.agency = "submitted", None
        self.filed = self.t = self._filing()

    def _filing(self) -> datetime:
        rng = self.rng
        if rng.random() < 0.15:
            # A deadline, or the filing itself, at the month's first or last millisecond.
            edge = rng.choice((self.start, self.start - MS, self.end, self.end - MS))
            return edge - rng.choice((0, *HOURS[self.service])) * timedelta(hours=1)
        span = rng.choice((150, 70, 45, 30))
        back = self.end + timedelta(days=10) - timedelta(days=span * rng.random())
        return back.replace(microsecond=back.microsecond // 1000 * 1000)

    def _home(self) -> str:
        return f"u-{self.ward[:2].lower()}"

    def played(self) -> dict[str, Any] | None:
        """The row as it stands now; ``None`` if it is not filed yet."""
        if self.filed > self.town.now:
            return None
        self._hold()
        try:
            while True:
                self._round()
                if self.rng.random() > 0.3 or self.closed_with == "duplicate":
                    self._afterwards()
                    break
                self._reopened()
        except _Over:
            pass
        self._keep()
        return self._row()

    # What happens in a round, each step some time after the last.

    def _round(self) -> None:
        acknowledge, resolve = HOURS[self.service]
        self.since = self.t
        self.told_due = self.t + timedelta(hours=acknowledge)
        self.due = self.t + timedelta(hours=resolve)
        self.told = self.stop = self.closed = self.finished = None
        self.closed_with: str | None = None
        self.pauses: list[tuple[datetime, datetime]] = []
        self.opened_service = self.service
        rng, pace = self.rng, self.habit.get(self.ward[:2], 1.0)
        scale = pace * resolve / 4
        for _ in range(rng.choice((0, 1, 1, 2, 3, 5))):
            self._pass(rng.expovariate(1 / scale))
            self._move()
        if rng.random() < 0.04:
            self._pass(24 * 900)
        if rng.random() < 0.2:
            self._pass(rng.expovariate(1 / scale))
            self._close(rng.choice(DISMISSALS), self.t)
            return
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            self._pass(rng.expovariate(1 / scale))
            if rng.random() < 0.1 and self.due > self.t:
                self._sleep_to(self.due)
            if self.due < self.start < self.t < self.end and rng.random() < 0.3:
                self._sleep_to(self.end)  # paused until the last day
            self._finish()
            if rng.random() < 0.25:
                self._pass(rng.uniform(0, 300))
                if self._refused():
                    continue
            break
        else:
            self._pass(rng.expovariate(1 / scale))
            self._finish()
        self._ended()

    def _ended(self) -> None:
        rng = self.rng
        self._rate(0.2)
        if rng.random() < 0.08:
            self._pass(rng.uniform(0, 100))
            self._close("duplicate", self.finished)
        elif rng.random() < 0.55:
            self._pass(rng.choice((0, rng.uniform(0, 330))))
            if rng.random() < 0.8:
                self._mark("yes")
            self._close("verified", self.finished)
        else:
            self._sleep_to(self.finished + timedelta(days=14))
            self._close("unverified", self.finished)

    def _move(self) -> None:
        rng = self.rng
        moves = ("person", "person", "unit", "transfer", "agency", "pause", "speak", "service")
        what = rng.choice(moves)
        if what == "person":
            self.agency, self.officer = None, f"s_{self.unit}_{rng.randrange(3)}"
        elif what == "unit":
            self.agency, self.officer = None, None
            self.unit = rng.choice(("u-prov", "u-both", self._home()))
        elif what == "transfer":
            self.ward = rng.choice(WARDS)
            self.unit, self.officer, self.agency = self._home(), None, None
        elif what == "agency":
            self.agency = rng.choice(("u-prov", "u-lamps"))
        elif what == "service":
            self.service = rng.choice(list(HOURS))
            if self.t <= self.due:  # a missed deadline stays with the former service
                self.opened_service = self.service
        elif what == "pause":
            until = self.t + timedelta(hours=rng.choice((6, 30, 100)))
            for name in ("due", "told_due"):
                if getattr(self, name) > self.t and (name == "due" or self.told is None):
                    setattr(self, name, getattr(self, name) + (until - self.t))
            self.pauses.append((self.t, until))
            self._sleep_to(until)
        if rng.random() < 0.7 and self.told is None:
            self.told = self.t
        self._hold()

    def _finish(self) -> None:
        if self.told is None and self.rng.random() < 0.9:
            self.told = self.t
        self.finished, self.stop, self.state = self.t, self.t, "work_done"
        self._mark("finished")

    def _refused(self) -> bool:
        """Somebody refuses the repair; whether the refusal stands."""
        rng = self.rng
        citizen = rng.random() < 0.7
        self._mark("refused")
        if citizen:
            self._mark("no")
        self.stop, self.state = None, "in_progress"
        if rng.random() < 0.3:
            self._pass(rng.uniform(0, 50))
            self.stop, self.state = self.finished, "work_done"
            self._pass(rng.uniform(0, 200))
            if rng.random() < 0.7:
                # Overruled: it leaves every measure.
                self.marks = self.marks[: -2 if citizen else -1]
                return False
            self.stop, self.state = None, "in_progress"
        self._hold()
        return True

    def _close(self, resolution: str, stop: datetime) -> None:
        self.closed, self.stop, self.closed_with, self.state = self.t, stop, resolution, "closed"

    def _reopened(self) -> None:
        self._pass(self.rng.uniform(0, 700))
        self._audit(0.2)
        self._mark("reopened")
        self._keep()
        self.agency, self.state = None, "assigned"
        self._hold()

    def _afterwards(self) -> None:
        self._rate(0.35)
        self._rate(0.35)
        self._rate(0.2)
        self._pass(self.rng.uniform(0, 24 * 40))
        self._audit(0.6)

    def _audit(self, chance: float) -> None:
        if self.closed_with != "verified" and self.rng.random() < chance:
            self._mark(self.rng.choice(("audit_pass", "audit_pass", "audit_fail")))

    def _rate(self, chance: float) -> None:
        done = [mark for mark in self.marks if mark[0] == "finished"]
        if not done or self.rng.random() > chance:
            return
        self._pass(self.rng.choice((1, 30, 400)) * self.rng.random())
        here = (self.t + MS * 0).astimezone(ZoneInfo(self.town.zone)).strftime("%Y%m")
        before = [mark for mark in self.marks if mark[0].startswith("stars")]
        if before and self._month(before[-1][1]) == here:
            self.marks.remove(before[-1])
        self.marks.append([f"stars_{self.rng.randint(1, 5)}", self.t, *done[-1][2:]])

    # How it is written down.

    def _month(self, moment: datetime) -> str:
        return moment.astimezone(ZoneInfo(self.town.zone)).strftime("%Y%m")

    def _pass(self, hours: float) -> None:
        moment = self.t + timedelta(milliseconds=round(hours * 3_600_000))
        if self.rng.random() < 0.2:
            # Some steps happen in the millisecond of a deadline or of the month's start or end.
            edges = (self.start, self.end, self.end - MS, self.due, self.told_due)
            near = [edge for edge in edges if self.t < edge <= max(moment, self.t + 48 * HOUR)]
            moment = self.rng.choice(near) if near else moment
        self._sleep_to(moment)

    def _sleep_to(self, moment: datetime) -> None:
        if moment > self.town.now:
            raise _Over
        self.t = max(self.t, moment)

    def _party(self) -> tuple[str, str, str | None]:
        if self.agency:
            return self.ward, self.agency, None
        return self.ward, self.unit, self.officer

    def _hold(self) -> None:
        if not self.holds or self.holds[-1][1:] != self._party():
            self.holds.append((self.t, *self._party()))

    def _mark(self, kind: str) -> None:
        self.marks.append([kind, self.t, *self._party()])

    def _keep(self) -> None:
        heard = min((one for one in (self.told, self.stop) if one), default=None)
        self.rounds.append(
            {
                "service": self.opened_service,
                "from": iso(self.since),
                "acknowledge_due": iso(self.told_due),
                "acknowledged_at": iso(self.told) if self.told else None,
                "due": iso(self.due),
                "stop": iso(self.stop) if self.stop else None,
                "closed_at": iso(self.closed) if self.closed else None,
                "resolution": self.closed_with,
                "held": list(self._party()),
                "shares": self._shares(self.due, self.stop),
                "acknowledge_shares": self._shares(self.told_due, heard),
            }
        )

    def _shares(self, due: datetime, stop: datetime | None) -> list[list[Any]]:
        until = min(due, stop) if stop else due
        spent: dict[tuple[str, str, str | None], int] = {}
        for number, (begin, *held) in enumerate(self.holds):
            over = self.holds[number + 1][0] if number + 1 < len(self.holds) else until
            low, high = max(begin, self.since), min(over, until)
            idle = sum(
                (max(min(b, high) - max(a, low), timedelta()) for a, b in self.pauses), timedelta()
            )
            if high - low > idle:
                ms = (high - low - idle) // MS
                spent[tuple(held)] = spent.get(tuple(held), 0) + ms  # type: ignore[index]
        if not spent:
            known = [held for begin, *held in self.holds if begin <= until] or [self.holds[0][1:]]
            return [[*known[-1], 1_000_000]]
        total = sum(spent.values())
        parts = [[*held, ms * 1_000_000 // total] for held, ms in spent.items()]
        parts[0][3] += 1_000_000 - sum(part[3] for part in parts)
        return [part for part in parts if part[3]]

    def _row(self) -> dict[str, Any]:
        spot = self.rng.randrange(12)
        jitter = [self.rng.randint(-3000, 3000) for _ in range(2)]
        district = self.ward[:2]
        return {
            "report": self.name,
            "version": len(self.marks) + len(self.holds),
            "service": self.service,
            "ward": self.ward,
            "district": district,
            "unit": self.unit,
            "lat7": -61_950_000 + 20_000 * spot + jitter[0],
            "long7": 1_068_050_000 + jitter[1],
            "filed_at": iso(self.filed),
            "filed_month": self._month(self.filed),
            "state": self.state,
            "rounds": self.rounds,
            "holds": [[iso(held[0]), *held[1:]] for held in self.holds],
            "marks": [[mark[0], iso(mark[1]), *mark[2:]] for mark in self.marks],
        }
