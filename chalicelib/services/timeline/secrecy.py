"""Removing references to reports that have become secret from answers about other reports.

Tests: tests/integration/test_protection.py
"""

from collections.abc import Iterable
from typing import Any

from chalicelib.domain.principal import Principal
from chalicelib.services.timeline import access
from chalicelib.storage import secrecy

# Fields of an event's data that hold the id of another report.
_REPORT_FIELDS = ("into", "duplicate")


def hidden_from(actor: Principal, wanted: Iterable[str]) -> set[str]:
    """The ids among ``wanted`` of secret reports that the actor may not know of."""
    ids = set(wanted)
    if not ids:
        return ids
    heads = secrecy.heads(actor.jurisdiction, ids).values()
    return {head.id for head in heads if head.secret and not access.exists_for(actor, head)}


def without_secret_original(actor: Principal, view: dict[str, Any]) -> dict[str, Any]:
    """A view or an answer; ``merged_into`` is empty if that report is secret."""
    into = view.get("merged_into")
    if not into or not hidden_from(actor, [into]):
        return view
    return {**view, "merged_into": None}


def without_secret_reports(actor: Principal, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a timeline without the ids of secret reports."""
    mentioned = [report for row in events for report in _reports(row.get("data", {}))]
    secret = hidden_from(actor, mentioned)
    if not secret:
        return events
    return [
        {**row, "data": _without(row["data"], secret)} if "data" in row else row for row in events
    ]


def _reports(data: dict[str, Any]) -> list[str]:
    reports = [data[name] for name in _REPORT_FIELDS if data.get(name)]
    of = data.get("of")
    return [*reports, of["report"]] if of else reports


def _without(data: dict[str, Any], secret: set[str]) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in data.items()
        if not (name in _REPORT_FIELDS and value in secret)
    }
    of = kept.get("of")
    return {**kept, "of": None} if of and of["report"] in secret else kept
