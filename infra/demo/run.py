"""A whole run: play the days, read the results, send everything again, make the document."""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.notifications import alerts
from infra.demo import courier as sending
from infra.demo import mapped
from infra.demo.acting import Acting
from infra.demo.audience import AT_MOST
from infra.demo.background import Background
from infra.demo.case import Case
from infra.demo.client import Connection
from infra.demo.clock_steps import ClockSteps
from infra.demo.counts import Counts
from infra.demo.courier import Courier
from infra.demo.officials import Officials, Tokens
from infra.demo.play import Plan, Play, rules
from infra.demo.rows import WIB, Row
from infra.demo.show import Progress
from infra.demo.stage import Stage
from infra.demo.watch import Watch

_RESOLUTIONS = ("verified", "unverified", "rejected", "duplicate", "not_ours", "withdrawn")


class Run:
    """One run on a stage. ``names`` are the wards' names, ``seconds`` the time of each part."""

    def __init__(self, stage: Stage, rows: list[Row], plan: Plan) -> None:
        self._stage, self._rows, self._plan = stage, rows, plan
        stack = stage.stack
        self._connection = Connection(stack.url)
        self._courier = Courier(self._connection, Tokens(stack.token, stack.clock.now))
        self._counts = Counts()
        self._watch = Watch(stack.has_messages)
        self._progress = Progress(len(rows))
        self.seconds: dict[str, float] = {}
        self.found: dict[str, Any] = {}
        self._steps = ClockSteps()

    @property
    def names(self) -> dict[str, str]:
        """The accepted reports' wards by code."""
        return self._counts.ward_names

    def play(self, twice: bool) -> dict[str, Any]:
        """Play everything and make the document of the answers."""
        stack = self._stage.stack
        storage = Connection(_endpoint())
        acting = Acting(
            self._courier,
            storage,
            Officials(self._stage.staff),
            rules(self._courier, self._stage.agencies),
            self._counts,
            self._plan.seed,
        )
        play = Play(
            stack, self._courier, acting, self._counts, self._watch, self._plan, self._progress
        )
        background = Background(stack.app) if twice else None
        try:
            play.run(self._rows)
            self.seconds |= play.seconds
            self._read(play)
            if background:
                self._timed("replay", lambda: self._twice(play, background))
        finally:
            if background:
                background.remove()
        self.found["requests"] = self._connection.sent + storage.sent
        self._timed("rebuild", self._rebuild)
        self._progress.end()
        storage.close()
        self._connection.close()
        return self.found

    def _read(self, play: Play) -> None:
        cases = list(play.cases.values())
        for case in cases:
            # The clock may have changed it after the last action.
            case.learn(self._courier.get(f"/v1/reports/{case.id}").body)
        self._read_timelines(cases)
        tallies = self._tallies()
        closed = Counter(case.resolution for case in cases if case.state == "closed")
        self.found = {
            "source": self._stage.source,
            "seed": self._plan.seed,
            "city": self._city(),
            **self._counts.document(),
            "alerts": len(self._watch.distinct),
            "alerts_delivered": self._watch.delivered,
            "closed": {str(name): n for name, n in sorted(closed.items(), key=str)},
            "open": dict(sorted(Counter(c.state for c in cases if c.state != "closed").items())),
            **self._steps.document(),
            "scorecard": self._scorecard(),
            "tallies": tallies,
            "tallies_agree": self._agree(tallies, closed),
            "map": mapped.read(
                self._courier, self._counts.accepted, self._counts.accepted - closed.total()
            ),
            "alerts_agree": self._alerts_counted() == self._alerts_due(),
            **self._watch.audience.document(),
        }

    def _read_timelines(self, cases: list[Case]) -> None:
        """Read every report's events as an auditor: the public does not see all that alert."""
        officials, chance = Officials(self._stage.staff), random.Random(self._plan.seed)
        for number, case in enumerate(cases, 1):
            auditor = officials.officer("auditor", case.place, chance)
            events = self._courier.get(f"/v1/reports/{case.id}/case", auditor).body["timeline"]
            if events[0]["version"] > 1:
                raise RuntimeError(f"{case.id} has more events than the officials' view shows")
            self._steps.add(events)
            self._progress.line(f"reading timelines {number}/{len(cases)}")

    def _scorecard(self) -> dict[str, Any] | None:
        """The public scorecard of the first month, as it ended."""
        month = self._rows[0].at.astimezone(WIB).strftime("%Y%m")
        reply = self._courier.get(f"/v1/scorecards/{month}")
        if not reply.accepted:
            return None
        kept = ("month", "stage", "revision", "digest", "city", "districts", "units")
        return {name: reply.body[name] for name in kept}

    def _twice(self, play: Play, background: Background) -> None:
        ids = list(play.cases)
        before = self._everything(ids)
        total = len(self._courier.kept)
        outcome = sending.replay(
            self._courier, lambda n: self._progress.line(f"sent again {n}/{total}")
        )
        self._progress.line("running every background function again", at_once=True)
        runs = background.again()
        play.work_off()
        self.found |= {
            "replayed": outcome["replayed"],
            "created_on_replay": outcome["created"],
            "replay": {
                "requests": total,
                "refused_again": outcome["refused_again"],
                "different": outcome["different"],
                "background": runs,
                "unchanged": before == self._everything(ids),
            },
        }

    def _everything(self, ids: list[str]) -> dict[str, Any]:
        """The state that must stay the same when everything is sent again."""
        return {
            "heads": sending.heads(self._courier, ids),
            "tallies": self._tallies(),
            "alerts": (len(self._watch.distinct), self._watch.delivered),
            "letters": len(self._stage.stack.mail()),
        }

    def _rebuild(self) -> None:
        from chalicelib.services.projections import monthly_counts

        outcome = monthly_counts.rebuild()
        self.found["rebuild"] = {name: outcome[name] for name in ("tallies", "changed")}

    def _city(self) -> dict[str, str]:
        health = self._courier.get("/v1/health").body
        return {"jurisdiction": health["jurisdiction"], "version": health["version"]}

    def _tallies(self) -> dict[str, dict[str, int]]:
        """The city's tally of every month that was played."""
        months = _months(self._rows[0].at, self._rows[-1].at + timedelta(days=self._plan.days))
        return {month: self._courier.get(f"/v1/tallies/{month}").body["city"] for month in months}

    def _agree(self, tallies: dict[str, dict[str, int]], closed: Counter[str | None]) -> bool:
        """Whether the monthly counts equal the counts of the answers."""
        total: Counter[str] = Counter()
        for tally in tallies.values():
            total.update(tally)
        counted = {
            "received": self._counts.accepted,
            "open": self._counts.accepted - closed.total(),
            "finished": self._counts.actions["finish"],
            "reopened": self._counts.actions["reopen"],
            "ratings": self._counts.actions["rate"],
            "supported": self._counts.actions["support"],
            **{name: closed[name] for name in _RESOLUTIONS},
        }
        return all(total[name] == n for name, n in counted.items())

    def _alerts_counted(self) -> int:
        """The alerts of actions that always alert officials."""
        sometimes = alerts.sometimes_alerting()
        return sum(key.split(":")[3] not in sometimes for key in self._watch.distinct)

    def _alerts_due(self) -> int:
        """One for each filing, and one for each action in rules/alerts.json."""
        alerting = alerts.always_alerting()
        # Only the reporter's comments alert officials.
        by_people = sum(self._counts.actions[name] for name in alerting - {"comment"})
        return self._counts.accepted + by_people + self._steps.alerts_due()

    def _timed(self, part: str, work: Callable[[], None]) -> None:
        began = time.perf_counter()
        work()
        self.seconds[part] = time.perf_counter() - began


