"""For how long personal data are kept: classes, each with the days that a city sets in its data.

``contact``    how a reporter or a follower can be reached, since the report was closed
``closed``     words, photos and marks of people and whose a report was, since it was closed
``cancelled``  the same of what the city had nothing to do about (rejected, not ours, withdrawn)
``originals``  uploads kept as evidence, since they came
``addresses``  what an address chose and what bounced there, since something was last to be sent

A class without days is kept until somebody asks. A report that is open is left alone.
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
    """The name of a class's days in the city's data."""
    return f"{kind}_days"


def cutoff(days: dict[str, int], kind: str, now: datetime) -> datetime | None:
    """What is as old as this is over its time; ``None`` where the city set no days."""
    kept = days.get(setting(kind))
    return None if kept is None else now - timedelta(days=kept)


def ended(chain: Iterable[Report]) -> tuple[datetime, str] | None:
    """(when it was over, ``CLOSED`` or ``CANCELLED``) of a report: ``chain`` is it, the original
    that it is merged into, and so on; ``None`` while any of them is open.

    A duplicate's reporter has rights in the original, so its time begins when that is closed too.
    """
    last, kind = None, CLOSED
    for one in chain:
        if one.open or one.closed_at is None:
            return None
        last = one.closed_at if last is None else max(last, one.closed_at)
        kind = CANCELLED if one.resolution in DISOWNED else CLOSED
    return None if last is None else (last, kind)
