"""How long personal data are kept: classes, each with a number of days in the city's data.

- ``contact``: how to reach a reporter or a follower, from the report's closing
- ``closed``: texts, photos, marks of people and the reporter, from the report's closing
- ``cancelled``: the same for reports that were not the city's work (rejected, not ours,
  withdrawn)
- ``originals``: uploads kept as evidence, from the upload
- ``addresses``: an address's choices and bounces, from the last message that was due to it

A class without days is kept until somebody asks for erasure. Open reports are never touched.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from chalicelib.domain.report import Report
from chalicelib.domain.sla.timers import DISOWNED

CONTACT, CLOSED, CANCELLED = "contact", "closed", "cancelled"
ORIGINALS, ADDRESSES = "originals", "addresses"
OF_REPORTS = (CONTACT, CLOSED, CANCELLED)
CLASSES = (*OF_REPORTS, ORIGINALS, ADDRESSES)
REASON = "retention"


def setting(kind: str) -> str:
    """The name of a class's number of days in the city's data."""
    return f"{kind}_days"


def cutoff(days: dict[str, int], kind: str, now: datetime) -> datetime | None:
    """Data older than this moment have passed their time; ``None`` without days."""
    kept = days.get(setting(kind))
    return None if kept is None else now - timedelta(days=kept)


def ended(chain: Iterable[Report]) -> tuple[datetime, str] | None:
    """(when the report was over, ``CLOSED`` or ``CANCELLED``); ``None`` while it is open.

    ``chain``: the report, the original that it is merged into, and so on. The reporter of a
    duplicate has rights in the original, so the time begins when the last of them is closed.
    """
    last, kind = None, CLOSED
    for report in chain:
        if report.open or report.closed_at is None:
            return None
        last = report.closed_at if last is None else max(last, report.closed_at)
        kind = CANCELLED if report.resolution in DISOWNED else CLOSED
    return None if last is None else (last, kind)
