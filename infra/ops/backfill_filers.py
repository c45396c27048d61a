"""Adds the filer to older reports: the person, not the key or official that filed for them.

Only private fields of heads and the index of filers change, so there is no event. Months with a
provisional or draft scorecard keep their weights.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache

from chalicelib.domain import filer
from chalicelib.domain.report import Report
from chalicelib.domain.timestamps import shifted
from chalicelib.services.identity import filers
from chalicelib.services.scorecards import lifecycle
from chalicelib.storage import people, report_filers, scorecards
from chalicelib.storage.transactions import Refused, Write, commit

Judged = Callable[[str, str], bool]


def judged() -> Judged:
    """Whether a city's month has a provisional or draft scorecard (each read once)."""

    @cache
    def is_judged(jurisdiction: str, month: str) -> bool:
        scored_month = scorecards.month(jurisdiction, month)
        return scored_month is not None and scored_month["stage"] != lifecycle.LIVE

    return is_judged


def with_filer(head: Report, is_judged: Judged) -> tuple[Report, list[Write]]:
    """The head with its filer, and the rows to write with it; unchanged if the filer is known."""
    jurisdiction, month = head.jurisdiction, head.filed_month
    if head.filer is not None or (head.reporter is None and head.via is None):
        return head, []
    counted = report_filers.filer(jurisdiction, month, head.id)
    # A report from a channel may have been claimed in the meantime.
    claimed = counted if counted and counted.startswith(filer.CHANNELS) else None
    via = head.via or claimed
    if via is None:
        writes = [people.put_trace(jurisdiction, head.reporter or "", people.FILED, head.id)]
        return replace(head, filer=counted or head.reporter), list[Write](writes)
    contact = people.contact(jurisdiction, head.contact) if head.contact else None
    pseudonym = filers.pseudonym(jurisdiction, contact or {})
    changed = replace(head, via=via, filer=pseudonym or filer.by_report(head.id))
    who = head.reporter or pseudonym
    rows: list[Write] = []
    if who:
        rows.append(people.put_trace(jurisdiction, who, people.FILED, head.id))
    if counted == via and not is_judged(jurisdiction, month):
        rows.append(report_filers.put_filer(jurisdiction, month, head.id, changed.filer or ""))
    return changed, rows


def register(head: Report, is_judged: Judged) -> None:
    """Count the filer as a registered user instead of the channel.

    From the month of filing on, or from the first month without a scorecard.
    """
    if head.via is None:
        return
    jurisdiction, month = head.jurisdiction, head.filed_month
    commit([report_filers.forget_reporter(jurisdiction, head.via)])
    if head.filer is None or report_filers.filer(jurisdiction, head.filed_month, head.id) is None:
        return
    while is_judged(jurisdiction, month):
        month = shifted(month, 1)
    with suppress(Refused):
        commit([report_filers.filed_by(jurisdiction, month, head.filer)])