def checks(document: dict[str, Any]) -> dict[str, bool]:
    """What must be true after every run, and whether it is in this document."""
    recorded, replay = document["ward_as_recorded"], document.get("replay", {})
    results = {
        "every report lies in the ward that the archive names": (
            recorded["agree"] == recorded["rows"]
        ),
        "the monthly counts equal the answers": document["tallies_agree"],
        "the map equals the answers": document["map"]["agree"],
        "there is one alert for each event that officials are told of": document["alerts_agree"],
        f"no official gets more than {AT_MOST} messages an hour, urgent ones not counted": (
            document["fullest_hour"]["messages"] <= AT_MOST
        ),
        "every message reaches somebody": document["messages_to_nobody"] == 0,
        "recomputing the monthly counts changes nothing": document["rebuild"]["changed"] == 0,
    }
    if replay:
        results |= {
            "sending every request again creates nothing": document["created_on_replay"] == 0,
            "sending every request again gives the same answers": replay["different"] == 0,
            "sending and running everything again changes nothing": replay["unchanged"],
        }
    return results


def _months(first: datetime, last: datetime) -> list[str]:
    day, months = first.astimezone(WIB), []
    while day <= last.astimezone(WIB) + timedelta(days=1):
        months.append(day.strftime("%Y%m"))
        day += timedelta(days=1)
    return sorted(set(months))


def _endpoint() -> str:
    return os.environ["AWS_ENDPOINT_URL"]
