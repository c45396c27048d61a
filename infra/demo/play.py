"""Plays the demo's days: filings and everybody's steps, in the order of their times."""

import heapq
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from infra.demo import model
from infra.demo.acting import Acting, Prepared
from infra.demo.case import Case, Rules
from infra.demo.client import Request
from infra.demo.counts import Counts
from infra.demo.courier import Courier
from infra.demo.officials import Place
from infra.demo.rows import WIB, Row
from infra.demo.watch import Watch
from infra.local.stack import LocalStack

_WORK_OFF_REQUESTS = 60
_WORK_OFF_TIME = timedelta(hours=6)
# How long a worker's photos wait to be processed together; then the workers finish their reports.
_PHOTOS_WAIT = timedelta(hours=1)
# Computed at midnight only; the product does it each hour.
_BY_THE_DAY = ("keep_scorecards", "write_open_data")
# Long enough for the first month's draft, which is made on the 16th of the next month.
DAYS = 30
Show = Callable[[datetime, Counts, int], None]


@dataclass(frozen=True)
class Plan:
    """How much is played: the seed, the share of reports that anybody acts on, and the days
    after the last filing."""

    seed: int
    share: float = 1.0
    days: int = DAYS


class Play:
    """One run. The background functions of ``stack`` are run by hand between the requests."""

    def __init__(  # noqa: PLR0913 (the parts of one run, put together in one place)
        self,
        stack: LocalStack,
        courier: Courier,
        acting: Acting,
        counts: Counts,
        watch: Watch,
        plan: Plan,
        show: Show,
    ) -> None:
        self.cases: dict[str, Case] = {}
        self.seconds: dict[str, float] = dict.fromkeys(
            ("filings", "actions", "photos", "background", "nightly"), 0.0
        )
        self._stack = stack
        self._courier = courier
        self._acting = acting
        self._counts = counts
        self._watch = watch
        self._plan = plan
        self._show = show
        self._agenda: list[tuple[datetime, int, Case, model.Step, bool]] = []
        self._order = count()
        self._uploaded: list[tuple[Case, model.Step, Prepared]] = []
        self._process_at = stack.clock.now()
        self._since_work = 0
        self._worked = stack.clock.now()
        first = stack.clock.now().astimezone(WIB).replace(hour=0, minute=0, second=0, microsecond=0)
        self._midnight = first + timedelta(days=1)

    def run(self, rows: list[Row]) -> None:
        """File every row at its time and play until the end of the plan."""
        end = rows[-1].at + timedelta(days=self._plan.days)
        waiting = iter(rows)
        row = next(waiting, None)
        while row is not None or (self._agenda and self._agenda[0][0] <= end):
            if row is not None and (not self._agenda or row.at <= self._agenda[0][0]):
                self._go_to(row.at)
                self._timed("filings", self._file, row)
                row = next(waiting, None)
            else:
                moment, _, case, step, aside = heapq.heappop(self._agenda)
                self._go_to(moment)
                self._timed("actions", self._step, case, step, aside)
            self._show(self._stack.clock.now(), self._counts, len(self._watch.distinct))
        self._go_to(end)
        self._finish_uploaded()
        self.work_off()
        # A digest is sent when its hour is over.
        self._stack.clock.set(end + timedelta(hours=1))
        self.work_off()

    def work_off(self) -> None:
        """Run all background functions that have work, and collect the alerts."""
        now = self._stack.clock.now()
        # Collected before the clock moves, so that each message is counted in its own hour.
        collect = self._watch.collect
        self._timed("background", self._stack.tick, now, without=_BY_THE_DAY, then=collect)
        self._since_work, self._worked = 0, self._stack.clock.now()

    def _timed(self, part: str, work: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        began = time.perf_counter()
        work(*arguments, **named)
        self.seconds[part] += time.perf_counter() - began

    def _go_to(self, moment: datetime) -> None:
        while self._midnight <= moment:
            self._finish_until(self._midnight)
            self._stack.clock.set(self._midnight)
            self.work_off()
            for name in _BY_THE_DAY:
                self._timed("nightly", self._stack.fire, name)
            if self._midnight.day == model.AUDIT_DAY:
                self._timed("actions", self._acting.audit, self._sham, self._midnight)
            self._midnight += timedelta(days=1)
        self._finish_until(moment)
        self._stack.clock.set(moment)
        self._since_work += 1
        if self._since_work >= _WORK_OFF_REQUESTS or moment - self._worked >= _WORK_OFF_TIME:
            self.work_off()

    def _finish_until(self, moment: datetime) -> None:
        if self._uploaded and self._process_at <= moment:
            self._stack.clock.set(self._process_at)
            self._finish_uploaded()

    def _finish_uploaded(self) -> None:
        """Process the photos that were uploaded, and send the actions that need them."""
        uploaded, self._uploaded = self._uploaded, []
        self._timed("photos", self._stack.drain)
        self._timed("background", self._watch.collect)
        for case, step, prepared in uploaded:
            if case.situation != step.situation:
                # The report has changed while the photo was processed.
                continue
            self._timed("actions", self._acting.send, case, step, prepared)
            if case.situation != step.situation:
                self._draw(case)

    def _file(self, row: Row) -> None:
        rng = random.Random(f"{self._plan.seed}:{row.number}")
        device = self._acting.device()
        contactable = rng.random() < model.CONTACT_SHARE
        body: dict[str, Any] = {"service": row.service, "lat": row.lat, "long": row.long}
        if row.description:
            body["description"] = row.description
        if row.landmark:
            body["landmark"] = row.landmark
        if contactable:
            body["contact"] = {"email": f"reporter-{row.number}@example.org"}
        body |= {"channel": "import", "language": "id"}
        chance = random.Random(f"{self._plan.seed}:{row.number}:photo").random()
        if chance < model.PHOTO_SHARE * self._plan.share:
            key = self._acting.key(row.number, "photo")
            if photo := self._acting.photo(device, key, repaired=False):
                body["photos"] = [photo]
        key = self._acting.key(row.number, "file")
        reply = self._courier.send(Request("POST", "/v1/reports", device, key, body))
        self._counts.filing(row, reply)
        if not reply.accepted:
            return
        report = reply.body
        case = Case(
            number=row.number,
            id=report["id"],
            reporter=device,
            place=Place(
                report["unit"]["code"], report["district"]["code"], report["service"]["code"]
            ),
            filed_at=row.at,
            contactable=contactable,
            offered=[duplicate["id"] for duplicate in report["possible_duplicates"]],
            rng=rng,
            version=report["version"],
        )
        self.cases[case.id] = case
        if rng.random() < self._plan.share:
            for step in model.asides(rng):
                self._note(row.at, case, step, aside=True)
            self._draw(case)

    def _draw(self, case: Case) -> None:
        case.steps += 1
        if case.steps > model.STEPS_AT_MOST:
            return
        district = model.diligence(self._plan.seed, case.place.district)
        joins = self._original(case) is not None
        step = model.next_step(case.situation, case.rng, joins, district, case.sham)
        if step is not None and (step.action != "ask" or case.contactable):
            if step.action == "finish":
                case.sham = case.rng.random() < district.sham
            self._note(self._stack.clock.now(), case, step, aside=False)

    def _note(self, since: datetime, case: Case, step: model.Step, *, aside: bool) -> None:
        district = model.diligence(self._plan.seed, case.place.district)
        moment = since + model.delay(step, case.rng, district, case.sham)
        heapq.heappush(self._agenda, (moment, next(self._order), case, step, aside))

    def _step(self, case: Case, step: model.Step, aside: bool) -> None:
        now = self._stack.clock.now()
        if aside:
            self._acting.aside(case, step, now)
            return
        if case.situation != step.situation:
            # The report has changed in the meantime; the step no longer applies.
            return
        if step.action == "finish":
            self._upload(case, step, now)
            return
        original = self._original(case) if step is model.MERGE else None
        moved = self._acting.take(case, step, original, now)
        if step is model.MERGE and not moved:
            case.offered.clear()
        if step is model.MERGE or case.situation != step.situation:
            self._draw(case)

    def _upload(self, case: Case, step: model.Step, now: datetime) -> None:
        """Upload the photo of a repair. The API accepts the repair when the photo is processed."""
        prepared = self._acting.prepare(case, step, None, now)
        if prepared is None:
            return
        if not self._uploaded:
            self._process_at = now + _PHOTOS_WAIT
        self._uploaded.append((case, step, prepared))

    def _sham(self, report: str) -> bool:
        case = self.cases.get(report)
        return case is not None and case.sham

    def _original(self, case: Case) -> Case | None:
        """The nearest older report that was offered as a possible duplicate and is still open."""
        cases = (self.cases[report] for report in case.offered if report in self.cases)
        return next((original for original in cases if original.state != "closed"), None)


def rules(courier: Courier, agencies: list[str]) -> Rules:
    """The city's rules that the people of the demo need, read from the API."""
    services = courier.get("/v1/services").body["services"]
    workflow = courier.get("/v1/workflow").body
    hours = {service["code"]: float(service["resolve_hours"]) for service in services}
    return Rules(hours, workflow["reasons"], agencies)
