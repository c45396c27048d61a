"""Histories of twenty people who leave every kind of personal data, and some of whom are erased.

Each person writes one unique word wherever they may write, so that a search for it finds all their
data. ``python -m tests.erasures`` plays many, a test a sample.
"""

import re
from collections import Counter
from contextlib import suppress
from typing import Any

from chalicelib.domain.people import retention as domain
from chalicelib.domain.principal import Principal
from chalicelib.errors import Problem
from chalicelib.services.city import cities
from chalicelib.services.people import claiming, closed_reports, erasure, report_contents, retention
from chalicelib.services.photos import duplicates, moderation, processing
from chalicelib.services.platform import signing
from chalicelib.services.projections import monthly_counts
from chalicelib.services.reports import engagement
from tests.support import aws, personal_data_search, photo_files
from tests.support.random_reports import SERVICES, Lives
from tests.support.world import BUNDLE, JURISDICTION, STAFF, START, WARDS, World, blob, citizen

PEOPLE = 20
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
ERASED = 7


def word(who: Principal) -> str:
    """A word that only this person writes."""
    return f"qz{who.uid}x"


class Histories(Lives):
    """Reports on which people leave words, photos and marks, their own and others' reports."""

    def __init__(self, world: World, seed: int) -> None:
        super().__init__(world, seed)
        self.people = [citizen(f"{seed}n{number:02}") for number in range(PEOPLE)]
        self.gone: list[Principal] = []
        self.former: list[Principal] = []
        self.left: Counter[str] = Counter()
        self.filed: list[str] = []

    def play_people(self, steps: int) -> None:
        """Let people file, act and say things; every so often somebody is erased."""
        for step in range(steps):
            self.world.advance(minutes=self.rng.randrange(1, 90))
            if step % 4 == 0 or not self.reports:
                self.file()
            self.act()
            self._social()
            if step and step % (steps // 3) == 0:
                self._erase()
        while len(self.gone) < ERASED:
            self._erase()
        self.world.project()
        self.world.advance(minutes=1)

    def file(self) -> None:
        """A report with words, mostly with a contact and photos."""
        rng, who = self.rng, self._somebody()
        mine = word(who)
        contact = {"email": f"{mine}@example.org", "phone": "+62811000111", "name": mine}
        more: dict[str, Any] = {"contact": contact} if rng.random() < 0.7 else {}
        if rng.random() < 0.6:
            more["photos"] = [self._photo(who) for _ in range(rng.randrange(1, 3))]
        east = rng.choice((0.5, 0.50001, 0.5001))
        spot = {"long": 106.80 + (WARDS.index(ward := rng.choice(WARDS)) + east) * 0.01}
        service = rng.choice(SERVICES)
        found = self.world.file(
            who, service, ward, description=f"{mine} a hole", landmark=mine, **spot, **more
        )
        self.reports[found["id"]] = who
        self.filed.append(found["id"])
        self._seen(found["id"])
        for photo in more.get("photos", ()):
            duplicates.register_use(JURISDICTION, found["id"], photo, self.world.now)

    def _fields(self, action: str, report: str, actor: Principal) -> dict[str, Any]:
        given = super()._fields(action, report, actor)
        if actor.kind != "citizen":
            return given
        mine = word(actor)
        fields = {"answer": {"text": mine}, "verify": {"note": mine}}
        given = fields.get(action, {"reason": mine} if action != "merge" else given)
        if action in ("refuse", "reopen") and self.rng.random() < 0.7:
            given = {**given, "photos": [self._photo(actor, processed=True)]}
        return given

    def _rate(self, who: Principal, report: str) -> None:
        op = self.world.operation(who, "rateReport", [report, self.world.now.isoformat()])
        engagement.rate(who, op, report, self.rng.randint(1, 5), word(who), self.world.now)

    def _social(self) -> None:
        """Something that is left on any report."""
        rng, world, who = self.rng, self.world, self._somebody()
        report = rng.choice(list(self.reports))
        op = world.operation(who, "social", [report, world.now.isoformat(), rng.random()])
        kind = rng.choice(("comment", "support", "follow", "unfollow", "flag", "photo", "claim"))
        mine = word(who)
        if kind == "comment":
            who = self.reports[report]
            self._try(kind, engagement.comment, who, op, report, word(who), "public", world.now)
        elif kind == "support":
            self._try(kind, engagement.support, who, op, report, world.now)
        elif kind in ("follow", "unfollow"):
            self._try(kind, engagement.follow, who, report, kind == "follow", world.now)
        elif kind == "flag":
            body = {"reason": "spam", "note": mine}
            self._try(kind, moderation.flag, who, op, report, body, world.now)
        elif kind == "photo":
            self._photo(who)
        elif rng.random() < 0.3:
            # Only a device with the secret may: a new device of the person, or of somebody who got
            # it.
            before = self.reports[report]
            if before not in self.gone:
                secret = signing.claim_secret(report, self.world.head(report).claims)
                self.former.append(before)
                self._try(kind, claiming.claim, who, op, report, secret, world.now)
                self.reports[report] = self._reporter(report) or before
        self._seen(report)

    def _reporter(self, report: str) -> Principal | None:
        uid = self.world.head(report).reporter
        return next((one for one in self.people if one.uid == uid), None)

    def _somebody(self) -> Principal:
        return self.rng.choice([one for one in self.people if one not in self.gone])

    def _photo(self, who: Principal, *, processed: bool = False) -> str:
        number = self.rng.randrange(1, 1 << 40)
        data = b"\xff\xd8\xff" + f"{word(who)} {number}".encode() * 8
        made = self.world.photo(who, data, processed=False)
        if processed or self.rng.random() < 0.7:
            told = {"facts": {"taken": "2026-11-01T08:00:00", "model": word(who)}}
            with photo_files.quick(likeness=f"{number:032x}", **told):
                processing.develop(JURISDICTION, made, self.world.now)
        return made

    def _erase(self) -> None:
        who = self._somebody()
        try:
            erasure.erase(JURISDICTION, who.uid or "", self.world.now)
        except Problem:
            pass  # They have left nothing yet.
        self.gone.append(who)
        for report, reporter in list(self.reports.items()):
            if reporter is who:
                # Nobody acts for them any more.
                del self.reports[report]
        if not self.reports:
            self.file()


def check(seed: int, steps: int) -> list[str]:
    """What is wrong after one history: traces of erased people, chains, tallies, others' words."""
    from infra.ops import verify

    world = World()
    lives = Histories(world, seed)
    lives.play_people(steps)
    before, marks = world.tallies(), _words(lives)
    lives._erase()
    lives._erase()
    world.project()
    names = [name for one in lives.gone for name in (word(one), one.uid or "")]
    found = [
        f"a trace of somebody erased: {place}" for place in personal_data_search.stored(*names)
    ]
    found += [f"a fault: {fault}" for fault in verify.check()["faults"]]
    if world.tallies() != before:
        found.append("the tallies moved")
    if monthly_counts.rebuild()["changed"]:
        found.append("the tallies are not what the timeline says")
    after = _words(lives)
    for one in lives.people:
        # What a former device wrote on a report goes with who has it now.
        kept = one not in lives.gone and one not in lives.former
        if kept and after[one.uid] != marks[one.uid]:
            found.append(f"something of {one.uid}, who was not erased, is gone")
    return found


def outlive(seed: int, steps: int) -> list[str]:
    """What is wrong once the time of everything closed is over: what is left of people on closed
    reports, what open ones lost, chains, tallies."""
    from infra.ops import verify

    world = World()
    days = {"contact_days": 60, "closed_days": 400, "cancelled_days": 200}
    cities.publish({**BUNDLE, "retention": days, "version": "d" * 12}, blob(), list(STAFF), START)
    lives = Histories(world, seed)
    lives.play_people(steps)
    for report, who in list(lives.reports.items())[::2]:
        with suppress(Problem):
            world.act(who, report, "withdraw", reason=word(who))
    world.project()
    world.advance(days=401)
    over = {one for one in lives.filed if domain.ended(closed_reports.merge_chain(world.head(one)))}
    names = [name for one in lives.people for name in (word(one), one.uid or "")]
    before, tallies = _on_reports(names, over), world.tallies()
    retention.erase_expired(cities.current(JURISDICTION, world.now), world.now)
    world.project()
    after = _on_reports(names, over)
    found = [f"left of people on a closed report: {place}" for place in after[True]]
    found += [f"gone: {place}" for place in sorted(before[False] - after[False])]
    found += [f"a fault: {fault}" for fault in verify.check()["faults"]]
    found += [] if before[True] else ["nothing was there to begin with"]
    if world.tallies() != tallies or monthly_counts.rebuild()["changed"]:
        found.append("the tallies moved")
    return found


def _on_reports(names: list[str], over: set[str]) -> dict[bool, set[str]]:
    """Where a name or a word is on reports: {whether the report is over: places}."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for place in personal_data_search.stored(*names):
        ids = set(_ULID.findall(place))
        for photo in list(ids):
            used = report_contents.report_of(JURISDICTION, photo)
            ids |= {used} if used else set()
        if ids and not any(one in place for one in ("#RATE#", "#LIKE#", "#IDEM#")):
            found[bool(ids & over)].add(place)
    return found


def _words(lives: Histories) -> Counter[Any]:
    """How many texts and files there are of each person."""
    counted: Counter[Any] = Counter()
    places = [row["doc"] or "" for row in aws.rows("people") if "#T#" in row["pk"]]
    bucket = aws.backend("s3").buckets["tanggap-files"].keys
    places += [bucket[key].value.decode("latin-1") for key in list(bucket) if "masters" in key]
    for one in lives.people:
        counted[one.uid] = sum(word(one) in place for place in places)
    return counted
