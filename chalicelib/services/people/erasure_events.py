"""Whose data are erased on a report, and the event ``erased`` that says so.

Tests: tests/integration/test_erasure.py
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib import ids
from chalicelib.domain.principal import system
from chalicelib.domain.report import Report
from chalicelib.domain.timeline_types import EventData
from chalicelib.services.platform.idempotency import keyed_operation
from chalicelib.services.timeline.append import MakeAddition, add

ERASED = "erased"


@dataclass(frozen=True)
class Person:
    """The person to erase. ``nobody`` is the anonymous name that figures use instead; ``former``
    are the uids that had a report before. ``reason``: why, if the person did not ask for it; then
    a report that is open again is left alone."""

    jurisdiction: str
    uid: str | None
    nobody: str
    former: frozenset[str] = frozenset()
    reason: str | None = None

    def spares(self, head: Report) -> bool:
        """Whether to leave a report alone, because it was reopened in between."""
        return self.reason is not None and head.open

    def data(self, texts: list[Any]) -> EventData:
        """The data of the event: which texts are erased, and the ``reason`` if there is one."""
        return {"texts": texts, **({"reason": self.reason} if self.reason else {})}


def add_erasure(jurisdiction: str, report: str, change: MakeAddition, now: datetime) -> None:
    """Write an event ``erased`` with the change to the newest head, if ``change`` makes one."""
    # A new idempotency key each time: the data say whether there is anything to do.
    op = keyed_operation(system(jurisdiction), ERASED, report, "")
    op = replace(op, id=ids.token_bytes(20).hex())
    add(system(jurisdiction), op, report, ERASED, change, now)
