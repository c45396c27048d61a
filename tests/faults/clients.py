"""People and officials as clients: they tap, they get an answer or none, they tap again.

A request that was killed or answered 503 is repeated under the same key; what never got an
answer waits in ``Record.open`` until the faults have ended. Every answer is kept, so that the
checkers can compare the stored data with it.
"""

import hashlib
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalicelib.domain.principal import Principal
from chalicelib.entrypoints import batches
from chalicelib.errors import Problem
from chalicelib.services.people import claiming
from chalicelib.services.platform.idempotency import KeyedOperation, Outcome, keyed_operation
from chalicelib.services.reports import actions, engagement, intake
from tests.faults.world import World

TRIES = 3
IP = "203.0.113.7"


@dataclass(frozen=True)
class Answered:
    """A request that got an answer: ``answer`` of a success, or the ``refusal``'s slug."""

    kind: str
    op: str
    who: str
    report: str | None
    answer: dict[str, Any] | None = None
    refusal: str | None = None
    body: str = ""


@dataclass
class Record:
    """What the clients of a history know."""

    answers: list[Answered] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    # Whether people are erased, whose marks and texts are then gone.
    erasing: bool = False
    open: list[Callable[[], None]] = field(default_factory=list)


@dataclass
class Clients:
    """Makes requests on the product's services in one world."""

    world: World
    record: Record

    def file(self, who: Principal, key: str, body: dict[str, Any]) -> Callable[[], None]:
        """File a report."""

        def call(op: KeyedOperation) -> Outcome:
            return intake.file_report(who, op, body, intake.Origin(IP, ("en",)), self.world.now())

        return self._request("file", who, "fileReport", key, str(body), None, call)

    def act(
        self, who: Principal, key: str, report: str, body: dict[str, Any]
    ) -> Callable[[], None]:
        """Take an action on a report."""

        def call(op: KeyedOperation) -> Outcome:
            return actions.act(who, op, report, body, self.world.now())

        route = f"actOnReport:{report}"
        return self._request(body["action"], who, route, key, str(body), report, call)

    def support(self, who: Principal, key: str, report: str) -> Callable[[], None]:
        """Say "me too"."""

        def call(op: KeyedOperation) -> Outcome:
            return engagement.support(who, op, report, self.world.now())

        return self._request("support", who, f"supportReport:{report}", key, "", report, call)

    def comment(self, who: Principal, key: str, report: str, text: str) -> Callable[[], None]:
        """Comment in public."""

        def call(op: KeyedOperation) -> Outcome:
            return engagement.comment(who, op, report, text, "public", self.world.now())

        return self._request("comment", who, f"commentReport:{report}", key, text, report, call)

    def rate(self, who: Principal, key: str, report: str, stars: int) -> Callable[[], None]:
        """Rate the work."""

        def call(op: KeyedOperation) -> Outcome:
            return engagement.rate(who, op, report, stars, None, self.world.now())

        return self._request("rate", who, f"rateReport:{report}", key, str(stars), report, call)

    def claim(self, who: Principal, key: str, report: str, secret: str) -> Callable[[], None]:
        """Make another device the reporter."""

        def call(op: KeyedOperation) -> Outcome:
            return claiming.claim(who, op, report, secret, self.world.now())

        return self._request("claim", who, f"claimReport:{report}", key, secret, report, call)

    def sweep(self) -> Callable[[], None]:
        """The SLA clock's function; trouble in AWS ends it, and the next one goes on."""

        def attempt() -> None:
            outcome = self.world.invoke(lambda: batches.sweep_clocks(_Unhurried()))
            if outcome.kind == "error" and not _again(outcome.value):
                where = traceback.extract_tb(outcome.value.__traceback__)[-1]
                self.record.crashes.append(f"sweep: {outcome.value!r} at {where.lineno}")

        return attempt

    def _request(  # noqa: PLR0913 (what one request is made of)
        self,
        kind: str,
        who: Principal,
        route: str,
        key: str,
        body: str,
        report: str | None,
        call: Callable[[KeyedOperation], Outcome],
    ) -> Callable[[], None]:
        op = keyed_operation(who, route, key, hashlib.sha256(body.encode()).hexdigest())

        def attempt() -> None:
            for _ in range(TRIES):
                outcome = self.world.invoke(lambda: call(op))
                if outcome.kind == "ok":
                    done = outcome.value.answer
                    place = report or done["id"]
                    self.record.answers.append(
                        Answered(kind, op.id, who.uid or "", place, done, body=op.body_hash)
                    )
                    return
                if outcome.kind == "error" and not _again(outcome.value):
                    self._end(kind, op, who, report, outcome.value)
                    return
            self.record.open.append(attempt)

        return attempt

    def _end(
        self, kind: str, op: KeyedOperation, who: Principal, report: str | None, error: Exception
    ) -> None:
        if isinstance(error, Problem):
            self.record.answers.append(
                Answered(kind, op.id, who.uid or "", report, None, error.slug, op.body_hash)
            )
        else:
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            self.record.crashes.append(f"{kind}: {type(error).__name__} at {where}: {error}")


def retried(
    world: World, record: Record, name: str, work: Callable[[], None]
) -> Callable[[], None]:
    """A command that may stop anywhere and is run again until it finishes."""

    def attempt() -> None:
        for _ in range(TRIES):
            outcome = world.invoke(work)
            if outcome.kind == "ok":
                return
            if outcome.kind == "error" and not _again(outcome.value):
                if not isinstance(outcome.value, Problem):
                    where = traceback.extract_tb(outcome.value.__traceback__)[-1]
                    record.crashes.append(f"{name}: {outcome.value!r} at {where}")
                return
        record.open.append(attempt)

    return attempt


class _Unhurried:
    """A context with time enough."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


def _again(error: Exception) -> bool:
    return isinstance(error, Problem) and error.status == 503
