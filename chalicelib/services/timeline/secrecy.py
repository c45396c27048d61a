"""Removing references to reports that have become secret from answers about other reports.

Tests: tests/integration/test_protection.py
"""

from collections.abc import Iterable
from typing import TypeVar, cast

from chalicelib.domain.principal import Principal
from chalicelib.domain.timeline_types import EventData
from chalicelib.services.platform.answer_types import (
    ActionAnswer,
    CaseView,
    PublicView,
    TimelineRow,
)
from chalicelib.services.timeline import access
from chalicelib.storage import secrecy

# Fields of an event's data that hold the id of another report.
_REPORT_FIELDS = ("into", "duplicate")


View = TypeVar("View", PublicView, CaseView, ActionAnswer)


def hidden_from(actor: Principal, wanted: Iterable[str]) -> set[str]:
    """The ids among ``wanted`` of secret reports that the actor may not know of."""
    ids = set(wanted)
    if not ids:
        return ids
    heads = secrecy.heads(actor.jurisdiction, ids).values()
    return {head.id for head in heads if head.secret and not access.exists_for(actor, head)}


def without_secret_original(actor: Principal, view: View) -> View:
    """A view or an answer; ``merged_into`` is empty if that report is secret."""
    into = view.get("merged_into")
    if not into or not hidden_from(actor, [into]):
        return view
    return cast(View, {**view, "merged_into": None})


def without_secret_reports(actor: Principal, events: list[TimelineRow]) -> list[TimelineRow]:
    """The rows of a timeline without the ids of secret reports."""
    mentioned = [report for row in events for report in _reports(row.get("data", EventData()))]
    secret = hidden_from(actor, mentioned)
    if not secret:
        return events
    return [
        {**row, "data": _without(row["data"], secret)} if "data" in row else row for row in events
    ]


def _reports(data: EventData) -> list[str]:
    reports = [id_ for id_ in (data.get("into"), data.get("duplicate")) if id_]
    of = data.get("of")
    return [*reports, of["report"]] if of else reports


def _without(data: EventData, secret: set[str]) -> EventData:
    kept = {
        name: value
        for name, value in data.items()
        if not (name in _REPORT_FIELDS and value in secret)
    }
    of = data.get("of")
    if of and of["report"] in secret:
        kept["of"] = None
    return cast(EventData, kept)
