"""Histories with what happens in a city in a year: people who file through a key, erasures, a
second version of the city, old reports that are imported, proposals for protection.

They have the same faults and checkers as those of ``histories.py``.
"""

import random
from copy import deepcopy
from datetime import timedelta
from typing import Any

from chalicelib.domain.principal import FOR_MANY, Principal
from chalicelib.domain.report import Report
from chalicelib.services.city import cities
from chalicelib.services.people import erasure
from chalicelib.services.reports import city_migration, legacy_import
from tests.faults import histories
from tests.faults.checkers import CANARY
from tests.faults.clients import retried
from tests.faults.histories import KINDS, Actor, Result
from tests.faults.scheduler import Chance
from tests.faults.world import World
from tests.support import warm_city
from tests.support.world import JURISDICTION, STAFF, WARDS, blob

MIXED_KINDS = {
    **KINDS, "filed_for": 4, "erase": 2, "second_version": 1, "moves": 1, "imported": 2,
    "citizen": 6, "later": 3,
}  # fmt: skip
KEY = Principal("citizen", JURISDICTION, "k_partner", permissions=frozenset({FOR_MANY}))
SECOND = "000000000002"


def play(seed: object) -> Result:
    """Play the mixed history of a seed in an AWS that ``aws.start`` has made."""
    with World(Chance(f"mixed {seed}", histories.P), seed=seed) as world:
        history = _Mixed(world, random.Random(f"mixed plan {seed}"))
        faults = history.play()
        answers = [str(answer) for answer in history.record.answers]
        return Result(seed, faults, world.schedule, list(map(str, world.calls)), answers)


class _Mixed(histories._History):
    def __init__(self, world: World, plan: random.Random) -> None:
        super().__init__(world, plan)
        self.kinds = MIXED_KINDS
        self.record.erasing = True

    def _filed_for(self) -> list[Actor]:
        """Somebody files through the key of another system, some of them with a contact."""
        body = self._body(KEY)
        body.pop("photos", None)
        if self.plan.random() < 0.7:
            body["contact"] = {"email": f"{CANARY}{self.plan.randint(1, 3)}@example.org"}
        return [("key", self.clients.file(KEY, self._key(), body))]

    def _erase(self) -> list[Actor]:
        head = self._head()
        if head is None:
            return []

        def erase() -> None:
            erasure.erase(JURISDICTION, head.id, self.world.now())

        return [("erase", retried(self.world, self.record, "erase", erase))]

    def _second_version(self) -> list[Actor]:
        def publish() -> None:
            cities.publish(second_bundle(), second_boundaries(), list(STAFF), self.world.now())

        return [("publish", retried(self.world, self.record, "publish", publish))]

    def _moves(self) -> list[Actor]:
        def run() -> None:
            city_migration.run(JURISDICTION, self.world.now())

        return [("moves", retried(self.world, self.record, "moves", run))]

    def _imported(self) -> list[Actor]:
        number = self.plan.randint(1, 4)
        lat, long = warm_city.SPOTS[self.plan.choice(list(warm_city.SPOTS))]
        filed = self.world.now() - timedelta(days=40 + number)
        old = legacy_import.LegacyReport(
            "old", f"{number}", "pothole", lat, long, filed.replace(minute=number, second=0),
            closed_at=filed + timedelta(days=2), resolution="verified",
            description=f"{CANARY} old {number}",
        )  # fmt: skip

        def put() -> None:
            legacy_import.import_report(
                cities.current(JURISDICTION, self.world.now()), old, self.world.now()
            )

        return [("import", retried(self.world, self.record, "import", put))]

    def _given(self, name: str, head: Report, who: Principal) -> dict[str, Any] | None:
        if name == "protect":
            return {"service": "violence", "reason": f"{CANARY} a child"}
        return super()._given(name, head, who)


def second_bundle() -> dict[str, Any]:
    """The city's second version: ward D1-W2 has another code, and there is one more unit."""
    found = deepcopy(warm_city.bundle())
    for area in found["areas"]:
        if area["code"] == "D1-W2":
            area["code"] = "D1-N2"
    found["units"].append({**found["units"][2], "code": "parks"})
    found["successors"] = {"areas": {"D1-W2": ["D1-N2"]}, "units": {}, "services": {}}
    return {**found, "version": SECOND}


def second_boundaries() -> bytes:
    """The same squares under the new codes."""
    return blob(tuple("D1-N2" if ward == "D1-W2" else ward for ward in WARDS))
