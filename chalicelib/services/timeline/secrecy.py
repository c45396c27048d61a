"""What other answers say of a report that became secret after they were written: nothing."""

from collections.abc import Callable, Iterable
from typing import Any

from chalicelib.domain.principal import Principal
from chalicelib.services.timeline import access
from chalicelib.storage import secrecy

# Where an event's data names another report.
_NAMED = ("into", "duplicate")


def hidden_from(actor: Principal, wanted: Iterable[str]) -> set[str]:
    """Those of the reports that are secret, and that the actor may not know of."""
    ids = set(wanted)
    if not ids:
        return ids
    heads = secrecy.heads(actor.jurisdiction, ids).values()
    return {one.id for one in heads if one.secret and not access.exists_for(actor, one)}


def without_secret_original(actor: Principal, view: dict[str, Any]) -> dict[str, Any]:
    """A view or an answer without the original that it is merged into, where that is secret."""
    into = view.get("merged_into")
    if not into or not hidden_from(actor, [into]):
        return view
    return {**view, "merged_into": None}


def without_secret_reports(actor: Principal, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a timeline, in which no secret report is named."""
    named = [report for row in events for report in _reports(row.get("data", {}))]
    gone = hidden_from(actor, named)
    if not gone:
        return events
    return [
        {**row, "data": _without(row["data"], gone.__contains__)} if "data" in row else row
        for row in events
    ]


def _reports(data: dict[str, Any]) -> list[str]:
    found = [data[name] for name in _NAMED if data.get(name)]
    of = data.get("of")
    return [*found, of["report"]] if of else found


def _without(data: dict[str, Any], gone: Callable[[str], bool]) -> dict[str, Any]:
    kept = {
        name: value for name, value in data.items() if not (name in _NAMED and gone(value or ""))
    }
    of = kept.get("of")
    return {**kept, "of": None} if of and gone(of["report"]) else kept
